//! Freed blocks, kept for the next request of their size.

use super::MemoryInUse;
use super::pages::{HUGE_PAGE, map, unmap};
use std::alloc::Layout;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Smaller requests are left to the system.
const LARGE: usize = 1 << 20;

/// Whether a request is the pool's. Depends on nothing else, so that a block finds its way back.
pub(super) fn is_large(layout: Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= HUGE_PAGE
}

/// The size of the block that serves a request: four sizes to each power of two, so that tensors of nearly equal size
/// share their blocks and at most a fifth of a block is unused.
fn block_size(size: usize) -> usize {
    size.next_multiple_of(1 << (size.ilog2() - 2))
}

#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) start: *mut u8,
    size: usize,
    /// Whether its bytes are still those of the kernel: zeros.
    fresh: bool,
}

/// The kept blocks, the one freed longest ago first. A fixed table, as nothing may be allocated here.
struct Kept {
    blocks: [Block; Kept::CAPACITY],
    count: usize,
    bytes: usize,
}

// SAFETY: nobody else has a pointer to a kept block.
unsafe impl Send for Kept {}

impl Kept {
    const CAPACITY: usize = 512;

    fn remove(&mut self, index: usize) -> Block {
        let block = self.blocks[index];
        self.blocks.copy_within(index + 1..self.count, index);
        self.count -= 1;
        self.bytes -= block.size;
        block
    }

    /// The block of this size that was freed last: the likeliest to be in a cache still.
    fn take(&mut self, size: usize) -> Option<Block> {
        let index = self.blocks[..self.count].iter().rposition(|block| block.size == size)?;
        Some(self.remove(index))
    }

    fn push(&mut self, block: Block) {
        self.blocks[self.count] = block;
        self.count += 1;
        self.bytes += block.size;
    }
}

pub(super) struct Pool {
    kept: Mutex<Kept>,
    live: AtomicUsize,
    peak: AtomicUsize,
}

