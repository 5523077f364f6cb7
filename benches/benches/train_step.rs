//! One LoRA step of the embedded model: loss and all gradients of 16 rows of 96 tokens.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use benches::{adapter, rows, tiny_model};
use candle_core::Device;
use criterion::{Criterion, criterion_group, criterion_main};
use lm::Llama;

fn train_step(c: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("seafin-bench-{}", std::process::id()));
    tiny_model().unwrap().save(&folder).unwrap();
    let mut model = Llama::load(&folder, &Device::Cpu).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    model.attach_lora(&adapter(), 1).unwrap();
    let rows = rows(16, 96);
    let views: Vec<(&[u32], &[bool])> = rows.iter().map(|(ids, mask)| (ids.as_slice(), mask.as_slice())).collect();
    let mut group = c.benchmark_group("train_step");
    group.sample_size(20);
    group.bench_function("tiny_model_16_rows_of_96_tokens", |b| {
        b.iter(|| model.loss(&views, None).unwrap().0.backward().unwrap());
    });
    group.finish();
}

criterion_group!(benches, train_step);
criterion_main!(benches);
