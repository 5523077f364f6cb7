//! Benches of what a user waits for; `cargo bench -p benches --profile dev`. This library makes what they share.

use candle_core::{DType, Device, Result, Tensor};
use lm::{Config, Llama, LoraConfig};

/// Numbers that look like activations and never repeat a bit pattern: a fixed linear congruential sequence in ±1.
pub fn numbers(shape: (usize, usize)) -> Result<Tensor> {
    let mut state = 1_u64;
    let values: Vec<f32> = (0..shape.0 * shape.1)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 8_388_608.0 - 1.0
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(DType::F32)
}

/// A model of the embedded model's shape (about a million parameters) with fresh parameters.
///
/// # Errors
/// None with this shape.
pub fn tiny_model() -> lm::Result<Llama> {
    Llama::initialise(Config::small(2048, 128, 4), 42, &Device::Cpu)
}

/// The adapter that the presets train.
pub fn adapter() -> LoraConfig {
    LoraConfig { r: 16, alpha: 32.0, ..LoraConfig::default() }
}

/// Rows as they are in sentiment tuning: `rows` prompts of `tokens` tokens, of which the last two are learned.
pub fn rows(rows: usize, tokens: usize) -> Vec<(Vec<u32>, Vec<bool>)> {
    (0..rows)
        .map(|r| {
            let ids = (0..tokens).map(|t| ((r * 131 + t * 17) % 2000) as u32).collect();
            (ids, (0..tokens).map(|t| t + 2 >= tokens).collect())
        })
        .collect()
}
