use candle_core::{Tensor, Var};
use lora::{Linear, Pass};

/// A tensor of the model, frozen or trained.
#[derive(Debug, Clone)]
pub(crate) enum Parameter {
    Frozen(Tensor),
    Trainable(Var),
}

impl Parameter {
    /// As this pass uses it.
    pub(crate) fn get(&self, pass: &Pass<'_>) -> Tensor {
        match self {
            Self::Frozen(tensor) => tensor.clone(),
            Self::Trainable(var) => pass.parameter(var),
        }
    }

    pub(crate) fn tensor(&self) -> &Tensor {
        match self {
            Self::Frozen(tensor) => tensor,
            Self::Trainable(var) => var.as_tensor(),
        }
    }

    pub(crate) fn var(&self) -> Option<&Var> {
        match self {
            Self::Frozen(_) => None,
            Self::Trainable(var) => Some(var),
        }
    }
}

impl From<Parameter> for Linear {
    fn from(parameter: Parameter) -> Self {
        match parameter {
            Parameter::Frozen(tensor) => Self::Frozen(tensor),
            Parameter::Trainable(var) => Self::Trainable(var),
        }
    }
}
