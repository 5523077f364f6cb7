//! Products of bf16 on tiles of 16 rows by 64 bytes, as Intel's AMX computes them. All but the tile instructions is
//! ordinary code, generic over the unit that executes them, so that it is tested on every machine by an emulated one.
#![allow(
    unsafe_code,
    reason = "tile loads and stores take addresses; each names 16 rows of a slice or of a checked tile"
)]

use super::kernel::{Kernel, Left, Right};
use super::lanes::Octets;
use super::matrix::GROUP;
use super::output::Tile;
use super::pack_bf16::{self, SIDE, TILE};
use std::ops::Range;

/// Eight tile registers and what can be done with them.
pub(crate) trait Tiles: Copy + Send + Sync {
    /// The registers while they are configured, on one thread.
    type Registers;

    fn configure(self) -> Self::Registers;

    fn zero<const C: usize>(registers: &mut Self::Registers);

    /// # Safety
    /// 16 rows of 64 bytes, `stride` bytes apart, can be read from `from` on.
    unsafe fn load<const T: usize>(registers: &mut Self::Registers, from: *const u8, stride: usize);

    /// # Safety
    /// 16 rows of 64 bytes, `stride` bytes apart, can be written from `to` on.
    unsafe fn store<const T: usize>(registers: &mut Self::Registers, to: *mut u8, stride: usize);

    /// C[m][n] += Σₖ A[m][2k]·B[k][2n] + A[m][2k + 1]·B[k][2n + 1]: bf16 products, f32 sums.
    fn dot<const C: usize, const A: usize, const B: usize>(registers: &mut Self::Registers);
}

/// 32×32 blocks of the output in four tiles; two tiles each of the operands. A strip is `[depth/32][2][16 rows][32]`, a panel
/// `[depth/32][2][16 pairs of rows][16 columns][2]`.
#[derive(Clone, Copy)]
pub(crate) struct Amx<O, T> {
    /// Packs.
    pub(crate) octets: O,
    /// Multiplies.
    pub(crate) tiles: T,
}

impl<O: Octets, T: Tiles> Kernel for Amx<O, T> {
    type Element = u16;
    type Session = T::Registers;
    const ROWS: usize = 2 * SIDE;
    const COLUMNS: usize = 2 * SIDE;
    // A panel of 32 KiB stays in the nearest cache, and sums go to memory and back every 512 steps.
    const DEPTH: usize = 512;
    const STEP: usize = GROUP;

    fn session(self) -> T::Registers {
        self.tiles.configure()
    }

    fn pack_strip(self, left: Left<'_>, row: usize, depth: Range<usize>, out: &mut [u16]) {
        pack_bf16::strip::<O, { 2 * SIDE }>(self.octets, left, row, depth, out);
    }

    fn pack_panels(self, right: Right<'_>, column: usize, depth: Range<usize>, out: &mut [u16]) {
        pack_bf16::panels(self.octets, right, column, depth, out);
    }

    fn multiply(self, registers: &mut T::Registers, strip: &[u16], panel: &[u16], mut tile: Tile<'_>, add: bool) {
        tile.prefetch();
        let whole = tile.rows() == 2 * SIDE && tile.columns() == 2 * SIDE;
        if whole && add {
            each_quarter::<T>(registers, &mut tile, false);
        } else {
            T::zero::<0>(registers);
            T::zero::<1>(registers);
            T::zero::<2>(registers);
            T::zero::<3>(registers);
        }
        for (a, b) in strip.chunks_exact(2 * TILE).zip(panel.chunks_exact(2 * TILE)) {
            // SAFETY: each address begins a tile of 16 dense rows of 64 bytes inside its chunk of two.
            unsafe {
                T::load::<6>(registers, b.as_ptr().cast(), 2 * GROUP);
                T::load::<4>(registers, a.as_ptr().cast(), 2 * GROUP);
                T::dot::<0, 4, 6>(registers);
                T::load::<7>(registers, b[TILE..].as_ptr().cast(), 2 * GROUP);
                T::dot::<1, 4, 7>(registers);
                T::load::<5>(registers, a[TILE..].as_ptr().cast(), 2 * GROUP);
                T::dot::<2, 5, 6>(registers);
                T::dot::<3, 5, 7>(registers);
            }
        }
        if whole {
            each_quarter::<T>(registers, &mut tile, true);
            return;
        }
        let mut sums = [[0f32; 2 * SIDE]; 2 * SIDE];
        let stride = size_of_val(&sums[0]);
        let to = sums.as_mut_ptr().cast::<u8>();
        // SAFETY: the quarters of `sums`, 16 rows of 16 floats each.
        unsafe {
            T::store::<0>(registers, to, stride);
            T::store::<1>(registers, to.add(4 * SIDE), stride);
            T::store::<2>(registers, to.add(SIDE * stride), stride);
            T::store::<3>(registers, to.add(SIDE * stride + 4 * SIDE), stride);
        }
        for (i, sums) in sums.iter().enumerate().take(tile.rows()) {
            for (target, sum) in tile.row(i).iter_mut().zip(sums) {
                *target = if add { *target + sum } else { *sum };
            }
        }
    }
}

