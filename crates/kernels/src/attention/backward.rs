#![allow(unsafe_code, reason = "tasks write their own heads of the results")]

use super::product::{Left, Old, PANEL, Right, product};
use super::scatter::Scatter;
use super::tiles::{Heads, Item, Keys, Plan, Tile, copy_queries, dense, grow, unnormalised};
use crate::PackedRows;
use crate::rows::{add_assign, new_rows};
use crate::simd::{dot, vectorised};
use rayon::prelude::*;

#[derive(Default)]
struct Scratch {
    k: Keys,
    v: Keys,
    q: Vec<f32>,
    d_out: Vec<f32>,
    p: Vec<f32>,
    d_scores: Vec<f32>,
    inverses: Vec<f32>,
    dq: Vec<f32>,
    dk: Vec<f32>,
    dv: Vec<f32>,
}

/// Gradients of queries, keys and values, each contiguous. Probabilities are computed again rather than kept.
pub(super) fn backward(
    (q, k, v, d_out): (Heads<'_>, Heads<'_>, Heads<'_>, Heads<'_>),
    sizes: (usize, usize, usize),
    rows: &PackedRows,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    // A row is one item, however long: its keys' gradients are the sum over all its queries.
    let plan = Plan::new(rows, sizes, usize::MAX);
    let (keys, padded) = (plan.shared + rows.tokens(), plan.padded_width());
    let mut dq = new_rows(plan.places.len(), plan.heads * plan.width, |_, _| ());
    let mut dk = new_rows(keys, plan.kv_heads * plan.width, |_, _| ());
    let mut dv = new_rows(keys, plan.kv_heads * plan.width, |_, _| ());
    let (dq_out, dk_out, dv_out) = (Scatter::new(&mut dq), Scatter::new(&mut dk), Scatter::new(&mut dv));
    let size = plan.items_per_task();
    let task = |scratch: &mut Scratch, index: usize| {
        let (chunk, kv) = (index / plan.kv_heads, index % plan.kv_heads);
        scratch.copy_keys(&plan, (k, v), kv, 0..plan.shared, 0);
        scratch.clear_gradients(0, plan.shared * padded);
        for item in plan.items.iter().skip(chunk * size).take(size) {
            let own = plan.shared + item.tokens.start..plan.shared + item.tokens.end;
            scratch.copy_keys(&plan, (k, v), kv, own.clone(), plan.shared);
            scratch.clear_gradients(plan.shared * padded, own.len() * padded);
            for tile in plan.tiles(item) {
                scratch.tile_backward(&plan, (q, d_out), kv, (item, &tile), dq_out);
            }
            for (token, at) in own.zip((plan.shared * padded..).step_by(padded)) {
                let place = (token * plan.kv_heads + kv) * plan.width;
                // SAFETY: each row and key/value head belongs to one task.
                unsafe {
                    dk_out.write(place, &scratch.dk[at..][..plan.width], 1.0);
                    dv_out.write(place, &scratch.dv[at..][..plan.width], 1.0);
                }
            }
        }
        (scratch.dk[..plan.shared * padded].to_vec(), scratch.dv[..plan.shared * padded].to_vec())
    };
    let tasks = plan.items.len().div_ceil(size) * plan.kv_heads;
    let parts: Vec<_> = if plan.is_large() {
        (0..tasks).into_par_iter().map_init(Scratch::default, task).collect()
    } else {
        let mut scratch = Scratch::default();
        (0..tasks).map(|index| task(&mut scratch, index)).collect()
    };
    add_shared(&mut dk, &plan, parts.iter().map(|(dk, _)| dk));
    add_shared(&mut dv, &plan, parts.iter().map(|(_, dv)| dv));
    (dq, dk, dv)
}

/// Adds what each task found for the shared keys, in the order of the tasks.
fn add_shared<'a>(gradient: &mut [f32], plan: &Plan, parts: impl Iterator<Item = &'a Vec<f32>>) {
    for (index, part) in parts.enumerate() {
        let head = index % plan.kv_heads;
        for (key, row) in part.chunks_exact(plan.padded_width()).enumerate() {
            add_assign(&mut gradient[(key * plan.kv_heads + head) * plan.width..][..plan.width], row);
        }
    }
}

