//! What differs between processors: how operands are packed, and the product of one strip with one panel.

use super::lanes::{Lanes, Octets};
use super::matrix::{Cache, GROUP, Matrix, Rows, with_rows};
use super::output::Tile;
use super::pack;
use std::ops::Range;

/// The left operand: f32, its rows `stride` apart, or the transpose of such a matrix; times `scale`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) transposed: bool,
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    pub(crate) scale: f32,
}

impl Left<'_> {
    /// Row `row`, times the scale, and zeros up to the end of `target`.
    pub(crate) fn copy_row(self, row: usize, target: &mut [f32]) {
        let (values, rest) = target.split_at_mut(self.depth);
        let (start, step) = if self.transposed { (row, self.stride) } else { (row * self.stride, 1) };
        for (value, source) in values.iter_mut().zip(self.values[start..].iter().step_by(step)) {
            *value = source * self.scale;
        }
        rest.fill(0.0);
    }
}

/// The right operand.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a> {
    /// `[depth, columns]`.
    Plain(Matrix<'a>),
    /// `[columns, depth]`, for the output's columns in the range.
    Transposed(Matrix<'a>, usize, usize),
}

impl Right<'_> {
    /// Asks for part `part` of `parts` of these columns at this depth, to be packed later.
    pub(super) fn prefetch(self, columns: Range<usize>, depth: Range<usize>, (part, parts): (usize, usize)) {
        let (matrix, rows, along) = match self {
            Self::Plain(matrix) => (matrix, depth, columns),
            Self::Transposed(matrix, first, count) => {
                let inside = |column: usize| column.saturating_sub(first).min(count);
                (matrix, inside(columns.start)..inside(columns.end), depth)
            }
        };
        let place = |part: usize| rows.start + rows.len() * part / parts;
        for row in place(part)..place(part + 1) {
            for at in along.clone().step_by(GROUP) {
                with_rows!(matrix, rows => rows.prefetch(row, at, Cache::Near));
            }
        }
    }
}

/// A way to multiply. A *strip* is `ROWS` rows of the left operand, a *panel* `COLUMNS` columns of the right one, both
/// over at most `DEPTH` of the inner dimension and packed in the order in which [`Kernel::multiply`] reads them.
pub(crate) trait Kernel: Copy + Send + Sync {
    type Element: Copy + Default + Send + Sync + 'static;
    /// What a thread needs while it multiplies.
    type Session;
    const ROWS: usize;
    const COLUMNS: usize;
    const DEPTH: usize;
    /// Packed depths are multiples of this.
    const STEP: usize;
    /// Elements that follow the packed ones of each row or column.
    const TAIL: usize = 0;

    fn session(self) -> Self::Session;

    /// `out` has `ROWS` × the rounded depth and the tail. Rows past the end are zero.
    fn pack_strip(self, left: Left<'_>, row: usize, depth: Range<usize>, out: &mut [Self::Element]);

    /// Neighbouring panels from `column` on, one after another, each of `COLUMNS` × the rounded depth and the tail.
    fn pack_panels(self, right: Right<'_>, column: usize, depth: Range<usize>, out: &mut [Self::Element]);

    /// Tile (+)= strip · panel.
    fn multiply(
        self,
        session: &mut Self::Session,
        strip: &[Self::Element],
        panel: &[Self::Element],
        tile: Tile<'_>,
        add: bool,
    );
}

/// Fused multiply-adds of f32 vectors: `ROWS` rows by `VECTORS` vectors of sums stay in registers.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<O, L, const ROWS: usize, const VECTORS: usize> {
    /// Packs.
    pub(crate) octets: O,
    /// Multiplies.
    pub(crate) lanes: L,
}

impl<O: Octets, L: Lanes, const ROWS: usize, const VECTORS: usize> Kernel for Vectors<O, L, ROWS, VECTORS> {
    type Element = f32;
    type Session = ();
    const ROWS: usize = ROWS;
    const COLUMNS: usize = VECTORS * L::COUNT;
    const DEPTH: usize = 256;
    const STEP: usize = 1;

    fn session(self) {}

    fn pack_strip(self, left: Left<'_>, row: usize, depth: Range<usize>, out: &mut [f32]) {
        self.octets.run(
            #[inline(always)]
            || pack::strip::<O, ROWS>(self.octets, left, row, depth, out),
        );
    }

    fn pack_panels(self, right: Right<'_>, column: usize, depth: Range<usize>, out: &mut [f32]) {
        self.octets.run(
            #[inline(always)]
            || pack::panels(self.octets, Self::COLUMNS, right, column, depth, out),
        );
    }

    fn multiply(self, (): &mut (), strip: &[f32], panel: &[f32], tile: Tile<'_>, add: bool) {
        self.lanes.run(
            #[inline(always)]
            || self.sums(strip, panel, tile, add),
        );
    }
}

impl<O: Octets, L: Lanes, const ROWS: usize, const VECTORS: usize> Vectors<O, L, ROWS, VECTORS> {
    #[inline(always)]
    fn sums(self, strip: &[f32], panel: &[f32], mut tile: Tile<'_>, add: bool) {
        let lanes = self.lanes;
        tile.prefetch();
        let zero = lanes.splat(0.0);
        let mut sums = [[zero; VECTORS]; ROWS];
        for (a, b) in strip.chunks_exact(ROWS).zip(panel.chunks_exact(VECTORS * L::COUNT)) {
            let mut vectors = [zero; VECTORS];
            for j in 0..VECTORS {
                vectors[j] = lanes.load(&b[j * L::COUNT..]);
            }
            for i in 0..ROWS {
                let a = lanes.splat(a[i]);
                for j in 0..VECTORS {
                    sums[i][j] = lanes.mul_add(a, vectors[j], sums[i][j]);
                }
            }
        }
        write_sums(lanes, sums, &mut tile, add);
    }
}

/// Tile (+)= the sums of `VECTORS` vectors a row.
#[inline(always)]
pub(super) fn write_sums<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    lanes: L,
    sums: [[L::Vector; VECTORS]; ROWS],
    tile: &mut Tile<'_>,
    add: bool,
) {
    if tile.columns() == VECTORS * L::COUNT
        && let Some(rows) = tile.all_rows::<ROWS>()
    {
        // Registers all the way, and no load that waits for the one before.
        for (sums, row) in sums.into_iter().zip(rows) {
            for (sum, target) in sums.into_iter().zip(row.chunks_exact_mut(L::COUNT)) {
                let value = if add { lanes.add(sum, lanes.load(target)) } else { sum };
                lanes.store(value, target);
            }
        }
        return;
    }
    for (i, sums) in sums.into_iter().enumerate().take(tile.rows()) {
        let row = tile.row(i);
        if row.len() == VECTORS * L::COUNT {
            for (sum, target) in sums.into_iter().zip(row.chunks_exact_mut(L::COUNT)) {
                let value = if add { lanes.add(sum, lanes.load(target)) } else { sum };
                lanes.store(value, target);
            }
        } else {
            let mut values = [0f32; 64];
            for (sum, target) in sums.into_iter().zip(values.chunks_exact_mut(L::COUNT)) {
                lanes.store(sum, target);
            }
            for (target, value) in row.iter_mut().zip(values) {
                *target = if add { *target + value } else { value };
            }
        }
    }
}
