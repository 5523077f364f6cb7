//! The unit of this machine and one in plain Rust, against the same arithmetic written down simply, and against f64.

use super::*;
use crate::product::drive::{Term, drive};
use crate::product::{Output, Portable};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What the unit does, step by step.
#[derive(Clone, Copy)]
struct Emulated;

impl Lanes for Emulated {
    type Vector = [f32; SIDE];
    const COUNT: usize = SIDE;

    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        body()
    }

    fn splat(self, value: f32) -> [f32; SIDE] {
        [value; SIDE]
    }

    fn load(self, values: &[f32]) -> [f32; SIDE] {
        std::array::from_fn(|i| values[i])
    }

    fn store(self, vector: [f32; SIDE], values: &mut [f32]) {
        values[..SIDE].copy_from_slice(&vector);
    }

    fn add(self, a: [f32; SIDE], b: [f32; SIDE]) -> [f32; SIDE] {
        std::array::from_fn(|i| a[i] + b[i])
    }

    fn mul_add(self, a: [f32; SIDE], b: [f32; SIDE], c: [f32; SIDE]) -> [f32; SIDE] {
        std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
    }
}

impl Quads for Emulated {
    type Words = [i32; SIDE];
    type Lanes = Self;

    fn lanes(self) -> Self {
        self
    }

    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        body()
    }

    fn splat(self, word: i32) -> [i32; SIDE] {
        [word; SIDE]
    }

    fn bytes(self, bytes: &[u8; 4 * SIDE]) -> [i32; SIDE] {
        std::array::from_fn(|i| i32::from_le_bytes(std::array::from_fn(|j| bytes[4 * i + j])))
    }

    fn dot(self, sum: [i32; SIDE], unsigned: [i32; SIDE], signed: [i32; SIDE]) -> [i32; SIDE] {
        std::array::from_fn(|i| {
            let pairs = unsigned[i].to_le_bytes().into_iter().zip(signed[i].to_le_bytes());
            sum[i] + pairs.map(|(u, s)| i32::from(u) * i32::from(s.cast_signed())).sum::<i32>()
        })
    }

    fn to_floats(self, words: [i32; SIDE]) -> [f32; SIDE] {
        words.map(|word| word as f32)
    }
}

/// A weight `[outputs, inputs]` of bytes, and a left operand for Y = X·Wᵀ or, if `back`, for dX = dY·W.
struct Case {
    codes: Vec<u8>,
    scales: Vec<f32>,
    outputs: usize,
    inputs: usize,
    left: Vec<f32>,
    rows: usize,
    scale: f32,
    transposed: bool,
    back: bool,
}

