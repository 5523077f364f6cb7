//! Folds an adapter into its base model and says how much that changed the logits.

use crate::tensor_stream::{TensorSpec, TensorStream};
use crate::{Error, model_files, shapes};
use artifacts::{Seed, write_bytes};
use candle_core::{DType, Device};
use lm::Llama;
use rand::Rng;
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// How the merged weights are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stored {
    /// f32: nothing is rounded.
    #[default]
    Full,
    /// As the base model's `config.json` says; a bf16 file is half as large, and rounding moves the logits.
    AsBase,
}

/// How far merged and unmerged logits are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MergeReport {
    /// How the weights are stored.
    pub dtype: DType,
    /// Rows and tokens compared.
    pub rows: usize,
    /// Tokens of those rows.
    pub tokens: usize,
    /// The largest |logit| of the adapted model.
    pub largest_logit: f64,
    /// max |Δlogit| of the folder as it was written, read back.
    pub largest_difference: f64,
}

impl fmt::Display for MergeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dtype, rows, tokens, largest_logit, largest_difference } = self;
        write!(
            f,
            "{}: max |Δlogit| {largest_difference:.3e} on {rows} rows of {tokens} tokens in all (logits up to {largest_logit:.3})",
            dtype.as_str()
        )
    }
}

/// Rows to compare on where none are given, and their tokens.
const ROWS: usize = 4;
const TOKENS: usize = 32;

/// Writes a whole model folder: merged weights, `config.json`, and tokenizer files as they are. Compares the written folder with
/// base and adapter on `rows`, or on a few rows of random tokens where there are none.
///
/// # Errors
/// Model or adapter cannot be read, or do not belong together; the folder cannot be written.
pub fn run(
    model: &Path,
    adapter: &Path,
    out: &Path,
    stored: Stored,
    rows: &[Vec<u32>],
    seed: Seed,
) -> Result<MergeReport, Error> {
    let mut llama = Llama::load(model, &Device::Cpu)?;
    llama.load_adapter(adapter)?;
    let rows = if rows.is_empty() { random_rows(llama.config(), seed) } else { rows.to_vec() };
    let unmerged = logits(&llama, &rows)?;
    llama.merge_adapter()?;

    let config_path = model.join("config.json");
    let mut config: Value = serde_json::from_slice(&model_files::read(&config_path)?).unwrap_or_default();
    let dtype = match stored {
        Stored::Full => DType::F32,
        Stored::AsBase => base_dtype(&config)?,
    };
    let weights = llama.weights()?;
    let specs: Vec<TensorSpec> =
        shapes::weights(llama.config()).into_iter().map(|(name, shape)| TensorSpec { name, dtype, shape }).collect();
    let mut stream = TensorStream::create(&out.join("model.safetensors"), &specs)?;
    for spec in &specs {
        let missing = || candle_core::Error::msg(format!("the merged model has no `{}`", spec.name));
        stream.write_tensor(weights.get(&spec.name).ok_or_else(missing)?, dtype)?;
    }
    stream.finish()?;
    drop((weights, llama));
    model_files::copy(model, out)?;
    if let Some(fields) = config.as_object_mut() {
        // transformers 5 calls it `dtype`.
        let key = if fields.contains_key("dtype") { "dtype" } else { "torch_dtype" };
        fields.insert(key.into(), torch_name(dtype).into());
    }
    write_bytes(&out.join("config.json"), format!("{config:#}\n").as_bytes())?;

    let merged = logits(&Llama::load(out, &Device::Cpu)?, &rows)?;
    let largest =
        |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |m: f64, v| if v.is_nan() { v } else { m.max(v) });
    Ok(MergeReport {
        dtype,
        rows: rows.len(),
        tokens: rows.iter().map(Vec::len).sum(),
        largest_logit: largest(&mut unmerged.iter().map(|v| f64::from(v.abs()))),
        largest_difference: largest(
            &mut unmerged.iter().zip(&merged).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()),
        ),
    })
}

fn random_rows(config: &lm::Config, seed: Seed) -> Vec<Vec<u32>> {
    let mut rng = seed.derive("merge/rows").rng();
    let length = TOKENS.min(config.max_position_embeddings);
    (0..ROWS).map(|_| (0..length).map(|_| rng.random_range(0..config.vocab_size as u32)).collect()).collect()
}

fn logits(model: &Llama, rows: &[Vec<u32>]) -> Result<Vec<f32>, Error> {
    let mut all = Vec::new();
    for row in rows {
        let hidden = model.hidden(&[row], None)?;
        all.extend(model.logits(&hidden)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(all)
}

fn base_dtype(config: &Value) -> Result<DType, Error> {
    let name = ["dtype", "torch_dtype"].iter().find_map(|key| config.get(key)?.as_str()).unwrap_or("float32");
    [DType::F32, DType::F16, DType::BF16].into_iter().find(|d| torch_name(*d) == name).ok_or_else(|| Error::Setting {
        name: "torch_dtype",
        value: name.into(),
        allowed: "float32, float16 or bfloat16",
    })
}

fn torch_name(dtype: DType) -> &'static str {
    match dtype {
        DType::BF16 => "bfloat16",
        DType::F16 => "float16",
        _ => "float32",
    }
}
