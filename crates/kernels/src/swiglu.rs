use crate::raw::{floats, fusable, output, slice, tensor};
use crate::rows::{for_block_pairs, for_blocks};
use crate::simd::{exp, vectorised};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};

/// The gated unit of Llama's MLP, silu(gate) · up with silu(z) = z / (1 + e⁻ᶻ) (Shazeer 2020), element by element.
///
/// # Shapes
/// `gate` and `up` of one shape → that shape.
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    if gate.dims() != up.dims() {
        let expected = format!("{:?}, as gate", gate.dims());
        return Err(Error::Shape { op: "swiglu", what: "up", found: up.dims().into(), expected }.into());
    }
    if !fusable(&[gate, up]) {
        return reference::swiglu(gate, up);
    }
    gate.contiguous()?.apply_op2(&up.contiguous()?, SwiGlu)
}

struct SwiGlu;

impl CustomOp2 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout, u: &CpuStorage, ul: &Layout) -> Result<(CpuStorage, Shape)> {
        let (gate, up) = (slice(g, gl)?, slice(u, ul)?);
        let mut out = vec![0.0; gate.len()];
        for_blocks(&mut out, 1, |first, block| {
            let (gate, up) = (&gate[first..][..block.len()], &up[first..][..block.len()]);
            vectorised(
                #[inline(always)]
                || {
                    for ((o, g), u) in block.iter_mut().zip(gate).zip(up) {
                        *o = g / (1.0 + exp(-g)) * u;
                    }
                },
            );
        });
        Ok(output(out, gl.dims()))
    }

    fn bwd(
        &self,
        gate: &Tensor,
        up: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (g, u, d) = (floats(gate)?, floats(up)?, floats(&grad)?);
        let (g, u, d): (&[f32], &[f32], &[f32]) = (&g, &u, &d);
        let (mut d_gate, mut d_up) = (vec![0.0; g.len()], vec![0.0; g.len()]);
        for_block_pairs(&mut d_gate, &mut d_up, 1, |first, d_gate, d_up| {
            let n = d_gate.len();
            let (g, u, d) = (&g[first..][..n], &u[first..][..n], &d[first..][..n]);
            vectorised(
                #[inline(always)]
                || {
                    for i in 0..n {
                        let sigmoid = 1.0 / (1.0 + exp(-g[i]));
                        d_up[i] = d[i] * g[i] * sigmoid;
                        d_gate[i] = d[i] * u[i] * sigmoid * (1.0 + g[i] * (1.0 - sigmoid));
                    }
                },
            );
        });
        Ok((Some(tensor(d_gate, gate.dims())?), Some(tensor(d_up, up.dims())?)))
    }
}
