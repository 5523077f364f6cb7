use crate::{LoraConfig, Pass, Result, Variant};
use candle_core::{DType, Tensor, Var};
use kernels::{Branch, Weight};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// A frozen linear layer with a low-rank branch, y = Wx + s·B(A·dropout(x)); with a magnitude m (DoRA),
/// y = (m/n)·(Wx + s·B(A·dropout(x))), where n holds the row norms of V = W + s·B·A and counts as a constant in the
/// backward pass, as in PEFT.
#[derive(Debug, Clone)]
pub struct LoraLinear {
    pub(crate) weight: Weight,
    pub(crate) a: Var,
    pub(crate) b: Var,
    pub(crate) magnitude: Option<Var>,
    scaling: f64,
    /// Which of a seed's random numbers are this layer's.
    stream: u64,
}

/// What the tensors of a branch are kept in: f32, however narrow the base weight is.
pub(crate) fn adapter_dtype(weight: &Weight) -> DType {
    if weight.dtype() == DType::F64 { DType::F64 } else { DType::F32 }
}

impl LoraLinear {
    /// A fresh branch that changes nothing yet: A uniform in ±1/√in (Kaiming with a = √5, as PEFT draws it), B zero,
    /// magnitudes the row norms of W. `stream` tells layers apart that share a seed.
    ///
    /// # Shapes
    /// `weight` `[out, in]`.
    pub fn new(weight: &Weight, config: &LoraConfig, seed: u64, stream: u64) -> Result<Self> {
        let ((outputs, inputs), device) = (weight.dims(), weight.device());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        let bound = 1.0 / (inputs as f32).sqrt();
        let a: Vec<f32> = (0..config.r * inputs).map(|_| rng.random_range(-bound..bound)).collect();
        let a = Tensor::from_vec(a, (config.r, inputs), &device)?;
        let b = Tensor::zeros((outputs, config.r), DType::F32, &device)?;
        let magnitude = (config.variant == Variant::Dora)
            .then(|| row_norms(&weight.to_dense(adapter_dtype(weight))?))
            .transpose()?;
        Self::from_parts(weight, &a, &b, magnitude.as_ref(), config, stream)
    }

    /// A branch from its tensors.
    ///
    /// # Shapes
    /// `weight` `[out, in]`, `a` `[r, in]`, `b` `[out, r]`, `magnitude` `[out]`.
    pub fn from_parts(
        weight: &Weight,
        a: &Tensor,
        b: &Tensor,
        magnitude: Option<&Tensor>,
        config: &LoraConfig,
        stream: u64,
    ) -> Result<Self> {
        let dtype = adapter_dtype(weight);
        let var = |t: &Tensor| Var::from_tensor(&t.to_dtype(dtype)?.contiguous()?);
        Ok(Self {
            weight: weight.clone(),
            a: var(a)?,
            b: var(b)?,
            magnitude: magnitude.map(var).transpose()?,
            scaling: config.scaling(),
            stream,
        })
    }

    /// The layer as an op of candle's autograd.
    ///
    /// # Shapes
    /// `[…, in]` → `[…, out]`.
    pub fn forward(&self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        let weight = self.weight.to_dense(x.dtype())?;
        let (a, b) = (pass.parameter(&self.a).to_dtype(x.dtype())?, pass.parameter(&self.b).to_dtype(x.dtype())?);
        let y = match pass.dropout() {
            Some(dropout) => {
                let dropped = kernels::scale_by(x, &dropout.mask(self.stream, x.dims(), x.dtype(), x.device())?)?;
                let branch = (kernels::linear(&kernels::linear(&dropped, &a)?, &b)? * self.scaling)?;
                (kernels::frozen_linear(x, &weight)? + branch)?
            }
            None => kernels::lora_linear(x, &weight, &a, &b, self.scaling)?,
        };
        let Some(magnitude) = &self.magnitude else { return Ok(y) };
        let factor = (pass.parameter(magnitude) / self.norms()?)?;
        Ok(y.broadcast_mul(&factor.to_dtype(x.dtype())?)?)
    }

    /// The branch as the kernels take it.
    pub(crate) fn branch<'a>(
        &self,
        (a, b): (&'a Tensor, &'a Tensor),
        columns: Range<usize>,
        mask: Option<&'a Tensor>,
    ) -> Branch<'a> {
        Branch { columns, a, b, scale: self.scaling, mask }
    }

    pub(crate) fn stream(&self) -> u64 {
        self.stream
    }

    /// The weight that gives the same outputs without a branch: W + s·B·A, or (m/n)·V for DoRA; `[out, in]`, as wide as
    /// the branch.
    pub fn merged(&self) -> Result<Tensor> {
        let direction = self.direction()?;
        let Some(magnitude) = &self.magnitude else { return Ok(direction) };
        let factor = (magnitude.as_detached_tensor() / row_norms(&direction)?)?;
        Ok(direction.broadcast_mul(&factor.unsqueeze(1)?)?)
    }

    /// The row norms of V.
    pub(crate) fn norms(&self) -> Result<Tensor> {
        row_norms(&self.direction()?)
    }

    /// V = W + s·B·A, detached.
    fn direction(&self) -> Result<Tensor> {
        let (a, b) = (self.a.as_detached_tensor(), self.b.as_detached_tensor());
        let weight = self.weight.to_dense(a.dtype())?;
        Ok((weight + (kernels::frozen_linear(&b, &a.t()?.contiguous()?)? * self.scaling)?)?)
    }

    /// The frozen weight `[out, in]`.
    pub fn weight(&self) -> &Weight {
        &self.weight
    }

    /// The trained tensors with the ends of their names in PEFT's files, in order of name.
    pub fn parts(&self) -> Vec<(&'static str, &Var)> {
        let mut parts = vec![(A_SUFFIX, &self.a), (B_SUFFIX, &self.b)];
        parts.extend(self.magnitude.as_ref().map(|m| (MAGNITUDE_SUFFIX, m)));
        parts
    }
}

pub(crate) const A_SUFFIX: &str = "lora_A.weight";
pub(crate) const B_SUFFIX: &str = "lora_B.weight";
pub(crate) const MAGNITUDE_SUFFIX: &str = "lora_magnitude_vector";

/// The Euclidean length of each row, summed in f64 on the CPU path's dtype: `[out, in]` → `[out]`.
fn row_norms(weight: &Tensor) -> Result<Tensor> {
    let norms = weight.to_dtype(DType::F64)?.sqr()?.sum(1)?.sqrt()?;
    Ok(norms.to_dtype(weight.dtype())?.detach())
}
