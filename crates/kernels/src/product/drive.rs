//! The loops around a kernel: what is packed when, and who computes which part of the output.

use super::kernel::{Kernel, Left, Right};
use super::output::Output;
use super::scratch::{Element, with_scratch};
use rayon::prelude::*;
use std::ops::Range;

/// One product of a sum of products. A transposed right operand may cover some of the output's columns only.
#[derive(Clone, Copy)]
pub(crate) struct Term<'a> {
    pub(crate) left: Left<'a>,
    pub(crate) right: Right<'a>,
}

impl Term<'_> {
    fn touches(&self, columns: &Range<usize>) -> bool {
        match self.right {
            Right::Plain(_) => true,
            Right::Transposed(_, first, count) => first < columns.end && columns.start < first + count,
        }
    }
}

/// A piece of a term's inner dimension, as deep as a kernel takes at once.
struct Chunk<'a> {
    term: Term<'a>,
    depth: Range<usize>,
    /// Packed depth.
    padded: usize,
    /// Where its packed elements begin, in depths.
    offset: usize,
    /// Whether it overwrites the output.
    first: bool,
}

/// Depth that is packed before anything is multiplied: bounds the packed operand, not the number of sums in memory.
const BATCH: usize = 2048 + 128;
/// Rows of the left operand that are packed together, for the same reason.
const MAX_ROWS: usize = 2048;
/// Panels that an item packs together: columns of the output that stay in cache while all of the depth passes.
const PANELS: usize = 4;
/// Rows of packed strips that stay in cache while they meet the panels.
const ROW_BLOCK: usize = 192;
/// Outputs narrower than this are split by rows and not by columns.
const NARROW: usize = 256;

/// output (+)= Σ terms.
pub(crate) fn drive<K: Kernel<Element: Element>>(kernel: K, output: &mut Output<'_>, terms: &[Term<'_>], keep: bool) {
    let whole = match terms.first() {
        Some(term) if term.left.depth > 0 => match term.right {
            Right::Plain(_) => true,
            Right::Transposed(_, first, count) => first == 0 && count >= output.columns(),
        },
        _ => false,
    };
    if !keep && !whole {
        #[allow(unsafe_code, reason = "the only tile alive")]
        // SAFETY: no other tile is alive, and what it holds is written only.
        let mut tile = unsafe { output.tile(0, 0, output.rows(), output.columns()) };
        for row in 0..tile.rows() {
            tile.row(row).fill(0.0);
        }
    }
    let keep = keep || !whole;
    let mut chunks = Vec::new();
    for term in terms {
        for start in (0..term.left.depth).step_by(K::DEPTH) {
            let depth = start..term.left.depth.min(start + K::DEPTH);
            let padded = depth.len().next_multiple_of(K::STEP) + K::TAIL;
            chunks.push(Chunk { term: *term, depth, padded, offset: 0, first: !keep && chunks.is_empty() });
        }
    }
    let output = &*output;
    let passes = output.rows().div_ceil(MAX_ROWS).max(1);
    let pass = output.rows().div_ceil(passes).next_multiple_of(K::ROWS);
    let mut rest = chunks.as_mut_slice();
    while !rest.is_empty() {
        let mut total = 0;
        let mut count = 0;
        for chunk in rest.iter_mut() {
            if total > 0 && total + chunk.padded > BATCH {
                break;
            }
            chunk.offset = total;
            total += chunk.padded;
            count += 1;
        }
        let (batch, later) = rest.split_at_mut(count);
        for row in (0..output.rows()).step_by(pass.max(1)) {
            let rows = row..output.rows().min(row + pass);
            if output.columns() <= NARROW {
                narrow(kernel, output, batch, total, rows);
            } else {
                wide(kernel, output, batch, total, rows);
            }
        }
        rest = later;
    }
}

