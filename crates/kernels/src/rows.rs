//! Row-wise work over several threads, split by shape alone.
#![allow(unsafe_code, reason = "new memory is handed out block by block, after the block was filled")]

use rayon::prelude::*;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Below this many elements a task costs more to hand out than to do; 32 KiB of f32 stay in the nearest cache.
const ELEMENTS_PER_TASK: usize = 8192;

fn rows_per_task(columns: usize) -> usize {
    ELEMENTS_PER_TASK.div_ceil(columns.max(1))
}

/// A new row-major `[rows, columns]`, written by `work(first_row, block)` block by block. Blocks arrive as zeros: zeroed
/// one at a time while they are in cache, where `vec![0.0; n]` would send the whole result through memory once more.
pub(crate) fn new_rows(rows: usize, columns: usize, work: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    new_rows_and(rows, columns, work).0
}

/// As [`new_rows`]; also what `work` returned for each block, in order.
pub(crate) fn new_rows_and<R: Send>(
    rows: usize,
    columns: usize,
    work: impl Fn(usize, &mut [f32]) -> R + Sync,
) -> (Vec<f32>, Vec<R>) {
    let (size, block) = (rows * columns, rows_per_task(columns));
    let mut out = Vec::with_capacity(size);
    if size == 0 {
        return (out, Vec::new());
    }
    let fill = |(i, chunk): (usize, &mut [MaybeUninit<f32>])| {
        chunk.fill(MaybeUninit::new(0.0));
        // SAFETY: every element of the chunk was written in the line above.
        work(i * block, unsafe { chunk.assume_init_mut() })
    };
    let spare = &mut out.spare_capacity_mut()[..size];
    let results = if size <= ELEMENTS_PER_TASK {
        spare.chunks_mut(block * columns).enumerate().map(fill).collect()
    } else {
        spare.par_chunks_mut(block * columns).enumerate().map(fill).collect()
    };
    // SAFETY: the chunks cover the first `size` elements, and each was filled.
    unsafe { out.set_len(size) };
    (out, results)
}

/// Calls `work(row_range)` on blocks of `rows` rows and returns the results in order of the blocks. The blocks depend
/// on the shape only, so a sum over them in order is the same for any number of threads.
pub(crate) fn map_blocks<R: Send>(rows: usize, columns: usize, work: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
    let block = rows_per_task(columns);
    let blocks = rows.div_ceil(block);
    let range = |i: usize| i * block..rows.min((i + 1) * block);
    if blocks <= 1 {
        return (0..blocks).map(|i| work(range(i))).collect();
    }
    (0..blocks).into_par_iter().map(|i| work(range(i))).collect()
}

/// Adds `other` to `sum`, element by element.
#[inline(always)]
pub(crate) fn add_assign(sum: &mut [f32], other: &[f32]) {
    for (s, o) in sum.iter_mut().zip(other) {
        *s += o;
    }
}
