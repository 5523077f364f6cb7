use crate::{Embedder, Error};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use hub::{Hub, Source};
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use tokenizers::{Tokenizer, TruncationParams};

/// Where a model of the sentence-transformers kind says how long its texts may be, and how it pools.
const LENGTH_FILE: &str = "sentence_bert_config.json";
const POOLING_FILE: &str = "1_Pooling/config.json";

/// Embeddings from a BERT of the sentence-transformers kind, such as all-MiniLM-L6-v2: the mean of the last hidden
/// states, scaled to length 1. It follows the model's own limit on tokens; what is longer is cut there.
///
/// Each text runs by itself (several at a time, one a core), so nothing is padded and a vector depends on no other text.
///
/// ```no_run
/// use retrieval::{BertEmbedder, Embedder};
/// let model = BertEmbedder::open(std::path::Path::new("all-MiniLM-L6-v2"))?;
/// let vectors = model.embed(&["Revenue beat expectations.", "Sales were better than thought."])?;
/// # Ok::<(), retrieval::Error>(())
/// ```
pub struct BertEmbedder {
    name: String,
    folder: PathBuf,
    model: BertModel,
    tokenizer: Tokenizer,
    dimensions: usize,
    max_tokens: usize,
}

impl std::fmt::Debug for BertEmbedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BertEmbedder")
            .field("name", &self.name)
            .field("dimensions", &self.dimensions)
            .field("max_tokens", &self.max_tokens)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Lengths {
    max_seq_length: Option<usize>,
}

impl BertEmbedder {
    /// Reads a model from a folder with config.json, model.safetensors and tokenizer.json, and, where present,
    /// `sentence_bert_config.json` and `1_Pooling/config.json`.
    ///
    /// # Errors
    /// A file is missing or malformed, the model is no BERT, or it pools otherwise than by the mean.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let name = folder.file_name().map_or_else(|| "bert".into(), |n| n.to_string_lossy().into_owned());
        Self::named(folder, name)
    }

    /// Fetches a model from the Hub (or its cache) and reads it. `id` is `ORG/NAME` or `hf://ORG/NAME[@REVISION]`.
    pub fn from_hub(id: &str, hub: &Hub) -> Result<Self, Error> {
        let folder = hub.fetch_model(id)?;
        let source = if id.starts_with("hf://") { id.to_owned() } else { format!("hf://{id}") };
        if let Source::Hub(at) = Source::parse(&source)? {
            let present = hub.list(&at.at(""))?;
            for file in [LENGTH_FILE, POOLING_FILE] {
                if present.iter().any(|p| p == file) {
                    hub.fetch_file(&at.at(file))?;
                }
            }
        }
        Self::named(&folder, id.trim_start_matches("hf://").to_owned())
    }

    fn named(folder: &Path, name: String) -> Result<Self, Error> {
        let path = folder.join("config.json");
        let config: Config = required(&path)?;
        let bad = |message: String| Error::BadFile { path: path.clone(), message };
        if config.model_type.as_deref().is_some_and(|m| m != "bert") {
            let kind = config.model_type.unwrap_or_default();
            return Err(bad(format!("model_type is `{kind}`; only `bert` can embed here, such as all-MiniLM-L6-v2")));
        }
        let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
        if hidden == 0 || heads == 0 || !hidden.is_multiple_of(heads) {
            return Err(bad(format!("hidden_size {hidden} is no multiple of num_attention_heads {heads}")));
        }
        let path = folder.join(POOLING_FILE);
        if optional::<serde_json::Map<_, _>>(&path)?.is_some_and(|pooling| !pools_by_mean(&pooling)) {
            let message = "the model does not pool by the mean of its tokens; take one that does".into();
            return Err(Error::BadFile { path, message });
        }
        let lengths = optional::<Lengths>(&folder.join(LENGTH_FILE))?;
        let places = config.max_position_embeddings;
        let max_tokens = lengths.and_then(|l| l.max_seq_length).unwrap_or(places).min(places);

        let path = folder.join("tokenizer.json");
        let bad = |message: String| Error::BadFile { path: path.clone(), message };
        let mut tokenizer = Tokenizer::from_bytes(bytes(&path)?).map_err(|e| bad(e.to_string()))?;
        // tokenizer.json may carry the settings of whoever saved it (all-MiniLM-L6-v2: 128 tokens, padded).
        let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| bad(e.to_string()))?;
        tokenizer.with_padding(None);
        let size = tokenizer.get_vocab_size(true);
        if size > config.vocab_size {
            return Err(bad(format!("{size} tokens, but config.json says vocab_size {}", config.vocab_size)));
        }

        let fail = |source| Error::Model { folder: folder.to_owned(), source };
        let weights = bytes(&folder.join("model.safetensors"))?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu).map_err(fail)?;
        let model = BertModel::load(weights, &config).map_err(fail)?;
        Ok(Self { name, folder: folder.to_owned(), model, tokenizer, dimensions: hidden, max_tokens })
    }

    /// How many tokens of a text are read, special ones included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn embed_one(&self, text: &str) -> Result<Vec<f32>, Error> {
        let tokens = self.tokenizer.encode(text, true).map_err(|e| Error::BadFile {
            path: self.folder.join("tokenizer.json"),
            message: format!("cannot split a text of {} bytes: {e}", text.len()),
        })?;
        if tokens.is_empty() {
            return Ok(vec![0.0; self.dimensions]);
        }
        let fail = |source| Error::Model { folder: self.folder.clone(), source };
        self.mean_hidden(tokens.get_ids(), tokens.get_type_ids()).map_err(fail)
    }

    fn mean_hidden(&self, ids: &[u32], types: &[u32]) -> candle_core::Result<Vec<f32>> {
        let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
        let types = Tensor::new(types, &Device::Cpu)?.unsqueeze(0)?;
        let hidden = self.model.forward(&ids, &types, None)?;
        hidden.squeeze(0)?.mean(0)?.to_vec1()
    }
}

impl Embedder for BertEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
        texts
            .par_iter()
            .map(|text| {
                let mut vector = self.embed_one(text)?;
                crate::embedder::normalise(&mut vector);
                Ok(vector)
            })
            .collect()
    }
}

/// The file has one flag for each way of pooling, such as `pooling_mode_mean_tokens`; several may be set.
fn pools_by_mean(pooling: &serde_json::Map<String, serde_json::Value>) -> bool {
    let chosen: Vec<&str> = pooling
        .iter()
        .filter(|(_, on)| on.as_bool() == Some(true))
        .filter_map(|(name, _)| name.strip_prefix("pooling_mode_"))
        .collect();
    chosen == ["mean_tokens"]
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })
}

fn required<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&bytes(path)?)
        .map_err(|e| Error::BadFile { path: path.to_owned(), message: format!("{e}; give the file as published") })
}

fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    if path.is_file() { required(path).map(Some) } else { Ok(None) }
}
