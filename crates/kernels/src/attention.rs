mod backward;
mod forward;
mod product;
mod scatter;
mod tiles;

use crate::raw::{fusable, output, storage_of, tensor};
use crate::{Error, PackedRows, Result, reference};
use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor};
use tiles::Heads;

/// Causal attention with grouped key/value heads over packed rows: softmax(q·kᵀ/√D)·v, where a token sees the keys of its
/// own row up to itself and all shared keys (see [`PackedRows`]). Query head h reads key/value head h / (H/KV).
///
/// # Shapes
/// `q` `[Q, H, D]` with Q = `rows.queries()`; `k`, `v` `[rows.shared() + rows.tokens(), KV, D]` with KV dividing H →
/// `[Q, H, D]`. Any of them may be heads narrowed out of one `[N, H + 2·KV, D]`; that costs no copy.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, rows: &PackedRows) -> Result<Tensor> {
    check(q, k, v, rows)?;
    if !fusable(&[q, k, v]) || q.elem_count() == 0 {
        return reference::attention(q, k, v, rows);
    }
    neighbours(q)?.apply_op3(&neighbours(k)?, &neighbours(v)?, Attention { rows: rows.clone() })
}

/// Gradients of `q`, `k` and `v` in [`attention`] when its result has the gradient `d_out`.
///
/// # Shapes
/// As in [`attention`], `d_out` `[Q, H, D]`; each gradient has the shape of its input and is contiguous.
pub fn attention_backward(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    rows: &PackedRows,
    d_out: &Tensor,
) -> Result<(Tensor, Tensor, Tensor)> {
    check(q, k, v, rows)?;
    if d_out.dims() != q.dims() {
        let expected = format!("{:?}, as q", q.dims());
        return Err(
            Error::Shape { op: "attention_backward", what: "d_out", found: d_out.dims().into(), expected }.into()
        );
    }
    if !fusable(&[q, k, v, d_out]) || q.elem_count() == 0 {
        let mut gradients = reference::vjp(&[q, k, v], d_out, |t| reference::attention(&t[0], &t[1], &t[2], rows))?;
        let (dv, dk, dq) = (gradients.swap_remove(2), gradients.swap_remove(1), gradients.swap_remove(0));
        return Ok((dq, dk, dv));
    }
    let inputs = [neighbours(q)?, neighbours(k)?, neighbours(v)?, neighbours(d_out)?];
    let stored = inputs.iter().map(storage_of).collect::<Result<Vec<_>>>()?;
    let [q_heads, k_heads, v_heads, d_heads] = std::array::from_fn(|i| heads(&stored[i], inputs[i].layout()));
    let (dq, dk, dv) = backward::backward((q_heads?, k_heads?, v_heads?, d_heads?), sizes(q.dims(), k.dims()), rows);
    Ok((tensor(dq, q.dims())?, tensor(dk, k.dims())?, tensor(dv, v.dims())?))
}

/// The tensor itself if each token's heads are neighbours, else a contiguous copy.
fn neighbours(t: &Tensor) -> Result<Tensor> {
    if is_dense_per_token(t.layout()) { Ok(t.clone()) } else { t.contiguous() }
}

fn is_dense_per_token(layout: &Layout) -> bool {
    match (layout.dims(), layout.stride()) {
        (&[_, heads, width], &[_, head, one]) => (width == 1 || one == 1) && (heads == 1 || head == width),
        _ => false,
    }
}

/// The heads of a tensor `[N, heads, D]` of which [`is_dense_per_token`] holds.
fn heads<'a>(stored: &'a [f32], layout: &Layout) -> Result<Heads<'a>> {
    let refuse = || Error::NotFloats { found: format!("strides {:?} for {:?}", layout.stride(), layout.dims()) };
    let (&[tokens, heads, width], Some(&stride)) = (layout.dims(), layout.stride().first()) else {
        return Err(refuse().into());
    };
    let extent = if tokens == 0 { 0 } else { (tokens - 1) * stride + heads * width };
    let start = layout.start_offset();
    match stored.get(start..start + extent) {
        Some(values) if is_dense_per_token(layout) => Ok(Heads { values, stride }),
        _ => Err(refuse().into()),
    }
}

/// Query heads, key/value heads and width.
fn sizes(q: &[usize], k: &[usize]) -> (usize, usize, usize) {
    let size = |dims: &[usize], axis: usize| dims.get(axis).copied().unwrap_or(0);
    (size(q, 1), size(k, 1), size(q, 2))
}

fn check(q: &Tensor, k: &Tensor, v: &Tensor, rows: &PackedRows) -> Result<()> {
    let op = "attention";
    rows.check()?;
    let (queries, heads, width) = q.dims3()?;
    if queries != rows.queries() {
        let expected = format!("[{}, heads, width], one row a query", rows.queries());
        return Err(Error::Shape { op, what: "q", found: q.dims().into(), expected }.into());
    }
    let (keys, kv_heads, k_width) = k.dims3()?;
    let expected_keys = rows.shared() + rows.tokens();
    if keys != expected_keys || k_width != width || kv_heads == 0 || !heads.is_multiple_of(kv_heads) {
        let expected = format!("[{expected_keys}, a divisor of {heads}, {width}]");
        return Err(Error::Shape { op, what: "k", found: k.dims().into(), expected }.into());
    }
    if v.dims() != k.dims() {
        let expected = format!("{:?}, as k", k.dims());
        return Err(Error::Shape { op, what: "v", found: v.dims().into(), expected }.into());
    }
    Ok(())
}

struct Attention {
    rows: PackedRows,
}

impl CustomOp3 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        ql: &Layout,
        k: &CpuStorage,
        kl: &Layout,
        v: &CpuStorage,
        vl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let inputs = (heads(q.as_slice()?, ql)?, heads(k.as_slice()?, kl)?, heads(v.as_slice()?, vl)?);
        Ok(output(forward::forward(inputs, sizes(ql.dims(), kl.dims()), &self.rows), ql.dims()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        _result: &Tensor,
        d_out: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dq, dk, dv) = attention_backward(q, k, v, &self.rows, d_out)?;
        Ok((Some(dq), Some(dk), Some(dv)))
    }
}
