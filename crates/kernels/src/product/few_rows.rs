//! Products with few rows on the left, as in decoding: bound by the memory that the weight comes from, so nothing is packed
//! and each row of the weight is read once, where it lies.

use super::drive::Term;
use super::kernel::Right;
use super::lanes::Octets;
use super::matrix::{GROUP, Matrix, Row, Rows, with_rows};
use super::output::{Output, Tile};
use super::scratch::with_scratch;
use crate::quantised::BLOCK;
use rayon::prelude::*;
use std::ops::Range;

/// Two blocks: rows of the left operand are followed by zeros up to a multiple of it.
pub(crate) const PAIR: usize = 2 * BLOCK;
/// Up to this many rows the weight's bytes take longer than the arithmetic.
pub(crate) const FEW: usize = 8;
/// Rows that meet a group of the weight while it is in registers.
const TOGETHER: usize = 4;
/// Elements of the weight that a task reads at least: some tens of microseconds.
const TASK: usize = 1 << 17;

/// A way to compute dot products of stored rows.
pub(crate) trait Dots: Copy + Send + Sync {
    /// Runs `body`, an `#[inline(always)]` closure, compiled for the unit.
    fn run<R>(self, body: impl FnOnce() -> R) -> R;

    /// Puts a row of the left operand, in whole pairs of blocks, into the order in which [`Dots::dots`] reads it.
    fn arrange(self, matrix: Matrix<'_>, left: &mut [f32]);

    /// The dot products of row `row` of the matrix with `ROWS` arranged rows that are `padded` long.
    fn dots<const ROWS: usize>(self, matrix: Matrix<'_>, row: usize, left: &[f32], padded: usize) -> [f32; ROWS];
}

/// Vectors of eight, which read every form in its own order.
#[derive(Clone, Copy)]
pub(crate) struct ByOctets<O>(pub(crate) O);

impl<O: Octets> Dots for ByOctets<O> {
    #[inline(always)]
    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        self.0.run(body)
    }

    fn arrange(self, _matrix: Matrix<'_>, _left: &mut [f32]) {}

    #[inline(always)]
    fn dots<const ROWS: usize>(self, matrix: Matrix<'_>, row: usize, left: &[f32], padded: usize) -> [f32; ROWS] {
        with_rows!(matrix, stored => dots::<O, _, ROWS>(self.0, stored.row(row), left, padded))
    }
}

/// Whether this is the way to compute a product: a dot product each for rows of the weight and of the left operand.
pub(crate) fn fits(output: &Output<'_>, terms: &[Term<'_>]) -> bool {
    output.rows() <= FEW && terms.iter().all(|term| matches!(term.right, Right::Transposed(..)))
}

/// output = Σ terms, or += if `keep`.
pub(crate) fn multiply<D: Dots>(unit: D, output: &mut Output<'_>, terms: &[Term<'_>], keep: bool) {
    let output = &*output;
    let rows = output.rows();
    let depths: Vec<usize> = terms.iter().map(|term| term.left.depth.next_multiple_of(PAIR)).collect();
    let total: usize = depths.iter().sum();
    with_scratch::<f32, _>(rows * total, |left| {
        let mut rest = &mut *left;
        for (term, &padded) in terms.iter().zip(&depths) {
            let (part, later) = rest.split_at_mut(rows * padded);
            for (row, target) in part.chunks_exact_mut(padded.max(1)).enumerate() {
                term.left.copy_row(row, target);
                if let Right::Transposed(matrix, ..) = term.right {
                    unit.arrange(matrix, target);
                }
            }
            rest = later;
        }
        let left = &*left;
        let block = (TASK / total.max(1)).next_multiple_of(16);
        (0..output.columns().div_ceil(block)).into_par_iter().for_each(|item| {
            let columns = item * block..output.columns().min((item + 1) * block);
            unit.run(
                #[inline(always)]
                || columns_of(unit, output, terms, (left, &depths), columns, keep),
            );
        });
    });
}

#[inline(always)]
fn columns_of<D: Dots>(
    unit: D,
    output: &Output<'_>,
    terms: &[Term<'_>],
    (left, depths): (&[f32], &[usize]),
    columns: Range<usize>,
    keep: bool,
) {
    let rows = output.rows();
    #[allow(unsafe_code, reason = "items own disjoint columns of the output")]
    // SAFETY: these columns belong to this item; what is read was there before if the output is to be kept, and written by
    // the line below otherwise.
    let mut tile = unsafe { output.tile(0, columns.start, rows, columns.len()) };
    for row in 0..rows {
        if !keep {
            tile.row(row).fill(0.0);
        }
    }
    let tile_start = columns.start;
    let mut rest = left;
    for (term, &padded) in terms.iter().zip(depths) {
        let (left, later) = rest.split_at(rows * padded);
        rest = later;
        let Right::Transposed(matrix, first, count) = term.right else { continue };
        let columns = columns.start.max(first)..columns.end.min(first + count);
        for from in (0..rows).step_by(TOGETHER) {
            let left = &left[from * padded..];
            let place = Place { from, origin: tile_start, first };
            match rows - from {
                1 => sweep::<D, 1>(unit, matrix, left, padded, &mut tile, columns.clone(), place),
                2 => sweep::<D, 2>(unit, matrix, left, padded, &mut tile, columns.clone(), place),
                3 => sweep::<D, 3>(unit, matrix, left, padded, &mut tile, columns.clone(), place),
                _ => sweep::<D, TOGETHER>(unit, matrix, left, padded, &mut tile, columns.clone(), place),
            }
        }
    }
}

/// Where the sums of a sweep belong.
#[derive(Clone, Copy)]
struct Place {
    /// First row.
    from: usize,
    /// The output's column that the tile begins at.
    origin: usize,
    /// The output's column that the weight's first row belongs to.
    first: usize,
}

/// `ROWS` rows of the left operand with the weight's rows for some columns.
#[inline(always)]
fn sweep<D: Dots, const ROWS: usize>(
    unit: D,
    matrix: Matrix<'_>,
    left: &[f32],
    padded: usize,
    tile: &mut Tile<'_>,
    columns: Range<usize>,
    place: Place,
) {
    for column in columns {
        let sums = unit.dots::<ROWS>(matrix, column - place.first, left, padded);
        for i in 0..ROWS {
            tile.row(place.from + i)[column - place.origin] += sums[i];
        }
    }
}

/// The dot products of one row of the weight with `ROWS` rows that are `padded` long.
#[inline(always)]
fn dots<O: Octets, R: Row, const ROWS: usize>(octets: O, stored: R, left: &[f32], padded: usize) -> [f32; ROWS] {
    if ROWS == 1 {
        return [stored.dot(octets, &left[..padded]); ROWS];
    }
    // Two chains of sums a row hide the latency of the additions.
    let mut sums = [[octets.splat(0.0); 2]; ROWS];
    for at in (0..stored.length()).step_by(GROUP) {
        let group = stored.group(octets, at);
        for i in 0..ROWS {
            let left = &left[i * padded + at..][..GROUP];
            for part in 0..4 {
                sums[i][part % 2] = octets.mul_add(octets.load(&left[8 * part..]), group[part], sums[i][part % 2]);
            }
        }
    }
    let mut out = [0.0; ROWS];
    for i in 0..ROWS {
        out[i] = octets.sum(octets.add(sums[i][0], sums[i][1]));
    }
    out
}
