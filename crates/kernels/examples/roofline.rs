//! What this machine can do (multiply-adds from registers, bytes from memory) and how near the products of Llama-3.2-1B's
//! layers come, with every form of weight. The best of several runs, since other programs only ever slow one down.
//! `cargo run -p kernels --example roofline [-- ROWS ...]`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program")]

use candle_core::{DType, Device, Tensor};
use kernels::{Branch, Quantisation, Weight, lora_backward, lora_forward};
use rayon::prelude::*;
use std::hint::black_box;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;

/// Least seconds of some runs.
fn seconds<R>(mut work: impl FnMut() -> R) -> f64 {
    let begin = Instant::now();
    let mut least = f64::MAX;
    let mut runs = 0;
    while runs < 5 || (begin.elapsed().as_secs_f64() < 1.0 && runs < 1000) {
        let start = Instant::now();
        black_box(work());
        least = least.min(start.elapsed().as_secs_f64());
        runs += 1;
    }
    least
}

/// Twelve vectors of eight: enough chains to hide the latency, few enough for sixteen registers.
const SUMS: usize = 12;
const LANES: usize = 8;

#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for what it is inlined into")]
fn multiply_adds(steps: usize, fused: bool) -> f32 {
    let (factor, term) = (black_box([0.999f32; LANES]), black_box([1e-3f32; LANES]));
    let mut sums = [[1f32; LANES]; SUMS];
    for _ in 0..steps {
        for sum in &mut sums {
            for lane in 0..LANES {
                let (old, factor, term) = (sum[lane], factor[lane], term[lane]);
                sum[lane] = if fused { old.mul_add(factor, term) } else { old * factor + term };
            }
        }
    }
    sums.iter().flatten().sum()
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "the same loop compiled for the processor that it was asked of")]
fn from_registers(steps: usize) -> f32 {
    #[target_feature(enable = "avx2,fma")]
    fn avx2(steps: usize) -> f32 {
        multiply_adds(steps, true)
    }
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the features were asked for in the line above.
        unsafe { avx2(steps) }
    } else {
        multiply_adds(steps, false)
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn from_registers(steps: usize) -> f32 {
    multiply_adds(steps, cfg!(target_arch = "aarch64"))
}

fn read(bytes: &[u64]) -> u64 {
    let mut sums = [0u64; 16];
    for words in bytes.as_chunks::<16>().0 {
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum ^= word;
        }
    }
    sums.iter().fold(0, |a, b| a ^ b)
}

/// GF/s of multiply-adds and GB/s of reading, on `threads` threads.
fn limits(threads: usize) -> (f64, f64) {
    const STEPS: usize = 5_000_000;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let memory = vec![1u64; 1 << 25];
    pool.install(|| {
        let peak = seconds(|| (0..threads).into_par_iter().map(|_| from_registers(STEPS)).sum::<f32>());
        let part = memory.len() / threads;
        let reading = seconds(|| memory.par_chunks(part).map(read).reduce(|| 0, |a, b| a ^ b));
        ((threads * STEPS * SUMS * LANES * 2) as f64 / peak / 1e9, (memory.len() * 8) as f64 / reading / 1e9)
    })
}

fn numbers(rows: usize, columns: usize) -> Tensor {
    let values: Vec<f32> = (0..rows * columns).map(|i| ((i * 7919) % 1009) as f32 / 500.0 - 1.0).collect();
    Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
}

fn forms(dense: &Tensor) -> Vec<(&'static str, Weight)> {
    let weight = Weight::from(dense.clone());
    vec![
        ("f32", weight.clone()),
        ("bf16", Weight::from(dense.to_dtype(DType::BF16).unwrap())),
        ("int8", weight.quantise(Quantisation::Int8).unwrap()),
        ("w8a8", weight.quantise(Quantisation::Int8Rows).unwrap()),
        ("nf4", weight.quantise(Quantisation::Nf4).unwrap()),
    ]
}

fn main() {
    let rows: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let rows = if rows.is_empty() { vec![1, 8, 64, 440, 1660] } else { rows };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{}", kernels::cpu());
    for threads in if threads > 1 { vec![1, threads] } else { vec![1] } {
        let (peak, reading) = limits(threads);
        println!("{threads} threads: {peak:.0} GF/s from registers, {reading:.1} GB/s from memory");
    }
    for (name, inputs, outputs) in
        [("o", 2048, 2048), ("q+k+v", 2048, 3072), ("gate+up", 2048, 16384), ("down", 8192, 2048)]
    {
        let dense = numbers(outputs, inputs);
        for (form, weight) in forms(&dense) {
            for &rows in &rows {
                let (x, d_y) = (numbers(rows, inputs), numbers(rows, outputs));
                let forward = seconds(|| lora_forward(&x, &weight, &[], None).unwrap());
                let backward = seconds(|| lora_backward(&x, None, &d_y, &weight, &[], true).unwrap());
                let giga = 2e-9 * (rows * inputs * outputs) as f64;
                let second = if rows > 8 {
                    format!("dx {:6.0} GF/s", giga / backward)
                } else {
                    format!("{:6.1} GB/s", weight.bytes() as f64 / forward / 1e9)
                };
                println!("{name:8} {form:5} {rows:5} rows  y {:6.0} GF/s  {second}", giga / forward);
            }
        }
    }
    let (inputs, outputs, rank) = (2048, 16384, 16);
    let (a, b) = (numbers(rank, inputs), numbers(outputs / 2, rank));
    let weight = Weight::from(numbers(outputs, inputs).to_dtype(DType::BF16).unwrap());
    let half = |columns| Branch { columns, a: &a, b: &b, scale: 2.0, mask: None };
    let branches = [half(0..outputs / 2), half(outputs / 2..outputs)];
    for &rows in &rows {
        let (x, d_y) = (numbers(rows, inputs), numbers(rows, outputs));
        let (_, h) = lora_forward(&x, &weight, &branches, None).unwrap();
        let with = seconds(|| lora_forward(&x, &weight, &branches, None).unwrap());
        let without = seconds(|| lora_forward(&x, &weight, &[], None).unwrap());
        let back_with = seconds(|| lora_backward(&x, h.as_ref(), &d_y, &weight, &branches, true).unwrap());
        let back_without = seconds(|| lora_backward(&x, None, &d_y, &weight, &[], true).unwrap());
        println!(
            "gate+up  bf16  {rows:5} rows  LoRA r=16 costs {:.1} % forward, {:.1} % backward",
            100.0 * (with / without - 1.0),
            100.0 * (back_with / back_without - 1.0)
        );
    }
}
