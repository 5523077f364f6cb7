//! What lies beside the weights of a model: tokenizer, template, generation settings.

use crate::Error;
use artifacts::write_bytes;
use std::path::Path;

/// Everything of a model folder that training and merging leave as it is.
const UNCHANGED: [&str; 6] = [
    "chat_template.jinja",
    "generation_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
];

/// Copies what is there.
///
/// # Errors
/// A file cannot be read or written.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    for name in UNCHANGED {
        let path = from.join(name);
        if path.is_file() {
            write_bytes(&to.join(name), &read(&path)?)?;
        }
    }
    Ok(())
}

/// The bytes of a file.
///
/// # Errors
/// It cannot be read; the error names it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    Ok(std::fs::read(path).map_err(|source| artifacts::Error::Io { path: path.into(), action: "read", source })?)
}