/// Loads the tiles 0 to 3 from the quarters of a whole output tile, or stores them there.
#[inline(always)]
fn each_quarter<T: Tiles>(registers: &mut T::Registers, tile: &mut Tile<'_>, store: bool) {
    let stride = tile.stride_bytes();
    let left = tile.row(0).as_mut_ptr().cast::<u8>();
    let lower = tile.row(SIDE).as_mut_ptr().cast::<u8>();
    // SAFETY: the tile is 32×32, so a quarter at column 0 or 16 of row 0 or 16 has 16 rows of 16 floats; to be loaded
    // they have been written before, which is what adding asks for.
    unsafe {
        let (right, lower_right) = (left.add(4 * SIDE), lower.add(4 * SIDE));
        if store {
            T::store::<0>(registers, left, stride);
            T::store::<1>(registers, right, stride);
            T::store::<2>(registers, lower, stride);
            T::store::<3>(registers, lower_right, stride);
        } else {
            T::load::<0>(registers, left, stride);
            T::load::<1>(registers, right, stride);
            T::load::<2>(registers, lower, stride);
            T::load::<3>(registers, lower_right, stride);
        }
    }
}

/// The tiles in plain Rust: what the instructions do, step by step.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(crate) struct Emulated;

#[cfg(test)]
impl Tiles for Emulated {
    type Registers = [[[u8; 4 * SIDE]; SIDE]; 8];

    fn configure(self) -> Self::Registers {
        [[[0; 4 * SIDE]; SIDE]; 8]
    }

    fn zero<const C: usize>(registers: &mut Self::Registers) {
        registers[C] = [[0; 4 * SIDE]; SIDE];
    }

    unsafe fn load<const T: usize>(registers: &mut Self::Registers, from: *const u8, stride: usize) {
        for (i, row) in registers[T].iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *row = unsafe { from.add(i * stride).cast::<[u8; 4 * SIDE]>().read_unaligned() };
        }
    }

    unsafe fn store<const T: usize>(registers: &mut Self::Registers, to: *mut u8, stride: usize) {
        for (i, row) in registers[T].iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { to.add(i * stride).cast::<[u8; 4 * SIDE]>().write_unaligned(*row) };
        }
    }

    fn dot<const C: usize, const A: usize, const B: usize>(registers: &mut Self::Registers) {
        let half = |bytes: &[u8; 4 * SIDE], i: usize| {
            f32::from_bits(u32::from_le_bytes([0, 0, bytes[2 * i], bytes[2 * i + 1]]))
        };
        for m in 0..SIDE {
            for n in 0..SIDE {
                let place = 4 * n..4 * n + 4;
                let mut sum = f32::from_le_bytes(registers[C][m][place.clone()].try_into().unwrap());
                for k in 0..SIDE {
                    sum += half(&registers[A][m], 2 * k) * half(&registers[B][k], 2 * n);
                    sum += half(&registers[A][m], 2 * k + 1) * half(&registers[B][k], 2 * n + 1);
                }
                registers[C][m][place].copy_from_slice(&sum.to_le_bytes());
            }
        }
    }
}
