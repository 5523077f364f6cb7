//! What someone waits for who asks the model: reading a prompt, and each further token; one block of Llama-3.2-1B's width.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use benches::{frozen, one_block_of_1b};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use lm::{KvCache, next_logits};

fn inference(c: &mut Criterion) {
    let model = frozen(one_block_of_1b()).unwrap();
    let prompt: Vec<u32> = (0..256).map(|t| t * 7 % 2000).collect();
    let read_prompt = || {
        let mut cache = KvCache::new();
        model.hidden(&[&prompt], Some(&mut cache)).unwrap();
        cache
    };
    let mut group = c.benchmark_group("inference/one_block_of_1b");
    group.sample_size(10);
    group.bench_function("prefill_256_tokens", |b| b.iter(read_prompt));
    group.bench_function("decode_a_token_after_256", |b| {
        b.iter_batched_ref(read_prompt, |cache| next_logits(&model, &[1], cache).unwrap(), BatchSize::LargeInput);
    });
    group.bench_function("score_16_continuations_of_3_tokens_after_256", |b| {
        let cache = read_prompt();
        let rows = [[1_u32, 2, 3]; 16];
        let rows: Vec<&[u32]> = rows.iter().map(<[u32; 3]>::as_slice).collect();
        b.iter(|| model.logits(&model.hidden_after(&rows, &cache).unwrap()).unwrap());
    });
    group.finish();
}

criterion_group!(benches, inference);
criterion_main!(benches);
