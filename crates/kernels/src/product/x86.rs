//! The vector units of x86-64.
#![allow(unsafe_code, reason = "vector intrinsics; a value of the unit's type proves that the processor has them")]

use super::lanes::{Lanes, Octets, Pairs};
use super::matrix::GROUP;
use crate::quantised::NF4;
use std::arch::x86_64::{
    __cpuid, __m128i, __m256, __m256i, __m512, __m512bh, __m512i, _mm_add_ps, _mm_add_ss, _mm_cvtsi64_si128,
    _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps, _mm_set1_epi8, _mm_xor_si128, _mm256_add_ps, _mm256_and_si256,
    _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_cvtepi8_epi32, _mm256_cvtepi32_ps, _mm256_cvtepu16_epi32,
    _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_set1_epi8, _mm256_set1_ps,
    _mm256_shuffle_epi8, _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_srli_epi16, _mm256_unpackhi_epi8,
    _mm256_unpackhi_epi16, _mm256_unpackhi_ps, _mm256_unpacklo_epi8, _mm256_unpacklo_epi16, _mm256_unpacklo_ps,
    _mm512_add_ps, _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_permutex2var_epi16, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_shuffle_i32x4, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};
use std::mem::transmute;

/// AVX2 and fused multiply-add.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

/// The same vectors of eight where AVX-512 turns pairs of halves around sixteen at a time.
#[derive(Clone, Copy)]
pub(crate) struct WideOctets(Avx2);

impl WideOctets {
    pub(crate) fn new(octets: Avx2, _proof: impl WordVectors) -> Self {
        Self(octets)
    }
}

/// Proves AVX-512 with its words of 16 bits.
pub(crate) trait WordVectors {}

impl WordVectors for Avx512Bf16 {}

/// AVX-512 (foundation): twice as wide and twice as many registers.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }
}

/// AVX-512 with products of bf16 pairs, where they are faster than f32: on AMD (twice as fast on Zen 4). Intel's run at
/// half the speed of its f32 unit (Sapphire Rapids: 230 against 400 GFLOP/s).
#[derive(Clone, Copy)]
pub(crate) struct Avx512Bf16(Avx512);

impl Avx512Bf16 {
    pub(crate) fn detect() -> Option<Self> {
        let vendor = __cpuid(0);
        let amd = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).as_flattened() == b"AuthenticAMD";
        let able = amd && is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512bw");
        if able { Avx512::detect().map(Self) } else { None }
    }
}

#[inline(always)]
fn first<const N: usize>(values: &[f32]) -> &[f32; N] {
    values.first_chunk().unwrap_or_else(|| too_short(values.len()))
}

#[inline(always)]
fn first_mut<const N: usize>(values: &mut [f32]) -> &mut [f32; N] {
    let length = values.len();
    values.first_chunk_mut().unwrap_or_else(|| too_short(length))
}

#[cold]
fn too_short(length: usize) -> ! {
    unreachable!("a vector from or to {length} values");
}

/// Byte `plane` of each level's bits, twice: a table for each half of a 32-byte shuffle.
const fn level_bytes(plane: usize) -> [u8; 32] {
    let mut table = [0; 32];
    let mut i = 0;
    while i < 32 {
        table[i] = NF4[i % 16].to_le_bytes()[plane];
        i += 1;
    }
    table
}

const LEVEL_BYTES: [[u8; 32]; 4] = [level_bytes(0), level_bytes(1), level_bytes(2), level_bytes(3)];

impl Lanes for Avx2 {
    type Vector = __m256;
    const COUNT: usize = 8;

    #[inline(always)]
    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        // SAFETY: `self` proves both features.
        unsafe { compiled(body) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: `self` proves AVX.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> __m256 {
        // SAFETY: `self` proves AVX; eight floats and a vector of them are the same bytes.
        unsafe { transmute::<[f32; 8], __m256>(*first(values)) }
    }

    #[inline(always)]
    fn store(self, vector: __m256, values: &mut [f32]) {
        // SAFETY: as in `load`.
        *first_mut(values) = unsafe { transmute::<__m256, [f32; 8]>(vector) };
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves AVX.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: `self` proves FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
}

impl Octets for Avx2 {
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves AVX.
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    fn sum(self, vector: __m256) -> f32 {
        // SAFETY: `self` proves AVX.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(vector), _mm256_extractf128_ps::<1>(vector));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn bf16(self, values: &[u16; 8]) -> __m256 {
        // SAFETY: `self` proves AVX2; eight halves and a vector of them are the same bytes.
        unsafe {
            let wide = _mm256_cvtepu16_epi32(transmute::<[u16; 8], __m128i>(*values));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
        }
    }

    #[inline(always)]
    fn int8(self, codes: [u8; 8]) -> __m256 {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let codes = _mm_cvtsi64_si128(i64::from_le_bytes(codes));
            let signed = _mm_xor_si128(codes, _mm_set1_epi8(-128));
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(signed))
        }
    }

