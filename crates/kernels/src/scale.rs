use crate::raw::{floats, fusable, output, slice};
use crate::rows::new_rows;
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// x · factor, element by element, where `factor` is a constant: a dropout mask, for example. Unlike candle's `mul`,
/// the backward computes nothing for the factor.
///
/// # Shapes
/// `x` and `factor` of one shape → that shape.
pub fn scale_by(x: &Tensor, factor: &Tensor) -> Result<Tensor> {
    if x.dims() != factor.dims() {
        let expected = format!("{:?}, as x", x.dims());
        return Err(Error::Shape { op: "scale_by", what: "factor", found: factor.dims().into(), expected }.into());
    }
    if !fusable(&[x, factor]) {
        return reference::scale_by(x, factor);
    }
    x.contiguous()?.apply_op1(ScaleBy { factor: factor.detach().contiguous()? })
}

struct ScaleBy {
    factor: Tensor,
}

impl CustomOp1 for ScaleBy {
    fn name(&self) -> &'static str {
        "scale_by"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, factor) = (slice(x, layout)?, floats(&self.factor)?);
        let factor: &[f32] = &factor;
        let out = new_rows(x.len(), 1, |first, block| {
            for ((o, x), f) in block.iter_mut().zip(&x[first..]).zip(&factor[first..]) {
                *o = x * f;
            }
        });
        Ok(output(out, layout.dims()))
    }

    fn bwd(&self, _x: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let again = Self { factor: self.factor.clone() };
        Ok(Some(grad.contiguous()?.apply_op1_no_bwd(&again)?))
    }
}
