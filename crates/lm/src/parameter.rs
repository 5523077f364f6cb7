use candle_core::{Tensor, Var};
use lora::Linear;

/// A tensor of the model, frozen or trained.
#[derive(Debug, Clone)]
pub(crate) enum Parameter {
    Frozen(Tensor),
    Trainable(Var),
}

impl Parameter {
    /// Its present value, outside candle's autograd.
    pub(crate) fn value(&self) -> Tensor {
        match self {
            Self::Frozen(tensor) => tensor.clone(),
            Self::Trainable(var) => var.as_detached_tensor(),
        }
    }

    pub(crate) fn var(&self) -> Option<&Var> {
        match self {
            Self::Frozen(_) => None,
            Self::Trainable(var) => Some(var),
        }
    }

    /// The parameter as the weight of a linear layer.
    pub(crate) fn linear(&self) -> Linear {
        match self {
            Self::Frozen(tensor) => Linear::Frozen(tensor.clone().into()),
            Self::Trainable(var) => Linear::Trainable(var.clone()),
        }
    }
}
