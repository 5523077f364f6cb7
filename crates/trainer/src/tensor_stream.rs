//! Writes a safetensors file tensor by tensor, so that a model of many gigabytes never lies in memory as a whole.

use crate::Error;
use artifacts::AtomicFile;
use candle_core::{DType, Tensor};
use half::{bf16, f16};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;

/// One tensor of the file: known before its values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name.
    pub name: String,
    /// f32, f16 or bf16.
    pub dtype: DType,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    /// How many bytes its values take.
    pub fn bytes(&self) -> u64 {
        self.shape.iter().product::<usize>() as u64 * self.dtype.size_in_bytes() as u64
    }
}

/// A safetensors file whose values are written in the order of its header. It appears under its name only when every
/// value is there.
#[derive(Debug)]
pub struct TensorStream {
    file: AtomicFile,
    missing: u64,
}

impl TensorStream {
    /// Writes the header.
    ///
    /// # Errors
    /// A dtype that the format has no name for here; the file cannot be written.
    pub fn create(path: &Path, tensors: &[TensorSpec]) -> Result<Self, Error> {
        // transformers refuses files without this entry.
        let mut header = Map::from_iter([("__metadata__".to_owned(), json!({ "format": "pt" }))]);
        let mut end = 0;
        for spec in tensors {
            let start = end;
            end += spec.bytes();
            let entry = json!({ "dtype": dtype_name(spec.dtype)?, "shape": spec.shape, "data_offsets": [start, end] });
            header.insert(spec.name.clone(), entry);
        }
        let mut text = Value::Object(header).to_string();
        // The values begin at a multiple of eight.
        text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
        let mut stream = Self { file: AtomicFile::create(path)?, missing: end + 8 + text.len() as u64 };
        stream.write(&(text.len() as u64).to_le_bytes())?;
        stream.write(text.as_bytes())?;
        Ok(stream)
    }

    /// Appends bytes of values: little-endian, in the order of the header, in pieces of any size.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let path = self.file.target().to_owned();
        let failed = |source| artifacts::Error::Io { path, action: "write", source };
        let Some(missing) = self.missing.checked_sub(bytes.len() as u64) else {
            return Err(failed(std::io::Error::other("more values than the header names")).into());
        };
        self.file.write_all(bytes).map_err(failed)?;
        self.missing = missing;
        Ok(())
    }

    /// Appends a tensor's values as `dtype`.
    ///
    /// # Errors
    /// As [`TensorStream::write`]; a dtype other than f32, f16 and bf16.
    pub fn write_tensor(&mut self, tensor: &Tensor, dtype: DType) -> Result<(), Error> {
        let values = tensor.to_dtype(dtype)?.flatten_all()?;
        let bytes: Vec<u8> = match dtype {
            DType::F32 => values.to_vec1::<f32>()?.iter().flat_map(|v| v.to_le_bytes()).collect(),
            DType::F16 => values.to_vec1::<f16>()?.iter().flat_map(|v| v.to_le_bytes()).collect(),
            DType::BF16 => values.to_vec1::<bf16>()?.iter().flat_map(|v| v.to_le_bytes()).collect(),
            other => return Err(unknown(other)),
        };
        self.write(&bytes)
    }

    /// The file is there, whole.
    ///
    /// # Errors
    /// Fewer values were written than the header names; the file cannot be renamed.
    pub fn finish(self) -> Result<(), Error> {
        if self.missing > 0 {
            let source = std::io::Error::other(format!("{} bytes of values are missing", self.missing));
            return Err(artifacts::Error::Io { path: self.file.target().into(), action: "finish", source }.into());
        }
        Ok(self.file.commit()?)
    }
}

fn dtype_name(dtype: DType) -> Result<&'static str, Error> {
    match dtype {
        DType::F32 => Ok("F32"),
        DType::F16 => Ok("F16"),
        DType::BF16 => Ok("BF16"),
        other => Err(unknown(other)),
    }
}

fn unknown(dtype: DType) -> Error {
    Error::Setting { name: "dtype", value: dtype.as_str().into(), allowed: "f32, f16 or bf16" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn what_is_streamed_is_read_back_by_the_format_s_own_crate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let spec = |name: &str, dtype, shape: &[usize]| TensorSpec { name: name.into(), dtype, shape: shape.into() };
        let tensor = Tensor::new(&[[1f32, -2.5], [0.25, 8.0]], &Device::Cpu).unwrap();
        let specs = [spec("b", DType::BF16, &[2, 2]), spec("a", DType::F32, &[2, 2])];
        let mut stream = TensorStream::create(&path, &specs).unwrap();
        stream.write_tensor(&tensor, DType::BF16).unwrap();
        assert!(!path.exists());
        stream.write_tensor(&tensor, DType::F32).unwrap();
        stream.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(read.tensor("a").unwrap().data()[4..8], (-2.5f32).to_le_bytes());
        assert_eq!(read.tensor("b").unwrap().data()[2..4], bf16::from_f32(-2.5).to_le_bytes());
    }

    #[test]
    fn missing_or_surplus_values_are_errors_and_leave_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let specs = [TensorSpec { name: "a".into(), dtype: DType::F32, shape: vec![2] }];
        let mut stream = TensorStream::create(&path, &specs).unwrap();
        stream.write(&[0; 4]).unwrap();
        assert!(stream.finish().unwrap_err().to_string().contains("4 bytes of values are missing"));
        let mut stream = TensorStream::create(&path, &specs).unwrap();
        assert!(stream.write(&[0; 9]).unwrap_err().to_string().contains("more values"));
        drop(stream);
        assert!(!path.exists());
    }
}
