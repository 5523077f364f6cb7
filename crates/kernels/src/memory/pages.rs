//! Pages from the kernel and back.

use std::ptr::null_mut;

/// Blocks begin at huge pages, or the kernel could not use any for their first part.
pub(super) const HUGE_PAGE: usize = 2 << 20;

/// `size` zeroed bytes at a multiple of [`HUGE_PAGE`], in huge pages where the kernel has them; null if it has no memory.
/// `size` is a multiple of the page size.
pub(super) fn map(size: usize) -> *mut u8 {
    let Some(span) = size.checked_add(HUGE_PAGE) else { return null_mut() };
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new private mapping at a place of the kernel's choice touches nothing that exists.
    let start = unsafe { libc::mmap(null_mut(), span, access, kind, -1, 0) };
    if start == libc::MAP_FAILED {
        return null_mut();
    }
    let start = start.cast::<u8>();
    let before = start.align_offset(HUGE_PAGE);
    // SAFETY: `before` ≤ HUGE_PAGE, so the block and what stands before and after it are parts of the new mapping.
    unsafe {
        let block = start.add(before);
        unmap(start, before);
        unmap(block.add(size), HUGE_PAGE - before);
        // Without huge pages it works as well, only slower.
        libc::madvise(block.cast(), size, libc::MADV_HUGEPAGE);
        block
    }
}

/// Gives pages back.
///
/// # Safety
/// They are part of a mapping made by [`map`], and nobody uses them.
pub(super) unsafe fn unmap(start: *mut u8, size: usize) {
    if size > 0 {
        // SAFETY: by the contract. A refusal (too many mappings) leaves them mapped, which is harmless.
        unsafe { libc::munmap(start.cast(), size) };
    }
}
