//! Buffers that a thread keeps, so that packing allocates nothing from the second product on.

use std::cell::Cell;

/// Cache lines begin at multiples of this many bytes.
const LINE: usize = 64;

/// Calls `work` with `length` elements of no particular value, aligned to cache lines.
pub(crate) fn with_scratch<T: Element, R>(length: usize, work: impl FnOnce(&mut [T]) -> R) -> R {
    // Taken out while in use: a thread that waits for others may start another product meanwhile.
    let mut buffers = T::take();
    let mut buffer = buffers.pop().unwrap_or_default();
    let slack = LINE / size_of::<T>();
    if buffer.len() < length + slack {
        buffer.resize(length + slack, T::default());
    }
    let skip = buffer.as_ptr().align_offset(LINE).min(slack);
    T::put(buffers);
    let result = work(&mut buffer[skip..skip + length]);
    let mut buffers = T::take();
    buffers.push(buffer);
    T::put(buffers);
    result
}

/// What products are packed as.
pub(crate) trait Element: Copy + Default + Send + Sync + 'static {
    fn take() -> Vec<Vec<Self>>;
    fn put(buffers: Vec<Vec<Self>>);
}

macro_rules! element {
    ($type:ty, $kept:ident) => {
        thread_local! {
            static $kept: Cell<Vec<Vec<$type>>> = const { Cell::new(Vec::new()) };
        }

        impl Element for $type {
            fn take() -> Vec<Vec<Self>> {
                $kept.take()
            }

            fn put(buffers: Vec<Vec<Self>>) {
                $kept.set(buffers);
            }
        }
    };
}

element!(f32, FLOATS);
element!(u16, HALVES);
element!(u8, BYTES);
