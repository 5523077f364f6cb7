//! A tokenizer small enough to read: single characters, byte fallback, a few merges, three control tokens.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part")]

use chat::ChatTokenizer;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// A folder with a tokenizer.json whose vocabulary is `<s>`, `</s>`, `<end>`, 256 bytes, printable ASCII and merges.
pub(crate) fn folder(merges: &[(&str, &str)]) -> TempDir {
    let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>", "<end>"].map(str::to_owned).to_vec();
    tokens.extend((0..=255u8).map(|b| format!("<0x{b:02X}>")));
    tokens.push("\n".into());
    tokens.extend((b' '..=b'~').map(|b| char::from(b).to_string()));
    tokens.extend(merges.iter().map(|(a, b)| format!("{a}{b}")));
    let vocabulary: serde_json::Map<String, Value> =
        tokens.iter().enumerate().map(|(i, t)| (t.clone(), json!(i))).collect();
    let added: Vec<Value> = (0..4)
        .map(|i| json!({"id": i, "content": tokens[i], "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}))
        .collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": null, "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": true, "ignore_merges": false,
            "vocab": vocabulary, "merges": merges.iter().map(|(a, b)| json!([a, b])).collect::<Vec<_>>()},
    });
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "tokenizer.json", &tokenizer);
    write(dir.path(), "tokenizer_config.json", &json!({"bos_token": "<s>", "eos_token": {"content": "</s>"}}));
    dir
}

/// As [`folder`], with this chat template.
pub(crate) fn with_template(merges: &[(&str, &str)], template: &str) -> TempDir {
    let dir = folder(merges);
    write(
        dir.path(),
        "tokenizer_config.json",
        &json!({"bos_token": "<s>", "eos_token": "</s>", "chat_template": template}),
    );
    dir
}

/// Writes one JSON file.
pub(crate) fn write(dir: &Path, name: &str, value: &Value) {
    std::fs::write(dir.join(name), value.to_string()).unwrap();
}

/// Loads with the usual date.
pub(crate) fn load(dir: &TempDir) -> ChatTokenizer {
    ChatTokenizer::load(dir.path(), "26 Jul 2024").unwrap()
}
