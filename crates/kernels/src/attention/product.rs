//! Products of matrices small enough for the nearest caches, as attention has many of: nothing is packed or allocated.
#![allow(unsafe_code, reason = "unchecked reads in the innermost loop; every extent is checked once before it")]

/// Columns of one panel: two registers of eight.
pub(super) const PANEL: usize = 16;
/// Rows of one block: with two registers each they leave four of the sixteen for the operands.
const ROWS: usize = 6;

/// A left operand: element (i, p) stands at `i * row + p * column`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) values: &'a [f32],
    pub(super) row: usize,
    pub(super) column: usize,
}

/// A right operand in panels of [`PANEL`] columns: element (p, j) stands at
/// `j / PANEL * panel + p * row + j % PANEL`.
#[derive(Clone, Copy)]
pub(super) struct Right<'a> {
    pub(super) values: &'a [f32],
    pub(super) row: usize,
    pub(super) panel: usize,
}

/// What becomes of the values already in the result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    Overwritten,
    AddedTo,
}

/// `out = a·b` (or `+=`), `[m, n]` row-major and dense, over `k` ≥ 1 terms; `n` is a multiple of [`PANEL`].
pub(super) fn product(out: &mut [f32], (m, n, k): (usize, usize, usize), a: Left<'_>, b: Right<'_>, old: Old) {
    if m == 0 || n == 0 {
        return;
    }
    let last = |count: usize, stride: usize| (count - 1) * stride;
    // Guards the unchecked reads below; callers size their scratch by the same numbers, so a failure is a bug here.
    assert!(k > 0 && n.is_multiple_of(PANEL) && out.len() >= m * n, "attention: result extents");
    assert!(last(m, a.row) + last(k, a.column) < a.values.len(), "attention: left extents");
    assert!(last(n / PANEL, b.panel) + last(k, b.row) + PANEL <= b.values.len(), "attention: right extents");
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the extents and the processor's features were checked above.
        unsafe { panels::<Avx2>(out, (m, n, k), a, b, old) };
        return;
    }
    // SAFETY: the extents were checked above.
    unsafe { panels::<Portable>(out, (m, n, k), a, b, old) };
}

/// Computes R ≤ [`ROWS`] rows of one panel of the result, whose rows stand `n` apart in `out`.
trait Block {
    /// # Safety
    /// `a` has R rows and `k` columns, `b` has `k` rows of a panel, and the processor has the features of the
    /// implementation.
    unsafe fn block<const R: usize>(out: &mut [f32], n: usize, a: Left<'_>, b: Right<'_>, k: usize, old: Old);
}

/// # Safety
/// The extents are those that [`product`] checks, and the processor has the features of `B`.
unsafe fn panels<B: Block>(out: &mut [f32], (m, n, k): (usize, usize, usize), a: Left<'_>, b: Right<'_>, old: Old) {
    for panel in 0..n / PANEL {
        let b = Right { values: &b.values[panel * b.panel..], ..b };
        for first in (0..m).step_by(ROWS) {
            let a = Left { values: &a.values[first * a.row..], ..a };
            let out = &mut out[first * n + panel * PANEL..];
            // SAFETY: rows `first..first + R` of the left operand and this panel of the right one are in bounds.
            unsafe {
                match m - first {
                    1 => B::block::<1>(out, n, a, b, k, old),
                    2 => B::block::<2>(out, n, a, b, k, old),
                    3 => B::block::<3>(out, n, a, b, k, old),
                    4 => B::block::<4>(out, n, a, b, k, old),
                    5 => B::block::<5>(out, n, a, b, k, old),
                    _ => B::block::<ROWS>(out, n, a, b, k, old),
                }
            }
        }
    }
}

fn store(out: &mut [f32], sums: &[f32; PANEL], old: Old) {
    match old {
        Old::Overwritten => out.copy_from_slice(sums),
        Old::AddedTo => out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum),
    }
}