impl Scratch {
    fn copy_keys(
        &mut self,
        plan: &Plan,
        (k, v): (Heads<'_>, Heads<'_>),
        kv: usize,
        tokens: std::ops::Range<usize>,
        at: usize,
    ) {
        self.k.copy_rows(plan, k, kv, tokens.clone(), at);
        self.k.copy_panels(plan, k, kv, tokens.clone(), at);
        self.v.copy_panels(plan, v, kv, tokens, at);
    }

    fn clear_gradients(&mut self, from: usize, count: usize) {
        for gradient in [&mut self.dk, &mut self.dv] {
            grow(gradient, from + count);
            gradient[from..from + count].fill(0.0);
        }
    }

    /// With P the probabilities and dP = dOut·vᵀ: dS = P ∘ (dP − Σ P∘dP), dq = dS·k/√D, dk += dSᵀ·q/√D, dv += Pᵀ·dOut.
    fn tile_backward(
        &mut self,
        plan: &Plan,
        (q, d_out): (Heads<'_>, Heads<'_>),
        kv: usize,
        (item, tile): (&Item, &Tile),
        dq_out: Scatter<'_>,
    ) {
        let (group, width, padded) = (plan.group(), plan.width, plan.padded_width());
        let (rows, keys, columns) = (tile.queries.len() * group, tile.keys, tile.keys.next_multiple_of(PANEL));
        copy_queries(&mut self.q, plan, q, kv, tile, plan.scale());
        copy_queries(&mut self.d_out, plan, d_out, kv, tile, 1.0);
        unnormalised(&mut self.p, &mut self.inverses, plan, (item, tile), &self.q, &self.k);
        grow(&mut self.d_scores, rows * columns);
        let left = Left { values: &self.d_out, row: padded, column: 1 };
        product(&mut self.d_scores, (rows, columns, width), left, self.v.transposed(plan), Old::Overwritten);
        let (p, d_scores, inverses) = (&mut self.p, &mut self.d_scores, &self.inverses);
        vectorised(
            #[inline(always)]
            || softmax_backward(d_scores, p, inverses, (columns, keys)),
        );
        let along = |values| Left { values, row: columns, column: 1 };
        let across = |values| Left { values, row: 1, column: columns };
        grow(&mut self.dq, rows * padded);
        product(&mut self.dq, (rows, padded, keys), along(&self.d_scores), dense(&self.k.rows, plan), Old::Overwritten);
        let right = |values| -> Right<'_> { dense(values, plan) };
        product(&mut self.dk, (keys, padded, rows), across(&self.d_scores), right(&self.q), Old::AddedTo);
        product(&mut self.dv, (keys, padded, rows), across(&self.p), right(&self.d_out), Old::AddedTo);
        for (row, dq) in self.dq.chunks_exact(padded).take(rows).enumerate() {
            let (query, head) = (tile.queries.start + row / group, kv * group + row % group);
            // SAFETY: each query and head belongs to one task.
            unsafe { dq_out.write((query * plan.heads + head) * width, &dq[..width], plan.scale()) };
        }
    }
}

/// Normalises `p` and replaces dP by dS = P ∘ (dP − Σ P∘dP), row by row.
#[inline(always)]
fn softmax_backward(dp: &mut [f32], p: &mut [f32], inverses: &[f32], (columns, keys): (usize, usize)) {
    for ((dp, p), inverse) in dp.chunks_exact_mut(columns).zip(p.chunks_exact_mut(columns)).zip(inverses) {
        let (dp, p) = (&mut dp[..keys], &mut p[..keys]);
        for p in p.iter_mut() {
            *p *= inverse;
        }
        let along = dot(dp, p);
        for (d, p) in dp.iter_mut().zip(p.iter()) {
            *d = (*d - along) * p;
        }
    }
}
