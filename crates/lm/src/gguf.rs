//! GGUF, the file of llama.cpp: a whole Llama, f32, f16 or 8-bit, in one file (format version 3).
//!
//! Layout and names follow the specification (`docs/gguf.md` of ggml) and what llama.cpp's converter writes for the
//! architecture `llama`. Its rotary embedding turns neighbouring pairs where Hugging Face turns the two halves of a head, so the rows of
//! the query and key projections are put in another order.

use crate::{Config, Error, Llama, Result, RopeScaling};
use candle_core::{DType, Tensor};
use half::f16;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// How the matrices are stored; vectors are always f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GgufDtype {
    /// 4 bytes a weight.
    F32,
    /// 2 bytes a weight.
    F16,
    /// 34 bytes for 32 weights: whole numbers to 127 and an f16 scale. A matrix whose rows are no multiple of 32 is f16.
    Q8_0,
}

/// A value of the file's metadata.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum GgufValue {
    U32(u32),
    F32(f32),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
    I32s(Vec<i32>),
    F32s(Vec<f32>),
}

const ALIGNMENT: u64 = 32;
const BLOCK: usize = 32;

/// One tensor of the file before its values are written.
struct Entry {
    name: String,
    /// Rows first, as everywhere here; the file has them the other way round.
    shape: Vec<usize>,
    stored: GgufDtype,
    tensor: Tensor,
}

/// Writes `model` (without adapter: merge it first) as one GGUF file. `metadata` is added to what the model itself says:
/// the name, and the tokenizer, which this crate does not know.
///
/// # Errors
/// The model carries an adapter; the file cannot be written.
pub fn write_gguf(path: &Path, model: &Llama, stored: GgufDtype, metadata: &[(String, GgufValue)]) -> Result<()> {
    if model.adapter().is_some() {
        return Err(Error::Adapted);
    }
    let entries = entries(model, stored)?;
    let mut all = architecture(model.config(), stored);
    all.extend_from_slice(metadata);
    let io = |action| move |source| Error::Io { path: path.into(), action, source };
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.{}.seafin.tmp", std::process::id()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(io("make the folder of"))?;
    }
    let write = || -> Result<()> {
        let file = File::create(&temporary).map_err(io("create"))?;
        let mut out = Output { out: BufWriter::with_capacity(1 << 20, file), at: 0 };
        out.header(&entries, &all).map_err(io("write"))?;
        for entry in &entries {
            let bytes = encode(&entry.tensor, entry.stored)?;
            out.bytes(&bytes).and_then(|()| out.align()).map_err(io("write"))?;
        }
        let file = out.out.into_inner().map_err(std::io::IntoInnerError::into_error).map_err(io("write"))?;
        file.sync_all().map_err(io("sync"))?;
        std::fs::rename(&temporary, path).map_err(io("rename into place"))
    };
    write().inspect_err(|_| _ = std::fs::remove_file(&temporary))
}

fn architecture(config: &Config, stored: GgufDtype) -> Vec<(String, GgufValue)> {
    let file_type = match stored {
        GgufDtype::F32 => 0,
        GgufDtype::F16 => 1,
        GgufDtype::Q8_0 => 7,
    };
    let number = |name: &str, value: usize| (name.to_owned(), GgufValue::U32(value as u32));
    vec![
        ("general.architecture".into(), GgufValue::Text("llama".into())),
        number("general.alignment", ALIGNMENT as usize),
        number("general.file_type", file_type),
        number("general.quantization_version", 2),
        number("llama.vocab_size", config.vocab_size),
        number("llama.context_length", config.max_position_embeddings),
        number("llama.embedding_length", config.hidden_size),
        number("llama.block_count", config.num_hidden_layers),
        number("llama.feed_forward_length", config.intermediate_size),
        number("llama.attention.head_count", config.num_attention_heads),
        number("llama.attention.head_count_kv", config.num_key_value_heads),
        number("llama.attention.key_length", config.head_dim),
        number("llama.attention.value_length", config.head_dim),
        number("llama.rope.dimension_count", config.head_dim),
        ("llama.rope.freq_base".into(), GgufValue::F32(config.rope_theta as f32)),
        ("llama.attention.layer_norm_rms_epsilon".into(), GgufValue::F32(config.rms_norm_eps as f32)),
    ]
}

