//! The recycling allocator as a whole process has it.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![allow(unsafe_code, reason = "calls the allocator as the compiler would")]
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use candle_core::{Device, Tensor};
use kernels::{RecyclingAllocator, memory_in_use};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::alloc::{GlobalAlloc, Layout};

#[global_allocator]
static ALLOCATOR: RecyclingAllocator = RecyclingAllocator;

fn value(i: usize) -> u32 {
    (i as u32).wrapping_mul(2_654_435_761)
}

#[test]
fn vectors_grow_shrink_and_move_between_threads_with_their_values() {
    let work = |seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..6 {
            let mut numbers: Vec<u32> = Vec::new();
            let count = rng.random_range(1..3_000_000);
            (0..count).for_each(|i| numbers.push(value(i)));
            numbers.truncate(rng.random_range(1..=count));
            numbers.shrink_to_fit();
            let back = std::thread::spawn(move || numbers).join().unwrap();
            assert!(back.iter().enumerate().all(|(i, &v)| v == value(i)));
            let zeros = vec![0u32; count];
            assert!(zeros.iter().all(|&v| v == 0));
        }
    };
    std::thread::scope(|scope| (0..3).for_each(|seed| drop(scope.spawn(move || work(seed)))));
}

#[test]
fn every_size_and_alignment_is_served_and_survives_reallocation() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for _ in 0..300 {
        let align = 1 << rng.random_range(0..23);
        let mut size = 1usize << rng.random_range(0..23);
        size += rng.random_range(0..size);
        let layout = Layout::from_size_align(size, align).unwrap();
        // SAFETY: the layout has a size, and each block is used within it and freed with the layout it has then.
        unsafe {
            let zeroed: bool = rng.random();
            let mut block = if zeroed { ALLOCATOR.alloc_zeroed(layout) } else { ALLOCATOR.alloc(layout) };
            assert!(!block.is_null() && block.align_offset(align) == 0, "{layout:?}");
            if zeroed {
                assert!(std::slice::from_raw_parts(block, size).iter().all(|&b| b == 0), "{layout:?}");
            }
            (0..size).for_each(|i| block.add(i).write(value(i) as u8));
            let mut layout = layout;
            for _ in 0..3 {
                let new = 1 + rng.random_range(0..2 * layout.size());
                let common = new.min(size);
                block = ALLOCATOR.realloc(block, layout, new);
                layout = Layout::from_size_align(new, align).unwrap();
                assert!(!block.is_null() && block.align_offset(align) == 0, "{layout:?}");
                assert!((0..common).all(|i| block.add(i).read() == value(i) as u8), "{layout:?}");
                size = common;
            }
            ALLOCATOR.dealloc(block, layout);
        }
    }
}

#[test]
fn results_of_ops_land_in_recycled_memory_unchanged() {
    let x = Tensor::arange(0f32, 700_000.0, &Device::Cpu).unwrap();
    let expected = x.affine(2.0, 1.0).unwrap().to_vec1::<f32>().unwrap();
    for _ in 0..20 {
        let again = x.affine(2.0, 1.0).unwrap();
        let zeros = x.zeros_like().unwrap();
        assert_eq!(again.to_vec1::<f32>().unwrap(), expected);
        assert!(zeros.to_vec1::<f32>().unwrap().iter().all(|&v| v == 0.0));
    }
    let found = memory_in_use();
    assert!(found.live >= 2 * 2_800_000 && found.peak >= found.live, "{found:?}");
}
