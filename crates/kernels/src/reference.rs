//! The slow, obvious twin of every op: candle's differentiable primitives and nothing else. Any device, any float
//! dtype; half precision computes in f32 where Hugging Face does. Shapes are those of the fused ops.

use crate::{Branch, LoraGradients, PackedRows, Result, Weight};
use candle_core::{D, DType, Tensor, Var};
use std::ops::Range;

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
pub fn rope(x: &Tensor, cos: &Tensor, sin: &Tensor, positions: &[u32], rotated: usize) -> Result<Tensor> {
    let (tokens, heads, width) = x.dims3()?;
    let half = width / 2;
    let positions = Tensor::from_slice(positions, tokens, x.device())?;
    // [positions, D/2] -> [N, 1, D/2]
    let table = |t: &Tensor| t.detach().index_select(&positions, 0)?.to_dtype(x.dtype())?.reshape((tokens, 1, half));
    let (cos, sin) = (table(cos)?, table(sin)?);
    let (x1, x2) = (x.narrow(1, 0, rotated)?.narrow(2, 0, half)?, x.narrow(1, 0, rotated)?.narrow(2, half, half)?);
    let first = (x1.broadcast_mul(&cos)? - x2.broadcast_mul(&sin)?)?;
    let second = (x2.broadcast_mul(&cos)? + x1.broadcast_mul(&sin)?)?;
    let turned = Tensor::cat(&[first, second], 2)?;
    Tensor::cat(&[turned, x.narrow(1, rotated, heads - rotated)?], 1)
}

/// Softmax over the last axis; candle-nn's composed one keeps its gradient, but the fused one does not, so neither is used.
fn softmax(x: &Tensor) -> Result<Tensor> {
    let exp = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?.exp()?;
    exp.broadcast_div(&exp.sum_keepdim(D::Minus1)?)
}

/// Twin of [`crate::attention`]: masked scores of all queries of a few rows with all keys of those rows.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, rows: &PackedRows) -> Result<Tensor> {
    /// Scores grow with the square of the tokens taken at once; below this the fewest calls are the fastest.
    const TOKENS: usize = 2048;
    let spans = rows.spans();
    let mut parts = Vec::new();
    let mut rest: &[_] = &spans;
    while let Some((first, _)) = rest.first() {
        let taken = rest.iter().take_while(|(tokens, _)| tokens.end - first.start <= TOKENS).count().max(1);
        let (some, later) = rest.split_at(taken);
        parts.push(attention_of(q, k, v, rows, some)?);
        rest = later;
    }
    if parts.is_empty() { q.zeros_like() } else { Tensor::cat(&parts, 0) }
}

/// Attention of the queries of neighbouring rows.
fn attention_of(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    rows: &PackedRows,
    spans: &[(Range<usize>, Range<usize>)],
) -> Result<Tensor> {
    let ((_, heads, width), (_, kv_heads, _), device) = (q.dims3()?, k.dims3()?, q.device());
    let (Some((first, asks)), Some((last, last_asks))) = (spans.first(), spans.last()) else {
        return q.narrow(0, 0, 0);
    };
    let (shared, tokens, queries) = (rows.shared(), last.end - first.start, last_asks.end - asks.start);
    if queries == 0 {
        return q.narrow(0, 0, 0);
    }
    // [S, KV, D] -> [H, S, D]
    let keys = shared + tokens;
    let seen = |t: &Tensor| -> Result<Tensor> {
        let own = t.narrow(0, shared + first.start, tokens)?;
        let t = Tensor::cat(&[t.narrow(0, 0, shared)?, own], 0)?.transpose(0, 1)?.unsqueeze(1)?;
        t.broadcast_as((kv_heads, heads / kv_heads, keys, width))?.contiguous()?.reshape((heads, keys, width))
    };
    let (k, v) = (seen(k)?, seen(v)?);
    let q = q.narrow(0, asks.start, queries)?.transpose(0, 1)?.contiguous()?;
    let scores = (q.matmul(&k.t()?.contiguous()?)? / (width as f64).sqrt())?.to_dtype(wide(q.dtype()))?;
    // Query i sees the shared keys and those from its row's first to its own.
    let places = rows.query_tokens();
    let (mut from, mut to) = (Vec::with_capacity(queries), Vec::with_capacity(queries));
    for (tokens, asks) in spans {
        for &token in &places[asks.clone()] {
            from.push((shared + tokens.start - first.start) as u32);
            to.push((shared + token - first.start) as u32);
        }
    }
    let column = |values: Vec<u32>| Tensor::from_vec(values, (queries, 1), device);
    let key = Tensor::arange(0, keys as u32, device)?.unsqueeze(0)?;
    let in_row = key.broadcast_ge(&column(from)?)?.mul(&key.broadcast_le(&column(to)?)?)?;
    let visible = in_row.broadcast_add(&key.lt(shared as u32)?)?;
    let hidden = Tensor::new(f32::NEG_INFINITY, device)?.to_dtype(scores.dtype())?.broadcast_as((queries, keys))?;
    let mask = visible.where_cond(&hidden.zeros_like()?, &hidden)?;
    let out = softmax(&scores.broadcast_add(&mask)?)?.to_dtype(q.dtype())?.matmul(&v)?;
    out.transpose(0, 1)?.contiguous()
}

