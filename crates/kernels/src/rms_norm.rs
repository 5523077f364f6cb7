use crate::raw::{floats, fusable, matrix, output, slice, tensor};
use crate::rows::{add_assign, for_blocks, map_blocks};
use crate::simd::{dot, vectorised};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};

/// Root-mean-square normalisation, y = w · x / √(mean(x²) + eps) over the last axis (Zhang & Sennrich 2019), with
/// gradients for `x` and `weight`.
///
/// # Shapes
/// `x` `[…, D]`, `weight` `[D]` → `[…, D]`.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let width = x.dims().last().copied().unwrap_or(0);
    if width == 0 || weight.dims() != [width] {
        let expected = format!("[{width}], the last axis of x {:?}", x.dims());
        return Err(Error::Shape { op: "rms_norm", what: "weight", found: weight.dims().into(), expected }.into());
    }
    if !fusable(&[x, weight]) {
        return reference::rms_norm(x, weight, eps);
    }
    x.contiguous()?.apply_op2(&weight.contiguous()?, RmsNorm { eps: eps as f32 })
}

struct RmsNorm {
    eps: f32,
}

#[inline(always)]
fn inverse_rms(row: &[f32], eps: f32) -> f32 {
    1.0 / (dot(row, row) / row.len() as f32 + eps).sqrt()
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms_norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, w) = (slice(x, xl)?, slice(w, wl)?);
        let (_, width) = matrix(xl.dims());
        let mut out = vec![0.0; x.len()];
        for_blocks(&mut out, width, |first, block| {
            let x = &x[first * width..][..block.len()];
            vectorised(
                #[inline(always)]
                || {
                    for (row, out) in x.chunks_exact(width).zip(block.chunks_exact_mut(width)) {
                        let inverse = inverse_rms(row, self.eps);
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
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (x_values, w, g) = (floats(x)?, floats(weight)?, floats(&grad)?);
        let (x_values, w, g): (&[f32], &[f32], &[f32]) = (&x_values, &w, &g);
        let (rows, width) = matrix(x.dims());
        let mut dx = vec![0.0; if x.track_op() { x_values.len() } else { 0 }];
        for_blocks(&mut dx, width, |first, block| {
            let (x, g) = (&x_values[first * width..][..block.len()], &g[first * width..][..block.len()]);
            vectorised(
                #[inline(always)]
                || {
                    let rows = x.chunks_exact(width).zip(g.chunks_exact(width)).zip(block.chunks_exact_mut(width));
                    for ((x, g), dx) in rows {
                        let inverse = inverse_rms(x, self.eps);
                        for ((d, g), w) in dx.iter_mut().zip(g).zip(w) {
                            *d = g * w;
                        }
                        let along = dot(dx, x) * inverse * inverse / width as f32;
                        for (d, x) in dx.iter_mut().zip(x) {
                            *d = inverse * (*d - x * along);
                        }
                    }
                },
            );
        });
        let dw = weight.track_op().then(|| {
            let partial = map_blocks(rows, width, |range| {
                let mut sum = vec![0.0; width];
                let span = range.start * width..range.end * width;
                vectorised(
                    #[inline(always)]
                    || {
                        for (x, g) in x_values[span.clone()].chunks_exact(width).zip(g[span].chunks_exact(width)) {
                            let inverse = inverse_rms(x, self.eps);
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
        });
        let dx = x.track_op().then(|| tensor(dx, x.dims())).transpose()?;
        Ok((dx, dw.map(|dw| tensor(dw, &[width])).transpose()?))
    }
}