    #[inline(always)]
    fn nf4(self, codes: &[u8; 32], high: bool) -> [__m256; 4] {
        // SAFETY: `self` proves AVX2; 32 bytes and a vector of them are the same.
        unsafe {
            let codes = transmute::<[u8; 32], __m256i>(*codes);
            let codes = if high { _mm256_srli_epi16::<4>(codes) } else { codes };
            let index = _mm256_and_si256(codes, _mm256_set1_epi8(15));
            let p0 = _mm256_shuffle_epi8(transmute::<[u8; 32], __m256i>(LEVEL_BYTES[0]), index);
            let p1 = _mm256_shuffle_epi8(transmute::<[u8; 32], __m256i>(LEVEL_BYTES[1]), index);
            let p2 = _mm256_shuffle_epi8(transmute::<[u8; 32], __m256i>(LEVEL_BYTES[2]), index);
            let p3 = _mm256_shuffle_epi8(transmute::<[u8; 32], __m256i>(LEVEL_BYTES[3]), index);
            let (low_a, low_b) = (_mm256_unpacklo_epi8(p0, p1), _mm256_unpackhi_epi8(p0, p1));
            let (high_a, high_b) = (_mm256_unpacklo_epi8(p2, p3), _mm256_unpackhi_epi8(p2, p3));
            [
                _mm256_castsi256_ps(_mm256_unpacklo_epi16(low_a, high_a)),
                _mm256_castsi256_ps(_mm256_unpackhi_epi16(low_a, high_a)),
                _mm256_castsi256_ps(_mm256_unpacklo_epi16(low_b, high_b)),
                _mm256_castsi256_ps(_mm256_unpackhi_epi16(low_b, high_b)),
            ]
        }
    }

    #[inline(always)]
    fn transpose(self, r: [__m256; 8]) -> [__m256; 8] {
        // SAFETY: `self` proves AVX.
        unsafe {
            let (a0, a1) = (_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpackhi_ps(r[0], r[1]));
            let (a2, a3) = (_mm256_unpacklo_ps(r[2], r[3]), _mm256_unpackhi_ps(r[2], r[3]));
            let (a4, a5) = (_mm256_unpacklo_ps(r[4], r[5]), _mm256_unpackhi_ps(r[4], r[5]));
            let (a6, a7) = (_mm256_unpacklo_ps(r[6], r[7]), _mm256_unpackhi_ps(r[6], r[7]));
            let (b0, b1) = (_mm256_shuffle_ps::<0x44>(a0, a2), _mm256_shuffle_ps::<0xee>(a0, a2));
            let (b2, b3) = (_mm256_shuffle_ps::<0x44>(a1, a3), _mm256_shuffle_ps::<0xee>(a1, a3));
            let (b4, b5) = (_mm256_shuffle_ps::<0x44>(a4, a6), _mm256_shuffle_ps::<0xee>(a4, a6));
            let (b6, b7) = (_mm256_shuffle_ps::<0x44>(a5, a7), _mm256_shuffle_ps::<0xee>(a5, a7));
            [
                _mm256_permute2f128_ps::<0x20>(b0, b4),
                _mm256_permute2f128_ps::<0x20>(b1, b5),
                _mm256_permute2f128_ps::<0x20>(b2, b6),
                _mm256_permute2f128_ps::<0x20>(b3, b7),
                _mm256_permute2f128_ps::<0x31>(b0, b4),
                _mm256_permute2f128_ps::<0x31>(b1, b5),
                _mm256_permute2f128_ps::<0x31>(b2, b6),
                _mm256_permute2f128_ps::<0x31>(b3, b7),
            ]
        }
    }
}

impl Lanes for WideOctets {
    type Vector = __m256;
    const COUNT: usize = 8;

    #[inline(always)]
    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw")]
        fn compiled<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        // SAFETY: `self`, made of an `Avx2` and a proof of the others, proves all four.
        unsafe { compiled(body) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        self.0.splat(value)
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> __m256 {
        self.0.load(values)
    }

    #[inline(always)]
    fn store(self, vector: __m256, values: &mut [f32]) {
        self.0.store(vector, values);
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        self.0.add(a, b)
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        self.0.mul_add(a, b, c)
    }
}

/// Where the halves of `interleave` come from: 0..32 even ones, 32..64 odd ones.
const fn interleaved(from: u16) -> [u16; GROUP] {
    let mut places = [0; GROUP];
    let mut i = 0;
    while i < GROUP {
        places[i] = from + (i / 2) as u16 + 32 * (i % 2) as u16;
        i += 1;
    }
    places
}

impl Octets for WideOctets {
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        self.0.mul(a, b)
    }

    #[inline(always)]
    fn sum(self, vector: __m256) -> f32 {
        self.0.sum(vector)
    }

    #[inline(always)]
    fn bf16(self, values: &[u16; 8]) -> __m256 {
        self.0.bf16(values)
    }

    #[inline(always)]
    fn int8(self, codes: [u8; 8]) -> __m256 {
        self.0.int8(codes)
    }

