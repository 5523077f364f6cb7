//! One LoRA step, loss and all gradients: the whole tiny model, and one block of Llama-3.2-1B's width with each saving.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use benches::{adapter, frozen, one_block_of_1b, rows, tiny, views};
use criterion::{Criterion, criterion_group, criterion_main};
use lm::{Config, Llama, Recompute, Savings, StepOptions};

fn adapted(config: Config) -> Llama {
    let mut model = frozen(config).unwrap();
    model.attach_lora(&adapter(), 1).unwrap();
    model
}

fn train_step(c: &mut Criterion) {
    let model = adapted(tiny());
    let data = rows(16, 96, 48);
    let mut group = c.benchmark_group("train_step/tiny_model_16_rows_of_96_tokens");
    group.sample_size(20);
    for (name, savings) in [("all_savings", Savings::ALL), ("no_savings", Savings::NONE)] {
        let options = StepOptions { savings, ..StepOptions::default() };
        group.bench_function(name, |b| b.iter(|| model.gradients(&views(&data), &options, None).unwrap()));
    }
    group.finish();

    let model = adapted(one_block_of_1b());
    // Of different lengths, so that there is padding to save.
    let data: Vec<_> = (0..8).filter_map(|r| rows(r + 1, 80 + 8 * r, 60).pop()).collect();
    let without = |off: fn(&mut Savings)| {
        let mut savings = Savings::ALL;
        off(&mut savings);
        StepOptions { savings, ..StepOptions::default() }
    };
    let mut group = c.benchmark_group("train_step/one_block_of_1b_8_rows_of_80_to_136_tokens");
    group.sample_size(10);
    for (name, options) in [
        ("all_savings", StepOptions::default()),
        ("without_packing", without(|s| s.packing = false)),
        ("without_the_shared_prefix", without(|s| s.shared_prefix = false)),
        ("without_pruning_the_last_block", without(|s| s.last_block = false)),
        ("no_savings", StepOptions { savings: Savings::NONE, ..StepOptions::default() }),
        ("blocks_recomputed", StepOptions { recompute: Recompute::Block, ..StepOptions::default() }),
    ] {
        group.bench_function(name, |b| b.iter(|| model.gradients(&views(&data), &options, None).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, train_step);
criterion_main!(benches);
