use crate::Error;
use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The tensors of model.safetensors, taken one by one.
pub(super) struct Weights {
    path: PathBuf,
    tensors: HashMap<String, Tensor>,
    /// `bert.` where the model was saved together with a head.
    prefix: &'static str,
}

impl Weights {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let folder = path.parent().unwrap_or(path).to_owned();
        // Through our own reading, so that a missing file says what the folder needs.
        let tensors = candle_core::safetensors::load_buffer(&super::bytes(path)?, &Device::Cpu)
            .map_err(|source| Error::Model { folder, source })?;
        let prefix = if tensors.keys().any(|name| name.starts_with("bert.")) { "bert." } else { "" };
        Ok(Self { path: path.to_owned(), tensors, prefix })
    }

    fn bad(&self, message: String) -> Error {
        Error::BadFile { path: self.path.clone(), message }
    }

    /// What to say when candle cannot convert a tensor.
    pub(super) fn unreadable(&self, name: &str, error: &candle_core::Error) -> Error {
        self.bad(format!("tensor `{name}`: {error}"))
    }

    /// A tensor in f32, checked to have this shape and no value that is not a number.
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, Error> {
        let name = format!("{}{name}", self.prefix);
        let Some(tensor) = self.tensors.remove(&name) else {
            return Err(self.bad(format!("no tensor `{name}`, which config.json asks for")));
        };
        if tensor.dims() != shape {
            let found = tensor.dims();
            return Err(self.bad(format!("tensor `{name}` has shape {found:?}; by config.json it is {shape:?}")));
        }
        let values = tensor.to_dtype(DType::F32).and_then(|tensor| {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            Ok((tensor, values))
        });
        let (tensor, values) = values.map_err(|e| self.unreadable(&name, &e))?;
        if let Some(i) = values.iter().position(|v| !v.is_finite()) {
            return Err(self.bad(format!("tensor `{name}` holds {} at {i}; fetch the model again", values[i])));
        }
        Ok(tensor)
    }

    pub(super) fn numbers(&mut self, name: &str, length: usize) -> Result<Vec<f32>, Error> {
        let tensor = self.take(name, &[length])?;
        tensor.to_vec1().map_err(|e| self.unreadable(name, &e))
    }

    /// What is left belongs to heads that a vector does not pass; a layer or a table among it was not read.
    pub(super) fn finish(self) -> Result<(), Error> {
        let parts = [format!("{}encoder.", self.prefix), format!("{}embeddings.", self.prefix)];
        let indices = [format!("{}position_ids", parts[1]), format!("{}token_type_ids", parts[1])];
        let mut unread: Vec<&String> = self.tensors.keys().collect();
        unread.sort_unstable();
        let unread = unread.into_iter().find(|n| parts.iter().any(|p| n.starts_with(p)) && !indices.contains(n));
        match unread {
            Some(name) => Err(self.bad(format!(
                "tensor `{name}` has no place in the model of config.json; it would be passed over and the vectors wrong"
            ))),
            None => Ok(()),
        }
    }
}
