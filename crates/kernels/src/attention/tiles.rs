//! How attention is cut into work, and the copies of keys, values and queries that one piece of work multiplies.

use super::product::{Left, Old, PANEL, Right, product};
use crate::PackedRows;
use crate::simd::{exp_in_place, max, vectorised};
use std::ops::Range;

/// Heads of tokens: head h of token t stands at `t * stride + h * width`, as it does in a tensor `[N, heads, width]` that
/// was narrowed out of a wider one.
#[derive(Clone, Copy)]
pub(super) struct Heads<'a> {
    pub(super) values: &'a [f32],
    pub(super) stride: usize,
}

impl<'a> Heads<'a> {
    /// `count` neighbouring heads of one token.
    #[inline(always)]
    pub(super) fn of(self, token: usize, head: usize, count: usize, width: usize) -> &'a [f32] {
        &self.values[token * self.stride + head * width..][..count * width]
    }

    /// One head of this token and of all later ones.
    pub(super) fn from(self, token: usize, head: usize, width: usize) -> &'a [f32] {
        &self.values[token * self.stride + head * width..]
    }
}

/// Queries of one row, and the row's tokens that they may see.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) tokens: Range<usize>,
    pub(super) queries: Range<usize>,
}

/// Sizes of one call.
pub(super) struct Plan {
    pub(super) heads: usize,
    pub(super) kv_heads: usize,
    pub(super) width: usize,
    pub(super) shared: usize,
    /// The packed token behind each query.
    pub(super) places: Vec<usize>,
    pub(super) items: Vec<Item>,
}

impl Plan {
    /// One item a row, or several where a row has more than `queries` queries.
    pub(super) fn new(rows: &PackedRows, (heads, kv_heads, width): (usize, usize, usize), queries: usize) -> Self {
        let places = rows.query_tokens();
        let mut items = Vec::new();
        for (tokens, asks) in rows.spans() {
            if asks.len() <= queries {
                items.push(Item { tokens, queries: asks });
                continue;
            }
            for from in asks.clone().step_by(queries) {
                let queries = from..asks.end.min(from + queries);
                let end = places.get(queries.end - 1).map_or(tokens.end, |last| last + 1);
                items.push(Item { tokens: tokens.start..end, queries });
            }
        }
        Self { heads, kv_heads, width, shared: rows.shared(), places, items }
    }

    /// Query heads that read one key/value head.
    pub(super) fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// A softmax scale of 1/√D.
    pub(super) fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    /// A head's width in scratch, where the columns end with a panel.
    pub(super) fn padded_width(&self) -> usize {
        self.width.next_multiple_of(PANEL)
    }

    /// Neighbouring items that one task works on for one key/value head. The shared keys are copied once a task, and
    /// their gradients are added up once a task; the number of tasks depends on the shape alone.
    pub(super) fn items_per_task(&self) -> usize {
        const TASKS: usize = 64;
        self.items.len().div_ceil((TASKS / self.kv_heads).max(1)).max(1)
    }

    /// Whether the work is worth handing out to other threads.
    pub(super) fn is_large(&self) -> bool {
        const MULTIPLICATIONS: usize = 1 << 19;
        let scores: usize = self.items.iter().map(|i| i.queries.len() * (self.shared + i.tokens.len())).sum();
        scores * self.heads * self.width >= MULTIPLICATIONS
    }

    /// Blocks of an item's queries that are multiplied at once: few enough that their scores stay in cache and that
    /// little is wasted above the diagonal, enough that each panel of keys is used several times.
    pub(super) fn tiles(&self, item: &Item) -> impl Iterator<Item = Tile> {
        let (item, keys, group) = (item.clone(), self.shared + item.tokens.len(), self.group());
        let step = (((1 << 15) / keys.max(1)).clamp(12, 48) / group).max(1);
        let places = &self.places;
        item.queries.clone().step_by(step).map(move |from| {
            let queries = from..item.queries.end.min(from + step);
            let last = places.get(queries.end - 1).copied().unwrap_or(item.tokens.start);
            Tile { queries, keys: self.shared + last + 1 - item.tokens.start }
        })
    }

    /// How many keys a query of this item sees.
    #[inline(always)]
    pub(super) fn visible(&self, item: &Item, query: usize) -> usize {
        self.shared + self.places[query] + 1 - item.tokens.start
    }
}

