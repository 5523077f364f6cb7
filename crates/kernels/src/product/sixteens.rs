//! Dot products of stored rows with vectors of sixteen (AVX-512), a block at a time. Codes are widened in whatever order is
//! cheapest, and the left operand was put into that order once for all rows.
#![allow(unsafe_code, reason = "vector intrinsics; a value of the unit's type proves that the processor has them")]
#![allow(clippy::unused_self, reason = "`self` is that proof")]

use super::few_rows::{ByOctets, Dots, PAIR};
use super::lanes::Lanes;
use super::matrix::{Blocks, Matrix, Rows};
use super::x86::{Avx2, Avx512};
use crate::quantised::{BLOCK, NF4, nibble};
use std::arch::x86_64::{
    __m512, __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_and_si512, _mm512_cvtepi32_ps, _mm512_mask_blend_ps,
    _mm512_mul_ps, _mm512_permutexvar_ps, _mm512_reduce_add_ps, _mm512_set1_epi32, _mm512_slli_epi32,
    _mm512_srli_epi32, _mm512_xor_si512,
};
use std::mem::transmute;

/// The processor's own prefetching stops at the end of a page; asking this many bytes ahead does not.
const AHEAD: usize = 2048;

/// AVX-512 for codes; AVX2 for rows of f32 and bf16, which wait for memory all the same.
#[derive(Clone, Copy)]
pub(crate) struct Sixteens {
    octets: Avx2,
    lanes: Avx512,
}

impl Sixteens {
    pub(crate) fn detect(octets: Avx2) -> Option<Self> {
        Avx512::detect().map(|lanes| Self { octets, lanes })
    }

    /// (code − 128) · 2²⁴: every fourth byte, from each of the first four on.
    #[inline(always)]
    fn int8(self, block: &[u8; BLOCK]) -> [__m512; 4] {
        // SAFETY: `lanes` proves AVX-512; 64 bytes and a vector of them are the same.
        unsafe {
            let codes = transmute::<[u8; BLOCK], __m512i>(*block);
            let signed = _mm512_xor_si512(codes, _mm512_set1_epi32(0x8080_8080_u32.cast_signed()));
            let top = _mm512_set1_epi32(0xff00_0000_u32.cast_signed());
            [
                _mm512_cvtepi32_ps(_mm512_slli_epi32::<24>(signed)),
                _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_slli_epi32::<16>(signed), top)),
                _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_slli_epi32::<8>(signed), top)),
                _mm512_cvtepi32_ps(_mm512_and_si512(signed, top)),
            ]
        }
    }

    /// The levels of each eighth half byte of two blocks, from each of the first eight on.
    #[inline(always)]
    fn nf4(self, blocks: &[u8; BLOCK]) -> [__m512; 8] {
        // SAFETY: `lanes` proves AVX-512; 64 bytes and a vector of them are the same. Of an index only four bits count.
        unsafe {
            let levels = transmute::<[f32; 16], __m512>(NF4);
            let codes = transmute::<[u8; BLOCK], __m512i>(*blocks);
            [
                _mm512_permutexvar_ps(codes, levels),
                _mm512_permutexvar_ps(_mm512_srli_epi32::<4>(codes), levels),
                _mm512_permutexvar_ps(_mm512_srli_epi32::<8>(codes), levels),
                _mm512_permutexvar_ps(_mm512_srli_epi32::<12>(codes), levels),
                _mm512_permutexvar_ps(_mm512_srli_epi32::<16>(codes), levels),
                _mm512_permutexvar_ps(_mm512_srli_epi32::<20>(codes), levels),
                _mm512_permutexvar_ps(_mm512_srli_epi32::<24>(codes), levels),
                _mm512_permutexvar_ps(_mm512_srli_epi32::<28>(codes), levels),
            ]
        }
    }

    /// The first scale for the first half of a vector, the second for the other.
    #[inline(always)]
    fn two(self, [first, second]: [f32; 2]) -> __m512 {
        // SAFETY: `lanes` proves AVX-512.
        unsafe { _mm512_mask_blend_ps(0xff00, self.lanes.splat(first), self.lanes.splat(second)) }
    }

    /// The products of some vectors with `left`, added up.
    #[inline(always)]
    fn products<const N: usize>(self, vectors: [__m512; N], left: &[f32]) -> __m512 {
        let left = left[..16 * N].as_chunks::<16>().0;
        // SAFETY: `lanes` proves AVX-512.
        let mut sums = unsafe {
            [_mm512_mul_ps(vectors[0], self.lanes.load(&left[0])), _mm512_mul_ps(vectors[1], self.lanes.load(&left[1]))]
        };
        for part in 2..N {
            sums[part % 2] = self.lanes.mul_add(vectors[part], self.lanes.load(&left[part]), sums[part % 2]);
        }
        self.lanes.add(sums[0], sums[1])
    }

    #[inline(always)]
    fn sum(self, vector: __m512) -> f32 {
        // SAFETY: `lanes` proves AVX-512.
        unsafe { _mm512_reduce_add_ps(vector) }
    }

    #[inline(always)]
    fn int8_dots<const ROWS: usize>(self, row: Blocks<'_>, left: &[f32], padded: usize) -> [f32; ROWS] {
        /// 1/127, and what [`Sixteens::int8`] multiplies with taken back.
        const STEP: f32 = 1.0 / 127.0 / (1 << 24) as f32;
        let mut sums = [self.lanes.splat(0.0); ROWS];
        for (number, (codes, scale)) in row.codes.as_chunks::<BLOCK>().0.iter().zip(row.scales).enumerate() {
            ahead(codes);
            let (vectors, scale) = (self.int8(codes), self.lanes.splat(scale * STEP));
            for i in 0..ROWS {
                let products = self.products(vectors, &left[i * padded + number * BLOCK..]);
                sums[i] = self.lanes.mul_add(scale, products, sums[i]);
            }
        }
        self.totals(sums)
    }

    #[inline(always)]
    fn nf4_dots<const ROWS: usize>(self, row: Blocks<'_>, left: &[f32], padded: usize) -> [f32; ROWS] {
        let mut sums = [self.lanes.splat(0.0); ROWS];
        let (pairs, last) = row.codes.as_chunks::<BLOCK>();
        let (scales, last_scale) = row.scales.as_chunks::<2>();
        for (number, (codes, scales)) in pairs.iter().zip(scales).enumerate() {
            ahead(codes);
            let (vectors, scales) = (self.nf4(codes), self.two(*scales));
            for i in 0..ROWS {
                let products = self.products(vectors, &left[i * padded + number * PAIR..]);
                sums[i] = self.lanes.mul_add(scales, products, sums[i]);
            }
        }
        if let (Some(last), Some(scale)) = (last.first_chunk::<{ BLOCK / 2 }>(), last_scale.first()) {
            let mut codes = [0; BLOCK];
            codes[..BLOCK / 2].copy_from_slice(last);
            let (vectors, scales) = (self.nf4(&codes), self.two([*scale, 0.0]));
            for i in 0..ROWS {
                let products = self.products(vectors, &left[i * padded + pairs.len() * PAIR..]);
                sums[i] = self.lanes.mul_add(scales, products, sums[i]);
            }
        }
        self.totals(sums)
    }

    #[inline(always)]
    fn totals<const ROWS: usize>(self, sums: [__m512; ROWS]) -> [f32; ROWS] {
        let mut totals = [0.0; ROWS];
        for i in 0..ROWS {
            totals[i] = self.sum(sums[i]);
        }
        totals
    }
}

