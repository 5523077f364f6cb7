//! One adapted linear layer at Llama-3.2-1B's shapes, 128 tokens, for each way to keep its weight.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use benches::numbers;
use candle_core::DType;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernels::{Branch, Quantisation, Weight, lora_backward, lora_forward};

const TOKENS: usize = 128;
const RANK: usize = 16;

fn lora_linear(c: &mut Criterion) {
    for (name, inputs, outputs) in
        [("o_proj", 2048, 2048), ("qkv_as_one", 2048, 3072), ("gate_up_as_one", 2048, 16384), ("down_proj", 8192, 2048)]
    {
        let f32 = Weight::from(numbers((outputs, inputs)).unwrap());
        let weights = [
            ("bf16", Weight::from(f32.to_dense(DType::BF16).unwrap())),
            ("int8", f32.quantise(Quantisation::Int8).unwrap()),
            ("w8a8", f32.quantise(Quantisation::Int8Rows).unwrap()),
            ("nf4", f32.quantise(Quantisation::Nf4).unwrap()),
            ("f32", f32),
        ];
        let x = numbers((TOKENS, inputs)).unwrap();
        let d_y = numbers((TOKENS, outputs)).unwrap();
        let (a, b) = (numbers((RANK, inputs)).unwrap(), numbers((outputs, RANK)).unwrap());
        let branches = [Branch { columns: 0..outputs, a: &a, b: &b, scale: 2.0, mask: None }];
        let mut group = c.benchmark_group(format!("lora_linear/{name}"));
        group.sample_size(10);
        // Operations of one product with the weight; the backward pass has as many, for the input's gradient.
        group.throughput(Throughput::Elements((2 * TOKENS * inputs * outputs) as u64));
        for (precision, weight) in &weights {
            group.bench_function(format!("forward_{precision}"), |bench| {
                bench.iter(|| lora_forward(&x, weight, &branches, None).unwrap());
            });
            let (_, h) = lora_forward(&x, weight, &branches, None).unwrap();
            group.bench_function(format!("backward_{precision}"), |bench| {
                bench.iter(|| lora_backward(&x, h.as_ref(), &d_y, weight, &branches, true).unwrap());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, lora_linear);
criterion_main!(benches);
