use crate::gemm::{Into, Mat, multiply};
use crate::raw::{floats, fusable, matrix, output, slice, tensor, with_last};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor};

/// y = x·Wᵀ with a frozen weight: the backward gives dX = dY·W only. (candle's `matmul` computes dW as well, a third of
/// all multiplications of a step, and throws it away.)
///
/// # Shapes
/// `x` `[…, in]`, `weight` `[out, in]` → `[…, out]`.
pub fn frozen_linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    check("frozen_linear", x, weight)?;
    if !fusable(&[x, weight]) {
        return reference::frozen_linear(x, weight);
    }
    x.contiguous()?.apply_op1(Frozen { weight: weight.detach().contiguous()? })
}

/// y = x·Wᵀ with gradients for both: dX = dY·W, dW = dYᵀ·X.
///
/// # Shapes
/// `x` `[…, in]`, `weight` `[out, in]` → `[…, out]`.
pub fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    check("linear", x, weight)?;
    if !fusable(&[x, weight]) {
        return reference::linear(x, weight);
    }
    x.contiguous()?.apply_op2(&weight.contiguous()?, Trainable)
}

pub(crate) fn check(op: &'static str, x: &Tensor, weight: &Tensor) -> Result<()> {
    let width = x.dims().last().copied().unwrap_or(0);
    if width == 0 || !matches!(weight.dims(), [_, inputs] if *inputs == width) {
        let expected = format!("[out, {width}] for x {:?}", x.dims());
        return Err(Error::Shape { op, what: "weight", found: weight.dims().into(), expected }.into());
    }
    Ok(())
}

fn forward(x: &[f32], x_shape: &[usize], w: &[f32], w_shape: &[usize]) -> (CpuStorage, Shape) {
    let ((rows, inputs), (outputs, _)) = (matrix(x_shape), matrix(w_shape));
    let mut out = vec![0.0; rows * outputs];
    multiply(&mut out, Mat::new(x, rows, inputs), Mat::new(w, outputs, inputs).t(), 1.0, Into::Overwrite);
    output(out, &with_last(x_shape, outputs))
}

fn input_gradient(x: &Tensor, w: &[f32], grad: &[f32]) -> Result<Tensor> {
    let (rows, inputs) = matrix(x.dims());
    let outputs = w.len() / inputs;
    let mut dx = vec![0.0; rows * inputs];
    multiply(&mut dx, Mat::new(grad, rows, outputs), Mat::new(w, outputs, inputs), 1.0, Into::Overwrite);
    tensor(dx, x.dims())
}

struct Frozen {
    weight: Tensor,
}

impl CustomOp1 for Frozen {
    fn name(&self) -> &'static str {
        "frozen_linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(forward(slice(x, layout)?, layout.dims(), &floats(&self.weight)?, self.weight.dims()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        Ok(Some(input_gradient(x, &floats(&self.weight)?, &floats(&grad)?)?))
    }
}

struct Trainable;

impl CustomOp2 for Trainable {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(forward(slice(x, xl)?, xl.dims(), slice(w, wl)?, wl.dims()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let grad = floats(&grad)?;
        let dx = x.track_op().then(|| input_gradient(x, &floats(weight)?, &grad)).transpose()?;
        let dw = weight.track_op().then(|| weight_gradient(&floats(x)?, &grad, weight.dims())).transpose()?;
        Ok((dx, dw))
    }
}

fn weight_gradient(x: &[f32], grad: &[f32], shape: &[usize]) -> Result<Tensor> {
    let (outputs, inputs) = matrix(shape);
    let rows = x.len() / inputs;
    let mut dw = vec![0.0; outputs * inputs];
    multiply(&mut dw, Mat::new(grad, rows, outputs).t(), Mat::new(x, rows, inputs), 1.0, Into::Overwrite);
    tensor(dw, shape)
}