/// Twin of [`crate::swiglu`].
pub fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    let halves = gate_up.chunk(2, D::Minus1)?;
    let [gate, up] = halves.as_slice() else { return gate_up.narrow(D::Minus1, 0, 0) };
    gate.contiguous()?.silu()?.mul(up)
}

/// Twin of [`crate::cross_entropy_sum`].
pub fn cross_entropy_sum(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    if targets.is_empty() {
        // candle reduces no empty axis.
        return logits.sum_all();
    }
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

/// The input of a branch: dropped out, in the branch's dtype (PEFT computes branches in the dtype of A).
fn branch_input(x: &Tensor, branch: &Branch<'_>) -> Result<Tensor> {
    let x = x.to_dtype(branch.a.dtype())?;
    match branch.mask {
        Some(mask) => x.mul(&mask.detach().to_dtype(x.dtype())?),
        None => Ok(x),
    }
}

/// Twin of [`crate::lora_forward`].
pub fn lora_forward(
    x: &Tensor,
    weight: &Weight,
    branches: &[Branch<'_>],
    residual: Option<&Tensor>,
) -> Result<(Tensor, Option<Tensor>)> {
    let (outputs, _) = weight.dims();
    let mut y = x.matmul(&weight.to_dense(x.dtype())?.detach().t()?)?;
    let mut hidden = Vec::with_capacity(branches.len());
    for branch in branches {
        let h = branch_input(x, branch)?.matmul(&branch.a.t()?)?;
        let part = (h.matmul(&branch.b.t()?)? * branch.scale)?.to_dtype(y.dtype())?;
        y = (y + part.pad_with_zeros(1, branch.columns.start, outputs - branch.columns.end)?)?;
        hidden.push(h);
    }
    if let Some(residual) = residual {
        y = (y + residual)?;
    }
    let h = if hidden.is_empty() { None } else { Some(Tensor::cat(&hidden, 1)?) };
    Ok((y, h))
}

/// Twin of [`crate::lora_backward`]: the formulas, since candle's autograd would compute the frozen weight's gradient too.
pub fn lora_backward(
    x: &Tensor,
    h: Option<&Tensor>,
    d_y: &Tensor,
    weight: &Weight,
    branches: &[Branch<'_>],
    input_gradient: bool,
) -> Result<LoraGradients> {
    let mut input = input_gradient.then(|| d_y.matmul(&weight.to_dense(d_y.dtype())?)).transpose()?;
    let mut gradients = Vec::with_capacity(branches.len());
    let mut first = 0;
    for branch in branches {
        let (a, b) = (branch.a, branch.b);
        let d = d_y.narrow(1, branch.columns.start, branch.columns.len())?.to_dtype(a.dtype())?.contiguous()?;
        let u = (d.matmul(b)? * branch.scale)?;
        let rank = a.dim(0)?;
        let db = match h {
            Some(h) => (d.t()?.matmul(&h.narrow(1, first, rank)?.contiguous()?)? * branch.scale)?,
            None => b.zeros_like()?,
        };
        first += rank;
        let da = u.t()?.matmul(&branch_input(x, branch)?)?;
        if let Some(dx) = input {
            let mut through = u.matmul(a)?;
            if let Some(mask) = branch.mask {
                through = through.mul(&mask.to_dtype(through.dtype())?)?;
            }
            input = Some((&dx + through.to_dtype(dx.dtype())?)?);
        }
        gradients.push((da, db));
    }
    Ok(LoraGradients { input, branches: gradients })
}

/// Twin of [`crate::weight_gradient`].
pub fn weight_gradient(x: &Tensor, d_y: &Tensor) -> Result<Tensor> {
    d_y.t()?.matmul(x)
}

/// Twin of [`crate::gather_rows`].
pub fn gather_rows(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    let index = Tensor::from_slice(ids, ids.len(), table.device())?;
    let rows = table.index_select(&index, 0)?;
    if table.device().is_cpu() { rows.to_dtype(wide(table.dtype())) } else { Ok(rows) }
}

/// Twin of [`crate::gather_rows_backward`].
pub fn gather_rows_backward(d_y: &Tensor, ids: &[u32], rows: usize) -> Result<Tensor> {
    let index = Tensor::from_slice(ids, ids.len(), d_y.device())?;
    Tensor::zeros((rows, d_y.dim(1)?), d_y.dtype(), d_y.device())?.index_add(&index, &d_y.contiguous()?, 0)
}

/// Twin of [`crate::scale_by`].
pub fn scale_by(x: &Tensor, factor: &Tensor) -> Result<Tensor> {
    x.mul(&factor.detach())
}

/// Gradients of the inputs of `f` when its output has the gradient `d_y`, through candle's autograd: the twin of every
/// hand-written backward. Zeros where the output does not depend on an input.
pub fn vjp(inputs: &[&Tensor], d_y: &Tensor, f: impl Fn(&[Tensor]) -> Result<Tensor>) -> Result<Vec<Tensor>> {
    let fresh = |t: &&Tensor| Ok(Var::from_tensor(&t.detach())?.into_inner());
    let inputs = inputs.iter().map(fresh).collect::<Result<Vec<_>>>()?;
    let output = f(&inputs)?;
    let gradients = output.mul(&d_y.detach().to_dtype(output.dtype())?)?.sum_all()?.backward()?;
    inputs.iter().map(|t| gradients.get(t).map_or_else(|| t.zeros_like(), |g| Ok(g.clone()))).collect()
}
