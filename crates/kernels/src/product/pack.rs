//! Operands in the order in which the vector kernels read them: a strip is `[depth][ROWS]`, a panel `[depth][COLUMNS]`.

use super::kernel::{Left, Right};
use super::lanes::Octets;
use super::matrix::{Cache, GROUP, Matrix, Row, Rows, with_rows};
use std::ops::Range;

/// Packs `ROWS` rows of the left operand.
#[inline(always)]
pub(crate) fn strip<O: Octets, const ROWS: usize>(
    octets: O,
    left: Left<'_>,
    row: usize,
    depth: Range<usize>,
    out: &mut [f32],
) {
    let rows = ROWS.min(left.rows - row);
    if left.transposed {
        for (k, target) in depth.zip(out.chunks_exact_mut(ROWS)) {
            let source = &left.values[k * left.stride + row..][..rows];
            for (i, target) in target.iter_mut().enumerate() {
                *target = source.get(i).map_or(0.0, |v| v * left.scale);
            }
        }
        return;
    }
    let row_of = |i: usize| &left.values[(row + i) * left.stride..][depth.clone()];
    let length = depth.len();
    let scale = octets.splat(left.scale);
    let zero = octets.splat(0.0);
    // Eight columns at a time. A vector of eight rows overlaps what follows where fewer belong to the strip; the next
    // store repairs that, and what has no room behind it is left to the loop below.
    let mut done = 0;
    while done + 8 <= length && (done + 7) * ROWS + ROWS.next_multiple_of(8) <= out.len() {
        for first in (0..ROWS).step_by(8) {
            let mut vectors = [zero; 8];
            for i in 0..8 {
                if first + i < rows {
                    vectors[i] = octets.mul(scale, octets.load(&row_of(first + i)[done..]));
                }
            }
            let columns = octets.transpose(vectors);
            if ROWS <= 8 {
                for (k, column) in columns.into_iter().enumerate() {
                    octets.store(column, &mut out[(done + k) * ROWS..]);
                }
            } else {
                let mut eight = [[0f32; 8]; 8];
                for (column, target) in columns.into_iter().zip(&mut eight) {
                    octets.store(column, target);
                }
                let count = 8.min(ROWS - first);
                for (k, column) in eight.iter().enumerate() {
                    out[(done + k) * ROWS + first..][..count].copy_from_slice(&column[..count]);
                }
            }
        }
        done += 8;
    }
    for k in done..length {
        for i in 0..ROWS {
            out[k * ROWS + i] = if i < rows { row_of(i)[k] * left.scale } else { 0.0 };
        }
    }
}

/// Packs neighbouring panels of `width` columns, a multiple of eight.
#[inline(always)]
pub(crate) fn panels<O: Octets>(
    octets: O,
    width: usize,
    right: Right<'_>,
    column: usize,
    depth: Range<usize>,
    out: &mut [f32],
) {
    match right {
        Right::Plain(matrix) => with_rows!(matrix, rows => plain(octets, width, rows, column, depth, out)),
        Right::Transposed(matrix, first, count) => {
            for (i, panel) in out.chunks_exact_mut(width * depth.len()).enumerate() {
                with_rows!(matrix, rows => transposed(octets, width, rows, (first, count), column + i * width, depth.clone(), panel));
            }
        }
    }
}

/// Rows to ask for in advance: each is on a page of its own, where the processor does not look ahead by itself.
const AHEAD: usize = 16;

/// Columns that are neighbours in memory, for all panels.
#[inline(always)]
fn plain<O: Octets>(octets: O, width: usize, rows: impl Rows, column: usize, depth: Range<usize>, out: &mut [f32]) {
    let length = depth.len();
    let columns = out.len() / length.max(1);
    for at in (0..columns).step_by(GROUP) {
        // A column's place is its panel's beginning and its place in the panel's first row.
        let place = |octet: usize| (at + 8 * octet) / width * width * length + (at + 8 * octet) % width;
        let places = [place(0), place(1), place(2), place(3)];
        let inside = ((columns - at) / 8).min(4);
        for (k, row) in depth.clone().enumerate() {
            rows.prefetch(row + AHEAD, column + at, Cache::Nearest);
            let group = rows.row(row).group(octets, column + at);
            for i in 0..4 {
                if i < inside {
                    octets.store(group[i], &mut out[places[i] + k * width..]);
                }
            }
        }
    }
}

/// One panel whose columns are rows in memory; the output's columns `first..first + count` have one.
#[inline(always)]
fn transposed<O: Octets>(
    octets: O,
    width: usize,
    rows: impl Rows,
    (first, count): (usize, usize),
    column: usize,
    depth: Range<usize>,
    out: &mut [f32],
) {
    let zeros = [octets.splat(0.0); 4];
    for octet in (0..width).step_by(8) {
        for at in depth.clone().step_by(GROUP) {
            let mut groups = [zeros; 8];
            for i in 0..8 {
                let column = column + octet + i;
                if column >= first && column < first + count {
                    groups[i] = rows.row(column - first).group(octets, at);
                }
            }
            for part in 0..4 {
                let [a, b, c, d, e, f, g, h] = &groups;
                let columns =
                    octets.transpose([a[part], b[part], c[part], d[part], e[part], f[part], g[part], h[part]]);
                let k = at - depth.start + 8 * part;
                for (k, column) in (k..depth.len()).zip(columns) {
                    octets.store(column, &mut out[k * width + octet..]);
                }
            }
        }
    }
}
