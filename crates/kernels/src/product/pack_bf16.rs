//! Operands rounded to bf16, in the order in which units that multiply pairs of them read them.

use super::kernel::{Left, Right};
use super::lanes::Octets;
use super::matrix::{Cache, GROUP, Matrix, Row, Rows, round_to_bf16, with_rows};
use std::ops::Range;

/// Rows of a tile, and f32 of a row.
pub(super) const SIDE: usize = 16;
/// bf16 of a tile.
pub(super) const TILE: usize = SIDE * GROUP;

/// Packs `ROWS` rows of the left operand as `[depth/32][ROWS][32]`.
pub(super) fn strip<O: Octets, const ROWS: usize>(
    octets: O,
    left: Left<'_>,
    row: usize,
    depth: Range<usize>,
    out: &mut [u16],
) {
    octets.run(
        #[inline(always)]
        || rounded_rows::<ROWS>(left, row, depth, out),
    );
}

/// Packs neighbouring panels of 32 columns, each as `[depth/32][2][16 pairs of rows][16 columns][2]`.
pub(super) fn panels<O: Octets>(octets: O, right: Right<'_>, column: usize, depth: Range<usize>, out: &mut [u16]) {
    octets.run(
        #[inline(always)]
        || match right {
            Right::Plain(matrix) => with_rows!(matrix, rows => plain(octets, rows, column, depth, out)),
            Right::Transposed(matrix, first, count) => {
                let panel = 2 * SIDE * depth.len().next_multiple_of(GROUP);
                for (i, out) in out.chunks_exact_mut(panel.max(1)).enumerate() {
                    let column = column + i * 2 * SIDE;
                    with_rows!(matrix, rows => transposed(octets, rows, first..first + count, column, depth.clone(), out));
                }
            }
        },
    );
}

#[inline(always)]
fn rounded_rows<const ROWS: usize>(left: Left<'_>, row: usize, depth: Range<usize>, out: &mut [u16]) {
    for (at, group) in depth.clone().step_by(GROUP).zip(out.chunks_exact_mut(ROWS * GROUP)) {
        let count = GROUP.min(depth.end - at);
        for (i, target) in group.chunks_exact_mut(GROUP).enumerate() {
            if row + i >= left.rows {
                target.fill(0);
            } else if left.transposed {
                for (k, target) in target.iter_mut().enumerate() {
                    let value = if k < count { left.values[(at + k) * left.stride + row + i] } else { 0.0 };
                    *target = round_to_bf16(value * left.scale);
                }
            } else {
                let source = &left.values[(row + i) * left.stride + at..][..count];
                for (target, value) in target.iter_mut().zip(source) {
                    *target = round_to_bf16(value * left.scale);
                }
                target[count..].fill(0);
            }
        }
    }
}

/// All panels of neighbouring columns at once, as they are neighbours in memory: two rows of the matrix are interleaved.
#[inline(always)]
fn plain<O: Octets>(octets: O, rows: impl Rows, column: usize, depth: Range<usize>, out: &mut [u16]) {
    const AHEAD: usize = 16;
    let panel = 2 * SIDE * depth.len().next_multiple_of(GROUP);
    let panels = out.len() / panel.max(1);
    for (number, at) in depth.clone().step_by(GROUP).enumerate() {
        for pair in 0..SIDE {
            let row = at + 2 * pair;
            for i in 0..panels {
                let column = column + i * 2 * SIDE;
                rows.prefetch(row + AHEAD, column, Cache::Nearest);
                rows.prefetch(row + 1 + AHEAD, column, Cache::Nearest);
                let even = if row < depth.end { rows.row(row).halves(octets, column) } else { [0; GROUP] };
                let odd = if row + 1 < depth.end { rows.row(row + 1).halves(octets, column) } else { [0; GROUP] };
                let tiles = &mut out[i * panel + number * 2 * TILE..][..2 * TILE];
                let (left, right) = tiles.split_at_mut(TILE);
                let (left, right) = (&mut left[pair * GROUP..][..GROUP], &mut right[pair * GROUP..][..GROUP]);
                let [low, high] = octets.interleave(even, odd);
                left.copy_from_slice(&low);
                right.copy_from_slice(&high);
            }
        }
    }
}

/// One panel whose columns are rows of the matrix: pairs of neighbours change places as words of 32 bits.
#[inline(always)]
fn transposed<O: Octets>(
    octets: O,
    rows: impl Rows,
    present: Range<usize>,
    column: usize,
    depth: Range<usize>,
    out: &mut [u16],
) {
    for (at, tiles) in depth.clone().step_by(GROUP).zip(out.chunks_exact_mut(2 * TILE)) {
        for (half, tile) in tiles.chunks_exact_mut(TILE).enumerate() {
            let mut pairs = [[0u16; GROUP]; SIDE];
            for (i, pairs) in pairs.iter_mut().enumerate() {
                let column = column + half * SIDE + i;
                if present.contains(&column) {
                    *pairs = rows.row(column - present.start).halves(octets, at);
                    if depth.end - at < GROUP {
                        pairs[depth.end - at..].fill(0);
                    }
                }
            }
            for (target, pairs) in tile.chunks_exact_mut(GROUP).zip(octets.transpose_pairs(&pairs)) {
                target.copy_from_slice(&pairs);
            }
        }
    }
}
