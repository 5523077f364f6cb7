use crate::Result;
use candle_core::{DType, Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The dropout of one pass over one batch. Each layer's mask follows from the seed and the layer's name alone, so that the
/// backward pass, a recomputation and a resumed run see the same one without storing it. Make one for each batch from a
/// seed derived from its number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    probability: f64,
    seed: u64,
}

impl Dropout {
    /// Masks that depend on `seed` only. `probability` is that of an input to be dropped, in [0, 1).
    pub fn new(probability: f64, seed: u64) -> Self {
        Self { probability, seed }
    }

    /// Whether anything is dropped at all.
    pub fn is_active(&self) -> bool {
        self.probability > 0.0
    }

    /// The masks of part `number` of a batch that is computed in parts.
    #[must_use]
    pub fn part(&self, number: usize) -> Self {
        // The odd constant of splitmix64 spreads neighbouring numbers over all seeds.
        Self { seed: self.seed.wrapping_add((number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)), ..*self }
    }

    /// 0 with the probability p, otherwise 1/(1 − p), for each element of the input of the layer whose stream is `stream`.
    pub(crate) fn mask(&self, stream: u64, shape: &[usize], dtype: DType, device: &Device) -> Result<Tensor> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        // 32 random bits an element: the probability is exact to 2⁻³².
        let threshold = (self.probability * 4_294_967_296.0) as u32;
        let keep = (1.0 / (1.0 - self.probability)) as f32;
        let count = shape.iter().product();
        let mask: Vec<f32> = (0..count).map(|_| if rng.random::<u32>() < threshold { 0.0 } else { keep }).collect();
        Ok(Tensor::from_vec(mask, shape, device)?.to_dtype(dtype)?)
    }
}

/// How one forward pass through candle's autograd treats parameters.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    gradients: bool,
    dropout: Option<Dropout>,
}

impl Pass {
    /// Nothing is recorded: activations are freed as soon as they are used.
    pub fn inference() -> Self {
        Self { gradients: false, dropout: None }
    }

    /// The graph is recorded for `backward`, without dropout.
    pub fn gradients() -> Self {
        Self { gradients: true, dropout: None }
    }

    /// The graph is recorded, and adapters drop inputs of their branch.
    pub fn training(dropout: Dropout) -> Self {
        Self { gradients: true, dropout: Some(dropout).filter(Dropout::is_active) }
    }

    /// The parameter as this pass uses it.
    pub fn parameter(&self, var: &Var) -> Tensor {
        if self.gradients { var.as_tensor().clone() } else { var.as_detached_tensor() }
    }

    /// The masks, where this pass drops anything.
    pub(crate) fn dropout(&self) -> Option<Dropout> {
        self.dropout
    }
}
