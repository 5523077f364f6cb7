//! The weights of a model folder, in one file or in shards.

use crate::{Error, Result};
use candle_core::{Device, Tensor};
use lora::TensorFile;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Which file holds which tensor.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// The file to name in messages: the single one, or the index.
    path: PathBuf,
    files: Vec<TensorFile>,
    places: BTreeMap<String, usize>,
    read: BTreeSet<String>,
}

impl Checkpoint {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let single = dir.join(SINGLE);
        if single.exists() {
            let file = TensorFile::open(&single)?;
            let places = file.names().into_iter().map(|name| (name, 0)).collect();
            return Ok(Self { path: single, files: vec![file], places, read: BTreeSet::new() });
        }
        let index = dir.join(INDEX);
        if !index.exists() {
            return Err(Error::NoWeights { dir: dir.into() });
        }
        let bad = |message: String| Error::BadConfig { path: index.clone(), message };
        let text = std::fs::read_to_string(&index).map_err(|source| Error::Io {
            path: index.clone(),
            action: "read",
            source,
        })?;
        let value: Value = serde_json::from_str(&text).map_err(|e| bad(format!("not JSON ({e})")))?;
        let map = value.get("weight_map").and_then(Value::as_object);
        let map = map.ok_or_else(|| bad("`weight_map` is not an object".into()))?;
        let mut numbers = BTreeMap::new();
        let (mut files, mut places) = (Vec::new(), BTreeMap::new());
        for (name, file) in map {
            // A shard lies beside its index; anything else could point outside the folder.
            let file = file.as_str().filter(|f| Path::new(f).file_name().is_some_and(|n| n == *f));
            let file = file.ok_or_else(|| bad(format!("`{name}` lies in something that is not a file name")))?;
            let number = if let Some(&number) = numbers.get(file) {
                number
            } else {
                files.push(TensorFile::open(&dir.join(file))?);
                numbers.insert(file.to_owned(), files.len() - 1);
                files.len() - 1
            };
            places.insert(name.clone(), number);
        }
        Ok(Self { path: index, files, places, read: BTreeSet::new() })
    }

    /// The tensor `name` with `shape`, as it is stored.
    pub(crate) fn read(&mut self, name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
        let Some(file) = self.places.get(name).and_then(|&place| self.files.get(place)) else {
            let present = self.places.keys().take(4).cloned().collect::<Vec<_>>().join(", ");
            let present = format!("{} tensors, such as {present}", self.places.len());
            return Err(Error::MissingTensor { path: self.path.clone(), name: name.into(), present });
        };
        self.read.insert(name.into());
        Ok(file.read_shaped(name, shape, device)?)
    }

    /// Fails if the checkpoint has a tensor that nobody read, but for those that repeat what is known.
    pub(crate) fn finish(self, tied: bool) -> Result<()> {
        let known = |name: &str| name.ends_with("rotary_emb.inv_freq") || (tied && name == "lm_head.weight");
        match self.places.into_keys().find(|name| !self.read.contains(name) && !known(name)) {
            None => Ok(()),
            Some(name) => Err(Error::UnknownTensor { path: self.path, name }),
        }
    }
}
