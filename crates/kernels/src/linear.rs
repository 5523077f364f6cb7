use crate::fused_lora::View;
use crate::lora::{lora_backward, weight_gradient};
use crate::product::{Right, Term, product};
use crate::raw::{matrix, output, slice, with_last};
use crate::storage::{Held, readable};
use crate::{Error, Result, Weight, reference};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Shape, Tensor};

/// y = x·Wᵀ with a frozen weight: the backward gives dX = dY·W only. (candle's `matmul` computes dW as well, a third of
/// all multiplications of a step, and throws it away.) A bf16 weight may meet f32 activations.
///
/// # Shapes
/// `x` `[…, in]`, `weight` `[out, in]` → `[…, out]`.
pub fn frozen_linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    check("frozen_linear", x, weight)?;
    if !fusable(x, weight) {
        return reference::frozen_linear(x, weight);
    }
    x.contiguous()?.apply_op1(Frozen { weight: readable(&weight.detach())? })
}

/// y = x·Wᵀ with gradients for both: dX = dY·W, dW = dYᵀ·X.
///
/// # Shapes
/// `x` `[…, in]`, `weight` `[out, in]` → `[…, out]`.
pub fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    check("linear", x, weight)?;
    if !crate::raw::fusable(&[x, weight]) {
        return reference::linear(x, weight);
    }
    x.contiguous()?.apply_op2(&weight.contiguous()?, Trainable)
}

/// Whether the fused path applies to a frozen weight, which may be stored narrower than the activations.
pub(crate) fn fusable(x: &Tensor, weight: &Tensor) -> bool {
    crate::raw::fusable(&[x]) && weight.device().is_cpu() && matches!(weight.dtype(), DType::F32 | DType::BF16)
}

pub(crate) fn check(op: &'static str, x: &Tensor, weight: &Tensor) -> Result<()> {
    let width = x.dims().last().copied().unwrap_or(0);
    if width == 0 || !matches!(weight.dims(), [_, inputs] if *inputs == width) {
        let expected = format!("[out, {width}] for x {:?}", x.dims());
        return Err(Error::Shape { op, what: "weight", found: weight.dims().into(), expected }.into());
    }
    Ok(())
}

/// A contiguous tensor as a matrix: all leading axes are rows.
pub(crate) fn as_matrix(tensor: &Tensor) -> Result<Tensor> {
    tensor.contiguous()?.reshape(matrix(tensor.dims()))
}

struct Frozen {
    weight: Tensor,
}

impl CustomOp1 for Frozen {
    fn name(&self) -> &'static str {
        "frozen_linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let ((rows, inputs), (outputs, _)) = (matrix(layout.dims()), matrix(self.weight.dims()));
        let (x, weight) = (slice(x, layout)?, Held::tensor(&self.weight)?);
        let right = Right::Transposed(weight.matrix(), 0, outputs);
        let y = product(rows, outputs, &[Term { left: View::dense(x, rows, inputs).left(1.0), right }]);
        Ok(output(y, &with_last(layout.dims(), outputs)))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        input_gradient(x, &self.weight, grad).map(Some)
    }
}

struct Trainable;

impl CustomOp2 for Trainable {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let ((rows, inputs), (outputs, _)) = (matrix(xl.dims()), matrix(wl.dims()));
        let (x, w) = (View::dense(slice(x, xl)?, rows, inputs), View::dense(slice(w, wl)?, outputs, inputs));
        let y = product(rows, outputs, &[Term { left: x.left(1.0), right: Right::Transposed(w.matrix(), 0, outputs) }]);
        Ok(output(y, &with_last(xl.dims(), outputs)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dx = x.track_op().then(|| input_gradient(x, weight, grad)).transpose()?;
        let dw = weight.track_op().then(|| weight_gradient(&as_matrix(x)?, &as_matrix(grad)?)).transpose()?;
        Ok((dx, dw))
    }
}

fn input_gradient(x: &Tensor, weight: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let weight = Weight::Dense(weight.detach());
    let gradients = lora_backward(&as_matrix(x)?.detach(), None, &as_matrix(grad)?.detach(), &weight, &[], true)?;
    match gradients.input {
        Some(dx) => dx.reshape(x.dims()),
        None => x.zeros_like(),
    }
}