/// Some neighbouring queries of an item, and how many keys the last of them sees.
pub(super) struct Tile {
    pub(super) queries: Range<usize>,
    pub(super) keys: usize,
}

/// Keys (or values) of one head: the shared ones, then one item's own.
#[derive(Default)]
pub(super) struct Keys {
    /// `[keys, padded width]`.
    pub(super) rows: Vec<f32>,
    /// The transpose, in panels of 16 keys: `[keys / 16, width, 16]`.
    pub(super) panels: Vec<f32>,
}

impl Keys {
    pub(super) fn copy_rows(&mut self, plan: &Plan, from: Heads<'_>, kv: usize, tokens: Range<usize>, at: usize) {
        let width = plan.padded_width();
        grow(&mut self.rows, (at + tokens.len()) * width);
        for (token, row) in tokens.zip(self.rows[at * width..].chunks_exact_mut(width)) {
            row[..plan.width].copy_from_slice(from.of(token, kv, 1, plan.width));
        }
    }

    pub(super) fn copy_panels(&mut self, plan: &Plan, from: Heads<'_>, kv: usize, tokens: Range<usize>, at: usize) {
        let panel = plan.width * PANEL;
        grow(&mut self.panels, (at + tokens.len()).div_ceil(PANEL) * panel);
        for (key, token) in (at..).zip(tokens) {
            let columns = self.panels[key / PANEL * panel..][..panel].iter_mut().skip(key % PANEL).step_by(PANEL);
            for (column, value) in columns.zip(from.of(token, kv, 1, plan.width)) {
                *column = *value;
            }
        }
    }

    /// The transpose as a right operand.
    pub(super) fn transposed(&self, plan: &Plan) -> Right<'_> {
        Right { values: &self.panels, row: PANEL, panel: plan.width * PANEL }
    }
}

/// A dense `[k, padded width]` as a right operand.
pub(super) fn dense<'a>(values: &'a [f32], plan: &Plan) -> Right<'a> {
    Right { values, row: plan.padded_width(), panel: PANEL }
}

/// A buffer of at least `len` values.
pub(super) fn grow(buffer: &mut Vec<f32>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
}

/// Copies a tile of queries (or of a gradient in their place) times `factor` into `[tile · group, padded width]`: a
/// token's heads that share a key/value head are neighbours there.
pub(super) fn copy_queries(out: &mut Vec<f32>, plan: &Plan, from: Heads<'_>, kv: usize, tile: &Tile, factor: f32) {
    let (group, padded) = (plan.group(), plan.padded_width());
    grow(out, tile.queries.len() * group * padded);
    for (query, out) in tile.queries.clone().zip(out.chunks_exact_mut(group * padded)) {
        let heads = from.of(query, kv * group, group, plan.width).chunks_exact(plan.width);
        for (head, out) in heads.zip(out.chunks_exact_mut(padded)) {
            for (o, value) in out.iter_mut().zip(head) {
                *o = value * factor;
            }
        }
    }
}

/// exp(q·kᵀ − max) of a tile into `p` `[tile · group, keys rounded up to a panel]`, 0 where a key is hidden, and the
/// inverse of each row's sum. `q` holds the scale already.
pub(super) fn unnormalised(
    p: &mut Vec<f32>,
    inverses: &mut Vec<f32>,
    plan: &Plan,
    (item, tile): (&Item, &Tile),
    q: &[f32],
    keys: &Keys,
) {
    let (rows, columns) = (tile.queries.len() * plan.group(), tile.keys.next_multiple_of(PANEL));
    grow(p, rows * columns);
    let q = Left { values: q, row: plan.padded_width(), column: 1 };
    product(p, (rows, columns, plan.width), q, keys.transposed(plan), Old::Overwritten);
    inverses.clear();
    vectorised(
        #[inline(always)]
        || {
            for (row, p) in p.chunks_exact_mut(columns).take(rows).enumerate() {
                let query = tile.queries.start + row / plan.group();
                let (seen, hidden) = p.split_at_mut(plan.visible(item, query));
                let top = max(seen);
                inverses.push(1.0 / exp_in_place(seen, top));
                hidden.fill(0.0);
            }
        },
    );
}
