//! The files beside a model that say how to speak to it.

use crate::Error;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Everything that is read from a tokenizer folder; the last two only for the ids that end a turn.
pub(crate) const NAMES: [&str; 6] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "generation_config.json",
    "config.json",
];

/// The variables that the reference library hands to a template.
const SPECIAL: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// The JSON files of a folder, empty where a file is missing.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    tokenizer_config: Value,
    special_tokens_map: Value,
    generation_config: Option<Value>,
    config: Option<Value>,
}

impl Files {
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        Ok(Self {
            folder: folder.to_owned(),
            tokenizer_config: json(&folder.join("tokenizer_config.json"))?.unwrap_or_default(),
            special_tokens_map: json(&folder.join("special_tokens_map.json"))?.unwrap_or_default(),
            generation_config: json(&folder.join("generation_config.json"))?,
            config: json(&folder.join("config.json"))?,
        })
    }

    /// `bos_token`, `eos_token` and so on, with their text; those that are null are left out.
    pub(crate) fn special(&self) -> Vec<(String, String)> {
        let text = |name: &str| {
            [&self.tokenizer_config, &self.special_tokens_map].into_iter().find_map(|file| match file.get(name)? {
                Value::String(token) => Some(token.clone()),
                token => token.get("content")?.as_str().map(str::to_owned),
            })
        };
        SPECIAL.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?))).collect()
    }

    /// The ids in `eos_token_id` of generation_config.json, or of config.json where there is no such file.
    pub(crate) fn end_ids(&self) -> Vec<u32> {
        let file = self.generation_config.as_ref().or(self.config.as_ref());
        let ids = match file.and_then(|f| f.get("eos_token_id")) {
            Some(Value::Array(ids)) => ids.clone(),
            Some(id) => vec![id.clone()],
            None => Vec::new(),
        };
        ids.iter().filter_map(|id| u32::try_from(id.as_u64()?).ok()).collect()
    }

    /// How many positions the model has, where config.json says so.
    pub(crate) fn context(&self) -> Option<usize> {
        let positions = self.config.as_ref()?.get("max_position_embeddings")?.as_u64()?;
        usize::try_from(positions).ok()
    }

    /// The model's template: chat_template.jinja if there is one, else that of tokenizer_config.json (of several, the
    /// one called `default`).
    pub(crate) fn template(&self) -> Result<Option<String>, Error> {
        let path = self.folder.join("chat_template.jinja");
        match std::fs::read_to_string(&path) {
            Ok(source) => return Ok(Some(source)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Io { path, source }),
        }
        let path = self.folder.join("tokenizer_config.json");
        match self.tokenizer_config.get("chat_template") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(source)) => Ok(Some(source.clone())),
            Some(Value::Array(named)) => {
                let field = |t: &Value, name: &str| t.get(name).and_then(Value::as_str).map(str::to_owned);
                let default = named.iter().find(|t| field(t, "name").as_deref() == Some("default"));
                default.and_then(|t| field(t, "template")).map(Some).ok_or_else(|| {
                    let names = named.iter().filter_map(|t| field(t, "name")).collect::<Vec<_>>().join(", ");
                    Error::NoDefaultTemplate { path, names }
                })
            }
            Some(_) => Err(Error::Json { path, message: "chat_template is neither text nor a list".into() }),
        }
    }
}

fn json(path: &Path) -> Result<Option<Value>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| Error::Json { path: path.to_owned(), message: e.to_string() }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { path: path.to_owned(), source }),
    }
}
