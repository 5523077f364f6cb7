//! What a killed run needs to go on exactly where it was: one file, replaced atomically.

use crate::Error;
use artifacts::rows::Step;
use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Parameters, optimizer state and log after `steps.len()` updates. Everything else (data order, dropout, which update was
/// best, how long ago that was) is a function of seed and log.
#[derive(Debug, Clone, Default)]
pub struct Checkpoint {
    /// The trained parameters, by name.
    pub parameters: BTreeMap<String, Tensor>,
    /// The parameters of the best judged update, by name; empty where none was judged.
    pub best: BTreeMap<String, Tensor>,
    /// The optimizer's moments, by its own names.
    pub optimizer: BTreeMap<String, Tensor>,
    /// One row per update so far.
    pub steps: Vec<Step>,
}

const PARAMETER: &str = "parameter/";
const BEST: &str = "best/";
const OPTIMIZER: &str = "optimizer/";

impl Checkpoint {
    /// Writes it. `fingerprint` says which run it belongs to.
    pub fn save(&self, path: &Path, fingerprint: &str) -> Result<(), Error> {
        let bad = |message: String| Error::BadCheckpoint { path: path.into(), message };
        let mut raw = Vec::new();
        for (prefix, tensors) in [(PARAMETER, &self.parameters), (BEST, &self.best), (OPTIMIZER, &self.optimizer)] {
            for (name, tensor) in tensors {
                let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                raw.push((format!("{prefix}{name}"), tensor.dims().to_vec(), bytes));
            }
        }
        let views = raw
            .iter()
            .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|e| bad(e.to_string()))?;
        let steps = serde_json::to_string(&self.steps).map_err(|e| bad(e.to_string()))?;
        let metadata = HashMap::from([("fingerprint".to_owned(), fingerprint.to_owned()), ("steps".to_owned(), steps)]);
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| bad(e.to_string()))?;
        Ok(artifacts::write_bytes(path, &bytes)?)
    }

    /// Reads it; none if there is none, or if it belongs to another run (which is then begun afresh).
    pub fn load(path: &Path, fingerprint: &str, device: &Device) -> Result<Option<Self>, Error> {
        let bad = |message: String| Error::BadCheckpoint { path: path.into(), message };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(bad(e.to_string())),
        };
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| bad(e.to_string()))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        if metadata.get("fingerprint").map(String::as_str) != Some(fingerprint) {
            tracing::warn!("{}: is of another run, ignored", path.display());
            return Ok(None);
        }
        let steps = metadata.get("steps").map_or("[]", String::as_str);
        let mut checkpoint =
            Self { steps: serde_json::from_str(steps).map_err(|e| bad(e.to_string()))?, ..Self::default() };
        let file = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
        for (name, view) in file.iter() {
            let values: Vec<f32> =
                view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            let tensor = Tensor::from_vec(values, view.shape(), device)?;
            if let Some(name) = name.strip_prefix(PARAMETER) {
                checkpoint.parameters.insert(name.to_owned(), tensor);
            } else if let Some(name) = name.strip_prefix(BEST) {
                checkpoint.best.insert(name.to_owned(), tensor);
            } else if let Some(name) = name.strip_prefix(OPTIMIZER) {
                checkpoint.optimizer.insert(name.to_owned(), tensor);
            }
        }
        Ok(Some(checkpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_comes_back_bit_for_bit_and_only_for_its_own_run() -> Result<(), Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        let values = [0.1_f32, -0.0, f32::MIN_POSITIVE, 1e-40, 3.0e38, 1.0 / 3.0];
        let tensor = Tensor::from_slice(&values, (2, 3), &Device::Cpu)?;
        let step = Step {
            step: 1,
            epoch: 0.1,
            loss: 1.0 / 3.0,
            learning_rate: 1e-3,
            gradient_norm: 0.7,
            tokens: 9,
            supervised_tokens: 2,
            computed_tokens: 7,
            dev_loss: Some(0.1),
            dev_macro_f1: None,
        };
        let saved = Checkpoint {
            parameters: BTreeMap::from([("a".to_owned(), tensor.clone())]),
            best: BTreeMap::from([("a".to_owned(), (&tensor * 3.0)?)]),
            optimizer: BTreeMap::from([("a.m".to_owned(), (tensor * 2.0)?)]),
            steps: vec![step],
        };
        saved.save(&path, "run 1")?;
        assert!(Checkpoint::load(&path, "run 2", &Device::Cpu)?.is_none());
        let loaded = Checkpoint::load(&path, "run 1", &Device::Cpu)?.unwrap();
        assert_eq!(loaded.steps, saved.steps);
        let bits = |t: &Tensor| -> Vec<u32> {
            t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
        };
        assert_eq!(bits(&loaded.parameters["a"]), bits(&saved.parameters["a"]));
        assert_eq!(bits(&loaded.best["a"]), bits(&saved.best["a"]));
        assert_eq!(bits(&loaded.optimizer["a.m"]), bits(&saved.optimizer["a.m"]));
        Ok(())
    }
}
