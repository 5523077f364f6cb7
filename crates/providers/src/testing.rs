//! For tests: a provider that follows a script, and a tiny random model on disk.

use crate::{Completion, Error, Provider, Reply};
use chat::Message;
use std::collections::BTreeMap;
use std::path::Path;

type Write = dyn Fn(&str, &Completion) -> Reply + Send + Sync;
type Score = dyn Fn(&str, &[&str]) -> Vec<f64> + Send + Sync;

/// Answers by a function of the prompt: the last message's text, or the raw prefix.
pub struct Scripted {
    write: Box<Write>,
    score: Box<Score>,
}

impl Scripted {
    /// Writes with `write` and gives all answers the same probability.
    pub fn new(write: impl Fn(&str, &Completion) -> Reply + Send + Sync + 'static) -> Self {
        let even = |_: &str, answers: &[&str]| vec![1.0 / answers.len().max(1) as f64; answers.len()];
        Self { write: Box::new(write), score: Box::new(even) }
    }

    /// Always writes the same text, and ends it itself.
    pub fn saying(text: &str) -> Self {
        let text = text.to_owned();
        Self::new(move |_, _| Reply { text: text.clone(), finished: true })
    }

    /// Scores answers with a function of the prompt.
    #[must_use]
    pub fn scoring(mut self, score: impl Fn(&str, &[&str]) -> Vec<f64> + Send + Sync + 'static) -> Self {
        self.score = Box::new(score);
        self
    }
}

impl Provider for Scripted {
    #[expect(clippy::unnecessary_literal_bound, reason = "the trait's signature")]
    fn name(&self) -> &str {
        "scripted"
    }

    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error> {
        Ok((self.write)(messages.last().map_or("", |m| &m.content), options))
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
        Ok((self.write)(prefix, options))
    }

    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
        Ok((self.score)(messages.last().map_or("", |m| &m.content), answers))
    }
}

/// Writes a random Llama (two layers of width 32, 512 positions) with a byte-level tokenizer of 258 tokens (`<s>` 256,
/// `</s>` 257) and no chat template. It reads any text and writes nonsense.
///
/// # Errors
/// The folder cannot be written.
pub fn tiny_model(folder: &Path, seed: u64) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(folder)?;
    let config = serde_json::json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 258, "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": null, "tie_word_embeddings": true,
        "attention_bias": false, "mlp_bias": false, "bos_token_id": 256, "eos_token_id": 257, "torch_dtype": "float32",
    });
    std::fs::write(folder.join("config.json"), serde_json::to_vec_pretty(&config)?)?;
    let model = lm::Llama::initialise(lm::Config::load(folder)?, seed, &candle_core::Device::Cpu)?;
    model.save(folder)?;

    let vocabulary: BTreeMap<String, usize> =
        byte_characters().enumerate().map(|(id, c)| (c.to_string(), id)).collect();
    let special = |id: u32, content: &str| {
        serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    };
    let byte_level =
        serde_json::json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [special(256, "<s>"), special(257, "</s>")],
        "normalizer": null, "pre_tokenizer": byte_level, "post_processor": null, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary, "merges": []},
    });
    std::fs::write(folder.join("tokenizer.json"), serde_json::to_vec(&tokenizer)?)?;
    let special = serde_json::json!({"bos_token": "<s>", "eos_token": "</s>"});
    std::fs::write(folder.join("tokenizer_config.json"), serde_json::to_vec(&special)?)?;
    Ok(())
}

/// The printable character that byte-level tokenizers write for each byte, from 0 (GPT-2's table: printable bytes stand for
/// themselves, the others for U+0100 and following).
fn byte_characters() -> impl Iterator<Item = char> {
    let mut next = 256;
    (0..=255_u32).filter_map(move |byte| {
        let code = match byte {
            33..=126 | 161..=172 | 174..=255 => byte,
            _ => {
                next += 1;
                next - 1
            }
        };
        char::from_u32(code)
    })
}
