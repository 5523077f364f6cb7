//! A tiny model and rows to train it on.
#![allow(dead_code, missing_docs, clippy::unwrap_used, reason = "tests")]

use artifacts::rows::{Formatted, Language, Sentiment};
use candle_core::Device;
use lm::{Config, Llama};
use std::path::{Path, PathBuf};

/// Writes a model of 40 tokens; 0 begins a text, 1 ends it.
pub(crate) fn base(folder: &Path) -> PathBuf {
    let dir = folder.join("base");
    let config = Config { bos_token_id: Some(0), eos_token_ids: vec![1], ..Config::small(40, 16, 2) };
    let model = Llama::initialise(config, 5, &Device::Cpu).unwrap();
    // Embeddings as large as those of a trained model: an adapter cannot change them, and they bound the logits.
    let (_, embedding) = model.trainable().into_iter().find(|(name, _)| name.contains("embed")).unwrap();
    embedding.set(&(embedding.as_detached_tensor() * 12.0).unwrap()).unwrap();
    model.save(&dir).unwrap();
    dir
}

/// Rows that begin alike, go on differently, and end with their label's answer: which of three words comes most often.
pub(crate) fn rows(prefix: &str, count: u32) -> Vec<Formatted> {
    let first = if prefix == "train" { 0 } else { 1000 };
    (0..count)
        .map(|r| {
            let label = Sentiment::ALL[(r % 3) as usize];
            let word = 10 + r % 3;
            let mut ids = vec![0, 4, 5, 6];
            ids.extend((0..3 + r % 4).map(|t| if t % 2 == 0 { word } else { 13 + (first + r * 7 + t * 3) % 20 }));
            ids.push(7);
            let prompt_tokens = ids.len() as u32;
            ids.extend([35 + r % 3, 1]);
            Formatted {
                id: format!("{prefix}-{r}"),
                language: Language::English,
                label,
                messages: "[]".into(),
                text: String::new(),
                supervised: (0..ids.len() as u32).map(|t| t >= prompt_tokens).collect(),
                ids,
                prompt_tokens,
            }
        })
        .collect()
}

/// Every file below a folder with its bytes, but for what differs between equal runs.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("runtime.json") {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