/// All strips are packed first, by everyone; each item packs the panels of its own columns.
fn wide<K: Kernel<Element: Element>>(
    kernel: K,
    output: &Output<'_>,
    batch: &[Chunk<'_>],
    total: usize,
    rows: Range<usize>,
) {
    let strips = rows.len().div_ceil(K::ROWS);
    let group = PANELS * K::COLUMNS;
    with_scratch::<K::Element, _>(strips * K::ROWS * total, |packed| {
        pack_strips(kernel, batch, rows.clone(), packed);
        let packed = &*packed;
        (0..output.columns().div_ceil(group)).into_par_iter().for_each(|item| {
            let columns = item * group..output.columns().min((item + 1) * group);
            let panels = columns.len().div_ceil(K::COLUMNS);
            with_scratch::<K::Element, _>(panels * K::COLUMNS * (K::DEPTH + K::TAIL), |local| {
                let mut chunks = batch.iter().filter(|chunk| chunk.term.touches(&columns)).peekable();
                while let Some(chunk) = chunks.next() {
                    let local = &mut local[..panels * K::COLUMNS * chunk.padded];
                    kernel.pack_panels(chunk.term.right, columns.start, chunk.depth.clone(), local);
                    let strips = &packed[strips * K::ROWS * chunk.offset..][..strips * K::ROWS * chunk.padded];
                    // After the last chunk most likely the neighbouring columns follow.
                    let next = match (chunks.peek(), batch.first()) {
                        (Some(next), _) => Some((*next, columns.clone())),
                        (None, Some(next)) => Some((next, columns.end..output.columns().min(columns.end + group))),
                        _ => None,
                    };
                    multiply(kernel, output, chunk, (strips, rows.clone()), (local, columns.clone()), next.as_ref());
                }
            });
        });
    });
}

/// All panels are packed first; each item packs the strips of its own rows.
fn narrow<K: Kernel<Element: Element>>(
    kernel: K,
    output: &Output<'_>,
    batch: &[Chunk<'_>],
    total: usize,
    rows: Range<usize>,
) {
    let columns = 0..output.columns();
    let panels = columns.len().div_ceil(K::COLUMNS);
    let block = (ROW_BLOCK / 4).next_multiple_of(K::ROWS);
    with_scratch::<K::Element, _>(panels * K::COLUMNS * total, |packed| {
        split(packed, panels * K::COLUMNS, batch)
            .into_par_iter()
            .for_each(|(chunk, part)| kernel.pack_panels(chunk.term.right, 0, chunk.depth.clone(), part));
        let packed = &*packed;
        (0..rows.len().div_ceil(block)).into_par_iter().for_each(|item| {
            let start = rows.start + item * block;
            let rows = start..rows.end.min(start + block);
            let strips = rows.len().div_ceil(K::ROWS);
            with_scratch::<K::Element, _>(strips * K::ROWS * (K::DEPTH + K::TAIL), |local| {
                for chunk in batch {
                    let local = &mut local[..strips * K::ROWS * chunk.padded];
                    for (i, strip) in local.chunks_exact_mut(K::ROWS * chunk.padded).enumerate() {
                        kernel.pack_strip(chunk.term.left, rows.start + i * K::ROWS, chunk.depth.clone(), strip);
                    }
                    let panels = &packed[panels * K::COLUMNS * chunk.offset..][..panels * K::COLUMNS * chunk.padded];
                    multiply(kernel, output, chunk, (local, rows.clone()), (panels, columns.clone()), None);
                }
            });
        });
    });
}

/// The part of a packed operand that belongs to each chunk.
fn split<'a, 'b, 'c, T>(
    mut packed: &'a mut [T],
    width: usize,
    batch: &'b [Chunk<'c>],
) -> Vec<(&'b Chunk<'c>, &'a mut [T])> {
    let mut parts = Vec::with_capacity(batch.len());
    for chunk in batch {
        let (part, rest) = packed.split_at_mut(width * chunk.padded);
        parts.push((chunk, part));
        packed = rest;
    }
    parts
}

fn pack_strips<K: Kernel>(kernel: K, batch: &[Chunk<'_>], rows: Range<usize>, packed: &mut [K::Element]) {
    /// Strips a task packs at least.
    const STRIPS: usize = 8;
    let width = rows.len().div_ceil(K::ROWS) * K::ROWS;
    split(packed, width, batch).into_par_iter().for_each(|(chunk, part)| {
        part.par_chunks_mut(STRIPS * K::ROWS * chunk.padded).enumerate().for_each(|(block, part)| {
            for (i, strip) in part.chunks_exact_mut(K::ROWS * chunk.padded).enumerate() {
                let row = rows.start + (block * STRIPS + i) * K::ROWS;
                kernel.pack_strip(chunk.term.left, row, chunk.depth.clone(), strip);
            }
        });
    });
}

/// Every strip with every panel of one chunk. Meanwhile the right operand of the `next` one comes nearer, for columns of it.
fn multiply<K: Kernel>(
    kernel: K,
    output: &Output<'_>,
    chunk: &Chunk<'_>,
    (strips, rows): (&[K::Element], Range<usize>),
    (panels, columns): (&[K::Element], Range<usize>),
    next: Option<&(&Chunk<'_>, Range<usize>)>,
) {
    let mut session = kernel.session();
    let tiles = rows.len().div_ceil(K::ROWS) * columns.len().div_ceil(K::COLUMNS);
    let mut done = 0;
    let block = ROW_BLOCK.next_multiple_of(K::ROWS);
    let strip_length = K::ROWS * chunk.padded;
    for (from, strips) in rows.step_by(block).zip(strips.chunks(block / K::ROWS * strip_length)) {
        for (column, panel) in columns.clone().step_by(K::COLUMNS).zip(panels.chunks_exact(K::COLUMNS * chunk.padded)) {
            for (i, strip) in strips.chunks_exact(strip_length).enumerate() {
                #[allow(unsafe_code, reason = "items own disjoint rows or columns of the output")]
                // SAFETY: an item's rows and columns belong to it alone, and its tiles follow one another. What is added
                // to was written by the chunk marked first, or the output was to be kept.
                let tile = unsafe { output.tile(from + i * K::ROWS, column, K::ROWS, K::COLUMNS) };
                if let Some((next, columns)) = next {
                    next.term.right.prefetch(columns.clone(), next.depth.clone(), (done, tiles));
                }
                done += 1;
                kernel.multiply(&mut session, strip, panel, tile, !chunk.first);
            }
        }
    }
}
