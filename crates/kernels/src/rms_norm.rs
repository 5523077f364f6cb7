use crate::raw::{floats, fusable, matrix, output, slice, tensor};
use crate::rows::{add_assign, map_blocks, new_rows};
use crate::simd::{dot, vectorised};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};

/// Root-mean-square normalisation, y = w · x / √(mean(x²) + eps) over the last axis (Zhang & Sennrich 2019), with
/// gradients for `x` and `weight`.
///
/// # Shapes
/// `x` `[…, D]`, `weight` `[D]` → `[…, D]`.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    check(x, weight)?;
    if !fusable(&[x, weight]) {
        return reference::rms_norm(x, weight, eps);
    }
    x.contiguous()?.apply_op2(&weight.contiguous()?, RmsNorm { eps })
}

/// Gradients of `x` and, if asked for, of `weight` in [`rms_norm`] when its result has the gradient `d_y`. A `residual`,
/// the gradient that reaches `x` around the norm, is added to the first.
///
/// # Shapes
/// `x`, `d_y`, `residual` `[…, D]`, `weight` `[D]` → `[…, D]` and `[D]`.
pub fn rms_norm_backward(
    x: &Tensor,
    weight: &Tensor,
    eps: f64,
    d_y: &Tensor,
    residual: Option<&Tensor>,
    weight_gradient: bool,
) -> Result<(Tensor, Option<Tensor>)> {
    check(x, weight)?;
    for (what, t) in [("d_y", Some(d_y)), ("residual", residual)] {
        if let Some(t) = t.filter(|t| t.dims() != x.dims()) {
            let expected = format!("{:?}, as x", x.dims());
            return Err(Error::Shape { op: "rms_norm_backward", what, found: t.dims().into(), expected }.into());
        }
    }
    if !fusable(&[x, weight, d_y, residual.unwrap_or(x)]) {
        let mut gradients = reference::vjp(&[x, weight], d_y, |t| reference::rms_norm(&t[0], &t[1], eps))?;
        let (dw, dx) = (weight_gradient.then(|| gradients.swap_remove(1)), gradients.swap_remove(0));
        return Ok((residual.map_or_else(|| Ok(dx.clone()), |around| dx.add(around))?, dw));
    }
    let (x, weight, d_y) = (x.contiguous()?, weight.contiguous()?, d_y.contiguous()?);
    let residual = residual.map(Tensor::contiguous).transpose()?;
    let around = residual.as_ref().map(floats).transpose()?;
    let (x_values, w, g) = (floats(&x)?, floats(&weight)?, floats(&d_y)?);
    let width = w.len();
    let dx = input_gradient(&x_values, &w, eps as f32, &g, around.as_deref());
    let dw = weight_gradient.then(|| tensor(gain_gradient(&x_values, width, eps as f32, &g), &[width])).transpose()?;
    Ok((tensor(dx, x.dims())?, dw))
}

fn check(x: &Tensor, weight: &Tensor) -> Result<()> {
    let width = x.dims().last().copied().unwrap_or(0);
    if width == 0 || weight.dims() != [width] {
        let expected = format!("[{width}], the last axis of x {:?}", x.dims());
        return Err(Error::Shape { op: "rms_norm", what: "weight", found: weight.dims().into(), expected }.into());
    }
    Ok(())
}

#[inline(always)]
fn inverse_rms(row: &[f32], eps: f32) -> f32 {
    1.0 / (dot(row, row) / row.len() as f32 + eps).sqrt()
}

/// dx = (w∘g − x · Σ(w∘g∘x) / (D·rms²)) / rms, and what comes around.
fn input_gradient(x: &[f32], w: &[f32], eps: f32, g: &[f32], around: Option<&[f32]>) -> Vec<f32> {
    let width = w.len();
    new_rows(x.len() / width, width, |first, block| {
        let span = first * width..first * width + block.len();
        let (x, g, around) = (&x[span.clone()], &g[span.clone()], around.map(|r| &r[span]));
        vectorised(
            #[inline(always)]
            || {
                let rows = x.chunks_exact(width).zip(g.chunks_exact(width)).zip(block.chunks_exact_mut(width));
                for ((x, g), dx) in rows {
                    let inverse = inverse_rms(x, eps);
                    for ((d, g), w) in dx.iter_mut().zip(g).zip(w) {
                        *d = g * w;
                    }
                    let along = dot(dx, x) * inverse * inverse / width as f32;
                    for (d, x) in dx.iter_mut().zip(x) {
                        *d = inverse * (*d - x * along);
                    }
                }
                if let Some(around) = around {
                    add_assign(block, around);
                }
            },
        );
    })
}

/// dw = Σ over rows of g ∘ x / rms.
fn gain_gradient(x: &[f32], width: usize, eps: f32, g: &[f32]) -> Vec<f32> {
    let partial = map_blocks(x.len() / width, width, |range| {
        let mut sum = vec![0.0; width];
        let span = range.start * width..range.end * width;
        vectorised(
            #[inline(always)]
            || {
                for (x, g) in x[span.clone()].chunks_exact(width).zip(g[span].chunks_exact(width)) {
                    let inverse = inverse_rms(x, eps);
                    for ((s, x), g) in sum.iter_mut().zip(x).zip(g) {
                        *s += x * inverse * g;
                    }
                }
            },
        );
        sum
    });
    partial.iter().fold(vec![0.0; width], |mut sum, part| {
        add_assign(&mut sum, part);
        sum
    })
}

struct RmsNorm {
    eps: f64,
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms_norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, w, eps) = (slice(x, xl)?, slice(w, wl)?, self.eps as f32);
        let (rows, width) = matrix(xl.dims());
        let out = new_rows(rows, width, |first, block| {
            let x = &x[first * width..][..block.len()];
            vectorised(
                #[inline(always)]
                || {
                    for (row, out) in x.chunks_exact(width).zip(block.chunks_exact_mut(width)) {
                        let inverse = inverse_rms(row, eps);
                        for ((o, x), w) in out.iter_mut().zip(row).zip(w) {
                            *o = x * inverse * w;
                        }
                    }
                },
            );
        });
        Ok(output(out, xl.dims()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _result: &Tensor,
        d_y: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = rms_norm_backward(x, weight, self.eps, d_y, None, weight.track_op())?;
        Ok((x.track_op().then_some(dx), dw))
    }
}
