//! An allocator that finds reads and writes out of bounds, uses after a free, and results that depend on uninitialised
//! memory. Every buffer of numbers ends at a page that cannot be touched, or begins after one (in turn), a freed one cannot
//! be touched either, and a new one is full of NaN. A kernel that leaves its operands by one element ends the process with
//! SIGSEGV, in whatever instructions it is written.
#![allow(unsafe_code, reason = "an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const PAGE: usize = 4096;
/// Addresses, not memory: each is used once, or a use after a free would not be noticed.
const REGION: usize = 256 << 30;
/// Fenced buffers at a time: each takes two of the 65,530 mappings that Linux grants a process.
const AT_ONCE: usize = 20_000;

pub(crate) struct Fence;

static START: OnceLock<usize> = OnceLock::new();
static USED: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);
static TURN: AtomicUsize = AtomicUsize::new(0);

/// The reserved addresses; 0 where the system grants none.
fn region() -> usize {
    *START.get_or_init(|| {
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new private mapping at a place of the kernel's choice touches nothing that exists.
        let start = unsafe { libc::mmap(null_mut(), REGION, libc::PROT_NONE, kind, -1, 0) };
        if start == libc::MAP_FAILED { 0 } else { start as usize }
    })
}

/// Numbers and codes; words and pointers, which are aligned to 8, are the standard library's.
fn is_numbers(layout: Layout) -> bool {
    layout.size() > 0 && layout.align() <= PAGE && !matches!(layout.align(), 8 | 16)
}

fn pages(layout: Layout) -> usize {
    layout.size().div_ceil(PAGE) * PAGE
}

fn fenced(layout: Layout) -> *mut u8 {
    let (start, bytes) = (region(), pages(layout));
    if start == 0 || LIVE.load(Relaxed) >= AT_ONCE {
        return null_mut();
    }
    let offset = USED.fetch_add(bytes + PAGE, Relaxed);
    if offset + bytes + PAGE > REGION {
        return null_mut();
    }
    let first = (start + offset) as *mut u8;
    // SAFETY: these pages lie in the region and are nobody else's.
    if unsafe { libc::mprotect(first.cast(), bytes, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
        return null_mut();
    }
    LIVE.fetch_add(1, Relaxed);
    let room = bytes - layout.size();
    let at_the_end = TURN.fetch_add(1, Relaxed).is_multiple_of(2);
    let skipped = if at_the_end { room / layout.align() * layout.align() } else { 0 };
    // SAFETY: the pages can be written now. All bits set is NaN in f32 and bf16.
    unsafe {
        first.write_bytes(0xFF, bytes);
        first.add(skipped)
    }
}

// SAFETY: fenced blocks are fresh pages, aligned and large enough; all others are the system's.
unsafe impl GlobalAlloc for Fence {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = if is_numbers(layout) { fenced(layout) } else { null_mut() };
        if block.is_null() {
            // SAFETY: the caller's contract.
            return unsafe { System.alloc(layout) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let start = START.get().copied().unwrap_or(0);
        if start == 0 || !(start..start + REGION).contains(&(block as usize)) {
            // SAFETY: the caller's contract; the block is the system's.
            return unsafe { System.dealloc(block, layout) };
        }
        let first = (block as usize / PAGE * PAGE) as *mut libc::c_void;
        // SAFETY: the pages of this block alone, which nobody may use any more.
        unsafe {
            libc::mprotect(first, pages(layout), libc::PROT_NONE);
            libc::madvise(first, pages(layout), libc::MADV_DONTNEED);
        }
        LIVE.fetch_sub(1, Relaxed);
    }
}
