use crate::{LoraLinear, Pass, Result};
use candle_core::{Tensor, Var};

/// A linear layer without bias, y = x·Wᵀ.
#[derive(Debug, Clone)]
pub enum Linear {
    /// A weight `[out, in]` that no gradient is computed for.
    Frozen(Tensor),
    /// A weight `[out, in]` that is trained itself.
    Trainable(Var),
    /// A frozen weight with a low-rank branch.
    Lora(Box<LoraLinear>),
}

impl Linear {
    /// # Shapes
    /// `[…, in]` → `[…, out]`.
    pub fn forward(&self, x: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        match self {
            Self::Frozen(weight) => Ok(kernels::frozen_linear(x, weight)?),
            Self::Trainable(weight) => Ok(kernels::linear(x, &pass.parameter(weight))?),
            Self::Lora(layer) => layer.forward(x, pass),
        }
    }

    /// The base weight `[out, in]`, without the branch.
    pub fn weight(&self) -> &Tensor {
        match self {
            Self::Frozen(weight) => weight,
            Self::Trainable(weight) => weight.as_tensor(),
            Self::Lora(layer) => layer.weight(),
        }
    }
}
