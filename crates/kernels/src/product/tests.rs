//! Every kernel that this processor runs, against sums in f64.

use super::*;
use crate::quantised::{BLOCK, NF4, nibble};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// All that this machine runs, and AMX emulated.
fn kernels() -> Vec<MicroKernel> {
    let mut kernels = available();
    kernels.push(MicroKernel::Emulated);
    #[cfg(target_arch = "x86_64")]
    kernels.extend(x86::Avx2::detect().map(MicroKernel::EmulatedTiles));
    kernels
}

/// A matrix in one of the forms, and the values it stands for.
struct Stored {
    floats: Vec<f32>,
    halves: Vec<u16>,
    codes: Vec<u8>,
    scales: Vec<f32>,
    form: usize,
    columns: usize,
    stride: usize,
    values: Vec<f64>,
}

const FORMS: usize = 4;

impl Stored {
    fn random(rng: &mut ChaCha8Rng, form: usize, rows: usize, columns: usize, gap: usize) -> Self {
        let stride = columns + gap;
        let blocks = columns.div_ceil(BLOCK);
        let mut stored = Self {
            floats: Vec::new(),
            halves: Vec::new(),
            codes: Vec::new(),
            scales: Vec::new(),
            form,
            columns,
            stride,
            values: Vec::new(),
        };
        let length = if rows == 0 { 0 } else { (rows - 1) * stride + columns };
        match form {
            0 => stored.floats = (0..length).map(|_| rng.random_range(-1.0..1.0)).collect(),
            1 => stored.halves = (0..length).map(|_| (rng.random_range(-1f32..1.0).to_bits() >> 16) as u16).collect(),
            _ => {
                let bytes = if form == 2 { BLOCK } else { BLOCK / 2 };
                stored.codes = (0..rows * blocks * bytes).map(|_| rng.random()).collect();
                stored.scales = (0..rows * blocks).map(|_| rng.random_range(0.1..1.0)).collect();
            }
        }
        for row in 0..rows {
            for column in 0..columns {
                let block = row * blocks + column / BLOCK;
                let value = match form {
                    0 => f64::from(stored.floats[row * stride + column]),
                    1 => f64::from(f32::from_bits(u32::from(stored.halves[row * stride + column]) << 16)),
                    2 => {
                        let code = f64::from(stored.codes[block * BLOCK + column % BLOCK]) - 128.0;
                        code / 127.0 * f64::from(stored.scales[block])
                    }
                    _ => {
                        let (byte, shift) = nibble(column % BLOCK);
                        let level = stored.codes[block * BLOCK / 2 + byte] >> shift & 15;
                        f64::from(NF4[usize::from(level)]) * f64::from(stored.scales[block])
                    }
                };
                stored.values.push(value);
            }
        }
        stored
    }

    fn matrix(&self) -> Matrix<'_> {
        let (columns, stride, blocks) = (self.columns, self.stride, self.columns.div_ceil(BLOCK));
        match self.form {
            0 => Matrix::Floats(Floats { values: &self.floats, columns, stride }),
            1 => Matrix::Halves(Halves { values: &self.halves, columns, stride }),
            form => {
                let blocks = Blocks { codes: &self.codes, scales: &self.scales, per_row: blocks, shared: false };
                if form == 2 { Matrix::Int8(Int8(blocks)) } else { Matrix::Nf4(Nf4(blocks)) }
            }
        }
    }
}

/// One term with random operands, and its f64 sums added to `expected`.
struct Case {
    left: Stored,
    transposed: bool,
    scale: f32,
    right: Stored,
    /// First column and number of columns of a transposed right operand.
    columns: Option<(usize, usize)>,
    rows: usize,
    depth: usize,
}

impl Case {
    #[expect(clippy::too_many_arguments, reason = "a test's table")]
    fn random(
        rng: &mut ChaCha8Rng,
        form: usize,
        rows: usize,
        depth: usize,
        columns: usize,
        transposed: bool,
        part: Option<(usize, usize)>,
        gap: usize,
    ) -> Self {
        let left = if transposed { (depth, rows) } else { (rows, depth) };
        let left = Stored::random(rng, 0, left.0, left.1, gap);
        let right = match part {
            Some((_, count)) => Stored::random(rng, form, count, depth, gap),
            None => Stored::random(rng, form, depth, columns, gap),
        };
        Self { left, transposed, scale: rng.random_range(-2.0..2.0), right, columns: part, rows, depth }
    }

    fn term(&self) -> Term<'_> {
        let left = Left {
            values: &self.left.floats,
            stride: self.left.stride,
            transposed: self.transposed,
            rows: self.rows,
            depth: self.depth,
            scale: self.scale,
        };
        let right = match self.columns {
            Some((first, count)) => Right::Transposed(self.right.matrix(), first, count),
            None => Right::Plain(self.right.matrix()),
        };
        Term { left, right }
    }

    /// Adds the exact product, and the sum of magnitudes that its rounding error is proportional to.
    fn add_to(&self, sums: &mut [f64], sizes: &mut [f64], columns: usize) {
        let (first, count) = self.columns.unwrap_or((0, columns));
        for row in 0..self.rows {
            for column in 0..count {
                for k in 0..self.depth {
                    let a = self.left.values[if self.transposed { k * self.rows + row } else { row * self.depth + k }];
                    let b = self.right.values[match self.columns {
                        Some(_) => column * self.depth + k,
                        None => k * columns + column,
                    }];
                    sums[row * columns + first + column] += f64::from(self.scale) * a * b;
                    sizes[row * columns + first + column] += (f64::from(self.scale) * a * b).abs();
                }
            }
        }
    }
}

