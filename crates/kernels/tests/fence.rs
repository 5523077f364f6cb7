//! The fence that the other tests of this folder run within really is one.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![allow(unsafe_code, reason = "leaves its buffers on purpose")]
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod common;

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// Reads one element before or behind each of two buffers: one of them has the fence on that side.
fn leave(before: bool) -> f32 {
    let buffers = [black_box(vec![1f32; 5]), black_box(vec![2f32; 7])];
    let read = |buffer: &Vec<f32>| {
        let place = if before { buffer.as_ptr().wrapping_sub(1) } else { buffer.as_ptr().wrapping_add(buffer.len()) };
        // SAFETY: none, which is the point: the process is to end here.
        unsafe { black_box(place).read_volatile() }
    };
    buffers.iter().map(read).sum()
}

#[test]
#[ignore = "ends the process: the next test runs it in a process of its own"]
fn a_read_behind() {
    black_box(leave(false));
}

#[test]
#[ignore = "ends the process: the next test runs it in a process of its own"]
fn a_read_before() {
    black_box(leave(true));
}

#[test]
#[ignore = "ends the process: the next test runs it in a process of its own"]
fn a_use_after_a_free() {
    let buffer = black_box(vec![1f32; 5]);
    let place = buffer.as_ptr();
    drop(buffer);
    // SAFETY: none, as above.
    black_box(unsafe { black_box(place).read_volatile() });
}

#[test]
fn leaving_a_buffer_by_one_element_or_using_a_freed_one_ends_the_process() {
    for child in ["a_read_behind", "a_read_before", "a_use_after_a_free"] {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", child])
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.signal(), Some(libc::SIGSEGV), "{child}: {status}");
    }
}

#[test]
fn a_new_buffer_is_full_of_nan_and_a_zeroed_one_of_zeros() {
    let buffer: Vec<f32> = black_box(Vec::with_capacity(100));
    // SAFETY: 100 elements were asked for, and the allocator has written each.
    let value = |i: usize| unsafe { buffer.as_ptr().add(i).read_volatile() };
    assert!((0..100).all(|i| value(i).is_nan()));
    assert!(black_box(vec![0f32; 100]).iter().all(|&value| value == 0.0));
}
