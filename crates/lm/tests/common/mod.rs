//! Small models for the tests.
#![allow(dead_code, reason = "each test file uses its part")]

use candle_core::{Device, Tensor};
use lm::{Config, Llama, RopeScaling};
use std::path::{Path, PathBuf};

/// A shape with grouped heads, an odd MLP width and the `llama3` rope rule.
pub(crate) fn config(tied: bool) -> Config {
    Config {
        intermediate_size: 44,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 6,
        max_position_embeddings: 128,
        rope_scaling: Some(RopeScaling {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_max_position_embeddings: 64,
        }),
        tie_word_embeddings: tied,
        bos_token_id: Some(1),
        eos_token_ids: vec![2],
        ..Config::small(50, 24, 3)
    }
}

/// Deterministic noise in ±size.
pub(crate) fn noise(shape: &[usize], salt: u64, size: f64) -> Tensor {
    let count: usize = shape.iter().product();
    let mut state = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let values: Vec<f32> = (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (((state >> 33) as f64 / f64::from(1u32 << 31) * 2.0 - 1.0) * size) as f32
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// A trainable model whose weights are large enough to matter and whose norms are not 1.
pub(crate) fn model(tied: bool) -> Llama {
    let model = Llama::initialise(config(tied), 11, &Device::Cpu).unwrap();
    for (i, (_, var)) in model.trainable().into_iter().enumerate() {
        let size = if var.rank() == 1 { 0.4 } else { 0.35 };
        let moved = (var.as_tensor() + noise(var.dims(), i as u64 + 5, size)).unwrap();
        var.set(&moved).unwrap();
    }
    model
}

/// `model` saved to a folder.
pub(crate) fn saved(tied: bool) -> (tempfile::TempDir, Llama) {
    let model = model(tied);
    let dir = tempfile::tempdir().unwrap();
    model.save(dir.path()).unwrap();
    (dir, model)
}

pub(crate) fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

pub(crate) fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

/// The folder of inputs beside the workspace, where there is one.
#[expect(clippy::print_stderr, reason = "says why a test did nothing")]
pub(crate) fn shared() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|a| a.join("shared"))
        .find(|s| s.join("README.md").exists());
    if found.is_none() {
        eprintln!("skipped: no shared folder");
    }
    found
}
