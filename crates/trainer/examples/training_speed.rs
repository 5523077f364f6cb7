//! Tokens per second of a training step.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, missing_docs, reason = "a measurement")]
use candle_core::{Device, Tensor};
use lm::{Config, Llama, LoraConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use trainer::adamw::{AdamW, clip_gradients};

fn measure(name: &str, model: &Llama, rows: usize, tokens: usize, all: bool) {
    let vocab = model.config().vocab_size as u32;
    let ids: Vec<Vec<u32>> = (0..rows as u32).map(|r| (0..tokens as u32).map(|t| (r * 31 + t * 17 + 3) % vocab).collect()).collect();
    let mask: Vec<bool> = (0..tokens).map(|t| if all { t > 0 } else { t + 3 >= tokens }).collect();
    let batch: Vec<(&[u32], &[bool])> = ids.iter().map(|i| (i.as_slice(), mask.as_slice())).collect();
    let variables = model.trainable();
    let mut adamw = AdamW::new((0.9, 0.999), 1e-8, 0.01);
    let (mut f, mut b, mut o) = (0.0, 0.0, 0.0);
    let steps = 12;
    for step in 0..steps + 2 {
        let t0 = Instant::now();
        let (loss, n) = model.loss(&batch, None).unwrap();
        let t1 = Instant::now();
        let store = loss.backward().unwrap();
        let mut grads: BTreeMap<String, Tensor> = variables.iter().map(|(n2, v)| (n2.clone(), store.get(v.as_tensor()).unwrap().affine(1.0 / n as f64, 0.0).unwrap())).collect();
        let t2 = Instant::now();
        clip_gradients(&mut grads, 1.0).unwrap();
        adamw.step(&variables, &grads, 1e-3).unwrap();
        let t3 = Instant::now();
        if step >= 2 {
            f += (t1 - t0).as_secs_f64(); b += (t2 - t1).as_secs_f64(); o += (t3 - t2).as_secs_f64();
        }
    }
    let total = f + b + o;
    println!("{name}: {:.0} tokens/s ({:.1} ms forward, {:.1} backward, {:.1} optimizer a step)", (rows * tokens * steps) as f64 / total, f * 1e3 / steps as f64, b * 1e3 / steps as f64, o * 1e3 / steps as f64);
}

fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let mut model = Llama::load(Path::new(&dir), &Device::Cpu).unwrap();
    model.attach_lora(&LoraConfig::default(), 1).unwrap();
    measure("stories260k LoRA r8, 16 x 120", &model, 16, 120, false);
    let model = Llama::initialise(Config::small(2048, 128, 4), 1, &Device::Cpu).unwrap();
    measure(&format!("pretrain {} parameters, 16 x 120", model.parameter_count()), &model, 16, 120, true);
    let t = Instant::now();
    let n = lm::generate(&model, &[1], &lm::GenerateOptions { max_tokens: 200, ..Default::default() }).unwrap().len();
    println!("generate: {:.0} tokens/s", n as f64 / t.elapsed().as_secs_f64());
}
