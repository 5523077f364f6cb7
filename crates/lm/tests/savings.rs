//! Every saving of the training step against the step without any.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor};
use common::{noise, saved};
use lm::{Gradients, Llama, LoraConfig, Precision, Recompute, Savings, StepOptions, Variant};

/// Rows that share six tokens, of different lengths; one has nothing to predict, one predicts twice.
fn rows() -> Vec<(Vec<u32>, Vec<bool>)> {
    let row = |tail: &[u32], supervised: &[usize]| {
        let ids: Vec<u32> = [1, 7, 7, 30, 12, 4].iter().chain(tail).copied().collect();
        let mask = (0..ids.len()).map(|t| supervised.contains(&t)).collect();
        (ids, mask)
    };
    vec![
        row(&[9, 21, 33, 2], &[8, 9]),
        row(&[17, 2], &[7]),
        row(&[40, 41, 42, 43, 44, 45, 2], &[7, 11, 12]),
        row(&[5, 5], &[]),
        row(&[9, 21, 8, 2], &[8]),
    ]
}

/// Two instructions, long enough to be worth a group each.
fn rows_of_two_languages() -> Vec<(Vec<u32>, Vec<bool>)> {
    let row = |instruction: u32, tail: &[u32]| {
        let ids: Vec<u32> = [1, 7].into_iter().chain(vec![instruction; 70]).chain(tail.iter().copied()).collect();
        let mask = (0..ids.len()).map(|t| t + 2 > ids.len()).collect();
        (ids, mask)
    };
    vec![row(30, &[9, 21, 2]), row(12, &[17, 2]), row(30, &[40, 2]), row(12, &[5, 5, 6, 2]), row(30, &[8, 8, 2])]
}

fn step(model: &Llama, options: &StepOptions) -> Gradients {
    step_on(model, &rows(), options)
}

fn step_on(model: &Llama, rows: &[(Vec<u32>, Vec<bool>)], options: &StepOptions) -> Gradients {
    let rows: Vec<(&[u32], &[bool])> = rows.iter().map(|(i, m)| (i.as_slice(), m.as_slice())).collect();
    model.gradients(&rows, options, None).unwrap()
}

fn plain() -> StepOptions {
    StepOptions { savings: Savings::NONE, recompute: Recompute::None, tokens_at_once: 10_000 }
}

fn every_way() -> Vec<StepOptions> {
    let mut all = Vec::new();
    for bits in 0..16u8 {
        let savings = Savings {
            supervised_logits: bits & 1 > 0,
            packing: bits & 2 > 0,
            shared_prefix: bits & 4 > 0,
            last_block: bits & 8 > 0,
        };
        for recompute in [Recompute::None, Recompute::Attention, Recompute::Block] {
            for tokens_at_once in [1, 12, 10_000] {
                all.push(StepOptions { savings, recompute, tokens_at_once });
            }
        }
    }
    all
}

/// Largest difference of each tensor relative to its largest value.
fn difference(a: &Gradients, b: &Gradients) -> f64 {
    assert!(a.tensors.keys().eq(b.tensors.keys()), "{:?}\n{:?}", a.tensors.keys(), b.tensors.keys());
    let numbers = |t: &Tensor| t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
    let mut worst = (a.loss / b.loss - 1.0).abs();
    for (name, expected) in &b.tensors {
        let (found, expected) = (numbers(&a.tensors[name]), numbers(expected));
        let size = expected.iter().fold(1e-30f64, |m, v| m.max(v.abs()));
        let off = found.iter().zip(&expected).fold(0f64, |m, (x, y)| m.max((x - y).abs()));
        assert!(off.is_finite(), "{name}");
        worst = worst.max(off / size);
    }
    worst
}

fn shaken(mut model: Llama, config: &LoraConfig) -> Llama {
    model.attach_lora(config, 4).unwrap();
    for (i, (_, var)) in model.trainable().into_iter().enumerate() {
        let moved = (var.as_tensor() + noise(var.dims(), i as u64, 0.2).to_dtype(var.dtype()).unwrap()).unwrap();
        var.set(&moved).unwrap();
    }
    model
}

#[test]
fn every_combination_of_savings_gives_the_gradients_of_the_plain_step() {
    for (tied, variant) in [(true, Variant::Plain), (false, Variant::RsLora), (true, Variant::Dora)] {
        let (base, _) = saved(tied);
        let config = LoraConfig { r: 3, alpha: 5.0, variant, ..LoraConfig::default() };
        let model = shaken(Llama::load(base.path(), &Device::Cpu).unwrap(), &config);
        let expected = step(&model, &plain());
        assert_eq!(expected.tensors.len(), model.trainable().len());
        for options in every_way() {
            let off = difference(&step(&model, &options), &expected);
            assert!(off < 1e-5, "{variant:?} {options:?}: {off}");
        }
    }
}

