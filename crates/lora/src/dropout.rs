use crate::Result;
use candle_core::{Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The source of dropout masks. Make one for each step from a seed derived from the step's number, and a resumed run
/// draws the same masks without storing a generator.
#[derive(Debug, Clone)]
pub struct Dropout {
    probability: f64,
    rng: ChaCha8Rng,
}

impl Dropout {
    /// Masks that depend on `seed` only. `probability` is that of an input to be dropped, in [0, 1).
    pub fn new(probability: f64, seed: u64) -> Self {
        Self { probability, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Whether anything is dropped at all.
    pub fn is_active(&self) -> bool {
        self.probability > 0.0
    }

    /// Zeroes each element with the probability p and divides the others by 1 − p.
    ///
    /// # Shapes
    /// Any shape → the same shape.
    pub fn apply(&mut self, x: &Tensor) -> Result<Tensor> {
        if !self.is_active() {
            return Ok(x.clone());
        }
        // 32 random bits an element: the probability is exact to 2⁻³².
        let threshold = (self.probability * 4_294_967_296.0) as u32;
        let keep = (1.0 / (1.0 - self.probability)) as f32;
        let mask: Vec<f32> =
            (0..x.elem_count()).map(|_| if self.rng.random::<u32>() < threshold { 0.0 } else { keep }).collect();
        let mask = Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?;
        Ok(kernels::scale_by(x, &mask)?)
    }
}

/// How one forward pass treats parameters.
#[derive(Debug)]
pub struct Pass<'a> {
    gradients: bool,
    dropout: Option<&'a mut Dropout>,
}

impl<'a> Pass<'a> {
    /// Nothing is recorded: activations are freed as soon as they are used.
    pub fn inference() -> Pass<'static> {
        Pass { gradients: false, dropout: None }
    }

    /// The graph is recorded for `backward`, without dropout.
    pub fn gradients() -> Pass<'static> {
        Pass { gradients: true, dropout: None }
    }

    /// The graph is recorded, and adapters drop inputs of their branch.
    pub fn training(dropout: &'a mut Dropout) -> Self {
        Self { gradients: true, dropout: Some(dropout) }
    }

    /// The parameter as this pass uses it.
    pub fn parameter(&self, var: &Var) -> Tensor {
        if self.gradients { var.as_tensor().clone() } else { var.as_detached_tensor() }
    }

    /// The masks, where this pass drops anything.
    pub fn dropout(&mut self) -> Option<&mut Dropout> {
        self.dropout.as_deref_mut()
    }
}
