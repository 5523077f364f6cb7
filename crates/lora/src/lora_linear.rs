use crate::{LoraConfig, Pass, Result, Variant};
use candle_core::{DType, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A frozen linear layer with a low-rank branch, y = Wx + s·B(A·dropout(x)); with a magnitude m (DoRA),
/// y = (m/n)·(Wx + s·B(A·dropout(x))), where n holds the row norms of V = W + s·B·A and counts as a constant in the
/// backward pass, as in PEFT.
#[derive(Debug, Clone)]
pub struct LoraLinear {
    weight: Tensor,
    a: Var,
    b: Var,
    magnitude: Option<Var>,
    scaling: f64,
}

impl LoraLinear {
    /// A fresh branch that changes nothing yet: A uniform in ±1/√in (Kaiming with a = √5, as PEFT draws it), B zero, magnitudes the row norms of W.
    ///
    /// # Shapes
    /// `weight` `[out, in]`.
    pub fn new(weight: &Tensor, config: &LoraConfig, seed: u64, stream: u64) -> Result<Self> {
        let (outputs, inputs) = weight.dims2()?;
        let (dtype, device) = (weight.dtype(), weight.device());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        let bound = 1.0 / (inputs as f32).sqrt();
        let a: Vec<f32> = (0..config.r * inputs).map(|_| rng.random_range(-bound..bound)).collect();
        let a = Tensor::from_vec(a, (config.r, inputs), device)?.to_dtype(dtype)?;
        let b = Tensor::zeros((outputs, config.r), dtype, device)?;
        let magnitude = (config.variant == Variant::Dora).then(|| row_norms(weight)).transpose()?;
        Self::from_parts(weight, &a, &b, magnitude.as_ref(), config)
    }

    /// A branch from its tensors.
    ///
    /// # Shapes
    /// `weight` `[out, in]`, `a` `[r, in]`, `b` `[out, r]`, `magnitude` `[out]`.
    pub fn from_parts(
        weight: &Tensor,
        a: &Tensor,
        b: &Tensor,
        magnitude: Option<&Tensor>,
        config: &LoraConfig,
    ) -> Result<Self> {
        let dtype = weight.dtype();
        let var = |t: &Tensor| Var::from_tensor(&t.to_dtype(dtype)?.contiguous()?);
        Ok(Self {
            weight: weight.detach(),
            a: var(a)?,
            b: var(b)?,
            magnitude: magnitude.map(var).transpose()?,
            scaling: config.scaling(),
        })
    }

    /// # Shapes
    /// `[…, in]` → `[…, out]`.
    pub fn forward(&self, x: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let (a, b) = (pass.parameter(&self.a), pass.parameter(&self.b));
        let y = match pass.dropout() {
            Some(dropout) if dropout.is_active() => {
                let dropped = dropout.apply(x)?;
                let branch = (kernels::linear(&kernels::linear(&dropped, &a)?, &b)? * self.scaling)?;
                (kernels::frozen_linear(x, &self.weight)? + branch)?
            }
            _ => kernels::lora_linear(x, &self.weight, &a, &b, self.scaling)?,
        };
        let Some(magnitude) = &self.magnitude else { return Ok(y) };
        let norms = row_norms(&self.direction()?)?;
        Ok(y.broadcast_mul(&(pass.parameter(magnitude) / norms)?)?)
    }

    /// The weight that gives the same outputs without a branch: W + s·B·A, or (m/n)·V for DoRA; `[out, in]`.
    pub fn merged(&self) -> Result<Tensor> {
        let direction = self.direction()?;
        let Some(magnitude) = &self.magnitude else { return Ok(direction) };
        let factor = (magnitude.as_detached_tensor() / row_norms(&direction)?)?;
        Ok(direction.broadcast_mul(&factor.unsqueeze(1)?)?)
    }

    /// V = W + s·B·A, detached.
    fn direction(&self) -> Result<Tensor> {
        let (a, b) = (self.a.as_detached_tensor(), self.b.as_detached_tensor());
        Ok((&self.weight + (kernels::frozen_linear(&b, &a.t()?.contiguous()?)? * self.scaling)?)?)
    }

    /// The frozen weight `[out, in]`.
    pub fn weight(&self) -> &Tensor {
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
