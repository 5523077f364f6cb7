//! Row-wise work over several threads, split by shape alone.

use rayon::prelude::*;

/// Below this many elements a task costs more to hand out than to do.
const ELEMENTS_PER_TASK: usize = 8192;

fn rows_per_task(columns: usize) -> usize {
    ELEMENTS_PER_TASK.div_ceil(columns.max(1))
}

/// Calls `work(first_row, block)` on blocks of whole rows of `out`.
pub(crate) fn for_blocks(out: &mut [f32], columns: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let block = rows_per_task(columns);
    if columns == 0 || out.len() <= ELEMENTS_PER_TASK {
        work(0, out);
        return;
    }
    out.par_chunks_mut(block * columns).enumerate().for_each(|(i, chunk)| work(i * block, chunk));
}

/// As [`for_blocks`], over two outputs of the same shape.
pub(crate) fn for_block_pairs(
    left: &mut [f32],
    right: &mut [f32],
    columns: usize,
    work: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
) {
    let block = rows_per_task(columns);
    if columns == 0 || left.len() <= ELEMENTS_PER_TASK {
        work(0, left, right);
        return;
    }
    let size = block * columns;
    left.par_chunks_mut(size).zip(right.par_chunks_mut(size)).enumerate().for_each(|(i, (a, b))| work(i * block, a, b));
}

/// Calls `work(row_range)` on blocks of `rows` rows and returns the results in order of the blocks. The blocks depend
/// on the shape only, so a sum over them in order is the same for any number of threads.
pub(crate) fn map_blocks<R: Send>(
    rows: usize,
    columns: usize,
    work: impl Fn(std::ops::Range<usize>) -> R + Sync,
) -> Vec<R> {
    let block = rows_per_task(columns);
    let blocks = rows.div_ceil(block);
    let range = |i: usize| i * block..rows.min((i + 1) * block);
    if blocks <= 1 {
        return (0..blocks).map(|i| work(range(i))).collect();
    }
    (0..blocks).into_par_iter().map(|i| work(range(i))).collect()
}

/// Adds `other` to `sum`, element by element.
pub(crate) fn add_assign(sum: &mut [f32], other: &[f32]) {
    for (s, o) in sum.iter_mut().zip(other) {
        *s += o;
    }
}