#[test]
fn they_do_so_for_a_model_that_is_trained_whole_and_for_some_layers_only() {
    let (base, whole) = saved(true);
    let targets = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
    let mlp = LoraConfig { targets: targets(&["down_proj"]), ..LoraConfig::default() };
    let output = LoraConfig { targets: targets(&["o_proj"]), ..LoraConfig::default() };
    let frozen = || Llama::load(base.path(), &Device::Cpu).unwrap();
    for model in [whole, shaken(frozen(), &mlp), shaken(frozen(), &output)] {
        let expected = step(&model, &plain());
        assert_eq!(expected.tensors.len(), model.trainable().len());
        for options in every_way() {
            let off = difference(&step(&model, &options), &expected);
            assert!(off < 1e-5, "{options:?}: {off}");
        }
    }
}

#[test]
fn savings_run_fewer_tokens() {
    let (base, _) = saved(true);
    let mut model = Llama::load(base.path(), &Device::Cpu).unwrap();
    model.attach_lora(&LoraConfig::default(), 1).unwrap();
    let tokens =
        |savings: &str| step(&model, &StepOptions { savings: savings.parse().unwrap(), ..plain() }).tokens_computed;
    // Four rows count, up to the token before their last target: 9, 7, 12 and 8 tokens.
    assert_eq!(tokens("none"), 4 * 12);
    assert_eq!(tokens("packing"), 9 + 7 + 12 + 8);
    assert_eq!(tokens("packing,prefix"), 6 + 3 + 1 + 6 + 2);
    assert_eq!(tokens("all"), 6 + 3 + 1 + 6 + 2);
}

#[test]
fn each_instruction_of_a_mixed_step_runs_once() {
    let (base, _) = saved(true);
    let model = shaken(Llama::load(base.path(), &Device::Cpu).unwrap(), &LoraConfig::default());
    let rows = rows_of_two_languages();
    let expected = step_on(&model, &rows, &plain());
    let found = step_on(&model, &rows, &StepOptions::default());
    assert_eq!(found.tokens_computed, 72 + 2 + 1 + 2 + 72 + 1 + 3);
    assert!(difference(&found, &expected) < 1e-5);
}

#[test]
fn the_fused_path_agrees_with_the_f64_reference_for_every_variant() {
    for variant in [Variant::Plain, Variant::RsLora, Variant::Dora] {
        let (base, _) = saved(true);
        let config = LoraConfig { r: 3, alpha: 5.0, variant, ..LoraConfig::default() };
        let model = shaken(Llama::load(base.path(), &Device::Cpu).unwrap(), &config);
        let adapter = tempfile::tempdir().unwrap();
        model.save_adapter(adapter.path(), "test/base").unwrap();
        let mut exact = Llama::load_as(base.path(), DType::F64, &Device::Cpu).unwrap();
        exact.load_adapter(adapter.path()).unwrap();
        let off = difference(&step(&model, &StepOptions::default()), &step(&exact, &plain()));
        assert!(off < 1e-5, "{variant:?}: {off}");
    }
}

#[test]
fn narrow_weights_train_as_the_numbers_that_they_stand_for() {
    let (base, _) = saved(true);
    for precision in [Precision::Bf16, Precision::Int8, Precision::W8a8, Precision::Nf4] {
        let narrow = Llama::load_in(base.path(), precision, &Device::Cpu).unwrap();
        let widened = tempfile::tempdir().unwrap();
        narrow.save(widened.path()).unwrap();
        let wide = Llama::load(widened.path(), &Device::Cpu).unwrap();
        assert!(narrow.weight_bytes() < wide.weight_bytes());
        let config = LoraConfig { r: 3, ..LoraConfig::default() };
        let (narrow, wide) = (shaken(narrow, &config), shaken(wide, &config));
        let off = difference(&step(&narrow, &StepOptions::default()), &step(&wide, &StepOptions::default()));
        // Where the machine has units for less, activations are rounded to bf16 or bytes, and codes that bf16 cannot hold too.
        let rounds = kernels::cpu().contains("bf16") || precision == Precision::W8a8 && kernels::cpu().contains("int8");
        let tolerance = if rounds { 1e-1 } else { 1e-5 };
        assert!(off < tolerance, "{precision}: {off}");
    }
}

#[test]
fn savings_are_named_in_text_and_back() {
    for text in ["all", "none", "logits", "packing,last-block", "logits,packing,prefix"] {
        assert_eq!(text.parse::<Savings>().unwrap().to_string(), text);
    }
    let error = "packing,speed".parse::<Savings>().unwrap_err().to_string();
    assert!(error.contains("unknown saving `speed`") && error.contains("last-block"), "{error}");
}
