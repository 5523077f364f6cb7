//! Products in whole numbers: weights kept as bytes with a scale a row, and the other operand rounded to bytes while it is
//! packed, with a scale for each [`DEPTH`] neighbours of a row. (Training with both products of a frozen layer computed so,
//! and everything else in floats: Wortsman et al. 2023, "Stable and low-precision training for large-scale vision-language
//! models".)
//!
//! A byte b of the weight stands for b − 128. The unit multiplies b itself, so a sum begins at −128·Σx. It stays exact: below
//! 2²⁴ for [`DEPTH`] products.

use super::kernel::{Kernel, Left, Right, write_sums};
use super::lanes::{Lanes, Octets};
use super::matrix::{Blocks, Cache, GROUP, INT8_STEP, Int8, Matrix, Rows};
use super::output::Tile;
use crate::quantised::BLOCK;
use std::ops::Range;

/// A unit that adds products of four pairs of bytes to each of sixteen sums.
pub(crate) trait Quads: Copy + Send + Sync {
    /// Sixteen sums.
    type Words: Copy;
    type Lanes: Lanes;

    fn lanes(self) -> Self::Lanes;
    /// Runs `body`, an `#[inline(always)]` closure, compiled for this unit.
    fn run<R>(self, body: impl FnOnce() -> R) -> R;
    fn splat(self, word: i32) -> Self::Words;
    fn bytes(self, bytes: &[u8; 4 * SIDE]) -> Self::Words;
    /// sum + Σ unsignedᵢ·signedᵢ over the four bytes of each word.
    fn dot(self, sum: Self::Words, unsigned: Self::Words, signed: Self::Words) -> Self::Words;
    fn to_floats(self, words: Self::Words) -> <Self::Lanes as Lanes>::Vector;
}

/// Sums of a vector.
pub(super) const SIDE: usize = 16;
/// Rows whose sums stay in registers: 12 × 2 of 32, which leaves room for the operands.
const ROWS: usize = 12;
const COLUMNS: usize = 2 * SIDE;
/// Neighbours of a row that are rounded together.
const DEPTH: usize = 512;
/// Neighbours of a row that are multiplied at once.
const QUAD: usize = 4;
/// Bytes a row behind the packed ones: its scale, and what its sums begin at.
const TAIL: usize = 8;

/// 12×32 blocks of the output. A strip is `[depth/4][12][4]` signed bytes, then 12 scales and 12 beginnings; a panel
/// `[depth/4][32][4]` unsigned bytes, then 32 scales.
#[derive(Clone, Copy)]
pub(crate) struct ByteDots<'a, O, Q> {
    octets: O,
    quads: Q,
    /// The scales of the weight's rows, if these lie along the inner dimension, where no sum could be multiplied with them.
    along: Option<Blocks<'a>>,
}

impl<'a, O: Octets, Q: Quads> ByteDots<'a, O, Q> {
    /// A kernel for products with this weight, if it is one of bytes with a scale a row.
    pub(super) fn new(octets: O, quads: Q, right: Right<'a>) -> Option<Self> {
        let (Right::Plain(matrix) | Right::Transposed(matrix, ..)) = right;
        let codes = whole_rows(matrix)?;
        Some(Self { octets, quads, along: matches!(right, Right::Plain(_)).then_some(codes) })
    }
}

fn whole_rows(matrix: Matrix<'_>) -> Option<Blocks<'_>> {
    match matrix {
        Matrix::Int8(Int8(codes)) if codes.shared => Some(codes),
        _ => None,
    }
}

impl<O: Octets, Q: Quads> Kernel for ByteDots<'_, O, Q> {
    type Element = u8;
    type Session = ();
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    const DEPTH: usize = DEPTH;
    const STEP: usize = BLOCK;
    const TAIL: usize = TAIL;

    fn session(self) {}

    fn pack_strip(self, left: Left<'_>, row: usize, depth: Range<usize>, out: &mut [u8]) {
        self.quads.run(
            #[inline(always)]
            || strip(left, self.along, row, depth, out),
        );
    }

    fn pack_panels(self, right: Right<'_>, column: usize, depth: Range<usize>, out: &mut [u8]) {
        let length = COLUMNS * (depth.len().next_multiple_of(BLOCK) + TAIL);
        let (Right::Plain(matrix) | Right::Transposed(matrix, ..)) = right;
        let Some(codes) = whole_rows(matrix) else { return };
        self.octets.run(
            #[inline(always)]
            || {
                for (panel, column) in out.chunks_exact_mut(length).zip((column..).step_by(COLUMNS)) {
                    match right {
                        Right::Plain(_) => plain(codes, column, depth.clone(), panel),
                        Right::Transposed(_, first, count) => {
                            transposed(self.octets, codes, &(first..first + count), column, depth.clone(), panel);
                        }
                    }
                }
            },
        );
    }

    fn multiply(self, (): &mut (), strip: &[u8], panel: &[u8], tile: Tile<'_>, add: bool) {
        self.quads.run(
            #[inline(always)]
            || sums(self.quads, strip, panel, tile, add),
        );
    }
}

