//! The slow, obvious twin of every op: candle's differentiable primitives and nothing else. Any device, any float
//! dtype; half precision computes in f32 where Hugging Face does. Shapes are those of the fused ops.

use crate::Result;
use candle_core::{D, DType, Tensor};

/// Half precision is widened for reductions; f32 and f64 stay.
fn wide(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}

/// Twin of [`crate::rms_norm`].
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let y = x.to_dtype(wide(x.dtype()))?;
    let rms = (y.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    y.broadcast_div(&rms)?.to_dtype(x.dtype())?.broadcast_mul(weight)
}

/// Twin of [`crate::rope`].
pub fn rope(x: &Tensor, cos: &Tensor, sin: &Tensor, offset: usize) -> Result<Tensor> {
    let (_, time, _, width) = x.dims4()?;
    let half = width / 2;
    // [T, D/2] -> [1, T, 1, D/2]
    let table = |t: &Tensor| t.detach().narrow(0, offset, time)?.to_dtype(x.dtype())?.reshape((1, time, 1, half));
    let (cos, sin) = (table(cos)?, table(sin)?);
    let (x1, x2) = (x.narrow(3, 0, half)?, x.narrow(3, half, half)?);
    let first = (x1.broadcast_mul(&cos)? - x2.broadcast_mul(&sin)?)?;
    let second = (x2.broadcast_mul(&cos)? + x1.broadcast_mul(&sin)?)?;
    Tensor::cat(&[first, second], 3)
}

/// Softmax over the last axis; candle-nn's composed one keeps its gradient, but the fused one does not, so neither is used.
fn softmax(x: &Tensor) -> Result<Tensor> {
    let exp = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?.exp()?;
    exp.broadcast_div(&exp.sum_keepdim(D::Minus1)?)
}

/// Twin of [`crate::attention`].
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, lengths: &[usize]) -> Result<Tensor> {
    let (batch, queries, heads, width) = q.dims4()?;
    let (_, keys, kv_heads, _) = k.dims4()?;
    let (dtype, device) = (q.dtype(), q.device());
    let spread = |t: &Tensor| -> Result<Tensor> {
        let shape = (batch, kv_heads, heads / kv_heads, keys, width);
        t.transpose(1, 2)?.unsqueeze(2)?.broadcast_as(shape)?.contiguous()?.reshape((batch, heads, keys, width))
    };
    let (k, v) = (spread(k)?, spread(v)?);
    let q = q.transpose(1, 2)?.contiguous()?;
    let scores = (q.matmul(&k.t()?.contiguous()?)? / (width as f64).sqrt())?.to_dtype(wide(dtype))?;
    let mask: Vec<f32> = (0..queries)
        .flat_map(|t| (0..keys).map(move |s| if s <= keys - queries + t { 0.0 } else { f32::NEG_INFINITY }))
        .collect();
    let mask = Tensor::from_vec(mask, (queries, keys), device)?.to_dtype(wide(dtype))?;
    let out = softmax(&scores.broadcast_add(&mask)?)?.to_dtype(dtype)?.matmul(&v)?;
    let real: Vec<f32> = lengths.iter().flat_map(|&l| (0..queries).map(move |t| f32::from(u8::from(t < l)))).collect();
    let real = Tensor::from_vec(real, (batch, 1, queries, 1), device)?.to_dtype(dtype)?;
    out.broadcast_mul(&real)?.transpose(1, 2)?.contiguous()
}

/// Twin of [`crate::swiglu`].
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    gate.silu()?.mul(up)
}

/// Twin of [`crate::cross_entropy_sum`].
pub fn cross_entropy_sum(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let logits = logits.to_dtype(wide(logits.dtype()))?;
    let shifted = logits.broadcast_sub(&logits.max_keepdim(1)?.detach())?;
    let lse = shifted.exp()?.sum_keepdim(1)?.log()?;
    let targets = Tensor::from_slice(targets, (targets.len(), 1), logits.device())?;
    (lse - shifted.contiguous()?.gather(&targets, 1)?)?.sum_all()
}

/// Twin of [`crate::linear`].
pub fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let shape = crate::raw::with_last(x.dims(), outputs);
    x.contiguous()?.reshape(((), inputs))?.matmul(&weight.t()?)?.reshape(shape)
}

/// Twin of [`crate::frozen_linear`].
pub fn frozen_linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    linear(x, &weight.detach())
}

/// Twin of [`crate::lora_linear`].
pub fn lora_linear(x: &Tensor, weight: &Tensor, a: &Tensor, b: &Tensor, scale: f64) -> Result<Tensor> {
    frozen_linear(x, weight)? + (linear(&linear(x, a)?, b)? * scale)?
}

/// Twin of [`crate::gather_rows`].
pub fn gather_rows(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    let ids = Tensor::from_slice(ids, ids.len(), table.device())?;
    table.index_select(&ids, 0)
}

/// Twin of [`crate::scale_by`].
pub fn scale_by(x: &Tensor, factor: &Tensor) -> Result<Tensor> {
    x.mul(&factor.detach())
}
