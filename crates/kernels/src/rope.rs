use crate::raw::{floats, fusable, output, slice, tensor};
use crate::rows::new_rows;
use crate::simd::vectorised;
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// Rotary position embedding in the half-rotation form of Hugging Face: pair (i, i + D/2) of a head turns by the angle
/// of its token's position (Su et al. 2021). The first `rotated` heads of each token turn, the others are copied, so
/// that queries, keys and values may stand in one tensor.
///
/// # Shapes
/// `x` `[N, heads, D]`, D even; `cos`, `sin` `[P, D/2]`; N `positions` below P → `[N, heads, D]`.
pub fn rope(x: &Tensor, cos: &Tensor, sin: &Tensor, positions: &[u32], rotated: usize) -> Result<Tensor> {
    check(x, cos, sin, positions, rotated)?;
    if !fusable(&[x, cos, sin]) {
        return reference::rope(x, cos, sin, positions, rotated);
    }
    let (cos, sin) = (cos.detach().contiguous()?, sin.detach().contiguous()?);
    x.contiguous()?.apply_op1(Rope { cos, sin, positions: positions.into(), rotated })
}

/// The gradient of `x` in [`rope`] when its result has the gradient `d_y`: the opposite turn.
pub fn rope_backward(d_y: &Tensor, cos: &Tensor, sin: &Tensor, positions: &[u32], rotated: usize) -> Result<Tensor> {
    check(d_y, cos, sin, positions, rotated)?;
    if !fusable(&[d_y, cos, sin]) {
        return reference::rope(d_y, cos, &sin.neg()?, positions, rotated);
    }
    let (cos, sin) = (cos.contiguous()?, sin.contiguous()?);
    let turn = Turn { cos: &floats(&cos)?, sin: &floats(&sin)?, positions, rotated, direction: -1.0 };
    tensor(turn.apply(&floats(&d_y.contiguous()?)?, d_y.dims()), d_y.dims())
}

fn check(x: &Tensor, cos: &Tensor, sin: &Tensor, positions: &[u32], rotated: usize) -> Result<()> {
    let op = "rope";
    let (tokens, heads, width) = x.dims3()?;
    if rotated > heads || tokens != positions.len() {
        let expected = format!("[{}, at least {rotated}, D], one token a position", positions.len());
        return Err(Error::Shape { op, what: "x", found: x.dims().into(), expected }.into());
    }
    for (what, table) in [("cos", cos), ("sin", sin)] {
        if !matches!(table.dims(), [_, half] if half * 2 == width) || table.dims() != cos.dims() {
            let expected = format!("[positions, {}] for x {:?}", width / 2, x.dims());
            return Err(Error::Shape { op, what, found: table.dims().into(), expected }.into());
        }
    }
    let limit = cos.dim(0)?;
    match positions.iter().enumerate().find(|&(_, &p)| p as usize >= limit) {
        Some((token, &position)) => Err(Error::Position { token, position, positions: limit }.into()),
        None => Ok(()),
    }
}

struct Turn<'a> {
    cos: &'a [f32],
    sin: &'a [f32],
    positions: &'a [u32],
    rotated: usize,
    /// 1 turns forward, -1 back: a rotation is orthogonal, so its transpose is its inverse.
    direction: f32,
}

impl Turn<'_> {
    fn apply(&self, x: &[f32], dims: &[usize]) -> Vec<f32> {
        let width = dims.last().copied().unwrap_or(0);
        let (half, token) = (width / 2, dims.iter().skip(1).product::<usize>());
        new_rows(self.positions.len(), token, |first, block| {
            let x = &x[first * token..][..block.len()];
            vectorised(
                #[inline(always)]
                || {
                    let tokens = x.chunks_exact(token).zip(block.chunks_exact_mut(token));
                    for ((x, out), &position) in tokens.zip(&self.positions[first..]) {
                        let angles = position as usize * half..(position as usize + 1) * half;
                        let (cos, sin) = (&self.cos[angles.clone()], &self.sin[angles]);
                        let (x, kept) = x.split_at(self.rotated * width);
                        let (out, out_kept) = out.split_at_mut(self.rotated * width);
                        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                            let (x1, x2) = x.split_at(half);
                            let (o1, o2) = out.split_at_mut(half);
                            for j in 0..half {
                                let s = sin[j] * self.direction;
                                o1[j] = x1[j] * cos[j] - x2[j] * s;
                                o2[j] = x2[j] * cos[j] + x1[j] * s;
                            }
                        }
                        out_kept.copy_from_slice(kept);
                    }
                },
            );
        })
    }
}

struct Rope {
    cos: Tensor,
    sin: Tensor,
    positions: Box<[u32]>,
    rotated: usize,
}

impl CustomOp1 for Rope {
    fn name(&self) -> &'static str {
        "rope"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (cos, sin) = (&floats(&self.cos)?, &floats(&self.sin)?);
        let turn = Turn { cos, sin, positions: &self.positions, rotated: self.rotated, direction: 1.0 };
        Ok(output(turn.apply(slice(x, layout)?, layout.dims()), layout.dims()))
    }

    fn bwd(&self, _x: &Tensor, _result: &Tensor, d_y: &Tensor) -> Result<Option<Tensor>> {
        rope_backward(d_y, &self.cos, &self.sin, &self.positions, self.rotated).map(Some)
    }
}