/// Rounds rows of the left operand. One with a value that is not finite gets a scale that is none.
#[inline(always)]
fn strip(left: Left<'_>, along: Option<Blocks<'_>>, row: usize, depth: Range<usize>, out: &mut [u8]) {
    let padded = depth.len().next_multiple_of(BLOCK);
    let (bytes, tail) = out.split_at_mut(ROWS * padded);
    let mut factors = [left.scale; DEPTH];
    if let Some(codes) = along {
        for (factor, k) in factors.iter_mut().zip(depth.clone()) {
            *factor *= codes.scales[k * codes.per_row] * INT8_STEP;
        }
    }
    for i in 0..ROWS {
        let mut values = [0f32; DEPTH];
        if row + i < left.rows {
            let targets = values.iter_mut().zip(&factors);
            if left.transposed {
                for ((value, factor), k) in targets.zip(depth.clone()) {
                    *value = left.values[k * left.stride + row + i] * factor;
                }
            } else {
                let source = &left.values[(row + i) * left.stride..][depth.clone()];
                for ((value, factor), source) in targets.zip(source) {
                    *value = source * factor;
                }
            }
        }
        let (rounded, scale, sum) = round(&values);
        for (quad, group) in rounded[..padded].as_chunks::<QUAD>().0.iter().zip(bytes.chunks_exact_mut(ROWS * QUAD)) {
            group[QUAD * i..][..QUAD].copy_from_slice(quad);
        }
        tail[QUAD * i..][..QUAD].copy_from_slice(&scale.to_le_bytes());
        tail[QUAD * (ROWS + i)..][..QUAD].copy_from_slice(&(-128 * sum).to_le_bytes());
    }
}

/// The values as multiples of a scale, −127 to 127, nearest and ties to even; the scale; and the sum of the multiples.
#[inline(always)]
fn round(values: &[f32; DEPTH]) -> ([u8; DEPTH], f32, i32) {
    /// 1.5 · 2²³: adding it rounds a small number to a whole one, which stands in the lowest bits then.
    const MAGIC: f32 = 12_582_912.0;
    // As bits, magnitudes have the order of the numbers, and what is not finite is larger than any.
    let largest = values.iter().fold(0, |largest, value| largest.max(value.to_bits() & 0x7fff_ffff));
    let largest = f32::from_bits(largest);
    // The inverse of less would not be finite.
    let inverse = if largest > 1e-30 { 127.0 / largest } else { 0.0 };
    let mut rounded = [0u8; DEPTH];
    let mut sum = 0;
    for (byte, value) in rounded.iter_mut().zip(values) {
        let bits = (value * inverse + MAGIC).to_bits();
        *byte = bits as u8;
        sum += i32::from(bits as i8);
    }
    (rounded, if largest.is_finite() { largest / 127.0 } else { f32::NAN }, sum)
}

/// A panel whose columns are rows of the weight: their quads change places as words of 32 bits.
#[inline(always)]
fn transposed<O: Octets>(
    octets: O,
    codes: Blocks<'_>,
    present: &Range<usize>,
    column: usize,
    depth: Range<usize>,
    out: &mut [u8],
) {
    let padded = depth.len().next_multiple_of(BLOCK);
    let (bytes, scales) = out.split_at_mut(COLUMNS * padded);
    let row_bytes = codes.per_row * BLOCK;
    for (at, group) in depth.step_by(BLOCK).zip(bytes.chunks_exact_mut(COLUMNS * BLOCK)) {
        for half in 0..2 {
            let mut words = [[0u16; GROUP]; SIDE];
            for (i, words) in words.iter_mut().enumerate() {
                let column = column + half * SIDE + i;
                if present.contains(&column) {
                    let source = &codes.codes[(column - present.start) * row_bytes + at..][..BLOCK];
                    words.iter_mut().zip(source.as_chunks().0).for_each(|(to, two)| *to = u16::from_le_bytes(*two));
                }
            }
            for (target, words) in group.chunks_exact_mut(COLUMNS * QUAD).zip(octets.transpose_pairs(&words)) {
                let target = &mut target[half * SIDE * QUAD..][..SIDE * QUAD];
                target.as_chunks_mut().0.iter_mut().zip(words).for_each(|(two, from)| *two = from.to_le_bytes());
            }
        }
    }
    for (column, scale) in (column..).zip(scales.as_chunks_mut::<QUAD>().0.iter_mut().take(COLUMNS)) {
        // Columns that the weight does not have get nothing.
        let own = present.contains(&column).then(|| codes.scales[(column - present.start) * codes.per_row] * INT8_STEP);
        *scale = own.unwrap_or(0.0).to_le_bytes();
    }
}

