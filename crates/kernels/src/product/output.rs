//! The output, shared between threads that write different parts of it.
#![allow(unsafe_code, reason = "threads write disjoint tiles of one buffer; tiles are checked against it when made")]

use std::marker::PhantomData;

/// An output matrix whose rows begin `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a> {
    start: *mut f32,
    rows: usize,
    columns: usize,
    stride: usize,
    buffer: PhantomData<&'a mut [f32]>,
}

// SAFETY: a plain buffer of floats; `tile` asks its callers for disjoint parts.
unsafe impl Send for Output<'_> {}
// SAFETY: as above.
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    /// `rows` × `columns` inside `buffer`.
    ///
    /// # Panics
    /// If they do not fit, which would be a bug in this crate: the ops have compared shapes before.
    pub(crate) fn new(buffer: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> Self {
        let fits = rows == 0 || columns == 0 || (columns <= stride && (rows - 1) * stride + columns <= buffer.len());
        assert!(fits, "product: {rows} x {columns} at stride {stride} in {}", buffer.len());
        Self { start: buffer.as_mut_ptr(), rows, columns, stride, buffer: PhantomData }
    }

    /// A new row-major matrix that `write` fills. Its memory is not cleared before: products overwrite all of it.
    pub(crate) fn collect(rows: usize, columns: usize, write: impl FnOnce(&mut Output<'_>)) -> Vec<f32> {
        let mut values: Vec<f32> = Vec::with_capacity(rows * columns);
        let start = values.as_mut_ptr();
        write(&mut Output { start, rows, columns, stride: columns, buffer: PhantomData });
        // SAFETY: the capacity is there, and `drive` (what every `write` of this crate is) writes each element.
        unsafe { values.set_len(rows * columns) };
        values
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The part from (`row`, `column`) on, at most `rows` × `columns` large.
    ///
    /// # Safety
    /// No other tile alive overlaps it, and what is read from it has been written before.
    pub(crate) unsafe fn tile(&self, row: usize, column: usize, rows: usize, columns: usize) -> Tile<'a> {
        assert!(row <= self.rows && column <= self.columns, "product: tile outside its output");
        let (rows, columns) = (rows.min(self.rows - row), columns.min(self.columns - column));
        // SAFETY: (row, column) is inside or one past the buffer that `new` checked.
        let start =
            if rows == 0 || columns == 0 { self.start } else { unsafe { self.start.add(row * self.stride + column) } };
        Tile { start, rows, columns, stride: self.stride, buffer: PhantomData }
    }
}

/// A part of an [`Output`] that one thread writes.
pub(crate) struct Tile<'a> {
    start: *mut f32,
    rows: usize,
    columns: usize,
    stride: usize,
    buffer: PhantomData<&'a mut [f32]>,
}

impl Tile<'_> {
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes between the beginnings of rows.
    pub(crate) fn stride_bytes(&self) -> usize {
        self.stride * size_of::<f32>()
    }

    #[inline(always)]
    pub(crate) fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows, "product: row outside its tile");
        // SAFETY: the tile lies inside its output, and nobody else has it. Floats have no invalid bits; a caller that adds
        // has written them before.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.stride), self.columns) }
    }

    /// All rows, if there are as many as `ROWS`.
    #[inline(always)]
    pub(crate) fn all_rows<const ROWS: usize>(&mut self) -> Option<[&mut [f32]; ROWS]> {
        (self.rows == ROWS).then(|| {
            // SAFETY: as in `row`; rows do not overlap.
            std::array::from_fn(|row| unsafe {
                std::slice::from_raw_parts_mut(self.start.add(row * self.stride), self.columns)
            })
        })
    }

    /// Asks for all of it.
    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        #[cfg(target_arch = "x86_64")]
        for row in 0..self.rows {
            for column in (0..self.columns).step_by(16) {
                // SAFETY: a hint; any address will do.
                unsafe {
                    std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(
                        self.start.wrapping_add(row * self.stride + column).cast(),
                    );
                }
            }
        }
    }
}
