use crate::raw::{floats, fusable, matrix, output, slice, tensor, with_last};
use crate::rows::new_rows;
use crate::simd::{exp, vectorised};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// The gated unit of Llama's MLP, silu(gate) · up with silu(z) = z / (1 + e⁻ᶻ) (Shazeer 2020), where each row of
/// `gate_up` holds the gate and then up, as one product leaves them.
///
/// # Shapes
/// `gate_up` `[…, 2F]` → `[…, F]`.
pub fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    check(gate_up)?;
    if !fusable(&[gate_up]) {
        return reference::swiglu(gate_up);
    }
    gate_up.contiguous()?.apply_op1(SwiGlu)
}

/// The gradient of `gate_up` in [`swiglu`] when its result has the gradient `d_y`.
///
/// # Shapes
/// `gate_up` `[…, 2F]`, `d_y` `[…, F]` → `[…, 2F]`.
pub fn swiglu_backward(gate_up: &Tensor, d_y: &Tensor) -> Result<Tensor> {
    let half = check(gate_up)?;
    if d_y.dims() != with_last(gate_up.dims(), half) {
        let expected = format!("half of gate_up {:?}", gate_up.dims());
        return Err(Error::Shape { op: "swiglu_backward", what: "d_y", found: d_y.dims().into(), expected }.into());
    }
    if !fusable(&[gate_up, d_y]) {
        return Ok(reference::vjp(&[gate_up], d_y, |t| reference::swiglu(&t[0]))?.swap_remove(0));
    }
    let (gate_up, d_y) = (gate_up.contiguous()?, d_y.contiguous()?);
    let (values, d) = (floats(&gate_up)?, floats(&d_y)?);
    let (values, d): (&[f32], &[f32]) = (&values, &d);
    let (rows, width) = matrix(gate_up.dims());
    let out = new_rows(rows, width, |first, block| {
        let (values, d) = (&values[first * width..][..block.len()], &d[first * half..][..block.len() / 2]);
        vectorised(
            #[inline(always)]
            || {
                let rows = values.chunks_exact(width).zip(d.chunks_exact(half));
                for ((row, d), out) in rows.zip(block.chunks_exact_mut(width)) {
                    let (gate, up) = row.split_at(half);
                    let (d_gate, d_up) = out.split_at_mut(half);
                    for ((((g, u), d), d_gate), d_up) in gate.iter().zip(up).zip(d).zip(d_gate).zip(d_up) {
                        let sigmoid = 1.0 / (1.0 + exp(-g));
                        *d_up = d * g * sigmoid;
                        *d_gate = d * u * sigmoid * (1.0 + g * (1.0 - sigmoid));
                    }
                }
            },
        );
    });
    tensor(out, gate_up.dims())
}

/// F of a `[…, 2F]`.
fn check(gate_up: &Tensor) -> Result<usize> {
    match gate_up.dims().last() {
        Some(width) if width.is_multiple_of(2) => Ok(width / 2),
        _ => {
            let (found, expected) = (gate_up.dims().into(), "[…, 2F]: gate and up".into());
            Err(Error::Shape { op: "swiglu", what: "gate_up", found, expected }.into())
        }
    }
}

struct SwiGlu;

impl CustomOp1 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, gate_up: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = slice(gate_up, layout)?;
        let (rows, width) = matrix(layout.dims());
        let half = width / 2;
        let out = new_rows(rows, half, |first, block| {
            let values = &values[first * width..][..2 * block.len()];
            vectorised(
                #[inline(always)]
                || {
                    for (row, out) in values.chunks_exact(width).zip(block.chunks_exact_mut(half)) {
                        let (gate, up) = row.split_at(half);
                        for ((o, g), u) in out.iter_mut().zip(gate).zip(up) {
                            *o = g / (1.0 + exp(-g)) * u;
                        }
                    }
                },
            );
        });
        Ok(output(out, &with_last(layout.dims(), half)))
    }

    fn bwd(&self, gate_up: &Tensor, _result: &Tensor, d_y: &Tensor) -> Result<Option<Tensor>> {
        swiglu_backward(gate_up, d_y).map(Some)
    }
}
