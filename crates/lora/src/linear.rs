use crate::{LoraLinear, Pass, Result};
use candle_core::{Tensor, Var};
use kernels::Weight;

/// A linear layer without bias, y = x·Wᵀ.
#[derive(Debug, Clone)]
pub enum Linear {
    /// A weight `[out, in]` that no gradient is computed for.
    Frozen(Weight),
    /// A weight `[out, in]` that is trained itself.
    Trainable(Var),
    /// A frozen weight with a low-rank branch.
    Lora(Box<LoraLinear>),
}

impl Linear {
    /// The layer as an op of candle's autograd, for anyone's candle model. A quantised weight is widened on each call;
    /// [`crate::Stacked`] multiplies with it as it is.
    ///
    /// # Shapes
    /// `[…, in]` → `[…, out]`.
    pub fn forward(&self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        match self {
            Self::Frozen(weight) => Ok(kernels::frozen_linear(x, &weight.to_dense(x.dtype())?)?),
            Self::Trainable(weight) => Ok(kernels::linear(x, &pass.parameter(weight))?),
            Self::Lora(layer) => layer.forward(x, pass),
        }
    }

    /// The base weight `[out, in]`, without the branch; shared, not copied.
    pub fn weight(&self) -> Weight {
        match self {
            Self::Frozen(weight) => weight.clone(),
            Self::Trainable(weight) => weight.as_detached_tensor().into(),
            Self::Lora(layer) => layer.weight().clone(),
        }
    }

    /// The weight's handle, if it is trained itself.
    pub fn var(&self) -> Option<&Var> {
        if let Self::Trainable(weight) = self { Some(weight) } else { None }
    }

    /// Whether training changes anything here.
    pub fn is_trainable(&self) -> bool {
        !matches!(self, Self::Frozen(_))
    }

    pub(crate) fn set_weight(&mut self, view: Weight) {
        match self {
            Self::Frozen(weight) => *weight = view,
            Self::Lora(layer) => layer.weight = view,
            Self::Trainable(_) => {}
        }
    }
}
