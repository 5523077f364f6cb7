use crate::gemm::{Into, Mat, multiply_serial};
use crate::raw::{floats, fusable, output, slice, tensor};
use crate::simd::{dot, exp_in_place, max, vectorised};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor};
use rayon::prelude::*;

/// Causal attention with grouped key/value heads: softmax(q·kᵀ/√D)·v, where query t of a row sees keys 0 ..= S−T+t, so
/// that the first S−T keys may come from a cache. Query head h reads key/value head h / (H/KV).
///
/// `lengths[b]` is the number of real queries of row b; later ones are padding: they give 0, receive no gradient and
/// cost nothing.
///
/// # Shapes
/// `q` `[B, T, H, D]`, `k` and `v` `[B, S, KV, D]` with S ≥ T and KV dividing H; B lengths ≤ T → `[B, T, H, D]`.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, lengths: &[usize]) -> Result<Tensor> {
    let geometry = Geometry::new(q, k, v, lengths)?;
    if !fusable(&[q, k, v]) {
        return reference::attention(q, k, v, lengths);
    }
    q.contiguous()?.apply_op3(&k.contiguous()?, &v.contiguous()?, Attention(geometry))
}

#[derive(Clone)]
pub(crate) struct Geometry {
    batch: usize,
    queries: usize,
    keys: usize,
    heads: usize,
    kv_heads: usize,
    width: usize,
    lengths: Vec<usize>,
}

impl Geometry {
    pub(crate) fn new(q: &Tensor, k: &Tensor, v: &Tensor, lengths: &[usize]) -> Result<Self> {
        let (batch, queries, heads, width) = q.dims4()?;
        let (k_batch, keys, kv_heads, k_width) = k.dims4()?;
        let op = "attention";
        if k_batch != batch || keys < queries || k_width != width || kv_heads == 0 || !heads.is_multiple_of(kv_heads) {
            let expected = format!("[{batch}, at least {queries}, a divisor of {heads}, {width}]");
            return Err(Error::Shape { op, what: "k", found: k.dims().into(), expected }.into());
        }
        if v.dims() != k.dims() {
            let expected = format!("{:?}, as k", k.dims());
            return Err(Error::Shape { op, what: "v", found: v.dims().into(), expected }.into());
        }
        if lengths.len() != batch {
            let expected = format!("[{batch}], one a row");
            return Err(Error::Shape { op, what: "lengths", found: vec![lengths.len()], expected }.into());
        }
        if let Some((row, &length)) = lengths.iter().enumerate().find(|&(_, &l)| l > queries) {
            return Err(Error::Length { row, length, queries }.into());
        }
        Ok(Self { batch, queries, keys, heads, kv_heads, width, lengths: lengths.to_vec() })
    }

    fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// A softmax scale of 1/√D.
    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    /// Rows `from..from + rows` of one head of row `b` of q (or of the output, or of its gradient).
    fn query<'a>(&self, data: &'a [f32], b: usize, head: usize, from: usize, rows: usize) -> Mat<'a> {
        let start = ((b * self.queries + from) * self.heads + head) * self.width;
        Mat::strided(&data[start..], rows, self.width, self.heads * self.width)
    }

    /// The first `rows` keys (or values) of one key/value head of row `b`.
    fn key<'a>(&self, data: &'a [f32], b: usize, kv: usize, rows: usize) -> Mat<'a> {
        let start = (b * self.keys * self.kv_heads + kv) * self.width;
        Mat::strided(&data[start..], rows, self.width, self.kv_heads * self.width)
    }

    /// One result for each (row, key/value head), in that order.
    fn map_groups<R: Send>(&self, work: impl Fn(usize, usize) -> R + Sync) -> Vec<R> {
        let tasks = self.batch * self.kv_heads;
        let pair = |i: usize| (i / self.kv_heads, i % self.kv_heads);
        // A decoding step is too little work to hand out.
        if self.queries * self.keys * self.heads * self.batch < 16_384 {
            return (0..tasks).map(|i| work(pair(i).0, pair(i).1)).collect();
        }
        (0..tasks).into_par_iter().map(|i| work(pair(i).0, pair(i).1)).collect()
    }

    /// Blocks of queries of row `b`: (first query, queries, keys they may see).
    fn tiles(&self, b: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        /// Enough queries to keep the products busy, few enough to waste little on the triangle above the diagonal.
        const TILE: usize = 32;
        let length = self.lengths.get(b).copied().unwrap_or(0);
        let past = self.keys - self.queries;
        (0..length).step_by(TILE).map(move |from| {
            let rows = TILE.min(length - from);
            (from, rows, past + from + rows)
        })
    }

    /// softmax(q·kᵀ/√D) of one tile into `p`, `[rows, keys]`; keys after a query's own position are 0.
    fn probabilities(&self, p: &mut Vec<f32>, q: Mat<'_>, k: Mat<'_>, (from, rows, keys): (usize, usize, usize)) {
        p.clear();
        p.resize(rows * keys, 0.0);
        multiply_serial(p, q, k.t(), self.scale(), Into::Overwrite);
        let first = self.keys - self.queries + from + 1;
        vectorised(
            #[inline(always)]
            || {
                for (i, row) in p.chunks_exact_mut(keys).enumerate() {
                    let (seen, hidden) = row.split_at_mut(first + i);
                    let top = max(seen);
                    let inverse = 1.0 / exp_in_place(seen, top);
                    for value in seen.iter_mut() {
                        *value *= inverse;
                    }
                    hidden.fill(0.0);
                }
            },
        );
    }
}