struct Portable;

impl Block for Portable {
    unsafe fn block<const R: usize>(out: &mut [f32], n: usize, a: Left<'_>, b: Right<'_>, k: usize, old: Old) {
        for i in 0..R {
            let mut sums = [0f32; PANEL];
            for p in 0..k {
                let x = a.values[i * a.row + p * a.column];
                for (sum, y) in sums.iter_mut().zip(&b.values[p * b.row..][..PANEL]) {
                    *sum += x * y;
                }
            }
            store(&mut out[i * n..][..PANEL], &sums, old);
        }
    }
}

#[cfg(target_arch = "x86_64")]
struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Block for Avx2 {
    // Written with intrinsics: the compiler takes the arrays of the portable form apart into scalars.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn block<const R: usize>(out: &mut [f32], n: usize, a: Left<'_>, b: Right<'_>, k: usize, old: Old) {
        use std::arch::x86_64::{
            _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
        };
        let mut sums = [[_mm256_setzero_ps(); 2]; R];
        for p in 0..k {
            // SAFETY: by the contract, row p of the panel and column p of R rows are in bounds.
            unsafe {
                let row = b.values.as_ptr().add(p * b.row);
                let (left, right) = (_mm256_loadu_ps(row), _mm256_loadu_ps(row.add(PANEL / 2)));
                for (i, sums) in sums.iter_mut().enumerate() {
                    let x = _mm256_broadcast_ss(a.values.get_unchecked(i * a.row + p * a.column));
                    sums[0] = _mm256_fmadd_ps(x, left, sums[0]);
                    sums[1] = _mm256_fmadd_ps(x, right, sums[1]);
                }
            }
        }
        for (i, [left, right]) in sums.into_iter().enumerate() {
            let mut row = [0f32; PANEL];
            // SAFETY: `row` holds two registers.
            unsafe {
                _mm256_storeu_ps(row.as_mut_ptr(), left);
                _mm256_storeu_ps(row.as_mut_ptr().add(PANEL / 2), right);
            }
            store(&mut out[i * n..][..PANEL], &row, old);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + 11) % 101) as f32 / 50.0 - 1.0).collect()
    }

    #[test]
    fn products_equal_the_schoolbook_in_every_layout() {
        for (m, right_panels, k) in [(1, 1, 1), (5, 2, 7), (6, 1, 64), (13, 3, 33), (48, 4, 20)] {
            let n = right_panels * PANEL;
            let (a, b) = (numbers(m * k), numbers(k * n));
            for (a_row, a_column) in [(k, 1), (1, m)] {
                for (b_row, b_panel) in [(n, PANEL), (PANEL, k * PANEL)] {
                    let left = Left { values: &a, row: a_row, column: a_column };
                    let right = Right { values: &b, row: b_row, panel: b_panel };
                    let mut out = vec![f32::NAN; m * n];
                    product(&mut out, (m, n, k), left, right, Old::Overwritten);
                    product(&mut out, (m, n, k), left, right, Old::AddedTo);
                    let mut portable = vec![f32::NAN; m * n];
                    for old in [Old::Overwritten, Old::AddedTo] {
                        // SAFETY: the same extents, which the calls above checked.
                        unsafe { panels::<Portable>(&mut portable, (m, n, k), left, right, old) };
                    }
                    for (i, found) in out.iter().chain(&portable).enumerate() {
                        let i = i % (m * n);
                        let (i, j) = (i / n, i % n);
                        let term = |p: usize| {
                            f64::from(a[i * a_row + p * a_column])
                                * f64::from(b[j / PANEL * b_panel + p * b_row + j % PANEL])
                        };
                        let exact: f64 = 2.0 * (0..k).map(term).sum::<f64>();
                        assert!((f64::from(*found) - exact).abs() < 1e-4, "{m}x{n}x{k} at {i},{j}");
                    }
                }
            }
        }
    }
}
