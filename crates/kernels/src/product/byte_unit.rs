//! Products of bytes on x86-64.
#![allow(unsafe_code, reason = "vector intrinsics; a value of the unit's type proves that the processor has them")]

use super::byte_dots::{Quads, SIDE};
use super::x86::{Avx512, WordVectors};
use std::arch::x86_64::{__m512, __m512i, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_set1_epi32};
use std::mem::transmute;

/// AVX-512 with its neural network instructions.
#[derive(Clone, Copy)]
pub(crate) struct Avx512Vnni(Avx512);

impl Avx512Vnni {
    pub(crate) fn detect() -> Option<Self> {
        let able = is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw");
        if able { Avx512::detect().map(Self) } else { None }
    }
}

impl WordVectors for Avx512Vnni {}

impl Quads for Avx512Vnni {
    type Words = __m512i;
    type Lanes = Avx512;

    #[inline(always)]
    fn lanes(self) -> Avx512 {
        self.0
    }

    #[inline(always)]
    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512vnni")]
        fn compiled<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        // SAFETY: `self` proves the last three, and AVX-512 includes the others.
        unsafe { compiled(body) }
    }

    #[inline(always)]
    fn splat(self, word: i32) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_set1_epi32(word) }
    }

    #[inline(always)]
    fn bytes(self, bytes: &[u8; 4 * SIDE]) -> __m512i {
        // SAFETY: the same bytes.
        unsafe { transmute::<[u8; 4 * SIDE], __m512i>(*bytes) }
    }

    #[inline(always)]
    fn dot(self, sum: __m512i, unsigned: __m512i, signed: __m512i) -> __m512i {
        // SAFETY: `self` proves the unit.
        unsafe { _mm512_dpbusd_epi32(sum, unsigned, signed) }
    }

    #[inline(always)]
    fn to_floats(self, words: __m512i) -> __m512 {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_cvtepi32_ps(words) }
    }
}
