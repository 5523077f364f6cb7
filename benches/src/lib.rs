//! Benches of what a user waits for; `cargo bench -p benches --profile dev`. This library makes what they share.
//!
//! `peer/run.sh` compares with other programs on the same checkpoint and rows; its side of ours is the `peer` binary.

use candle_core::{Device, Result, Tensor};
use lm::{Config, Llama, LoraConfig};

/// Large buffers are kept for the next operation instead of going back to the system.
#[global_allocator]
static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;

/// Numbers that look like activations and never repeat a bit pattern: a fixed linear congruential sequence in ±1.
pub fn numbers(shape: (usize, usize)) -> Result<Tensor> {
    let mut state = 1_u64;
    let values: Vec<f32> = (0..shape.0 * shape.1)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 8_388_608.0 - 1.0
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// A frozen model with fresh parameters, as if read from a checkpoint.
///
/// # Errors
/// A configuration that describes no model.
pub fn frozen(config: Config) -> lm::Result<Llama> {
    let folder = std::env::temp_dir().join(format!("seafin-bench-{}", std::process::id()));
    Llama::initialise(config, 42, &Device::Cpu)?.save(&folder)?;
    let model = Llama::load(&folder, &Device::Cpu);
    std::fs::remove_dir_all(&folder).ok();
    model
}

/// The embedded model's shape: about a million parameters.
pub fn tiny() -> Config {
    Config::small(2048, 128, 4)
}

/// The width of Llama-3.2-1B with one of its sixteen blocks and a small vocabulary, so that a bench takes seconds.
pub fn one_block_of_1b() -> Config {
    Config {
        intermediate_size: 8192,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        head_dim: 64,
        ..Config::small(2048, 2048, 1)
    }
}

/// The adapter that the presets train.
pub fn adapter() -> LoraConfig {
    LoraConfig { r: 16, alpha: 32.0, ..LoraConfig::default() }
}

/// Rows as they are in sentiment tuning: `rows` prompts of `tokens` tokens that begin with the same `prefix` tokens and
/// then differ; the last two tokens are learned.
pub fn rows(rows: usize, tokens: usize, prefix: usize) -> Vec<(Vec<u32>, Vec<bool>)> {
    (0..rows)
        .map(|r| {
            let own = |t: usize| if t < prefix { 0 } else { r * 131 + 7 };
            let ids = (0..tokens).map(|t| ((own(t) + t * 17) % 2000) as u32).collect();
            (ids, (0..tokens).map(|t| t + 2 >= tokens).collect())
        })
        .collect()
}

/// Rows as [`Llama::gradients`] takes them.
pub fn views(rows: &[(Vec<u32>, Vec<bool>)]) -> Vec<(&[u32], &[bool])> {
    rows.iter().map(|(ids, mask)| (ids.as_slice(), mask.as_slice())).collect()
}
