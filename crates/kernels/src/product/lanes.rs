//! Vectors of f32: what the products are written in, once for all processors.

use super::matrix::GROUP;
use crate::quantised::{NF4, nibble};

/// A vector unit. A value of such a type proves that the processor has it.
pub(crate) trait Lanes: Copy + Send + Sync {
    /// A vector.
    type Vector: Copy;
    /// Its length.
    const COUNT: usize;

    /// Runs `body`, an `#[inline(always)]` closure, compiled for this unit.
    fn run<R>(self, body: impl FnOnce() -> R) -> R;
    fn splat(self, value: f32) -> Self::Vector;
    /// The first [`Lanes::COUNT`] values.
    fn load(self, values: &[f32]) -> Self::Vector;
    /// Into the first [`Lanes::COUNT`] values.
    fn store(self, vector: Self::Vector, values: &mut [f32]);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a·b + c.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
}

/// A unit with vectors of eight, which also reads stored weights.
pub(crate) trait Octets: Lanes {
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The sum of the eight, always in the same order.
    fn sum(self, vector: Self::Vector) -> f32;
    fn bf16(self, values: &[u16; 8]) -> Self::Vector;
    /// code − 128.
    fn int8(self, codes: [u8; 8]) -> Self::Vector;
    /// The levels of half a block: elements 0..32, or 32..64 if `high`.
    fn nf4(self, codes: &[u8; 32], high: bool) -> [Self::Vector; 4];
    /// Eight rows become eight columns.
    fn transpose(self, rows: [Self::Vector; 8]) -> [Self::Vector; 8];

    /// Sixteen rows of pairs become sixteen columns.
    #[inline(always)]
    fn transpose_pairs(self, rows: &[[u16; GROUP]; 16]) -> [[u16; GROUP]; 16] {
        // As floats they are only moved.
        let word = |pair: &[u16; 2]| f32::from_bits(u32::from(pair[0]) | u32::from(pair[1]) << 16);
        let words = rows.each_ref().map(|row| {
            let mut words = [0f32; 16];
            words.iter_mut().zip(row.as_chunks().0).for_each(|(to, pair)| *to = word(pair));
            words
        });
        let mut columns = [[0u16; GROUP]; 16];
        for (up, left) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
            let block = self.transpose(std::array::from_fn(|i| self.load(&words[up + i][left..])));
            for (column, vector) in columns[left..].iter_mut().zip(block) {
                let mut eight = [0f32; 8];
                self.store(vector, &mut eight);
                for (pair, word) in column.as_chunks_mut::<2>().0[up..].iter_mut().zip(eight) {
                    let bits = word.to_bits();
                    *pair = [bits as u16, (bits >> 16) as u16];
                }
            }
        }
        columns
    }

    /// Two rows as pairs: the first sixteen columns, and the others.
    #[inline(always)]
    fn interleave(self, even: [u16; GROUP], odd: [u16; GROUP]) -> [[u16; GROUP]; 2] {
        let mut halves = [[0; GROUP]; 2];
        for (i, half) in halves.iter_mut().enumerate() {
            for (j, pair) in half.as_chunks_mut().0.iter_mut().enumerate() {
                *pair = [even[16 * i + j], odd[16 * i + j]];
            }
        }
        halves
    }
}

/// A unit that multiplies pairs of bf16.
pub(crate) trait Pairs: Lanes {
    /// A pair for each of a vector's sums.
    type Halves: Copy;
    /// The same pair for all.
    fn splat_pair(self, pair: [u16; 2]) -> Self::Halves;
    fn halves(self, values: &[u16; GROUP]) -> Self::Halves;
    /// sum + a₀·b₀ + a₁·b₁, added in f32.
    fn dot(self, sum: Self::Vector, a: Self::Halves, b: Self::Halves) -> Self::Vector;
}

/// Plain arrays, which the compiler maps to whatever the target has.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Lanes for Portable {
    type Vector = [f32; 8];
    const COUNT: usize = 8;

    #[inline(always)]
    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        body()
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 8] {
        [value; 8]
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> [f32; 8] {
        std::array::from_fn(|i| values[i])
    }

    #[inline(always)]
    fn store(self, vector: [f32; 8], values: &mut [f32]) {
        values[..8].copy_from_slice(&vector);
    }

    #[inline(always)]
    fn add(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        // Every aarch64 has the fused instruction; an x86-64 without AVX2 would call a library function for it.
        std::array::from_fn(
            |i| if cfg!(target_arch = "aarch64") { a[i].mul_add(b[i], c[i]) } else { a[i] * b[i] + c[i] },
        )
    }
}

impl Octets for Portable {
    #[inline(always)]
    fn mul(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn sum(self, v: [f32; 8]) -> f32 {
        ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
    }

    #[inline(always)]
    fn bf16(self, values: &[u16; 8]) -> [f32; 8] {
        values.map(|bits| f32::from_bits(u32::from(bits) << 16))
    }

    #[inline(always)]
    fn int8(self, codes: [u8; 8]) -> [f32; 8] {
        codes.map(|code| f32::from(i16::from(code) - 128))
    }

    #[inline(always)]
    fn nf4(self, codes: &[u8; 32], high: bool) -> [[f32; 8]; 4] {
        std::array::from_fn(|vector| {
            std::array::from_fn(|lane| {
                let (byte, shift) = nibble(32 * usize::from(high) + 8 * vector + lane);
                NF4[usize::from(codes[byte] >> shift & 15)]
            })
        })
    }

    #[inline(always)]
    fn transpose(self, rows: [[f32; 8]; 8]) -> [[f32; 8]; 8] {
        std::array::from_fn(|j| std::array::from_fn(|i| rows[i][j]))
    }
}