struct Attention(Geometry);

/// Copies dense per-head rows `[positions, width]` into an interleaved `[B, positions, heads, width]` buffer.
fn interleave(
    out: &mut [f32],
    dense: &[f32],
    (b, head): (usize, usize),
    (positions, heads, width): (usize, usize, usize),
) {
    for (t, row) in dense.chunks_exact(width).enumerate() {
        out[((b * positions + t) * heads + head) * width..][..width].copy_from_slice(row);
    }
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
        let g = &self.0;
        let (q, k, v) = (slice(q, ql)?, slice(k, kl)?, slice(v, vl)?);
        let head_size = g.queries * g.width;
        let groups = g.map_groups(|b, kv| {
            let mut out = vec![0.0; g.group() * head_size];
            let mut p = Vec::new();
            for (head, out) in (kv * g.group()..).zip(out.chunks_exact_mut(head_size.max(1))) {
                for (from, rows, keys) in g.tiles(b) {
                    let query = g.query(q, b, head, from, rows);
                    g.probabilities(&mut p, query, g.key(k, b, kv, keys), (from, rows, keys));
                    let target = &mut out[from * g.width..][..rows * g.width];
                    multiply_serial(target, Mat::new(&p, rows, keys), g.key(v, b, kv, keys), 1.0, Into::Overwrite);
                }
            }
            out
        });
        let mut out = vec![0.0; q.len()];
        for (i, group) in groups.iter().enumerate() {
            let (b, kv) = (i / g.kv_heads, i % g.kv_heads);
            for (head, dense) in (kv * g.group()..).zip(group.chunks_exact(head_size.max(1))) {
                interleave(&mut out, dense, (b, head), (g.queries, g.heads, g.width));
            }
        }
        Ok(output(out, ql.dims()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let g = &self.0;
        let grad = grad.contiguous()?;
        let (q_values, k_values, v_values, d_out) = (floats(q)?, floats(k)?, floats(v)?, floats(&grad)?);
        let (q_values, k_values, v_values, d_out): (&[f32], &[f32], &[f32], &[f32]) =
            (&q_values, &k_values, &v_values, &d_out);
        let head_size = g.queries * g.width;
        let groups = g.map_groups(|b, kv| {
            let mut dq = vec![0.0; g.group() * head_size];
            let (mut dk, mut dv) = (vec![0.0; g.keys * g.width], vec![0.0; g.keys * g.width]);
            let (mut p, mut ds) = (Vec::new(), Vec::new());
            for (head, dq) in (kv * g.group()..).zip(dq.chunks_exact_mut(head_size.max(1))) {
                for (from, rows, keys) in g.tiles(b) {
                    let query = g.query(q_values, b, head, from, rows);
                    let (key, value) = (g.key(k_values, b, kv, keys), g.key(v_values, b, kv, keys));
                    let d_out = g.query(d_out, b, head, from, rows);
                    g.probabilities(&mut p, query, key, (from, rows, keys));
                    ds.clear();
                    ds.resize(rows * keys, 0.0);
                    multiply_serial(&mut ds, d_out, value.t(), 1.0, Into::Overwrite);
                    vectorised(
                        #[inline(always)]
                        || softmax_backward(&mut ds, &p, keys, g.scale()),
                    );
                    let (p, ds) = (Mat::new(&p, rows, keys), Mat::new(&ds, rows, keys));
                    let span = keys * g.width;
                    multiply_serial(&mut dq[from * g.width..][..rows * g.width], ds, key, 1.0, Into::Overwrite);
                    multiply_serial(&mut dk[..span], ds.t(), query, 1.0, Into::Add);
                    multiply_serial(&mut dv[..span], p.t(), d_out, 1.0, Into::Add);
                }
            }
            (dq, dk, dv)
        });
        let (mut dq, mut dk, mut dv) =
            (vec![0.0; q_values.len()], vec![0.0; k_values.len()], vec![0.0; v_values.len()]);
        for (i, (group_dq, group_dk, group_dv)) in groups.iter().enumerate() {
            let (b, kv) = (i / g.kv_heads, i % g.kv_heads);
            for (head, dense) in (kv * g.group()..).zip(group_dq.chunks_exact(head_size.max(1))) {
                interleave(&mut dq, dense, (b, head), (g.queries, g.heads, g.width));
            }
            interleave(&mut dk, group_dk, (b, kv), (g.keys, g.kv_heads, g.width));
            interleave(&mut dv, group_dv, (b, kv), (g.keys, g.kv_heads, g.width));
        }
        Ok((Some(tensor(dq, q.dims())?), Some(tensor(dk, k.dims())?), Some(tensor(dv, v.dims())?)))
    }
}

/// dS = P ∘ (dP − Σ P∘dP) · scale, row by row, in place of dP.
#[inline(always)]
fn softmax_backward(dp: &mut [f32], p: &[f32], keys: usize, scale: f32) {
    for (dp, p) in dp.chunks_exact_mut(keys).zip(p.chunks_exact(keys)) {
        let along = dot(dp, p);
        for (d, p) in dp.iter_mut().zip(p) {
            *d = (*d - along) * p * scale;
        }
    }
}
