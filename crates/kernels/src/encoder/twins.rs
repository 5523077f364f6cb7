//! The slow, obvious twins: candle's own ops on any dtype, out of place.

use super::Activation;
use crate::Result;
use candle_core::{D, Tensor};

/// Twin of [`super::activate`]; candle has the error function in f64 and f32.
pub fn activate(x: &Tensor, bias: &Tensor, activation: Activation) -> Result<Tensor> {
    let x = x.broadcast_add(bias)?;
    match activation {
        Activation::Gelu => x.gelu_erf(),
        Activation::GeluTanh => x.gelu(),
        Activation::Relu => x.relu(),
    }
}

/// Twin of [`super::layer_norm`].
pub fn layer_norm(x: &Tensor, bias: &Tensor, gain: &Tensor, shift: &Tensor, eps: f64) -> Result<Tensor> {
    let z = x.broadcast_add(bias)?;
    let z = z.broadcast_sub(&z.mean_keepdim(D::Minus1)?)?;
    let deviation = (z.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    z.broadcast_div(&deviation)?.broadcast_mul(gain)?.broadcast_add(shift)
}

/// Twin of [`super::self_attention`].
pub fn self_attention(qkv: &Tensor, lengths: &[usize], heads: usize) -> Result<Tensor> {
    let width = qkv.dim(1)? / 3 / heads;
    let mut start = 0;
    let mut texts = Vec::new();
    for &length in lengths {
        // [n, 3D] -> 3 of [H, n, D/H]
        let own = qkv.narrow(0, start, length)?.reshape((length, 3, heads, width))?.permute((1, 2, 0, 3))?;
        let part = |which: usize| own.get(which)?.contiguous();
        let scores = (part(0)?.matmul(&part(1)?.t()?.contiguous()?)? / (width as f64).sqrt())?;
        let exp = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
        let p = exp.broadcast_div(&exp.sum_keepdim(D::Minus1)?)?;
        texts.push(p.matmul(&part(2)?)?.transpose(0, 1)?.reshape((length, heads * width))?);
        start += length;
    }
    Tensor::cat(&texts, 0)
}
