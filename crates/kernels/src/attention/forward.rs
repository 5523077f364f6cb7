#![allow(unsafe_code, reason = "tasks write their own heads of one result")]

use super::product::{Left, Old, PANEL, Right, product};
use super::scatter::Scatter;
use super::tiles::{Heads, Item, Keys, Plan, Tile, copy_queries, dense, grow, unnormalised};
use crate::PackedRows;
use crate::rows::new_rows;
use crate::simd::{exp_in_place, max, vectorised};
use rayon::prelude::*;

/// Longer rows are cut, so that a single one still gives work to every thread.
const QUERIES_PER_ITEM: usize = 256;

#[derive(Default)]
struct Scratch {
    k: Keys,
    v: Keys,
    q: Vec<f32>,
    p: Vec<f32>,
    inverses: Vec<f32>,
    out: Vec<f32>,
    mixed: Vec<f32>,
    panel: Vec<f32>,
}

/// `[Q, H, D]` of queries, keys and values whose shapes were compared before.
pub(super) fn forward(
    (q, k, v): (Heads<'_>, Heads<'_>, Heads<'_>),
    sizes: (usize, usize, usize),
    rows: &PackedRows,
) -> Vec<f32> {
    let plan = Plan::new(rows, sizes, QUERIES_PER_ITEM);
    let mut values = new_rows(plan.places.len(), plan.heads * plan.width, |_, _| ());
    let out = Scatter::new(&mut values);
    let size = plan.items_per_task();
    let task = |scratch: &mut Scratch, index: usize| {
        let (chunk, kv) = (index / plan.kv_heads, index % plan.kv_heads);
        let items = plan.items.iter().skip(chunk * size).take(size);
        let mut shared_copied = false;
        for item in items {
            // So few do not earn a copy of the keys.
            if item.queries.len() * plan.group() <= PANEL && plan.width == plan.padded_width() {
                few_queries(scratch, &plan, (q, k, v), kv, item, out);
                continue;
            }
            if !shared_copied {
                scratch.k.copy_panels(&plan, k, kv, 0..plan.shared, 0);
                scratch.v.copy_rows(&plan, v, kv, 0..plan.shared, 0);
                shared_copied = true;
            }
            let own = plan.shared + item.tokens.start..plan.shared + item.tokens.end;
            scratch.k.copy_panels(&plan, k, kv, own.clone(), plan.shared);
            scratch.v.copy_rows(&plan, v, kv, own, plan.shared);
            for tile in plan.tiles(item) {
                tile_forward(scratch, &plan, q, kv, (item, &tile), out);
            }
        }
    };
    let tasks = plan.items.len().div_ceil(size) * plan.kv_heads;
    if plan.is_large() {
        (0..tasks).into_par_iter().for_each_init(Scratch::default, task);
    } else {
        let mut scratch = Scratch::default();
        (0..tasks).for_each(|index| task(&mut scratch, index));
    }
    values
}

fn tile_forward(
    scratch: &mut Scratch,
    plan: &Plan,
    q: Heads<'_>,
    kv: usize,
    (item, tile): (&Item, &Tile),
    out: Scatter<'_>,
) {
    let (rows, padded) = (tile.queries.len() * plan.group(), plan.padded_width());
    copy_queries(&mut scratch.q, plan, q, kv, tile, plan.scale());
    unnormalised(&mut scratch.p, &mut scratch.inverses, plan, (item, tile), &scratch.q, &scratch.k);
    grow(&mut scratch.out, rows * padded);
    let p = Left { values: &scratch.p, row: tile.keys.next_multiple_of(PANEL), column: 1 };
    product(&mut scratch.out, (rows, padded, tile.keys), p, dense(&scratch.v.rows, plan), Old::Overwritten);
    write_heads(out, plan, kv, tile, (&scratch.out, padded), &scratch.inverses);
}

/// A few query heads over the keys where they stand, so that a decoding step reads every key and value once: the scores
/// are k·qᵀ with the heads as columns of one panel.
fn few_queries(
    scratch: &mut Scratch,
    plan: &Plan,
    (q, k, v): (Heads<'_>, Heads<'_>, Heads<'_>),
    kv: usize,
    item: &Item,
    out: Scatter<'_>,
) {
    let (group, width, padded) = (plan.group(), plan.width, plan.padded_width());
    let (heads, keys) = (item.queries.len() * group, plan.shared + item.tokens.len());
    if heads == 0 {
        return;
    }
    let tile = Tile { queries: item.queries.clone(), keys };
    copy_queries(&mut scratch.q, plan, q, kv, &tile, plan.scale());
    let panel = &mut scratch.panel;
    panel.clear();
    panel.resize(width * PANEL, 0.0);
    for (head, row) in scratch.q.chunks_exact(padded).take(heads).enumerate() {
        panel.iter_mut().skip(head).step_by(PANEL).zip(row).for_each(|(p, value)| *p = *value);
    }
    grow(&mut scratch.out, keys * PANEL);
    // The shared keys, then the row's own: (first token, first key, keys).
    let parts = [(0, 0, plan.shared), (plan.shared + item.tokens.start, plan.shared, item.tokens.len())];
    for (token, key, count) in parts.into_iter().filter(|part| part.2 > 0) {
        let left = Left { values: k.from(token, kv, width), row: k.stride, column: 1 };
        let right = Right { values: &scratch.panel, row: PANEL, panel: 0 };
        product(&mut scratch.out[key * PANEL..], (count, PANEL, width), left, right, Old::Overwritten);
    }
    grow(&mut scratch.p, heads * keys);
    scratch.inverses.clear();
    for (head, p) in scratch.p.chunks_exact_mut(keys).take(heads).enumerate() {
        let (seen, hidden) = p.split_at_mut(plan.visible(item, item.queries.start + head / group));
        let scores = scratch.out.iter().skip(head).step_by(PANEL);
        seen.iter_mut().zip(scores).for_each(|(p, score)| *p = *score);
        hidden.fill(0.0);
        scratch.inverses.push(vectorised(
            #[inline(always)]
            || {
                let top = max(seen);
                1.0 / exp_in_place(seen, top)
            },
        ));
    }
    grow(&mut scratch.mixed, heads * width);
    let mut old = Old::Overwritten;
    for (token, key, count) in parts.into_iter().filter(|part| part.2 > 0) {
        let left = Left { values: &scratch.p[key..], row: keys, column: 1 };
        let right = Right { values: v.from(token, kv, width), row: v.stride, panel: PANEL };
        product(&mut scratch.mixed, (heads, width, count), left, right, old);
        old = Old::AddedTo;
    }
    write_heads(out, plan, kv, &tile, (&scratch.mixed, width), &scratch.inverses);
}

/// Puts rows `[tile · group, stride]`, each times its factor, where their query and head belong.
fn write_heads(
    out: Scatter<'_>,
    plan: &Plan,
    kv: usize,
    tile: &Tile,
    (rows, stride): (&[f32], usize),
    factors: &[f32],
) {
    let group = plan.group();
    for (row, (mixed, factor)) in rows.chunks_exact(stride).zip(factors).enumerate() {
        let (query, head) = (tile.queries.start + row / group, kv * group + row % group);
        // SAFETY: each query and head belongs to one task.
        unsafe { out.write((query * plan.heads + head) * plan.width, &mixed[..plan.width], *factor) };
    }
}
