use crate::gemm::{Into, Mat, multiply};
use crate::linear;
use crate::raw::{floats, fusable, matrix, output, slice, tensor, with_last};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor};

/// A frozen linear layer and its low-rank branch in one op: y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ (Hu et al. 2021), with gradients for
/// `x`, `a` and `b` and none for `weight`.
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
    if !fusable(&[x, weight, a, b]) {
        return reference::lora_linear(x, weight, a, b, scale);
    }
    let op = LoraLinear { weight: weight.detach().contiguous()?, scale: scale as f32 };
    x.contiguous()?.apply_op3(&a.contiguous()?, &b.contiguous()?, op)
}

struct LoraLinear {
    weight: Tensor,
    scale: f32,
}

/// x·Aᵀ, `[rows, r]`.
fn squeeze(x: &[f32], a: &[f32], rows: usize, inputs: usize, rank: usize) -> Vec<f32> {
    let mut h = vec![0.0; rows * rank];
    multiply(&mut h, Mat::new(x, rows, inputs), Mat::new(a, rank, inputs).t(), 1.0, Into::Overwrite);
    h
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
        let (x, a, b) = (slice(x, xl)?, slice(a, al)?, slice(b, bl)?);
        let ((rows, inputs), (outputs, rank)) = (matrix(xl.dims()), matrix(bl.dims()));
        let mut out = vec![0.0; rows * outputs];
        let weight = floats(&self.weight)?;
        multiply(&mut out, Mat::new(x, rows, inputs), Mat::new(&weight, outputs, inputs).t(), 1.0, Into::Overwrite);
        let h = squeeze(x, a, rows, inputs, rank);
        multiply(&mut out, Mat::new(&h, rows, rank), Mat::new(b, outputs, rank).t(), self.scale, Into::Add);
        Ok(output(out, &with_last(xl.dims(), outputs)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let ((rows, inputs), (outputs, rank)) = (matrix(x.dims()), matrix(b.dims()));
        let (x_values, a_values, b_values, g) = (floats(x)?, floats(a)?, floats(b)?, floats(&grad)?);
        let g = Mat::new(&g, rows, outputs);
        // u = s·dY·B, shared by dX and dA.
        let mut u = vec![0.0; rows * rank];
        multiply(&mut u, g, Mat::new(&b_values, outputs, rank), self.scale, Into::Overwrite);
        let u = Mat::new(&u, rows, rank);
        let dx = if x.track_op() {
            let weight = floats(&self.weight)?;
            let mut dx = vec![0.0; rows * inputs];
            multiply(&mut dx, g, Mat::new(&weight, outputs, inputs), 1.0, Into::Overwrite);
            multiply(&mut dx, u, Mat::new(&a_values, rank, inputs), 1.0, Into::Add);
            Some(tensor(dx, x.dims())?)
        } else {
            None
        };
        let da = if a.track_op() {
            let mut da = vec![0.0; rank * inputs];
            multiply(&mut da, u.t(), Mat::new(&x_values, rows, inputs), 1.0, Into::Overwrite);
            Some(tensor(da, a.dims())?)
        } else {
            None
        };
        let db = if b.track_op() {
            // Recomputed rather than kept: it costs r/out of the layer and saves its memory for the whole step.
            let h = squeeze(&x_values, &a_values, rows, inputs, rank);
            let mut db = vec![0.0; outputs * rank];
            multiply(&mut db, g.t(), Mat::new(&h, rows, rank), self.scale, Into::Overwrite);
            Some(tensor(db, b.dims())?)
        } else {
            None
        };
        Ok((dx, da, db))
    }
}
