use crate::raw::{floats, fusable, output, slice};
use crate::rows::for_blocks;
use crate::simd::vectorised;
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// Rotary position embedding in the half-rotation form of Hugging Face: pair (i, i + D/2) turns by the angle of
/// position `offset + t` (Su et al. 2021).
///
/// # Shapes
/// `x` `[B, T, H, D]`, D even; `cos`, `sin` `[positions ≥ offset + T, D/2]` → `[B, T, H, D]`.
pub fn rope(x: &Tensor, cos: &Tensor, sin: &Tensor, offset: usize) -> Result<Tensor> {
    let (_, time, _, width) = x.dims4()?;
    for (what, table) in [("cos", cos), ("sin", sin)] {
        let fits = matches!(table.dims(), [p, half] if *p >= offset + time && half * 2 == width);
        if !fits {
            let expected = format!("[at least {}, {}] for x {:?}", offset + time, width / 2, x.dims());
            return Err(Error::Shape { op: "rope", what, found: table.dims().into(), expected }.into());
        }
    }
    if !fusable(&[x, cos, sin]) {
        return reference::rope(x, cos, sin, offset);
    }
    let op = Rope { cos: cos.detach().contiguous()?, sin: sin.detach().contiguous()?, offset, direction: 1.0 };
    x.contiguous()?.apply_op1(op)
}

struct Rope {
    cos: Tensor,
    sin: Tensor,
    offset: usize,
    /// 1 turns forward, -1 back: the rotation is orthogonal, so its backward is the opposite turn.
    direction: f32,
}

impl CustomOp1 for Rope {
    fn name(&self) -> &'static str {
        "rope"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, layout)?;
        let &[_, time, heads, width] = layout.dims() else {
            return Err(Error::NotFloats { found: format!("rank {}", layout.dims().len()) }.into());
        };
        let half = width / 2;
        let (cos, sin) = (floats(&self.cos)?, floats(&self.sin)?);
        let (cos, sin): (&[f32], &[f32]) = (&cos, &sin);
        let mut out = vec![0.0; x.len()];
        // One "row" is one token: all its heads turn by the same angles.
        let token = heads * width;
        for_blocks(&mut out, token, |first, block| {
            let x = &x[first * token..][..block.len()];
            vectorised(
                #[inline(always)]
                || {
                    for (i, (x, out)) in x.chunks_exact(token).zip(block.chunks_exact_mut(token)).enumerate() {
                        let position = self.offset + (first + i) % time;
                        let (cos, sin) = (&cos[position * half..][..half], &sin[position * half..][..half]);
                        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                            let (x1, x2) = x.split_at(half);
                            let (o1, o2) = out.split_at_mut(half);
                            for j in 0..half {
                                let s = sin[j] * self.direction;
                                o1[j] = x1[j] * cos[j] - x2[j] * s;
                                o2[j] = x2[j] * cos[j] + x1[j] * s;
                            }
                        }
                    }
                },
            );
        });
        Ok(output(out, layout.dims()))
    }

    fn bwd(&self, _x: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let back =
            Self { cos: self.cos.clone(), sin: self.sin.clone(), offset: self.offset, direction: -self.direction };
        Ok(Some(grad.contiguous()?.apply_op1_no_bwd(&back)?))
    }
}
