//! One adapted linear layer at Llama-3.2-1B's shapes, 128 tokens: forward, and forward with backward.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use benches::{adapter, numbers};
use candle_core::Var;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use lora::{LoraLinear, Pass};

const TOKENS: usize = 128;

fn lora_linear(c: &mut Criterion) {
    for (name, inputs, outputs) in
        [("q_proj", 2048, 2048), ("k_proj", 2048, 512), ("up_proj", 2048, 8192), ("down_proj", 8192, 2048)]
    {
        let layer = LoraLinear::new(&numbers((outputs, inputs)).unwrap(), &adapter(), 1, 0).unwrap();
        let x = Var::from_tensor(&numbers((TOKENS, inputs)).unwrap()).unwrap();
        let mut group = c.benchmark_group(format!("lora_linear/{name}"));
        group.sample_size(10);
        group.bench_function("forward", |b| {
            b.iter_batched(Pass::inference, |mut pass| layer.forward(&x, &mut pass).unwrap(), BatchSize::SmallInput);
        });
        group.bench_function("forward_and_backward", |b| {
            b.iter_batched(
                Pass::gradients,
                |mut pass| layer.forward(&x, &mut pass).unwrap().sum_all().unwrap().backward().unwrap(),
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, lora_linear);
criterion_main!(benches);
