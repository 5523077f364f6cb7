//! What the tests of this crate share.
#![allow(clippy::unwrap_used, dead_code, reason = "tests")]

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A model folder whose tokenizer has one token for each byte, besides `<s>` and `</s>`.
pub(crate) fn model(dir: &Path, context: Option<u32>) -> PathBuf {
    let folder = dir.join("model");
    std::fs::create_dir_all(&folder).unwrap();
    let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(str::to_owned).to_vec();
    tokens.extend((0..=255u8).map(|b| format!("<0x{b:02X}>")));
    let vocabulary: serde_json::Map<String, Value> =
        tokens.iter().enumerate().map(|(i, t)| (t.clone(), json!(i))).collect();
    let added: Vec<Value> = (0..3)
        .map(|i| json!({"id": i, "content": tokens[i], "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}))
        .collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": null, "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "vocab": vocabulary, "merges": []},
    });
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let config = json!({"bos_token": "<s>", "eos_token": "</s>"});
    std::fs::write(folder.join("tokenizer_config.json"), config.to_string()).unwrap();
    if let Some(context) = context {
        let config = json!({"max_position_embeddings": context});
        std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    }
    folder
}
