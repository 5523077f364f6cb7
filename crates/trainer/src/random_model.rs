//! A checkpoint with random weights and the shape of a public model: what a benchmark needs of a model.

use crate::Error;
use crate::shapes::{SHAPES, shape, weights};
use crate::tensor_stream::{TensorSpec, TensorStream};
use artifacts::{Progress, Seed, write_bytes};
use candle_core::DType;
use half::bf16;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde_json::Value;
use std::path::Path;

/// Values drawn from one generator, so that the result does not depend on the number of threads.
const DRAWN_TOGETHER: usize = 1 << 16;
/// Values written at once.
const PIECE: usize = 64 * DRAWN_TOGETHER;
/// The standard deviation of fresh weights in transformers' Llama.
const DEVIATION: f32 = 0.02;

/// Writes `config.json` and `model.safetensors` with weights from N(0, 0.02) and norms of 1, tensor by tensor: the memory
/// needed does not depend on the model. `dtype` is f32 or bf16.
///
/// # Errors
/// An unknown shape or another dtype; the folder cannot be written.
pub fn run(name: &str, dtype: DType, out: &Path, seed: Seed, progress: &dyn Progress) -> Result<u64, Error> {
    let config = shape(name).ok_or_else(|| Error::UnknownShape { name: name.into(), known: SHAPES.join(", ") })?;
    if !matches!(dtype, DType::F32 | DType::BF16) {
        return Err(Error::Setting { name: "dtype", value: dtype.as_str().into(), allowed: "f32 or bf16" });
    }
    let specs: Vec<TensorSpec> =
        weights(&config).into_iter().map(|(name, shape)| TensorSpec { name, dtype, shape }).collect();
    let total: u64 = specs.iter().map(TensorSpec::bytes).sum();
    let ticker = progress.start("random weights", total);
    let mut stream = TensorStream::create(&out.join("model.safetensors"), &specs)?;
    let mut done = 0;
    for spec in &specs {
        let count: usize = spec.shape.iter().product();
        let seed = seed.derive(&format!("random-model/{}", spec.name));
        for start in (0..count).step_by(PIECE) {
            let length = PIECE.min(count - start);
            let values = if spec.shape.len() == 1 { vec![1.0; length] } else { normal(seed, start, length) };
            stream.write(&bytes(&values, dtype))?;
            done += (length * dtype.size_in_bytes()) as u64;
            ticker.at(done, &spec.name);
        }
    }
    stream.finish()?;
    let mut json: Value = serde_json::from_str(&config.to_json()).unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        let stored = if dtype == DType::BF16 { "bfloat16" } else { "float32" };
        fields.insert("torch_dtype".into(), stored.into());
    }
    write_bytes(&out.join("config.json"), format!("{json:#}\n").as_bytes())?;
    Ok(total)
}

/// The values `start..start + length` of one tensor. `start` is a multiple of what is drawn together.
fn normal(seed: Seed, start: usize, length: usize) -> Vec<f32> {
    let mut values = vec![0.0; length];
    values.par_chunks_mut(DRAWN_TOGETHER).enumerate().for_each(|(i, chunk)| {
        let mut rng = seed.rng();
        rng.set_stream((start / DRAWN_TOGETHER + i) as u64);
        fill(&mut rng, chunk);
    });
    values
}

/// Box & Muller 1958; 1 − u keeps the logarithm finite.
fn fill(rng: &mut ChaCha8Rng, values: &mut [f32]) {
    for pair in values.chunks_mut(2) {
        let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt() * DEVIATION;
        let (sin, cos) = (std::f32::consts::TAU * rng.random::<f32>()).sin_cos();
        for (value, part) in pair.iter_mut().zip([cos, sin]) {
            *value = radius * part;
        }
    }
}

fn bytes(values: &[f32], dtype: DType) -> Vec<u8> {
    match dtype {
        DType::BF16 => values.par_iter().flat_map_iter(|v| bf16::from_f32(*v).to_le_bytes()).collect(),
        _ => values.par_iter().flat_map_iter(|v| v.to_le_bytes()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use artifacts::NoProgress;
    use candle_core::Device;

    #[test]
    fn a_random_model_loads_and_is_a_function_of_its_seed() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, seed| {
            let out = folder.path().join(name);
            run("tiny", DType::BF16, &out, Seed(seed), &NoProgress).unwrap();
            (std::fs::read(out.join("model.safetensors")).unwrap(), out)
        };
        let ((first, out), (again, _), (other, _)) = (make("a", 1), make("b", 1), make("c", 2));
        assert_eq!(first, again);
        assert_ne!(first, other);
        let model = lm::Llama::load(&out, &Device::Cpu).unwrap();
        let embedding = model.weights().unwrap()["model.embed_tokens.weight"].clone();
        let values = embedding.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let deviation = (values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32).sqrt();
        assert!(mean.abs() < 2e-4 && (deviation - 0.02).abs() < 2e-4, "{mean} {deviation}");
        let config = std::fs::read_to_string(out.join("config.json")).unwrap();
        assert!(config.contains("bfloat16"), "{config}");
    }

    #[test]
    fn a_piece_is_the_same_wherever_it_begins() {
        let whole = normal(Seed(3), 0, 3 * DRAWN_TOGETHER + 5);
        assert_eq!(whole[2 * DRAWN_TOGETHER..], normal(Seed(3), 2 * DRAWN_TOGETHER, DRAWN_TOGETHER + 5));
    }

    #[test]
    fn an_unknown_shape_names_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        let error = run("gpt-2", DType::F32, folder.path(), Seed(1), &NoProgress).unwrap_err().to_string();
        assert!(error.contains("gpt-2") && error.contains("llama-3.2-1b"), "{error}");
    }
}
