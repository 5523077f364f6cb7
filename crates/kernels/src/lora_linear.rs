use crate::fused_lora::View;
use crate::linear::{self, as_matrix};
use crate::lora::{Branch, lora_backward};
use crate::product::{Right, Term, product};
use crate::raw::{floats, matrix, output, slice, tensor, with_last};
use crate::storage::{Held, readable};
use crate::{Error, Result, Weight, reference};
use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor};

/// A frozen linear layer and its low-rank branch in one op: y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ (Hu et al. 2021), with gradients for
/// `x`, `a` and `b` and none for `weight`, which may be bf16.
///
/// # Shapes
/// `x` `[…, in]`, `weight` `[out, in]`, `a` `[r, in]`, `b` `[out, r]` → `[…, out]`.
pub fn lora_linear(x: &Tensor, weight: &Tensor, a: &Tensor, b: &Tensor, scale: f64) -> Result<Tensor> {
    linear::check("lora_linear", x, weight)?;
    let (outputs, inputs) = weight.dims2()?;
    let rank = a.dims().first().copied().unwrap_or(0);
    for (what, found, expected) in [("a", a, [rank, inputs]), ("b", b, [outputs, rank])] {
        if found.dims() != expected || rank == 0 {
            let expected = format!("{expected:?} for weight {:?}", weight.dims());
            return Err(Error::Shape { op: "lora_linear", what, found: found.dims().into(), expected }.into());
        }
    }
    if !(linear::fusable(x, weight) && crate::raw::fusable(&[a, b])) {
        return reference::lora_linear(x, weight, a, b, scale);
    }
    let op = LoraLinear { weight: readable(&weight.detach())?, scale };
    x.contiguous()?.apply_op3(&a.contiguous()?, &b.contiguous()?, op)
}

struct LoraLinear {
    weight: Tensor,
    scale: f64,
}

/// x·Aᵀ, `[rows, r]`.
fn hidden(x: View<'_>, a: View<'_>, rows: usize, rank: usize) -> Vec<f32> {
    product(rows, rank, &[Term { left: x.left(1.0), right: Right::Transposed(a.matrix(), 0, rank) }])
}

impl CustomOp3 for LoraLinear {
    fn name(&self) -> &'static str {
        "lora_linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        a: &CpuStorage,
        al: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((rows, inputs), (outputs, rank)) = (matrix(xl.dims()), matrix(bl.dims()));
        let (x, a) = (View::dense(slice(x, xl)?, rows, inputs), View::dense(slice(a, al)?, rank, inputs));
        let b = View::dense(slice(b, bl)?, outputs, rank);
        let h = hidden(x, a, rows, rank);
        let weight = Held::tensor(&self.weight)?;
        let base = Term { left: x.left(1.0), right: Right::Transposed(weight.matrix(), 0, outputs) };
        let left = View::dense(&h, rows, rank).left(self.scale as f32);
        let branch = Term { left, right: Right::Transposed(b.matrix(), 0, outputs) };
        Ok(output(product(rows, outputs, &[base, branch]), &with_last(xl.dims(), outputs)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((rows, inputs), (outputs, rank)) = (matrix(x.dims()), matrix(b.dims()));
        let (flat, grad) = (as_matrix(x)?.detach(), as_matrix(grad)?.detach());
        // Recomputed rather than kept: it costs r/out of the layer and saves its memory for the whole step.
        let (x_values, a_values) = (floats(&flat)?, floats(a)?);
        let h = hidden(View::dense(&x_values, rows, inputs), View::dense(&a_values, rank, inputs), rows, rank);
        let h = tensor(h, &[rows, rank])?;
        let weight = Weight::Dense(self.weight.clone());
        let (a, b) = (a.detach(), b.detach());
        let branch = Branch { columns: 0..outputs, a: &a, b: &b, scale: self.scale, mask: None };
        let gradients = lora_backward(&flat, Some(&h), &grad, &weight, &[branch], x.track_op())?;
        let dx = gradients.input.map(|dx| dx.reshape(x.dims())).transpose()?;
        let (da, db) = gradients.branches.into_iter().next().unzip();
        Ok((dx, da, db))
    }
}
