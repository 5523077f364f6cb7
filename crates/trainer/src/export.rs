//! A model folder as one GGUF file, for llama.cpp and what stands on it.

use crate::{Error, gguf_vocabulary};
use candle_core::Device;
use lm::{GgufDtype, GgufValue, Llama, write_gguf};
use std::path::Path;

/// Reads a model folder (merge an adapter first) and writes weights and tokenizer as GGUF. `name` is what readers show;
/// `pre` overrides how text is cut before merging ([`gguf_vocabulary::vocabulary`]). Returns the file's size in bytes.
///
/// # Errors
/// The model or its tokenizer cannot be read; the file cannot be written.
pub fn run(model: &Path, out: &Path, stored: GgufDtype, name: &str, pre: Option<&str>) -> Result<u64, Error> {
    let llama = Llama::load(model, &Device::Cpu)?;
    let mut metadata = vec![("general.name".to_owned(), GgufValue::Text(name.into()))];
    metadata.extend(gguf_vocabulary::vocabulary(model, llama.config().vocab_size, pre)?);
    write_gguf(out, &llama, stored, &metadata)?;
    let size =
        std::fs::metadata(out).map_err(|source| artifacts::Error::Io { path: out.into(), action: "read", source });
    Ok(size?.len())
}
