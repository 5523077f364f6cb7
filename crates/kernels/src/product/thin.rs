//! Products with few columns, such as x·Aᵀ of an adapter: the left operand is read once and used for little, so that packing
//! it must cost next to nothing.

use super::kernel::{Kernel, Left, Right, write_sums};
use super::lanes::{Lanes, Octets};
use super::output::Tile;
use super::pack;
use std::ops::Range;

/// Neighbours of a row that stay together in a strip: a cache line.
const LINE: usize = 16;

/// As [`super::kernel::Vectors`], with strips in the order in which rows are stored, `[depth/16][ROWS][16]`: packing them
/// turns nothing around.
#[derive(Clone, Copy)]
pub(crate) struct Thin<O, L, const ROWS: usize, const VECTORS: usize> {
    /// Packs the right operand.
    pub(crate) octets: O,
    /// Multiplies.
    pub(crate) lanes: L,
}

impl<O: Octets, L: Lanes, const ROWS: usize, const VECTORS: usize> Kernel for Thin<O, L, ROWS, VECTORS> {
    type Element = f32;
    type Session = ();
    const ROWS: usize = ROWS;
    const COLUMNS: usize = VECTORS * L::COUNT;
    const DEPTH: usize = 256;
    const STEP: usize = LINE;

    fn session(self) {}

    fn pack_strip(self, left: Left<'_>, row: usize, depth: Range<usize>, out: &mut [f32]) {
        self.lanes.run(
            #[inline(always)]
            || lines::<ROWS>(left, row, depth, out),
        );
    }

    fn pack_panels(self, right: Right<'_>, column: usize, depth: Range<usize>, out: &mut [f32]) {
        self.octets.run(
            #[inline(always)]
            || {
                let (width, padded) = (Self::COLUMNS, depth.len().next_multiple_of(LINE));
                for (i, panel) in out.chunks_exact_mut(width * padded).enumerate() {
                    let (panel, rest) = panel.split_at_mut(width * depth.len());
                    pack::panels(self.octets, width, right, column + i * width, depth.clone(), panel);
                    rest.fill(0.0);
                }
            },
        );
    }

    fn multiply(self, (): &mut (), strip: &[f32], panel: &[f32], tile: Tile<'_>, add: bool) {
        self.lanes.run(
            #[inline(always)]
            || sums::<L, ROWS, VECTORS>(self.lanes, strip, panel, tile, add),
        );
    }
}

#[inline(always)]
fn lines<const ROWS: usize>(left: Left<'_>, row: usize, depth: Range<usize>, out: &mut [f32]) {
    let (lines, _) = out.as_chunks_mut::<LINE>();
    for i in 0..ROWS {
        let lines = lines.iter_mut().skip(i).step_by(ROWS);
        if row + i >= left.rows {
            lines.for_each(|line| line.fill(0.0));
            continue;
        }
        if left.transposed {
            for (line, at) in lines.zip(depth.clone().step_by(LINE)) {
                for (k, value) in line.iter_mut().enumerate() {
                    let inside = at + k < depth.end;
                    *value = if inside { left.values[(at + k) * left.stride + row + i] * left.scale } else { 0.0 };
                }
            }
            continue;
        }
        let (whole, rest) = left.values[(row + i) * left.stride..][depth.clone()].as_chunks::<LINE>();
        let mut lines = lines;
        // In this order: a line taken for nothing would be missing for the rest.
        for (values, line) in whole.iter().zip(lines.by_ref()) {
            *line = values.map(|value| value * left.scale);
        }
        if let (false, Some(line)) = (rest.is_empty(), lines.next()) {
            *line = std::array::from_fn(|k| rest.get(k).map_or(0.0, |value| value * left.scale));
        }
    }
}

#[inline(always)]
fn sums<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    lanes: L,
    strip: &[f32],
    panel: &[f32],
    mut tile: Tile<'_>,
    add: bool,
) {
    tile.prefetch();
    let mut sums = [[lanes.splat(0.0); VECTORS]; ROWS];
    let strip = strip.as_chunks::<LINE>().0.as_chunks::<ROWS>().0;
    for (left, right) in strip.iter().zip(panel.chunks_exact(LINE * VECTORS * L::COUNT)) {
        for (k, right) in right.chunks_exact(VECTORS * L::COUNT).enumerate() {
            let mut vectors = [lanes.splat(0.0); VECTORS];
            for j in 0..VECTORS {
                vectors[j] = lanes.load(&right[j * L::COUNT..]);
            }
            for i in 0..ROWS {
                let value = lanes.splat(left[i][k & (LINE - 1)]);
                for j in 0..VECTORS {
                    sums[i][j] = lanes.mul_add(value, vectors[j], sums[i][j]);
                }
            }
        }
    }
    write_sums(lanes, sums, &mut tile, add);
}