impl Pool {
    pub(super) const fn new() -> Self {
        let none = Block { start: null_mut(), size: 0, fresh: false };
        let kept = Kept { blocks: [none; Kept::CAPACITY], count: 0, bytes: 0 };
        Self { kept: Mutex::new(kept), live: AtomicUsize::new(0), peak: AtomicUsize::new(0) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn in_use(&self) -> MemoryInUse {
        let kept = self.kept().bytes;
        MemoryInUse { live: self.live.load(Relaxed), kept, peak: self.peak.load(Relaxed) }
    }

    /// A block for `size` ≥ [`LARGE`] bytes; null if there is no memory.
    pub(super) fn alloc(&self, size: usize) -> Block {
        let size = block_size(size);
        let live = self.live.fetch_add(size, Relaxed) + size;
        self.peak.fetch_max(live, Relaxed);
        let kept = self.kept().take(size);
        let block = kept.unwrap_or_else(|| {
            self.give_back_beyond(self.allowance());
            let mut start = map(size);
            if start.is_null() {
                self.give_back_beyond(0);
                start = map(size);
            }
            Block { start, size, fresh: true }
        });
        if block.start.is_null() {
            self.live.fetch_sub(size, Relaxed);
        }
        block
    }

    /// As [`Pool::alloc`], with the first `size` bytes zero.
    pub(super) fn alloc_zeroed(&self, size: usize) -> *mut u8 {
        let block = self.alloc(size);
        if !block.start.is_null() && !block.fresh {
            // SAFETY: the block is ours and at least `size` bytes long.
            unsafe { block.start.write_bytes(0, size) };
        }
        block.start
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// It came from [`Pool::alloc`] for `size` bytes (or was resized to them), and nobody uses it.
    pub(super) unsafe fn dealloc(&self, start: *mut u8, size: usize) {
        let size = block_size(size);
        self.live.fetch_sub(size, Relaxed);
        let block = Block { start, size, fresh: false };
        let mut kept = self.kept();
        let displaced = (kept.count == Kept::CAPACITY).then(|| kept.remove(0));
        kept.push(block);
        drop(kept);
        if let Some(block) = displaced {
            // SAFETY: a kept block has no user, and it left the table.
            unsafe { unmap(block.start, block.size) };
        }
        self.give_back_beyond(self.allowance());
    }

    /// Whether the block could be made to serve `new` instead of `old` bytes where it stands: it already does, or its end
    /// was given back.
    ///
    /// # Safety
    /// As for [`Pool::dealloc`], but the block is the caller's.
    pub(super) unsafe fn resize(&self, start: *mut u8, old: usize, new: usize) -> bool {
        let (old, new) = (block_size(old), block_size(new));
        if new < old {
            // SAFETY: the block is `old` bytes long, and by the contract its user keeps the first `new` at most.
            unsafe { unmap(start.add(new), old - new) };
            self.live.fetch_sub(old - new, Relaxed);
        }
        new <= old
    }

    /// How much may be kept: with it the process has at most 9/8 of what it once needed.
    fn allowance(&self) -> usize {
        let peak = self.peak.load(Relaxed);
        (peak + peak / 8).saturating_sub(self.live.load(Relaxed))
    }

    fn give_back_beyond(&self, bytes: usize) {
        loop {
            let mut kept = self.kept();
            if kept.bytes <= bytes {
                return;
            }
            let block = kept.remove(0);
            drop(kept);
            // SAFETY: a kept block has no user, and it left the table.
            unsafe { unmap(block.start, block.size) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const MIB: usize = 1 << 20;

    /// One byte of every page.
    fn places(size: usize) -> impl Iterator<Item = usize> {
        (0..size).step_by(4096)
    }

    fn write(start: *mut u8, size: usize, mark: u8) {
        // SAFETY: the tests hold `size` bytes at `start`.
        places(size).for_each(|at| unsafe { start.add(at).write(mark) });
    }

    fn holds(start: *mut u8, size: usize, mark: u8) -> bool {
        // SAFETY: as above.
        places(size).all(|at| unsafe { start.add(at).read() } == mark)
    }

    #[test]
    fn a_block_wastes_at_most_a_fifth_and_its_size_serves_itself() {
        for size in (LARGE..40 * MIB).step_by(4093) {
            let block = block_size(size);
            assert!(block >= size && block * 4 <= size * 5 && block.is_multiple_of(4096), "{size}: {block}");
            assert_eq!(block_size(block), block);
        }
    }

    #[test]
    fn random_requests_keep_their_bytes_apart_and_the_kept_ones_bounded() {
        let (pool, mut rng) = (Pool::new(), ChaCha8Rng::seed_from_u64(1));
        let mut held: Vec<(*mut u8, usize, u8)> = Vec::new();
        let (mut live, mut peak) = (0, 0);
        for step in 0..600u32 {
            let mark = (step % 251) as u8 + 1;
            match rng.random_range(0..5) {
                0 | 1 if held.len() < 12 => {
                    let size = rng.random_range(LARGE..6 * MIB);
                    let zeroed = rng.random();
                    let start = if zeroed { pool.alloc_zeroed(size) } else { pool.alloc(size).start };
                    assert!(!start.is_null() && start.align_offset(HUGE_PAGE) == 0);
                    assert!(!zeroed || holds(start, size, 0), "step {step}: not zero");
                    write(start, size, mark);
                    held.push((start, size, mark));
                }
                2 if !held.is_empty() => {
                    let index = rng.random_range(0..held.len());
                    let (start, old, mark) = held[index];
                    let new = rng.random_range(LARGE..6 * MIB);
                    // SAFETY: the block is held with this size.
                    if unsafe { pool.resize(start, old, new) } {
                        assert!(holds(start, old.min(new), mark));
                        write(start, new, mark);
                        held[index].1 = new;
                    } else {
                        assert!(block_size(new) > block_size(old));
                    }
                }
                _ if !held.is_empty() => {
                    let (start, size, mark) = held.swap_remove(rng.random_range(0..held.len()));
                    assert!(holds(start, size, mark), "step {step}: somebody else wrote here");
                    // SAFETY: the block is held with this size, and forgotten now.
                    unsafe { pool.dealloc(start, size) };
                }
                _ => {}
            }
            live = held.iter().map(|&(_, size, _)| block_size(size)).sum::<usize>();
            peak = live.max(peak);
            let found = pool.in_use();
            assert_eq!((found.live, found.peak), (live, peak));
            assert!(found.live + found.kept <= peak + peak / 8, "step {step}: {found:?}");
        }
        for (start, size, mark) in held {
            assert!(holds(start, size, mark));
            // SAFETY: the block is held with this size.
            unsafe { pool.dealloc(start, size) };
        }
        assert!(pool.in_use().live == 0 && pool.in_use().kept > 0 && live > 0);
        pool.give_back_beyond(0);
        assert_eq!(pool.in_use().kept, 0);
    }

    #[test]
    fn the_next_request_of_the_same_size_gets_the_same_block_and_zeros_if_it_asks() {
        let pool = Pool::new();
        let first = pool.alloc(3 * MIB);
        assert!(first.fresh);
        write(first.start, 3 * MIB, 7);
        // SAFETY: held with this size.
        unsafe { pool.dealloc(first.start, 3 * MIB) };
        let again = pool.alloc(3 * MIB - 5);
        assert!(again.start == first.start && !again.fresh && holds(again.start, 3 * MIB - 5, 7));
        // SAFETY: held with this size.
        unsafe { pool.dealloc(again.start, 3 * MIB - 5) };
        let zeroed = pool.alloc_zeroed(3 * MIB);
        assert!(zeroed == first.start && holds(zeroed, 3 * MIB, 0));
        // SAFETY: held with this size.
        unsafe { pool.dealloc(zeroed, 3 * MIB) };
        pool.give_back_beyond(0);
    }

    #[test]
    fn more_freed_blocks_than_the_table_holds_push_out_the_oldest() {
        let pool = Pool::new();
        let blocks: Vec<_> = (0..Kept::CAPACITY + 3).map(|_| pool.alloc(LARGE).start).collect();
        for &start in &blocks {
            // SAFETY: held with this size.
            unsafe { pool.dealloc(start, LARGE) };
        }
        assert_eq!(pool.in_use().kept, Kept::CAPACITY * LARGE);
        assert_eq!(Some(&pool.alloc(LARGE).start), blocks.last());
        pool.give_back_beyond(0);
    }

    #[test]
    fn a_request_beyond_all_memory_is_refused_and_not_counted() {
        let pool = Pool::new();
        assert!(pool.alloc(1 << 60).start.is_null());
        assert_eq!(pool.in_use().live, 0);
    }

    #[test]
    fn threads_never_share_a_block() {
        let pool = Pool::new();
        std::thread::scope(|scope| {
            for thread in 0..4u8 {
                let pool = &pool;
                scope.spawn(move || {
                    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(thread));
                    let mut held: Vec<(*mut u8, usize)> = Vec::new();
                    for _ in 0..300 {
                        if held.len() < 4 && rng.random() {
                            let size = rng.random_range(LARGE..2 * MIB);
                            let start = pool.alloc(size).start;
                            write(start, size, thread + 1);
                            held.push((start, size));
                        } else if !held.is_empty() {
                            let (start, size) = held.swap_remove(rng.random_range(0..held.len()));
                            assert!(holds(start, size, thread + 1));
                            // SAFETY: held by this thread with this size.
                            unsafe { pool.dealloc(start, size) };
                        }
                    }
                    for (start, size) in held {
                        assert!(holds(start, size, thread + 1));
                        // SAFETY: as above.
                        unsafe { pool.dealloc(start, size) };
                    }
                });
            }
        });
        assert_eq!(pool.in_use().live, 0);
        pool.give_back_beyond(0);
    }
}
