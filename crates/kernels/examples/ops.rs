//! Times of the ops around the products of a training step, at the shapes of Llama-3.2-1B: 32 rows of 50 tokens after 60
//! shared ones. `cargo run --release -p kernels --example ops`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program")]

use candle_core::{DType, Device, Tensor};
use kernels::PackedRows;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;

fn numbers(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| ((i * 7919) % 1009) as f32 / 500.0 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Median seconds of seven runs.
fn seconds<R>(mut work: impl FnMut() -> candle_core::Result<R>) -> f64 {
    let mut times: Vec<f64> = (0..7)
        .map(|_| {
            let start = Instant::now();
            work().unwrap();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[3]
}

fn attention(name: &str, rows: &PackedRows, multiplications: f64) {
    let (n, shared) = (rows.tokens(), rows.shared());
    let (heads, kv, width) = (32, 8, 64);
    let fused = numbers(&[shared + n, heads + 2 * kv, width]);
    let part = |from, count| fused.narrow(1, from, count).unwrap();
    let q = numbers(&[rows.queries(), heads, width]);
    let (k, v) = (part(heads, kv), part(heads + kv, kv));
    let each = multiplications * (heads * width) as f64 * 2.0 / 1e9;
    let forward = seconds(|| kernels::attention(&q, &k, &v, rows));
    let backward = seconds(|| kernels::attention_backward(&q, &k, &v, rows, &q));
    println!(
        "{name:34} forward {:7.2} ms {:5.0} GF/s   backward {:7.2} ms {:5.0} GF/s",
        forward * 1e3,
        2.0 * each / forward,
        backward * 1e3,
        5.0 * each / backward
    );
}

fn moved(name: &str, gigabytes: f64, time: f64) {
    println!("{name:34} {:7.2} ms {:5.1} GB/s", time * 1e3, gigabytes / time);
}

fn main() {
    let triangle = |n: f64| n * (n + 1.0) / 2.0;
    attention("32 x 50 after 60", &PackedRows::new(vec![50; 32]).after(60), 32.0 * (triangle(50.) + 3000.));
    attention("8 x 110", &PackedRows::new(vec![110; 8]), 8.0 * triangle(110.));
    attention("1 x 1000", &PackedRows::new(vec![1000]), triangle(1000.));
    attention("1 x 4000", &PackedRows::new(vec![4000]), triangle(4000.));
    let last: Vec<usize> = (0..32).flat_map(|r| [r * 50 + 47, r * 50 + 48, r * 50 + 49]).collect();
    attention("32 x 50 after 60, 3 ask", &PackedRows::new(vec![50; 32]).after(60).only(last), 32.0 * 3.0 * 109.0);
    attention("decode after 100", &PackedRows::new(vec![1]).after(100), 101.0);
    attention("decode after 4000", &PackedRows::new(vec![1]).after(4000), 4001.0);

    let (n, d, f) = (1660, 2048, 8192);
    let gb = |elements: usize| (elements * 4) as f64 / 1e9;
    let (x, w, gate_up) = (numbers(&[n, d]), numbers(&[d]), numbers(&[n, 2 * f]));
    let d_y = numbers(&[n, f]);
    moved("memcpy (candle copy)", gb(2 * n * 2 * f), seconds(|| gate_up.copy()));
    moved("candle add", gb(3 * n * 2 * f), seconds(|| &gate_up + &gate_up));
    moved("rms_norm", gb(2 * n * d), seconds(|| kernels::rms_norm(&x, &w, 1e-5)));
    let back = || kernels::rms_norm_backward(&x, &w, 1e-5, &x, Some(&x), false);
    moved("rms_norm_backward with residual", gb(4 * n * d), seconds(back));
    let with_weight = || kernels::rms_norm_backward(&x, &w, 1e-5, &x, Some(&x), true);
    moved("the same and dw", gb(4 * n * d), seconds(with_weight));
    moved("swiglu", gb(3 * n * f), seconds(|| kernels::swiglu(&gate_up)));
    moved("swiglu_backward", gb(5 * n * f), seconds(|| kernels::swiglu_backward(&gate_up, &d_y)));
    let (heads, positions) = (numbers(&[n, 48, 64]), (0..n as u32).collect::<Vec<_>>());
    let angles = numbers(&[n, 32]);
    let turn = || kernels::rope(&heads, &angles, &angles, &positions, 40);
    moved("rope of qkv", gb(2 * n * 48 * 64), seconds(turn));
    let logits = numbers(&[96, 128_256]);
    let targets: Vec<u32> = (0..96).map(|i| i * 1000).collect();
    let loss = || kernels::cross_entropy(logits.clone(), &targets);
    moved("cross_entropy, 96 x 128256", gb(2 * 96 * 128_256), seconds(loss));
    moved("cross_entropy_sum", gb(96 * 128_256), seconds(|| kernels::cross_entropy_sum(&logits, &targets)));
    let table = numbers(&[128_256, 256]).to_dtype(DType::BF16).unwrap();
    let ids: Vec<u32> = (0..13_280).map(|i| i * 7919 % 128_256).collect();
    moved("gather_rows of bf16", gb(13_280 * 256) * 1.5, seconds(|| kernels::gather_rows(&table, &ids)));
    let rows = numbers(&[13_280, 256]);
    moved(
        "gather_rows_backward",
        gb(13_280 * 256 + 128_256 * 256),
        seconds(|| kernels::gather_rows_backward(&rows, &ids, 128_256)),
    );
}
