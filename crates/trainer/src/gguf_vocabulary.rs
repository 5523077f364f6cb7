//! A `tokenizer.json` in the words of GGUF: tokens, their kinds, merges, special tokens, and how text is cut beforehand.

use crate::{Error, model_files};
use lm::GgufValue;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Kinds of tokens in ggml (`llama_token_type`).
const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const UNUSED: i32 = 5;
const BYTE: i32 = 6;

/// The metadata of the tokenizer beside a model of `vocab_size` tokens. `pre` names how llama.cpp cuts text before merging;
/// without it, the name is recognised from the tokenizer's own rules.
///
/// # Errors
/// No `tokenizer.json`, not one of byte-pair encoding, or rules that llama.cpp has no name for (known to us).
pub fn vocabulary(model: &Path, vocab_size: usize, pre: Option<&str>) -> Result<Vec<(String, GgufValue)>, Error> {
    let path = model.join("tokenizer.json");
    let bad = |message: &str| Error::Tokenizer(format!("{}: {message}", path.display()));
    let json: Value = serde_json::from_slice(&model_files::read(&path)?).map_err(|e| bad(&e.to_string()))?;
    let bpe = json.get("model").unwrap_or(&Value::Null);
    let vocab = bpe.get("vocab").and_then(Value::as_object).ok_or_else(|| bad("no byte-pair vocabulary"))?;
    let merges = bpe.get("merges").and_then(Value::as_array).ok_or_else(|| bad("no merges"))?;
    let merges: Vec<String> =
        merges.iter().map(merge).collect::<Option<_>>().ok_or_else(|| bad("a merge is no pair"))?;

    let mut tokens: Vec<String> = (0..vocab_size).map(|id| format!("[PAD{id}]")).collect();
    let mut kinds = vec![UNUSED; vocab_size];
    let mut put = |id: Option<u64>, text: &str, kind: i32| {
        let id = id.map(|id| id as usize).filter(|id| *id < vocab_size);
        let id = id.ok_or_else(|| bad(&format!("token `{text}` is beyond the model's {vocab_size}")))?;
        if let (Some(token), Some(place)) = (tokens.get_mut(id), kinds.get_mut(id)) {
            text.clone_into(token);
            *place = kind;
        }
        Ok::<(), Error>(())
    };
    let unknown = bpe.get("unk_token").and_then(Value::as_str);
    for (text, id) in vocab {
        let byte = text.len() == 6 && text.starts_with("<0x") && text.ends_with('>');
        let kind = if Some(text.as_str()) == unknown {
            UNKNOWN
        } else if byte {
            BYTE
        } else {
            NORMAL
        };
        put(id.as_u64(), text, kind)?;
    }
    for added in json.get("added_tokens").and_then(Value::as_array).into_iter().flatten() {
        let text = added.get("content").and_then(Value::as_str).ok_or_else(|| bad("an added token has no text"))?;
        let special = added.get("special").and_then(Value::as_bool).unwrap_or(false);
        let kind = match special {
            true if Some(text) == unknown => UNKNOWN,
            true => CONTROL,
            false => USER_DEFINED,
        };
        put(added.get("id").and_then(Value::as_u64), text, kind)?;
    }

    let mut all = vec![("tokenizer.ggml.token_type".to_owned(), GgufValue::I32s(kinds))];
    if contains(json.get("decoder"), "ByteLevel") {
        let name = match pre {
            Some(name) => name.to_owned(),
            None => pre_tokenizer(&json)
                .ok_or_else(|| bad("its pre-tokenizer has no name that we know; give --pre"))?
                .to_owned(),
        };
        all.push(text("tokenizer.ggml.model", "gpt2"));
        all.push(text("tokenizer.ggml.pre", &name));
        all.push(("tokenizer.ggml.merges".into(), GgufValue::Texts(merges)));
    } else if bpe.get("byte_fallback").and_then(Value::as_bool).unwrap_or(false) {
        // SentencePiece by way of Hugging Face: llama.cpp merges the pair whose piece scores highest, so the rank of
        // the merge that makes a piece, negated, merges in the same order.
        let ranks: BTreeMap<String, usize> =
            merges.iter().enumerate().rev().map(|(i, m)| (m.replacen(' ', "", 1), i)).collect();
        let scores = tokens.iter().map(|t| ranks.get(t).map_or(0.0, |rank| -(*rank as f32) - 1.0)).collect();
        all.push(text("tokenizer.ggml.model", "llama"));
        all.push(text("tokenizer.ggml.pre", pre.unwrap_or("default")));
        all.push(("tokenizer.ggml.scores".into(), GgufValue::F32s(scores)));
    } else {
        return Err(bad("neither byte-level nor with byte fallback; llama.cpp has no such vocabulary"));
    }
    special(model, &tokens, &mut all)?;
    all.push(("tokenizer.ggml.tokens".into(), GgufValue::Texts(tokens)));
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(all)
}

