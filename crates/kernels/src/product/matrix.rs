//! Stored matrices, read 32 neighbours of a row at a time as vectors of f32.

use super::lanes::Octets;
use crate::quantised::BLOCK;

/// Neighbours that are read together.
pub(crate) const GROUP: usize = 32;

/// A matrix in some form, row by row.
pub(crate) trait Rows: Copy + Send + Sync {
    type Row: Row;

    fn row(self, row: usize) -> Self::Row;

    /// What [`Row::group`] reads of `row` at `at` will be needed. Nothing happens outside the matrix.
    fn prefetch(self, row: usize, at: usize, into: Cache);
}

/// Where something is wanted.
#[derive(Clone, Copy)]
pub(crate) enum Cache {
    /// The first level: it is read at once.
    Nearest,
    /// The second level: it is read later.
    Near,
}

/// One stored row.
pub(crate) trait Row: Copy {
    /// The 32 values from column `at` on, a multiple of 32. Beyond the row's end: zeros, or what a last block was filled up
    /// with.
    fn group<L: Octets>(self, lanes: L, at: usize) -> [L::Vector; 4];

    /// Columns.
    fn length(self) -> usize;

    /// The dot product with `left`, which is followed by zeros up to a multiple of [`BLOCK`].
    fn dot<L: Octets>(self, lanes: L, left: &[f32]) -> f32;

    /// The 32 values from column `at` on, rounded to bf16.
    #[inline(always)]
    fn halves<L: Octets>(self, lanes: L, at: usize) -> [u16; GROUP] {
        let mut values = [0f32; GROUP];
        for (vector, octet) in self.group(lanes, at).into_iter().zip(values.chunks_exact_mut(8)) {
            lanes.store(vector, octet);
        }
        values.map(round_to_bf16)
    }
}

/// The nearest bf16, ties to even.
#[inline(always)]
pub(crate) fn round_to_bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    // A NaN stays one: rounding could carry it into infinity, so its quiet bit is set instead.
    (if value.is_nan() { bits >> 16 | 0x40 } else { rounded }) as u16
}

#[inline(always)]
fn prefetch<T>(place: Option<&T>, into: Cache) {
    #[cfg(target_arch = "x86_64")]
    if let Some(place) = place {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        let place = std::ptr::from_ref(place).cast();
        #[allow(unsafe_code, reason = "a hint to the processor, which has no safe name")]
        // SAFETY: the place exists, and nothing is read.
        unsafe {
            match into {
                Cache::Nearest => _mm_prefetch::<_MM_HINT_T0>(place),
                Cache::Near => _mm_prefetch::<_MM_HINT_T1>(place),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (place, into);
}

/// What is left of a row, and zeros.
#[inline(always)]
fn padded<T: Copy + Default>(tail: &[T]) -> [T; GROUP] {
    let mut group = [T::default(); GROUP];
    group[..tail.len()].copy_from_slice(tail);
    group
}

/// Four sums, one for each octet of a group, so that no addition waits for the one before.
#[derive(Clone, Copy)]
struct Sums<L: Octets>([L::Vector; 4]);

impl<L: Octets> Sums<L> {
    #[inline(always)]
    fn zero(lanes: L) -> Self {
        Self([lanes.splat(0.0); 4])
    }

    #[inline(always)]
    fn add(self, lanes: L, group: [L::Vector; 4], left: &[f32; GROUP]) -> Self {
        let [a, b, c, d] = octets(left);
        Self([
            lanes.mul_add(lanes.load(a), group[0], self.0[0]),
            lanes.mul_add(lanes.load(b), group[1], self.0[1]),
            lanes.mul_add(lanes.load(c), group[2], self.0[2]),
            lanes.mul_add(lanes.load(d), group[3], self.0[3]),
        ])
    }

    #[inline(always)]
    fn total(self, lanes: L) -> L::Vector {
        let [a, b, c, d] = self.0;
        lanes.add(lanes.add(a, b), lanes.add(c, d))
    }
}

/// The four octets of a group.
#[inline(always)]
fn octets<T>(group: &[T; GROUP]) -> [&[T; 8]; 4] {
    match group.as_chunks().0 {
        [a, b, c, d] => [a, b, c, d],
        _ => unreachable!("a group has four octets"),
    }
}

/// f32 rows, `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Floats<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) columns: usize,
    pub(crate) stride: usize,
}

impl<'a> Rows for Floats<'a> {
    type Row = &'a [f32];

    #[inline(always)]
    fn row(self, row: usize) -> &'a [f32] {
        &self.values[row * self.stride..][..self.columns]
    }

    #[inline(always)]
    fn prefetch(self, row: usize, at: usize, into: Cache) {
        prefetch(self.values.get(row * self.stride + at), into);
        prefetch(self.values.get(row * self.stride + at + GROUP / 2), into);
    }
}

#[inline(always)]
fn floats<L: Octets>(lanes: L, group: &[f32; GROUP]) -> [L::Vector; 4] {
    let [a, b, c, d] = octets(group);
    [lanes.load(a), lanes.load(b), lanes.load(c), lanes.load(d)]
}

impl Row for &[f32] {
    #[inline(always)]
    fn length(self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn group<L: Octets>(self, lanes: L, at: usize) -> [L::Vector; 4] {
        let tail = &self[at..];
        match tail.first_chunk() {
            Some(group) => floats(lanes, group),
            None => floats(lanes, &padded(tail)),
        }
    }

    #[inline(always)]
    fn dot<L: Octets>(self, lanes: L, left: &[f32]) -> f32 {
        let (groups, tail) = self.as_chunks();
        let (left, _) = left.as_chunks();
        let mut sums = Sums::zero(lanes);
        for (group, left) in groups.iter().zip(left) {
            sums = sums.add(lanes, floats(lanes, group), left);
        }
        if let (false, Some(left)) = (tail.is_empty(), left.get(groups.len())) {
            sums = sums.add(lanes, floats(lanes, &padded(tail)), left);
        }
        lanes.sum(sums.total(lanes))
    }
}

/// bf16 rows, as their bits, `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Halves<'a> {
    pub(crate) values: &'a [u16],
    pub(crate) columns: usize,
    pub(crate) stride: usize,
}

impl<'a> Rows for Halves<'a> {
    type Row = &'a [u16];

    #[inline(always)]
    fn row(self, row: usize) -> &'a [u16] {
        &self.values[row * self.stride..][..self.columns]
    }

    #[inline(always)]
    fn prefetch(self, row: usize, at: usize, into: Cache) {
        prefetch(self.values.get(row * self.stride + at), into);
    }
}