fn entries(model: &Llama, stored: GgufDtype) -> Result<Vec<Entry>> {
    let config = model.config();
    let mut entries = Vec::new();
    for (name, tensor) in model.weights()? {
        let name = gguf_name(&name);
        let tensor = if name.ends_with("attn_q.weight") {
            interleave(&tensor, config.num_attention_heads)?
        } else if name.ends_with("attn_k.weight") {
            interleave(&tensor, config.num_key_value_heads)?
        } else {
            tensor
        };
        let shape = tensor.dims().to_vec();
        let stored = match (stored, shape.as_slice()) {
            (GgufDtype::Q8_0, [_, width]) if !width.is_multiple_of(BLOCK) => GgufDtype::F16,
            (stored, [_, _]) => stored,
            _ => GgufDtype::F32,
        };
        entries.push(Entry { name, shape, stored, tensor });
    }
    if let Some(scaling) = config.rope_scaling {
        let factors = rope_factors(config, scaling);
        let shape = vec![factors.len()];
        let tensor = Tensor::from_vec(factors, shape.as_slice(), model.device())?;
        entries.push(Entry { name: "rope_freqs.weight".into(), shape, stored: GgufDtype::F32, tensor });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The name of a weight in llama.cpp.
fn gguf_name(name: &str) -> String {
    match name {
        "model.embed_tokens.weight" => return "token_embd.weight".into(),
        "model.norm.weight" => return "output_norm.weight".into(),
        "lm_head.weight" => return "output.weight".into(),
        _ => {}
    }
    let mut name = name.replace("model.layers.", "blk.");
    for (theirs, ours) in [
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ] {
        name = name.replace(theirs, ours);
    }
    name
}

/// Row i of the first half of each head goes to place 2i, row i of the second half to 2i + 1.
fn interleave(weight: &Tensor, heads: usize) -> Result<Tensor> {
    let (rows, width) = weight.dims2()?;
    Ok(weight.reshape((heads, 2, rows / heads / 2, width))?.transpose(1, 2)?.reshape((rows, width))?)
}

/// What each rotary frequency is divided by, for the `llama3` rule.
fn rope_factors(config: &Config, scaling: RopeScaling) -> Vec<f32> {
    let original = scaling.original_max_position_embeddings as f64;
    let factor = |i: usize| {
        let frequency = config.rope_theta.powf(-((2 * i) as f64) / config.head_dim as f64);
        let wavelength = std::f64::consts::TAU / frequency;
        if wavelength < original / scaling.high_freq_factor {
            1.0
        } else if wavelength > original / scaling.low_freq_factor {
            scaling.factor
        } else {
            let smooth = (original / wavelength - scaling.low_freq_factor)
                / (scaling.high_freq_factor - scaling.low_freq_factor);
            1.0 / ((1.0 - smooth) / scaling.factor + smooth)
        }
    };
    (0..config.head_dim / 2).map(|i| factor(i) as f32).collect()
}

fn encode(tensor: &Tensor, stored: GgufDtype) -> Result<Vec<u8>> {
    let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    Ok(match stored {
        GgufDtype::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        GgufDtype::F16 => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
        GgufDtype::Q8_0 => values.chunks(BLOCK).flat_map(q8_0).collect(),
    })
}

/// One block: the f16 scale max|x|/127, then x/scale rounded half away from zero.
fn q8_0(block: &[f32]) -> Vec<u8> {
    let largest = block.iter().fold(0f32, |m, v| m.max(v.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    let mut bytes = f16::from_f32(scale).to_le_bytes().to_vec();
    bytes.extend(block.iter().map(|v| (v * inverse).round() as i8 as u8));
    bytes
}

impl Entry {
    fn bytes(&self) -> u64 {
        let count = self.shape.iter().product::<usize>() as u64;
        match self.stored {
            GgufDtype::F32 => count * 4,
            GgufDtype::F16 => count * 2,
            GgufDtype::Q8_0 => count / BLOCK as u64 * (BLOCK as u64 + 2),
        }
    }
}

impl GgufDtype {
    /// The number of the type in ggml.
    fn code(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8_0 => 8,
        }
    }
}

/// A file that knows how far it is.
struct Output {
    out: BufWriter<File>,
    at: u64,
}

impl Output {
    fn bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn u32(&mut self, value: u32) -> std::io::Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(&mut self, value: u64) -> std::io::Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    fn text(&mut self, text: &str) -> std::io::Result<()> {
        self.u64(text.len() as u64)?;
        self.bytes(text.as_bytes())
    }

    fn align(&mut self) -> std::io::Result<()> {
        let padding = self.at.next_multiple_of(ALIGNMENT) - self.at;
        self.bytes(&vec![0; padding as usize])
    }

    fn header(&mut self, entries: &[Entry], metadata: &[(String, GgufValue)]) -> std::io::Result<()> {
        self.bytes(b"GGUF")?;
        self.u32(3)?;
        self.u64(entries.len() as u64)?;
        self.u64(metadata.len() as u64)?;
        for (name, value) in metadata {
            self.text(name)?;
            self.value(value)?;
        }
        let mut offset = 0;
        for entry in entries {
            self.text(&entry.name)?;
            self.u32(entry.shape.len() as u32)?;
            for size in entry.shape.iter().rev() {
                self.u64(*size as u64)?;
            }
            self.u32(entry.stored.code())?;
            self.u64(offset)?;
            offset += entry.bytes().next_multiple_of(ALIGNMENT);
        }
        self.align()
    }

    /// The value's type, then the value.
    fn value(&mut self, value: &GgufValue) -> std::io::Result<()> {
        match value {
            GgufValue::U32(v) => {
                self.u32(4)?;
                self.u32(*v)
            }
            GgufValue::F32(v) => {
                self.u32(6)?;
                self.bytes(&v.to_le_bytes())
            }
            GgufValue::Bool(v) => {
                self.u32(7)?;
                self.bytes(&[u8::from(*v)])
            }
            GgufValue::Text(v) => {
                self.u32(8)?;
                self.text(v)
            }
            GgufValue::Texts(list) => {
                self.array(8, list.len())?;
                list.iter().try_for_each(|v| self.text(v))
            }
            GgufValue::I32s(list) => {
                self.array(5, list.len())?;
                list.iter().try_for_each(|v| self.bytes(&v.to_le_bytes()))
            }
            GgufValue::F32s(list) => {
                self.array(6, list.len())?;
                list.iter().try_for_each(|v| self.bytes(&v.to_le_bytes()))
            }
        }
    }

    fn array(&mut self, kind: u32, length: usize) -> std::io::Result<()> {
        self.u32(9)?;
        self.u32(kind)?;
        self.u64(length as u64)
    }
}