fn check(kernel: MicroKernel, cases: &[Case], rows: usize, columns: usize, keep: bool) -> Result<(), TestCaseError> {
    let terms: Vec<Term<'_>> = cases.iter().map(Case::term).collect();
    let old = |i: usize| (i % 17) as f32 - 8.0;
    let mut out: Vec<f32> = (0..rows * columns).map(|i| if keep { old(i) } else { f32::NAN }).collect();
    multiply_with(kernel, &mut Output::new(&mut out, rows, columns, columns), &terms, keep);
    let mut exact: Vec<f64> = (0..rows * columns).map(|i| if keep { f64::from(old(i)) } else { 0.0 }).collect();
    let mut sizes: Vec<f64> = exact.iter().map(|v| v.abs()).collect();
    for case in cases {
        case.add_to(&mut exact, &mut sizes, columns);
    }
    // Sums of some thousand terms one after another, at worst; bf16 keeps 8 bits of each factor.
    let rounding = if kernel.rounds() { 9e-3 } else { 4e-6 };
    for (i, ((found, exact), size)) in out.iter().zip(&exact).zip(&sizes).enumerate() {
        let allowed = rounding * size + 1e-30;
        prop_assert!(
            (f64::from(*found) - exact).abs() <= allowed,
            "{kernel:?} at {i} of {rows} x {columns}: {found}, exact {exact}, allowed {allowed}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_kernel_equals_the_sums_in_f64_for_all_forms_and_orientations(
        seed: u64, form in 0..FORMS, rows in 0..70usize, depth in 0..600usize, columns in 0..150usize,
        transposed_left: bool, transposed_right: bool, keep: bool, gap in 0..3usize,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let gap = if form > 1 { 0 } else { gap };
        let part = transposed_right.then_some((0, columns));
        let case = Case::random(&mut rng, form, rows, depth, columns, transposed_left, part, gap);
        for kernel in kernels() {
            check(kernel, std::slice::from_ref(&case), rows, columns, keep)?;
        }
    }

    #[test]
    fn a_few_rows_equal_the_sums_in_f64_whatever_the_last_block_of_a_row_holds(
        seed: u64, form in 0..FORMS, rows in 1..=few_rows::FEW, depth in 1..700usize, columns in 1..70usize,
        transposed_left: bool, keep: bool,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let case = Case::random(&mut rng, form, rows, depth, columns, transposed_left, Some((0, columns)), 0);
        // Those that round large products compute small ones as the others do.
        for kernel in available().into_iter().filter(|kernel| !kernel.rounds()) {
            check(kernel, std::slice::from_ref(&case), rows, columns, keep)?;
        }
    }

    #[test]
    fn wide_outputs_with_short_terms_for_some_columns_equal_the_sums_in_f64(
        seed: u64, form in 0..FORMS, rows in 1..20usize, depth in 1..300usize, columns in 257..600usize, rank in 1..20usize,
        split in 0..257usize, transposed_right: bool,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let main = transposed_right.then_some((0, columns));
        let cases = [
            Case::random(&mut rng, form, rows, depth, columns, false, main, 0),
            Case::random(&mut rng, 0, rows, rank, columns, false, Some((0, split)), 0),
            Case::random(&mut rng, 0, rows, rank, columns, false, Some((split, columns - split)), 0),
        ];
        for kernel in kernels() {
            check(kernel, &cases, rows, columns, false)?;
        }
    }
}

#[test]
fn every_kernel_passes_the_self_test() {
    for kernel in kernels() {
        assert!(passes_self_test(kernel), "{kernel:?}");
    }
}

#[test]
fn bf16_rounding_goes_to_the_nearest_and_keeps_what_is_not_a_number() {
    for i in 0..100_000u32 {
        let value = f32::from_bits(i.wrapping_mul(0x9e37_79b9));
        let (found, expected) = (matrix::round_to_bf16(value), half::bf16::from_f32(value));
        assert!(found == expected.to_bits() || expected.is_nan() && half::bf16::from_bits(found).is_nan(), "{value}");
    }
}

#[test]
fn more_rows_and_depth_than_are_packed_at_once_are_all_there() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (rows, depth, columns) in [(2500, 9, 270), (2, 4700, 300), (2100, 2300, 3)] {
        let case = Case::random(&mut rng, 1, rows, depth, columns, false, Some((0, columns)), 0);
        check(available()[0], std::slice::from_ref(&case), rows, columns, true).unwrap();
    }
}

#[test]
fn a_nan_or_an_infinity_reaches_its_row_or_column_and_nothing_else() {
    for kernel in kernels() {
        for bad in [f32::NAN, f32::INFINITY] {
            let mut x = vec![1f32; 7 * 40];
            x[3 * 40 + 39] = bad;
            let mut w = vec![1f32; 300 * 40];
            w[200 * 40] = bad;
            let left = Left { values: &x, stride: 40, transposed: false, rows: 7, depth: 40, scale: 1.0 };
            let right = Right::Transposed(Matrix::Floats(Floats { values: &w, columns: 40, stride: 40 }), 0, 300);
            let mut out = vec![0.0; 7 * 300];
            multiply_with(kernel, &mut Output::new(&mut out, 7, 300, 300), &[Term { left, right }], false);
            for (i, value) in out.iter().enumerate() {
                assert_eq!(value.is_finite(), i / 300 != 3 && i % 300 != 200, "{kernel:?} at {i}: {value}");
            }
        }
    }
}
