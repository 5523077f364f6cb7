//! A byte-level BPE tokenizer learned from text, for models pretrained here.

use crate::Error;
use artifacts::write_bytes;
use serde_json::json;
use std::path::Path;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::normalizers::unicode::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, Tokenizer, TokenizerBuilder};

/// Begins every text.
pub const BEGIN: &str = "<|begin|>";
/// Ends every text and every turn.
pub const END: &str = "<|end|>";
const SPECIAL: [&str; 6] = [BEGIN, END, "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>"];

/// One special token per role, one for the end of a turn: a prompt costs four tokens beside its text.
const TEMPLATE: &str = "{{- bos_token }}\
{%- for message in messages %}{{- '<|' + message['role'] + '|>' + message['content'] | trim + eos_token }}{%- endfor %}\
{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}";

/// Learns a vocabulary of `size` tokens from `texts`. Single digits stay single, so that numbers are spelled.
pub fn learn<'a>(texts: impl Iterator<Item = &'a str> + Send, size: usize) -> Result<Tokenizer, Error> {
    let failed = |e: tokenizers::Error| Error::Tokenizer(e.to_string());
    let pieces = ByteLevel::new(false, true, true);
    let split = Sequence::new(vec![PreTokenizerWrapper::Digits(Digits::new(true)), pieces.into()]);
    let mut tokenizer =
        TokenizerBuilder::<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>::new()
            .with_model(BPE::default())
            .with_normalizer(Some(NFC.into()))
            .with_pre_tokenizer(Some(split.into()))
            .with_post_processor(Some(ByteLevel::default().into()))
            .with_decoder(Some(ByteLevel::default().into()))
            .build()
            .map_err(failed)?;
    let mut trainer = BpeTrainerBuilder::new()
        .vocab_size(size)
        .min_frequency(2)
        .show_progress(false)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens(SPECIAL.iter().map(|s| AddedToken::from((*s).to_owned(), true)).collect())
        .build();
    tokenizer.train(&mut trainer, texts).map_err(failed)?;
    serde_json::to_string(&tokenizer)
        .map_err(|e| Error::Tokenizer(e.to_string()))
        .and_then(|text| text.parse::<Tokenizer>().map_err(failed))
}

/// Writes `tokenizer.json`, `tokenizer_config.json` (with the chat template) and `generation_config.json`.
pub fn save(tokenizer: &Tokenizer, folder: &Path, context: usize) -> Result<(), Error> {
    let text = tokenizer.to_string(false).map_err(|e| Error::Tokenizer(e.to_string()))?;
    write_bytes(&folder.join("tokenizer.json"), text.as_bytes())?;
    let config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BEGIN,
        "eos_token": END,
        "pad_token": SPECIAL[2],
        "clean_up_tokenization_spaces": false,
        "model_max_length": context,
        "chat_template": TEMPLATE,
    });
    write_bytes(&folder.join("tokenizer_config.json"), pretty(&config).as_bytes())?;
    let id = |token| tokenizer.token_to_id(token);
    let generation = json!({ "bos_token_id": id(BEGIN), "eos_token_id": id(END), "pad_token_id": id(SPECIAL[2]) });
    write_bytes(&folder.join("generation_config.json"), pretty(&generation).as_bytes())?;
    Ok(())
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