/// `a b`, or a list of two.
fn merge(merge: &Value) -> Option<String> {
    match merge {
        Value::String(text) => Some(text.clone()),
        Value::Array(pair) => match pair.as_slice() {
            [a, b] => Some(format!("{} {}", a.as_str()?, b.as_str()?)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a part of the tokenizer, or one of its members, is of the type `kind`.
fn contains(part: Option<&Value>, kind: &str) -> bool {
    match part {
        Some(Value::Object(fields)) => {
            fields.get("type").and_then(Value::as_str) == Some(kind) || fields.values().any(|v| contains(Some(v), kind))
        }
        Some(Value::Array(list)) => list.iter().any(|v| contains(Some(v), kind)),
        _ => false,
    }
}

/// llama.cpp's name of the rules that cut a text before pairs are merged.
fn pre_tokenizer(json: &Value) -> Option<&'static str> {
    let part = json.get("pre_tokenizer")?;
    let text = part.to_string();
    if text.contains("\\\\p{N}{1,3}") && text.contains("(?i:'s|'t|'re|'ve|'m|'ll|'d)") {
        Some("llama-bpe")
    } else if contains(Some(part), "Digits") && contains(Some(part), "ByteLevel") {
        // One digit a piece, then GPT-2's rule.
        text.contains("\"individual_digits\":true").then_some("smollm")
    } else if part.get("type").and_then(Value::as_str) == Some("ByteLevel") {
        Some("gpt-2")
    } else {
        None
    }
}

/// Begin, end and padding, the chat template, and whether encoding adds a begin by itself.
fn special(model: &Path, tokens: &[String], all: &mut Vec<(String, GgufValue)>) -> Result<(), Error> {
    let path = model.join("tokenizer_config.json");
    if !path.is_file() {
        return Ok(());
    }
    let config: Value = serde_json::from_slice(&model_files::read(&path)?)
        .map_err(|e| Error::Tokenizer(format!("{}: {e}", path.display())))?;
    let token = |name: &str| {
        let value = config.get(name)?;
        value.as_str().or_else(|| value.get("content")?.as_str())
    };
    for (name, key) in [("bos_token", "bos"), ("eos_token", "eos"), ("pad_token", "padding"), ("unk_token", "unknown")]
    {
        if let Some(id) = token(name).and_then(|text| tokens.iter().position(|t| t == text)) {
            all.push((format!("tokenizer.ggml.{key}_token_id"), GgufValue::U32(id as u32)));
        }
    }
    if let Some(template) = config.get("chat_template").and_then(Value::as_str) {
        all.push(text("tokenizer.chat_template", template));
    } else if let Ok(bytes) = model_files::read(&model.join("chat_template.jinja")) {
        all.push(text("tokenizer.chat_template", &String::from_utf8_lossy(&bytes)));
    }
    let tokenizer = tokenizers::Tokenizer::from_file(model.join("tokenizer.json"))
        .map_err(|e| Error::Tokenizer(format!("{}: {e}", model.join("tokenizer.json").display())))?;
    if let (Some(bos), Ok(encoding)) = (token("bos_token"), tokenizer.encode("a", true)) {
        let adds = encoding.get_tokens().first().map(String::as_str) == Some(bos);
        all.push(("tokenizer.ggml.add_bos_token".into(), GgufValue::Bool(adds)));
    }
    Ok(())
}

fn text(key: &str, value: &str) -> (String, GgufValue) {
    (key.into(), GgufValue::Text(value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Option<&'static str> {
        pre_tokenizer(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_rules_of_known_families_have_their_names() {
        let llama3 = r#"{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex":
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
            {"type": "ByteLevel", "use_regex": false}]}}"#;
        assert_eq!(of(llama3), Some("llama-bpe"));
        let smollm = r#"{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true}, {"type": "ByteLevel"}]}}"#;
        assert_eq!(of(smollm), Some("smollm"));
        assert_eq!(of(r#"{"pre_tokenizer": {"type": "ByteLevel"}}"#), Some("gpt-2"));
        assert_eq!(of(r#"{"pre_tokenizer": {"type": "Whitespace"}}"#), None);
    }
}