/// A panel whose columns are those of the weight: four rows are interleaved.
#[inline(always)]
fn plain(codes: Blocks<'_>, column: usize, depth: Range<usize>, out: &mut [u8]) {
    /// Rows that are asked for ahead.
    const AHEAD: usize = 16;
    let padded = depth.len().next_multiple_of(BLOCK);
    let (bytes, scales) = out.split_at_mut(COLUMNS * padded);
    let row_bytes = codes.per_row * BLOCK;
    let count = COLUMNS.min(row_bytes.saturating_sub(column));
    for (first, group) in (depth.start..).step_by(QUAD).zip(bytes.chunks_exact_mut(COLUMNS * QUAD)) {
        let mut rows = [[0u8; COLUMNS]; QUAD];
        for (row, target) in (first..depth.end).zip(&mut rows) {
            Int8(codes).prefetch(row + AHEAD, column, Cache::Nearest);
            target[..count].copy_from_slice(&codes.codes[row * row_bytes + column..][..count]);
        }
        for (j, quad) in group.as_chunks_mut::<QUAD>().0.iter_mut().enumerate() {
            *quad = std::array::from_fn(|row| rows[row][j]);
        }
    }
    scales.as_chunks_mut::<QUAD>().0.iter_mut().take(COLUMNS).for_each(|scale| *scale = 1f32.to_le_bytes());
}

#[inline(always)]
fn sums<Q: Quads>(quads: Q, strip: &[u8], panel: &[u8], mut tile: Tile<'_>, add: bool) {
    tile.prefetch();
    let lanes = quads.lanes();
    let depth = strip.len() / ROWS - TAIL;
    let (strip, strip_tail) = strip.split_at(ROWS * depth);
    let (panel, scales) = panel.split_at(COLUMNS * depth);
    let words = |bytes: &[u8], i: usize| bytes[QUAD * i..].first_chunk::<QUAD>().copied().unwrap_or_default();
    let mut sums = [[quads.splat(0); 2]; ROWS];
    for i in 0..ROWS {
        sums[i] = [quads.splat(i32::from_le_bytes(words(strip_tail, ROWS + i))); 2];
    }
    let strip = strip.as_chunks::<QUAD>().0.as_chunks::<ROWS>().0;
    let panel = panel.as_chunks::<{ SIDE * QUAD }>().0.as_chunks::<2>().0;
    for (left, right) in strip.iter().zip(panel) {
        let vectors = [quads.bytes(&right[0]), quads.bytes(&right[1])];
        for i in 0..ROWS {
            let quad = quads.splat(i32::from_le_bytes(left[i]));
            for j in 0..2 {
                sums[i][j] = quads.dot(sums[i][j], vectors[j], quad);
            }
        }
    }
    let mut columns = [0f32; COLUMNS];
    for (j, scale) in columns.iter_mut().enumerate() {
        *scale = f32::from_le_bytes(words(scales, j));
    }
    let columns = [lanes.load(&columns), lanes.load(&columns[SIDE..])];
    let zero = lanes.splat(0.0);
    let mut values = [[zero; 2]; ROWS];
    for i in 0..ROWS {
        let row = lanes.splat(f32::from_le_bytes(words(strip_tail, i)));
        for j in 0..2 {
            let scale = lanes.mul_add(row, columns[j], zero);
            values[i][j] = lanes.mul_add(quads.to_floats(sums[i][j]), scale, zero);
        }
    }
    write_sums(lanes, values, &mut tile, add);
}

#[cfg(test)]
mod tests;