#[inline(always)]
fn halves<L: Octets>(lanes: L, group: &[u16; GROUP]) -> [L::Vector; 4] {
    let [a, b, c, d] = octets(group);
    [lanes.bf16(a), lanes.bf16(b), lanes.bf16(c), lanes.bf16(d)]
}

impl Row for &[u16] {
    #[inline(always)]
    fn length(self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn group<L: Octets>(self, lanes: L, at: usize) -> [L::Vector; 4] {
        let tail = &self[at..];
        match tail.first_chunk() {
            Some(group) => halves(lanes, group),
            None => halves(lanes, &padded(tail)),
        }
    }

    #[inline(always)]
    fn dot<L: Octets>(self, lanes: L, left: &[f32]) -> f32 {
        let (groups, tail) = self.as_chunks();
        let (left, _) = left.as_chunks();
        let mut sums = Sums::zero(lanes);
        for (group, left) in groups.iter().zip(left) {
            sums = sums.add(lanes, halves(lanes, group), left);
        }
        if let (false, Some(left)) = (tail.is_empty(), left.get(groups.len())) {
            sums = sums.add(lanes, halves(lanes, &padded(tail)), left);
        }
        lanes.sum(sums.total(lanes))
    }

    #[inline(always)]
    fn halves<L: Octets>(self, _lanes: L, at: usize) -> [u16; GROUP] {
        let tail = &self[at..];
        tail.first_chunk().copied().unwrap_or_else(|| padded(tail))
    }
}

/// Codes in blocks, and a scale for each block.
#[derive(Clone, Copy)]
pub(crate) struct Blocks<'a> {
    pub(crate) codes: &'a [u8],
    pub(crate) scales: &'a [f32],
    /// Blocks of a row.
    pub(crate) per_row: usize,
    /// Whether the scales of a row are all the same.
    pub(crate) shared: bool,
}

impl<'a> Blocks<'a> {
    /// One row, if a block's codes take `bytes`.
    #[inline(always)]
    fn row(self, row: usize, bytes: usize) -> Self {
        let per_row = self.per_row;
        let codes = &self.codes[row * per_row * bytes..][..per_row * bytes];
        Self { codes, scales: &self.scales[row * per_row..][..per_row], ..self }
    }

    #[inline(always)]
    fn prefetch(self, row: usize, at: usize, bytes: usize, into: Cache) {
        /// Scales of a cache line.
        const SCALES: usize = 16;
        // A block takes a line, or half of one: its second group came with the first.
        if !at.is_multiple_of(BLOCK) {
            return;
        }
        let number = at / BLOCK;
        let block = row * self.per_row + number;
        prefetch(self.codes.get(block * bytes), into);
        if number.is_multiple_of(SCALES) {
            prefetch(self.scales.get(block), into);
        }
    }

    /// The group of codes that starts at byte `at`.
    #[inline(always)]
    fn codes_at(self, at: usize) -> &'a [u8; GROUP] {
        self.codes[at..].first_chunk().unwrap_or_else(|| unreachable!("blocks are whole"))
    }
}

