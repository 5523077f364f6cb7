//! One result that several tasks write at different places.
#![allow(unsafe_code, reason = "disjoint writes from several threads; extents are checked here")]

use std::marker::PhantomData;

/// A slice that tasks write at places no other task touches.
#[derive(Clone, Copy)]
pub(super) struct Scatter<'a> {
    start: *mut f32,
    len: usize,
    values: PhantomData<&'a mut [f32]>,
}

// SAFETY: the slice is borrowed for 'a, and the callers of `write` keep their places apart.
unsafe impl Send for Scatter<'_> {}
// SAFETY: as above.
unsafe impl Sync for Scatter<'_> {}

impl<'a> Scatter<'a> {
    pub(super) fn new(values: &'a mut [f32]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), values: PhantomData }
    }

    /// Copies `values` times `factor` to `at`.
    ///
    /// # Safety
    /// No other thread writes these places at the same time.
    #[inline(always)]
    pub(super) unsafe fn write(self, at: usize, values: &[f32], factor: f32) {
        assert!(at + values.len() <= self.len, "attention: {} values at {at} of {}", values.len(), self.len);
        // SAFETY: in bounds by the line above, and nobody else's by the contract.
        let target = unsafe { std::slice::from_raw_parts_mut(self.start.add(at), values.len()) };
        for (t, value) in target.iter_mut().zip(values) {
            *t = value * factor;
        }
    }
}
