//! Products of bf16 by an instruction that adds the products of two pairs to each sum (AVX-512 BF16).

use super::kernel::{Kernel, Left, Right, write_sums};
use super::lanes::{Octets, Pairs};
use super::matrix::GROUP;
use super::output::Tile;
use super::pack_bf16::{self, SIDE, TILE};
use std::ops::Range;

/// Rows whose sums stay in registers: 12 × 2 of 32, which leaves room for the operands.
const ROWS: usize = 12;
const COLUMNS: usize = 2 * SIDE;

/// 12×32 blocks of the output. A strip is `[depth/32][12][32]`, panels are those of AMX.
#[derive(Clone, Copy)]
pub(crate) struct PairDots<O, P> {
    /// Packs.
    pub(crate) octets: O,
    /// Multiplies.
    pub(crate) pairs: P,
}

impl<O: Octets, P: Pairs> Kernel for PairDots<O, P> {
    type Element = u16;
    type Session = ();
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    const DEPTH: usize = 512;
    const STEP: usize = GROUP;

    fn session(self) {}

    fn pack_strip(self, left: Left<'_>, row: usize, depth: Range<usize>, out: &mut [u16]) {
        pack_bf16::strip::<O, ROWS>(self.octets, left, row, depth, out);
    }

    fn pack_panels(self, right: Right<'_>, column: usize, depth: Range<usize>, out: &mut [u16]) {
        pack_bf16::panels(self.octets, right, column, depth, out);
    }

    fn multiply(self, (): &mut (), strip: &[u16], panel: &[u16], tile: Tile<'_>, add: bool) {
        self.pairs.run(
            #[inline(always)]
            || sums(self.pairs, strip, panel, tile, add),
        );
    }
}

#[inline(always)]
fn sums<P: Pairs>(pairs: P, strip: &[u16], panel: &[u16], mut tile: Tile<'_>, add: bool) {
    const { assert!(P::COUNT == SIDE) };
    tile.prefetch();
    let mut sums = [[pairs.splat(0.0); 2]; ROWS];
    let strip = strip.as_chunks::<GROUP>().0.as_chunks::<ROWS>().0;
    let panel = panel.as_chunks::<GROUP>().0.as_chunks::<{ 2 * TILE / GROUP }>().0;
    for (left, right) in strip.iter().zip(panel) {
        for pair in 0..SIDE {
            let vectors = [pairs.halves(&right[pair]), pairs.halves(&right[SIDE + pair])];
            for i in 0..ROWS {
                let both = pairs.splat_pair([left[i][2 * pair], left[i][2 * pair + 1]]);
                for j in 0..2 {
                    sums[i][j] = pairs.dot(sums[i][j], both, vectors[j]);
                }
            }
        }
    }
    write_sums(pairs, sums, &mut tile, add);
}
