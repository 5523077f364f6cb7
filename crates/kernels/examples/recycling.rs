//! What the recycling allocator saves: the same candle ops with the system's large blocks and with recycled ones.
//! `cargo run --release -p kernels --example recycling`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program")]
#![allow(unsafe_code, reason = "hands requests on to one of two allocators")]

use candle_core::{Device, Tensor};
use kernels::{RecyclingAllocator, memory_in_use};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

static RECYCLE: AtomicBool = AtomicBool::new(false);

/// Only for a program that holds no large block while the switch is turned: small ones are the system's either way.
struct Switched;

#[global_allocator]
static ALLOCATOR: Switched = Switched;

// SAFETY: both allocators keep the contract, and each gets back what it gave, as said above.
unsafe impl GlobalAlloc for Switched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is theirs.
        unsafe { if RECYCLE.load(Ordering::Relaxed) { RecyclingAllocator.alloc(layout) } else { System.alloc(layout) } }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe {
            if RECYCLE.load(Ordering::Relaxed) {
                RecyclingAllocator.dealloc(block, layout);
            } else {
                System.dealloc(block, layout);
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            if RECYCLE.load(Ordering::Relaxed) {
                RecyclingAllocator.alloc_zeroed(layout)
            } else {
                System.alloc_zeroed(layout)
            }
        }
    }
}

type Op = fn(&Tensor) -> candle_core::Result<Tensor>;

/// Median milliseconds of an op on `[rows, 16384]`.
fn time(rows: usize, work: impl Fn(&Tensor) -> candle_core::Result<Tensor>) -> f64 {
    let x = Tensor::ones((rows, 16384), candle_core::DType::F32, &Device::Cpu).unwrap();
    let mut times: Vec<f64> = (0..11)
        .map(|_| {
            let start = Instant::now();
            work(&x).unwrap();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[5]
}

fn main() {
    let ops: [(&str, usize, Op); 4] = [
        ("candle add, 100 MiB", 1600, |x| x + x),
        ("candle add, 4 MiB", 64, |x| x + x),
        ("swiglu, 100 MiB in", 1600, |x| kernels::swiglu(x)),
        ("swiglu_backward, 100 MiB", 1600, |x| kernels::swiglu_backward(x, &x.narrow(1, 0, 8192)?)),
    ];
    println!("{:28} {:>10} {:>10} {:>6}", "milliseconds", "system", "recycled", "ratio");
    for (name, rows, op) in ops {
        RECYCLE.store(false, Ordering::Relaxed);
        let system = time(rows, op);
        RECYCLE.store(true, Ordering::Relaxed);
        let recycled = time(rows, op);
        println!("{name:28} {system:10.2} {recycled:10.2} {:6.2}", system / recycled);
    }
    println!("{:?}", memory_in_use());
}