    #[inline(always)]
    fn nf4(self, codes: &[u8; 32], high: bool) -> [__m256; 4] {
        self.0.nf4(codes, high)
    }

    #[inline(always)]
    fn transpose(self, rows: [__m256; 8]) -> [__m256; 8] {
        self.0.transpose(rows)
    }

    #[inline(always)]
    fn transpose_pairs(self, rows: &[[u16; GROUP]; 16]) -> [[u16; GROUP]; 16] {
        // SAFETY: `self` proves AVX-512; sixteen words and 32 halves are the same bytes.
        unsafe {
            let r = rows.map(|row| transmute::<[u16; GROUP], __m512i>(row));
            let zero = _mm512_set1_epi32(0);
            let (mut t, mut u) = ([zero; 16], [zero; 16]);
            for i in 0..8 {
                t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
                t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
            }
            // Lane l of u[4·g + c] holds column 4·l + c of rows 4·g to 4·g + 3.
            for g in 0..4 {
                let i = 4 * g;
                u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
                u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
                u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
                u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
            }
            let mut columns = [zero; 16];
            for c in 0..4 {
                let (a, b, d, e) = (u[c], u[4 + c], u[8 + c], u[12 + c]);
                let (even, even_below) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0x88>(d, e));
                let (odd, odd_below) = (_mm512_shuffle_i32x4::<0xdd>(a, b), _mm512_shuffle_i32x4::<0xdd>(d, e));
                columns[c] = _mm512_shuffle_i32x4::<0x88>(even, even_below);
                columns[4 + c] = _mm512_shuffle_i32x4::<0x88>(odd, odd_below);
                columns[8 + c] = _mm512_shuffle_i32x4::<0xdd>(even, even_below);
                columns[12 + c] = _mm512_shuffle_i32x4::<0xdd>(odd, odd_below);
            }
            columns.map(|column| transmute::<__m512i, [u16; GROUP]>(column))
        }
    }

    #[inline(always)]
    fn interleave(self, even: [u16; GROUP], odd: [u16; GROUP]) -> [[u16; GROUP]; 2] {
        const FIRST: [u16; GROUP] = interleaved(0);
        const SECOND: [u16; GROUP] = interleaved(16);
        let vector = |halves| {
            // SAFETY: the same bytes.
            unsafe { transmute::<[u16; GROUP], __m512i>(halves) }
        };
        let (even, odd) = (vector(even), vector(odd));
        // SAFETY: `self` proves AVX-512 BW; the same bytes again.
        [FIRST, SECOND].map(|places| unsafe {
            transmute::<__m512i, [u16; GROUP]>(_mm512_permutex2var_epi16(even, vector(places), odd))
        })
    }
}

impl Lanes for Avx512 {
    type Vector = __m512;
    const COUNT: usize = 16;

    #[inline(always)]
    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx512f")]
        fn compiled<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        // SAFETY: `self` proves the feature.
        unsafe { compiled(body) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> __m512 {
        // SAFETY: `self` proves AVX-512; sixteen floats and a vector of them are the same bytes.
        unsafe { transmute::<[f32; 16], __m512>(*first(values)) }
    }

    #[inline(always)]
    fn store(self, vector: __m512, values: &mut [f32]) {
        // SAFETY: as in `load`.
        *first_mut(values) = unsafe { transmute::<__m512, [f32; 16]>(vector) };
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
}

impl Lanes for Avx512Bf16 {
    type Vector = __m512;
    const COUNT: usize = 16;

    #[inline(always)]
    fn run<R>(self, body: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx512f,avx512bf16")]
        fn compiled<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        // SAFETY: `self` proves both features.
        unsafe { compiled(body) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        self.0.splat(value)
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> __m512 {
        self.0.load(values)
    }

    #[inline(always)]
    fn store(self, vector: __m512, values: &mut [f32]) {
        self.0.store(vector, values);
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        self.0.add(a, b)
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        self.0.mul_add(a, b, c)
    }
}

impl Pairs for Avx512Bf16 {
    type Halves = __m512bh;

    #[inline(always)]
    fn splat_pair(self, [low, high]: [u16; 2]) -> __m512bh {
        let bits = u32::from(low) | u32::from(high) << 16;
        // SAFETY: `self` proves AVX-512; 16 words and 32 halves are the same bytes.
        unsafe { transmute::<__m512i, __m512bh>(_mm512_set1_epi32(bits.cast_signed())) }
    }

    #[inline(always)]
    fn halves(self, values: &[u16; GROUP]) -> __m512bh {
        // SAFETY: the same bytes.
        unsafe { transmute::<[u16; GROUP], __m512bh>(*values) }
    }

    #[inline(always)]
    fn dot(self, sum: __m512, a: __m512bh, b: __m512bh) -> __m512 {
        // SAFETY: `self` proves the unit.
        unsafe { _mm512_dpbf16_ps(sum, a, b) }
    }
}