impl Case {
    fn random(seed: u64, (rows, outputs, inputs): (usize, usize, usize), transposed: bool, back: bool) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let blocks = inputs.div_ceil(BLOCK);
        let codes = (0..outputs * blocks * BLOCK).map(|_| rng.random_range(1..=255)).collect();
        let scales = (0..outputs).flat_map(|_| vec![rng.random_range(0.1..1.0); blocks]).collect();
        let depth = if back { outputs } else { inputs };
        let left = (0..rows * depth).map(|_| rng.random_range(-1f32..1.0).powi(3)).collect();
        Self { codes, scales, outputs, inputs, left, rows, scale: rng.random_range(0.5..2.0), transposed, back }
    }

    fn depth(&self) -> usize {
        if self.back { self.outputs } else { self.inputs }
    }

    fn columns(&self) -> usize {
        if self.back { self.inputs } else { self.outputs }
    }

    fn term(&self) -> Term<'_> {
        let (rows, depth) = (self.rows, self.depth());
        let stride = if self.transposed { rows } else { depth };
        let left = Left { values: &self.left, stride, transposed: self.transposed, rows, depth, scale: self.scale };
        let per_row = self.inputs.div_ceil(BLOCK);
        let matrix = Matrix::Int8(Int8(Blocks { codes: &self.codes, scales: &self.scales, per_row, shared: true }));
        let right = if self.back { Right::Plain(matrix) } else { Right::Transposed(matrix, 0, self.outputs) };
        Term { left, right }
    }

    fn value(&self, row: usize, k: usize) -> f32 {
        self.left[if self.transposed { k * self.rows + row } else { row * self.depth() + k }]
    }

    /// The byte at this depth and column as a signed number, and its row's scale.
    fn weight(&self, k: usize, column: usize) -> (i32, f32) {
        let (output, input) = if self.back { (k, column) } else { (column, k) };
        let blocks = self.inputs.div_ceil(BLOCK);
        (i32::from(self.codes[output * blocks * BLOCK + input]) - 128, self.scales[output * blocks] * INT8_STEP)
    }

    /// The same arithmetic, one element at a time.
    fn simply(&self, old: &[f32]) -> Vec<f32> {
        let columns = self.columns();
        let mut out = old.to_vec();
        for row in 0..self.rows {
            for start in (0..self.depth()).step_by(DEPTH) {
                let depth = start..self.depth().min(start + DEPTH);
                let values: Vec<f32> = depth
                    .clone()
                    .map(|k| {
                        let along = if self.back { self.weight(k, 0).1 } else { 1.0 };
                        self.value(row, k) * (self.scale * along)
                    })
                    .collect();
                let largest = values.iter().fold(0f32, |m, v| m.max(v.abs()));
                let rounded = values.iter().map(|v| (v * (127.0 / largest)).round_ties_even() as i32);
                let rounded: Vec<i32> = rounded.collect();
                for column in 0..columns {
                    let sum: i32 = depth.clone().zip(&rounded).map(|(k, q)| q * self.weight(k, column).0).sum();
                    let scale = if self.back { 1.0 } else { self.weight(0, column).1 };
                    out[row * columns + column] += sum as f32 * (largest / 127.0 * scale);
                }
            }
        }
        out
    }

    fn exactly(&self, row: usize, column: usize) -> (f64, f64) {
        let products = (0..self.depth()).map(|k| {
            let (code, scale) = self.weight(k, column);
            f64::from(self.scale) * f64::from(self.value(row, k)) * f64::from(code) * f64::from(scale)
        });
        products.fold((0.0, 0.0), |(sum, squares), p| (sum + p, squares + p * p))
    }

    fn with<O: Octets, Q: Quads>(&self, octets: O, quads: Q, old: Option<&[f32]>) -> Vec<f32> {
        let term = self.term();
        let kernel = ByteDots::new(octets, quads, term.right).unwrap();
        let (rows, columns) = (self.rows, self.columns());
        let mut out = old.map_or_else(|| vec![f32::NAN; rows * columns], <[f32]>::to_vec);
        drive(kernel, &mut Output::new(&mut out, rows, columns, columns), &[term], old.is_some());
        out
    }

    /// By every unit there is.
    fn all(&self, old: Option<&[f32]>) -> Vec<Vec<f32>> {
        let mut results = vec![self.with(Portable, Emulated, old)];
        #[cfg(target_arch = "x86_64")]
        match crate::product::byte_units() {
            Some((octets, quads)) => results.push(self.with(octets, quads, old)),
            None => eprintln!("skipped: this processor has no AVX-512 VNNI"),
        }
        results
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn units_give_what_the_arithmetic_says_bit_by_bit(
        seed: u64, rows in 1..40usize, outputs in 1..1200usize, inputs in 1..1200usize, transposed: bool, back: bool,
    ) {
        // One side stays small, or the simple way takes minutes.
        let (outputs, inputs) = if seed.is_multiple_of(2) { (outputs, inputs % 80 + 1) } else { (outputs % 80 + 1, inputs) };
        let case = Case::random(seed, (rows, outputs, inputs), transposed, back);
        let old: Vec<f32> = (0..rows * case.columns()).map(|i| (i % 17) as f32 - 8.0).collect();
        let (fresh, added) = (case.simply(&vec![0.0; old.len()]), case.simply(&old));
        for found in case.all(None) {
            prop_assert_eq!(&found, &fresh);
        }
        for found in case.all(Some(&old)) {
            prop_assert_eq!(&found, &added);
        }
    }
}

#[test]
fn rounding_costs_less_than_a_hundredth() {
    for (back, seed) in [(false, 1), (true, 2)] {
        let case = Case::random(seed, (5, 700, 700), false, back);
        let found = case.with(Portable, Emulated, None);
        let (mut error, mut size) = (0.0, 0.0);
        for row in 0..case.rows {
            for column in 0..case.columns() {
                let (exact, squares) = case.exactly(row, column);
                error += (f64::from(found[row * case.columns() + column]) - exact).powi(2);
                size += squares;
            }
        }
        let relative = (error / size).sqrt();
        assert!(relative > 1e-4 && relative < 1e-2, "{relative}");
    }
}

#[test]
fn a_value_that_is_not_finite_reaches_its_row_and_no_other_and_zeros_stay_zeros() {
    for (back, bad) in [(false, f32::NAN), (true, f32::INFINITY)] {
        let mut case = Case::random(3, (20, 90, 600), false, back);
        let depth = case.depth();
        case.left[13 * depth + 70] = bad;
        case.left[7 * depth..8 * depth].fill(0.0);
        for found in case.all(None) {
            for (i, value) in found.iter().enumerate() {
                let row = i / case.columns();
                assert_eq!(value.is_finite(), row != 13, "row {row}: {value}");
                assert!(row != 7 || *value == 0.0, "{value}");
            }
        }
    }
}

#[test]
fn other_weights_have_other_kernels() {
    let case = Case::random(4, (9, 3, 64), false, false);
    let Right::Transposed(Matrix::Int8(Int8(codes)), first, count) = case.term().right else { unreachable!() };
    let right = Right::Transposed(Matrix::Int8(Int8(Blocks { shared: false, ..codes })), first, count);
    assert!(ByteDots::new(Portable, Emulated, right).is_none());
}
