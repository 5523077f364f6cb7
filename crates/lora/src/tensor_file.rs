//! safetensors files: read one tensor at a time, write atomically and with stable bytes.

use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, Metadata, TensorView};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The largest header read, as in the safetensors crate.
const MAX_HEADER: u64 = 100_000_000;

/// An open safetensors file. Tensors are read one by one, so a shard of several gigabytes never lies in memory twice.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    data_start: u64,
    metadata: Metadata,
}

impl TensorFile {
    /// Reads and checks the header.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |source| Error::Io { path: path.into(), action: "read", source };
        let bad = |message: String| Error::BadTensorFile { path: path.into(), message };
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut size = [0u8; 8];
        file.read_exact(&mut size).map_err(|_| bad(format!("{length} bytes, shorter than its header")))?;
        let header = u64::from_le_bytes(size);
        if header > MAX_HEADER || header.saturating_add(8) > length {
            return Err(bad(format!("header of {header} bytes in a file of {length}")));
        }
        let mut bytes = size.to_vec();
        bytes.resize(8 + header as usize, 0);
        file.read_exact(bytes.get_mut(8..).unwrap_or_default()).map_err(io)?;
        let metadata = parse_header(&bytes).map_err(bad)?;
        let data_start = 8 + header;
        let expected = data_start + metadata.data_len() as u64;
        if expected != length {
            return Err(bad(format!("{length} bytes, but its header describes {expected}")));
        }
        Ok(Self { path: path.into(), data_start, metadata })
    }

    /// Names of the tensors, sorted.
    pub fn names(&self) -> BTreeSet<String> {
        self.metadata.offset_keys().into_iter().collect()
    }

    /// The tensor `name` as it is stored.
    pub fn read(&self, name: &str, device: &Device) -> Result<Tensor> {
        let Some(info) = self.metadata.info(name) else {
            let present = abbreviate(self.names().iter());
            return Err(Error::MissingTensor { path: self.path.clone(), name: name.into(), present });
        };
        let dtype = match info.dtype {
            Dtype::F64 => DType::F64,
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => {
                let dtype = format!("{other:?}");
                return Err(Error::Dtype { path: self.path.clone(), name: name.into(), dtype });
            }
        };
        let (start, end) = info.data_offsets;
        let io = |source| Error::Io { path: self.path.clone(), action: "read", source };
        let mut file = File::open(&self.path).map_err(io)?;
        file.seek(SeekFrom::Start(self.data_start + start as u64)).map_err(io)?;
        let mut bytes = vec![0; end - start];
        file.read_exact(&mut bytes).map_err(io)?;
        Ok(Tensor::from_raw_buffer(&bytes, dtype, &info.shape, device)?)
    }

    /// The tensor `name`, which must have `shape`, as `dtype`.
    pub fn read_as(&self, name: &str, shape: &[usize], dtype: DType, device: &Device) -> Result<Tensor> {
        Ok(self.read_shaped(name, shape, device)?.to_dtype(dtype)?)
    }

    /// The tensor `name`, which must have `shape`, as it is stored.
    pub fn read_shaped(&self, name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
        if let Some(info) = self.metadata.info(name)
            && info.shape != shape
        {
            let (path, name) = (self.path.clone(), name.into());
            return Err(Error::Shape { path, name, found: info.shape.clone(), expected: shape.into() });
        }
        self.read(name, device)
    }

    /// Fails if the file has a tensor that is not `expected`.
    pub fn refuse_others(&self, expected: &BTreeSet<String>) -> Result<()> {
        match self.names().into_iter().find(|name| !expected.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let expected = abbreviate(expected.iter());
                Err(Error::UnknownTensor { path: self.path.clone(), name, expected })
            }
        }
    }
}

fn parse_header(bytes: &[u8]) -> std::result::Result<Metadata, String> {
    // Parsed as JSON here because the crate's own reader insists on the data following the header.
    let text = bytes.get(8..).unwrap_or_default();
    let metadata: Metadata = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    Ok(metadata)
}

/// A few names, for a message.
fn abbreviate<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    const SHOWN: usize = 4;
    let total = names.len();
    let shown = names.take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if total > SHOWN { format!("{shown} and {} more", total - SHOWN) } else { shown }
}

/// Writes `tensors` as f32 to a safetensors file: sorted, contiguous, the same bytes for the same values.
pub fn write_tensors(path: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
    let mut buffers = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        buffers.push((name, tensor.dims().to_vec(), bytes));
    }
    let bad = |e: safetensors::SafeTensorError| Error::BadTensorFile { path: path.into(), message: e.to_string() };
    let mut views = Vec::with_capacity(buffers.len());
    for (name, shape, bytes) in &buffers {
        views.push((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(bad)?));
    }
    // transformers refuses files without this entry.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(bad)?;
    write_atomically(path, &bytes)
}

/// Writes a file under its name only when it is complete: beside it, synced, then renamed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let error = |action| move |source| Error::Io { path: path.into(), action, source };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(error("make the folder of"))?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = folder.join(format!(".{name}.{}.seafin.tmp", std::process::id()));
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().inspect_err(|_| _ = fs::remove_file(&temporary)).map_err(error("write"))
}
