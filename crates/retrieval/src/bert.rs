mod config;
mod encoder;
mod modules;
mod weights;

use crate::{Embedder, Error};
use config::BertConfig;
use encoder::{Encoder, Tokens};
use hub::{Hub, Source};
use modules::{FILES, SentenceConfig};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use tokenizers::{Tokenizer, TruncationParams};
use weights::Weights;

/// Tokens that run together: enough that the weights are worth fetching, few enough that what lies between two products
/// stays in cache.
const TOKENS: usize = 512;

/// Embeddings from a BERT of the sentence-transformers kind, such as all-MiniLM-L6-v2: the mean of the last hidden
/// states, scaled to length 1. It follows the model's own limit on tokens; what is longer is cut there, and
/// [`Embedder::cuts`] says so.
///
/// Texts run packed one after another, several packs at a time. Nothing is padded, and a vector depends on no other text,
/// to the last bit.
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
    encoder: Encoder,
    tokenizer: Tokenizer,
    lower_case: bool,
    vocabulary: usize,
    types: usize,
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

impl BertEmbedder {
    /// Reads a model from a folder with config.json, model.safetensors and tokenizer.json, and, where present, what
    /// sentence-transformers adds: `modules.json`, `sentence_bert_config.json`, `config_sentence_transformers.json` and
    /// `1_Pooling/config.json`.
    ///
    /// # Errors
    /// A file is missing or malformed, the model is no BERT, a setting or a tensor is not known here, a weight is no
    /// number, or the model makes its vectors otherwise than by the mean.
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
            for file in FILES {
                if present.iter().any(|p| p == file) {
                    hub.fetch_file(&at.at(file))?;
                }
            }
        }
        Self::named(&folder, id.trim_start_matches("hf://").to_owned())
    }

    fn named(folder: &Path, name: String) -> Result<Self, Error> {
        let path = folder.join("config.json");
        let config = BertConfig::read(&path)?;
        let activation = config.activation().map_err(|message| Error::BadFile { path, message })?;
        let sentence = SentenceConfig::read(folder)?;
        let places = config.max_position_embeddings;
        let max_tokens = sentence.max_tokens.unwrap_or(places).min(places);

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

        let encoder = Encoder::load(&config, activation, Weights::open(&folder.join("model.safetensors"))?)?;
        Ok(Self {
            name,
            folder: folder.to_owned(),
            encoder,
            tokenizer,
            lower_case: sentence.lower_case,
            vocabulary: config.vocab_size,
            types: config.type_vocab_size,
            dimensions: config.hidden_size,
            max_tokens,
        })
    }

    /// How many tokens of a text are read, special ones included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn encode(&self, text: &str) -> Result<tokenizers::Encoding, Error> {
        let bad = |message: String| Error::BadFile { path: self.folder.join("tokenizer.json"), message };
        let encoded = if self.lower_case {
            self.tokenizer.encode_fast(text.to_lowercase(), true)
        } else {
            self.tokenizer.encode_fast(text, true)
        };
        let tokens = encoded.map_err(|e| bad(format!("cannot split a text of {} bytes: {e}", text.len())))?;
        let outside = |ids: &[u32], size: usize| ids.iter().copied().find(|id| *id as usize >= size);
        if let Some(id) = outside(tokens.get_ids(), self.vocabulary) {
            return Err(bad(format!("it gives a token the id {id}, but vocab_size is {}", self.vocabulary)));
        }
        if let Some(id) = outside(tokens.get_type_ids(), self.types) {
            return Err(bad(format!("it gives a token the type {id}, but type_vocab_size is {}", self.types)));
        }
        Ok(tokens)
    }

    /// The vectors of texts that run together.
    fn embed_pack(&self, pack: &[(Vec<u32>, Vec<u32>)]) -> Result<Vec<Vec<f32>>, Error> {
        let texts: Vec<Tokens<'_>> =
            pack.iter().filter(|(ids, _)| !ids.is_empty()).map(|(ids, types)| Tokens { ids, types }).collect();
        let means = self.encoder.means(&texts);
        let means = means.map_err(|source| Error::Model { folder: self.folder.clone(), source })?;
        let mut means = means.chunks_exact(self.dimensions);
        // A text without a single token, not even a special one, means nothing.
        let vector = |(ids, _): &(Vec<u32>, Vec<u32>)| {
            let found = if ids.is_empty() { None } else { means.next() };
            let mut vector = found.map_or_else(|| vec![0.0; self.dimensions], <[f32]>::to_vec);
            crate::embedder::normalise(&mut vector);
            vector
        };
        Ok(pack.iter().map(vector).collect())
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
        let tokens = |text: &&str| self.encode(text).map(|t| (t.get_ids().to_vec(), t.get_type_ids().to_vec()));
        let texts = texts.par_iter().map(tokens).collect::<Result<Vec<_>, _>>()?;
        let mut packs = Vec::new();
        let mut rest = texts.as_slice();
        while !rest.is_empty() {
            let mut tokens = 0;
            let fits = |(ids, _): &&(Vec<u32>, Vec<u32>)| {
                tokens += ids.len();
                tokens <= TOKENS
            };
            let (pack, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            packs.push(pack);
            rest = later;
        }
        let vectors = packs.par_iter().map(|pack| self.embed_pack(pack)).collect::<Result<Vec<_>, _>>()?;
        let vectors = vectors.concat();
        crate::embedder::check(self, &vectors, texts.len())?;
        Ok(vectors)
    }

    fn cuts(&self, text: &str) -> Result<bool, Error> {
        Ok(!self.encode(text)?.get_overflowing().is_empty())
    }
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
