use crate::weight::Weight;
use crate::{Error, Result, fused_lora, reference};
use candle_core::{DType, Tensor};
use std::ops::Range;

/// One low-rank branch of a (possibly stacked) layer: y[:, columns] += scale · (x ∘ mask)·aᵀ·bᵀ (Hu et al. 2021).
#[derive(Debug, Clone)]
pub struct Branch<'a> {
    /// The outputs the branch adds to; those of several branches do not overlap.
    pub columns: Range<usize>,
    /// `[r, in]`.
    pub a: &'a Tensor,
    /// `[columns.len(), r]`.
    pub b: &'a Tensor,
    /// α/r, or α/√r for rsLoRA.
    pub scale: f64,
    /// Dropout: a factor for each element of the branch's input, `[N, in]`.
    pub mask: Option<&'a Tensor>,
}

/// What [`lora_backward`] returns.
#[derive(Debug)]
pub struct LoraGradients {
    /// dL/dx `[N, in]`, if asked for.
    pub input: Option<Tensor>,
    /// (dL/da, dL/db) of each branch, in the branches' shapes and dtype.
    pub branches: Vec<(Tensor, Tensor)>,
}

/// y = x·Wᵀ + Σ branches (+ residual), and h = x·[A…]ᵀ, one branch's columns after another's, unscaled, which the backward
/// needs (none without branches).
///
/// # Shapes
/// `x` `[N, in]`, `weight` `[out, in]`, `residual` `[N, out]` → y `[N, out]`, h `[N, Σ r]`.
///
/// # Errors
/// Shapes that do not fit, with their values.
pub fn lora_forward(
    x: &Tensor,
    weight: &Weight,
    branches: &[Branch<'_>],
    residual: Option<&Tensor>,
) -> Result<(Tensor, Option<Tensor>)> {
    check("lora_forward", x, weight, branches)?;
    if let Some(residual) = residual {
        expect("lora_forward", "residual", residual, &[x.dim(0)?, weight.dims().0])?;
    }
    if !fusable(weight, branches, &[Some(x), residual]) {
        return reference::lora_forward(x, weight, branches, residual);
    }
    fused_lora::forward(x, weight, branches, residual)
}

/// The gradients of [`lora_forward`] but for the residual's, which is `d_y`: dx = dy·W + Σ (u·a) ∘ mask with
/// u = scale · dy[:, columns]·b (only if `input_gradient`), da = uᵀ·(x ∘ mask), db = scale · dy[:, columns]ᵀ·h. The frozen
/// weight gets none.
///
/// # Shapes
/// As [`lora_forward`]; `d_y` `[N, out]`.
///
/// # Errors
/// Shapes that do not fit, with their values; branches without `h`.
pub fn lora_backward(
    x: &Tensor,
    h: Option<&Tensor>,
    d_y: &Tensor,
    weight: &Weight,
    branches: &[Branch<'_>],
    input_gradient: bool,
) -> Result<LoraGradients> {
    check("lora_backward", x, weight, branches)?;
    expect("lora_backward", "d_y", d_y, &[x.dim(0)?, weight.dims().0])?;
    let ranks: usize = branches.iter().map(rank).sum();
    match h {
        Some(h) => expect("lora_backward", "h", h, &[x.dim(0)?, ranks])?,
        None if branches.is_empty() => {}
        None => return Err(Error::Missing { op: "lora_backward", what: "h" }.into()),
    }
    if !fusable(weight, branches, &[Some(x), h, Some(d_y)]) {
        return reference::lora_backward(x, h, d_y, weight, branches, input_gradient);
    }
    fused_lora::backward(x, h, d_y, weight, branches, input_gradient)
}

/// dW = d_yᵀ·x, for a layer y = x·Wᵀ whose weight is trained.
///
/// # Shapes
/// `x` `[N, in]`, `d_y` `[N, out]` → `[out, in]`.
///
/// # Errors
/// Different numbers of rows.
pub fn weight_gradient(x: &Tensor, d_y: &Tensor) -> Result<Tensor> {
    let (rows, _) = x.dims2()?;
    expect("weight_gradient", "d_y", d_y, &[rows, d_y.dims().last().copied().unwrap_or(0)])?;
    if !crate::raw::fusable(&[x, d_y]) {
        return reference::weight_gradient(x, d_y);
    }
    fused_lora::weight_gradient(x, d_y)
}

pub(crate) fn rank(branch: &Branch<'_>) -> usize {
    branch.a.dims().first().copied().unwrap_or(0)
}

/// Whether the fused path applies: on the CPU, all f32 but for the weight, which may be bf16 or quantised too.
fn fusable(weight: &Weight, branches: &[Branch<'_>], tensors: &[Option<&Tensor>]) -> bool {
    let floats = |t: &Tensor| t.dtype() == DType::F32 && t.device().is_cpu();
    weight.device().is_cpu()
        && matches!(weight.dtype(), DType::F32 | DType::BF16)
        && tensors.iter().flatten().all(|t| floats(t))
        && branches.iter().all(|b| floats(b.a) && floats(b.b) && b.mask.is_none_or(floats))
}

fn check(op: &'static str, x: &Tensor, weight: &Weight, branches: &[Branch<'_>]) -> Result<()> {
    let (outputs, inputs) = weight.dims();
    let rows = x.dims().first().copied().unwrap_or(0);
    expect(op, "x", x, &[rows, inputs])?;
    for branch in branches {
        let Range { start, end } = branch.columns;
        if start > end || end > outputs {
            return Err(Error::Columns { op, start, end, outputs }.into());
        }
        let rank = rank(branch);
        expect(op, "a", branch.a, &[rank, inputs])?;
        expect(op, "b", branch.b, &[end - start, rank])?;
        if let Some(mask) = branch.mask {
            expect(op, "mask", mask, &[rows, inputs])?;
        }
    }
    Ok(())
}

fn expect(op: &'static str, what: &'static str, tensor: &Tensor, shape: &[usize]) -> Result<()> {
    if tensor.dims() != shape {
        return Err(Error::Shape { op, what, found: tensor.dims().into(), expected: format!("{shape:?}") }.into());
    }
    Ok(())
}