/// 8-bit codes.
#[derive(Clone, Copy)]
pub(crate) struct Int8<'a>(pub(crate) Blocks<'a>);

impl Rows for Int8<'_> {
    type Row = Self;

    #[inline(always)]
    fn row(self, row: usize) -> Self {
        Self(self.0.row(row, BLOCK))
    }

    #[inline(always)]
    fn prefetch(self, row: usize, at: usize, into: Cache) {
        self.0.prefetch(row, at, BLOCK, into);
    }
}

#[inline(always)]
fn int8<L: Octets>(lanes: L, codes: &[u8; GROUP]) -> [L::Vector; 4] {
    let [a, b, c, d] = octets(codes);
    [lanes.int8(*a), lanes.int8(*b), lanes.int8(*c), lanes.int8(*d)]
}

/// What a scale of 8-bit codes is a multiple of.
pub(super) const INT8_STEP: f32 = 1.0 / 127.0;

impl Row for Int8<'_> {
    #[inline(always)]
    fn length(self) -> usize {
        self.0.scales.len() * BLOCK
    }

    #[inline(always)]
    fn group<L: Octets>(self, lanes: L, at: usize) -> [L::Vector; 4] {
        let scale = self.0.scales[at / BLOCK] * INT8_STEP;
        scaled(lanes, int8(lanes, self.0.codes_at(at)), scale)
    }

    #[inline(always)]
    fn dot<L: Octets>(self, lanes: L, left: &[f32]) -> f32 {
        let mut total = lanes.splat(0.0);
        let (codes, _) = self.0.codes.as_chunks::<BLOCK>();
        for ((codes, scale), left) in codes.iter().zip(self.0.scales).zip(left.as_chunks::<BLOCK>().0) {
            let mut sums = Sums::zero(lanes);
            for (codes, left) in codes.as_chunks().0.iter().zip(left.as_chunks().0) {
                sums = sums.add(lanes, int8(lanes, codes), left);
            }
            total = lanes.mul_add(lanes.splat(scale * INT8_STEP), sums.total(lanes), total);
        }
        lanes.sum(total)
    }
}

#[inline(always)]
fn scaled<L: Octets>(lanes: L, [a, b, c, d]: [L::Vector; 4], scale: f32) -> [L::Vector; 4] {
    let scale = lanes.splat(scale);
    [lanes.mul(scale, a), lanes.mul(scale, b), lanes.mul(scale, c), lanes.mul(scale, d)]
}

/// 4-bit codes.
#[derive(Clone, Copy)]
pub(crate) struct Nf4<'a>(pub(crate) Blocks<'a>);

impl Rows for Nf4<'_> {
    type Row = Self;

    #[inline(always)]
    fn row(self, row: usize) -> Self {
        Self(self.0.row(row, BLOCK / 2))
    }

    #[inline(always)]
    fn prefetch(self, row: usize, at: usize, into: Cache) {
        self.0.prefetch(row, at, BLOCK / 2, into);
    }
}

impl Row for Nf4<'_> {
    #[inline(always)]
    fn length(self) -> usize {
        self.0.scales.len() * BLOCK
    }

    #[inline(always)]
    fn group<L: Octets>(self, lanes: L, at: usize) -> [L::Vector; 4] {
        let block = at / BLOCK;
        let codes = self.0.codes_at(block * (BLOCK / 2));
        scaled(lanes, lanes.nf4(codes, !at.is_multiple_of(BLOCK)), self.0.scales[block])
    }

    #[inline(always)]
    fn dot<L: Octets>(self, lanes: L, left: &[f32]) -> f32 {
        let mut total = lanes.splat(0.0);
        let (codes, _) = self.0.codes.as_chunks();
        for ((codes, scale), left) in codes.iter().zip(self.0.scales).zip(left.as_chunks::<BLOCK>().0) {
            let mut sums = Sums::zero(lanes);
            for (left, high) in left.as_chunks().0.iter().zip([false, true]) {
                sums = sums.add(lanes, lanes.nf4(codes, high), left);
            }
            total = lanes.mul_add(lanes.splat(*scale), sums.total(lanes), total);
        }
        lanes.sum(total)
    }
}

/// A stored matrix of any kind.
#[derive(Clone, Copy)]
pub(crate) enum Matrix<'a> {
    Floats(Floats<'a>),
    Halves(Halves<'a>),
    Int8(Int8<'a>),
    Nf4(Nf4<'a>),
}

/// Calls a function that is generic over [`Rows`] with whatever a [`Matrix`] is.
macro_rules! with_rows {
    ($matrix:expr, $rows:ident => $body:expr) => {
        match $matrix {
            Matrix::Floats($rows) => $body,
            Matrix::Halves($rows) => $body,
            Matrix::Int8($rows) => $body,
            Matrix::Nf4($rows) => $body,
        }
    };
}
pub(crate) use with_rows;
