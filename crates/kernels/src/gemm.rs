//! Matrix products over strided views, through the `gemm` crate that candle itself multiplies with.
#![allow(unsafe_code, reason = "gemm::gemm takes raw pointers; every extent is checked against its slice here")]

use rayon::prelude::*;

/// A read-only strided matrix.
#[derive(Clone, Copy)]
pub(crate) struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Mat<'a> {
    /// A dense row-major matrix.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Rows of `columns` neighbours that begin `row_stride` apart.
    pub(crate) fn strided(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        Self { data, rows, columns, row_stride, column_stride: 1 }
    }

    /// The transpose, without moving anything.
    pub(crate) fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn fits(&self) -> bool {
        self.rows == 0
            || self.columns == 0
            || (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride < self.data.len()
    }
}

/// What happens to the values already in the output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    Overwrite,
    Add,
}

/// Products smaller than this many multiplications stay on the calling thread.
const SERIAL: usize = 1 << 19;
/// A tile keeps at least this many rows or columns, or packing would cost more than multiplying.
const MIN_TILE: usize = 32;
const TILES: usize = 16;

/// `out (row-major, a.rows × b.columns) = scale · a·b`, or `+=`. Large products run on several threads; the tiles depend on the
/// shape only and no sum is split, so results do not depend on the number of threads.
pub(crate) fn multiply(out: &mut [f32], a: Mat<'_>, b: Mat<'_>, scale: f32, mode: Into) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    if m * n * k < SERIAL {
        multiply_serial(out, a, b, scale, mode);
        return;
    }
    check(out, a, b);
    let row_tile = m.div_ceil(TILES).max(MIN_TILE);
    let column_tile = if m < 2 * MIN_TILE { n.div_ceil(TILES).max(2 * MIN_TILE) } else { n };
    let columns = n.div_ceil(column_tile);
    let target = SharedOut(out.as_mut_ptr());
    (0..m.div_ceil(row_tile) * columns).into_par_iter().for_each(|tile| {
        let (row, column) = (tile / columns * row_tile, tile % columns * column_tile);
        let extent = (row_tile.min(m - row), column_tile.min(n - column));
        // SAFETY: `check` bounds all three matrices; tiles do not overlap and stay inside m × n.
        unsafe { tile_product(target, n, a, b, (row, column), extent, scale, mode) };
    });
}

/// As [`multiply`], on the calling thread.
pub(crate) fn multiply_serial(out: &mut [f32], a: Mat<'_>, b: Mat<'_>, scale: f32, mode: Into) {
    check(out, a, b);
    let target = SharedOut(out.as_mut_ptr());
    // SAFETY: `check` bounds all three matrices, and the tile is the whole output.
    unsafe { tile_product(target, b.columns, a, b, (0, 0), (a.rows, b.columns), scale, mode) };
}

fn check(out: &[f32], a: Mat<'_>, b: Mat<'_>) {
    // Guards the pointers below; the ops have compared shapes before, so a failure is a bug in this crate.
    assert!(a.columns == b.rows && a.fits() && b.fits() && out.len() >= a.rows * b.columns, "gemm: extents");
}

#[derive(Clone, Copy)]
struct SharedOut(*mut f32);
// SAFETY: tiles of one product write disjoint elements.
unsafe impl Send for SharedOut {}
// SAFETY: as above.
unsafe impl Sync for SharedOut {}

/// One tile of the product.
///
/// # Safety
/// The matrices are in bounds, the tile lies inside `a.rows × b.columns` of `out`, and nobody else touches it.
#[expect(clippy::too_many_arguments, reason = "private; a struct for one call would only rename them")]
unsafe fn tile_product(
    out: SharedOut,
    out_stride: usize,
    a: Mat<'_>,
    b: Mat<'_>,
    (row, column): (usize, usize),
    (m, n): (usize, usize),
    scale: f32,
    mode: Into,
) {
    if m == 0 || n == 0 {
        return;
    }
    let k = a.columns;
    let keep = mode == Into::Add;
    let s = usize::cast_signed;
    // SAFETY: by the contract above, every element that gemm touches lies inside the three slices.
    unsafe {
        let target = out.0.add(row * out_stride + column);
        if k == 0 {
            if !keep {
                (0..m).for_each(|i| std::ptr::write_bytes(target.add(i * out_stride), 0, n));
            }
            return;
        }
        gemm::gemm(
            m,
            n,
            k,
            target,
            1,
            s(out_stride),
            keep,
            a.data.as_ptr().add(row * a.row_stride),
            s(a.column_stride),
            s(a.row_stride),
            b.data.as_ptr().add(column * b.column_stride),
            s(b.column_stride),
            s(b.row_stride),
            1.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + 11) % 101) as f32 / 50.0 - 1.0).collect()
    }

    #[test]
    fn tiled_products_equal_the_schoolbook_for_all_orientations() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (1, 900, 640), (130, 33, 200), (40, 300, 64), (600, 70, 64)] {
            let (a, b) = (numbers(m * k), numbers(k * n));
            for (a_t, b_t) in [(false, false), (true, false), (false, true), (true, true)] {
                let left = if a_t { Mat::new(&a, k, m).t() } else { Mat::new(&a, m, k) };
                let right = if b_t { Mat::new(&b, n, k).t() } else { Mat::new(&b, k, n) };
                let mut out = vec![1.0; m * n];
                multiply(&mut out, left, right, 0.5, Into::Add);
                for i in 0..m {
                    for j in 0..n {
                        let exact: f64 = (0..k)
                            .map(|p| {
                                let x = a[if a_t { p * m + i } else { i * k + p }];
                                let y = b[if b_t { j * k + p } else { p * n + j }];
                                f64::from(x) * f64::from(y)
                            })
                            .sum();
                        let found = f64::from(out[i * n + j]);
                        assert!((found - (1.0 + 0.5 * exact)).abs() < 1e-4, "{m}x{n}x{k} at {i},{j}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_empty_inner_dimension_gives_zeros_or_keeps_what_was_there() {
        let mut out = vec![3.0; 4];
        multiply(&mut out, Mat::new(&[], 2, 0), Mat::new(&[], 0, 2), 1.0, Into::Add);
        assert_eq!(out, vec![3.0; 4]);
        multiply(&mut out, Mat::new(&[], 2, 0), Mat::new(&[], 0, 2), 1.0, Into::Overwrite);
        assert_eq!(out, vec![0.0; 4]);
    }
}