/// What lies [`AHEAD`] bytes behind the beginning of `place` will be needed soon.
#[inline(always)]
fn ahead<T>(place: &[T]) {
    let place = place.as_ptr().cast::<i8>().wrapping_add(AHEAD);
    // SAFETY: a hint, which reads nothing and may name any address.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(place);
    }
}

/// Where [`Sixteens::int8`] puts element `e` of a block.
const fn int8_place(e: usize) -> usize {
    16 * (e % 4) + e / 4
}

/// Where [`Sixteens::nf4`] puts element `e` of a pair of blocks.
const fn nf4_place(e: usize) -> usize {
    let (byte, shift) = nibble(e % BLOCK);
    16 * (2 * (byte % 4) + shift / 4) + 8 * (e / BLOCK) + byte / 4
}

fn reorder<const N: usize>(left: &mut [f32], place: fn(usize) -> usize) {
    let places: [usize; N] = std::array::from_fn(place);
    for block in left.as_chunks_mut::<N>().0 {
        let old = *block;
        for (value, place) in old.into_iter().zip(places) {
            block[place % N] = value;
        }
    }
}

impl Dots for Sixteens {
    #[inline(always)]
    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx2,fma,avx512f")]
        fn compiled<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        // SAFETY: `self` proves the features.
        unsafe { compiled(body) }
    }

    fn arrange(self, matrix: Matrix<'_>, left: &mut [f32]) {
        match matrix {
            Matrix::Floats(_) | Matrix::Halves(_) => {}
            Matrix::Int8(_) => reorder::<BLOCK>(left, int8_place),
            Matrix::Nf4(_) => reorder::<PAIR>(left, nf4_place),
        }
    }

    #[inline(always)]
    fn dots<const ROWS: usize>(self, matrix: Matrix<'_>, row: usize, left: &[f32], padded: usize) -> [f32; ROWS] {
        match matrix {
            Matrix::Floats(_) | Matrix::Halves(_) => ByOctets(self.octets).dots(matrix, row, left, padded),
            Matrix::Int8(rows) => self.int8_dots(rows.row(row).0, left, padded),
            Matrix::Nf4(rows) => self.nf4_dots(rows.row(row).0, left, padded),
        }
    }
}
