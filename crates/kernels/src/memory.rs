//! A global allocator that keeps large blocks instead of handing them back to the kernel.
//!
//! Every candle op makes its result in a fresh `Vec`. The C library maps a large one anew each time and unmaps it when it
//! is freed, so that each page of each result is faulted in and zeroed by the kernel: for element-wise work that costs
//! several times the work itself.
#![allow(unsafe_code, reason = "an allocator hands out raw memory; each block belongs to one owner at a time")]

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod pages;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod pool;

use std::alloc::{GlobalAlloc, Layout, System};

/// Bytes in large blocks of the process, as the installed [`RecyclingAllocator`] counts them; all 0 without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryInUse {
    /// In blocks that somebody holds.
    pub live: usize,
    /// In freed blocks that wait to be used again.
    pub kept: usize,
    /// The most that was ever live.
    pub peak: usize,
}

/// Large blocks in use now.
pub fn memory_in_use() -> MemoryInUse {
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    return POOL.in_use();
    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    MemoryInUse::default()
}

/// Blocks from 1 MiB on come from huge pages and are kept when they are freed; smaller ones are the system's. What is
/// live and kept together stays below 9/8 of the most that was ever live, so the process is hardly larger than it would
/// be without. Elsewhere than on 64-bit Linux this is the system's allocator.
///
/// ```standalone_crate
/// #[global_allocator]
/// static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;
///
/// fn main() {
///     let tensor = vec![1f32; 1 << 20];
///     drop(tensor);
/// #   #[cfg(target_os = "linux")]
///     assert!(kernels::memory_in_use().kept >= 4 << 20);
/// }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct RecyclingAllocator;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
static POOL: pool::Pool = pool::Pool::new();

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
// SAFETY: whether a layout is the pool's or the system's depends on the layout alone, so what one of them gave out comes
// back to it; each of them keeps the contract of `GlobalAlloc`.
unsafe impl GlobalAlloc for RecyclingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if pool::is_large(layout) {
            return POOL.alloc(layout.size()).start;
        }
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if pool::is_large(layout) {
            return POOL.alloc_zeroed(layout.size());
        }
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: by the caller's contract the block came from `alloc` with this layout, so from the one asked here.
        unsafe {
            if pool::is_large(layout) {
                POOL.dealloc(block, layout.size());
            } else {
                System.dealloc(block, layout);
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller vouches that the new size fits a layout of the same alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: the block came from the side that its layout names; a move copies what both sizes have in common.
        unsafe {
            match (pool::is_large(layout), pool::is_large(new_layout)) {
                (false, false) => System.realloc(block, layout, new_size),
                (true, true) if POOL.resize(block, layout.size(), new_size) => block,
                _ => {
                    let moved = self.alloc(new_layout);
                    if !moved.is_null() {
                        std::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                        self.dealloc(block, layout);
                    }
                    moved
                }
            }
        }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
// SAFETY: the system's allocator keeps the contract.
unsafe impl GlobalAlloc for RecyclingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is the system's.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's contract is the system's.
        unsafe { System.realloc(block, layout, new_size) }
    }
}
