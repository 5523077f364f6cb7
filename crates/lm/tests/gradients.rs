//! Gradients of whole models: f32 backward passes against finite differences of an f64 forward pass.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{noise, saved};
use lm::{Dropout, Llama, LoraConfig, StepOptions, Variant};
use std::collections::BTreeMap;

const ROWS: [(&[u32], &[bool]); 2] = [
    (&[1, 17, 4, 40, 33, 9, 21], &[false, true, false, true, true, true, false]),
    (&[1, 6, 8, 2], &[false, false, true, true]),
];

fn loss(model: &Llama) -> f64 {
    model.loss(&ROWS, &StepOptions::default()).unwrap().0
}

fn gradients(model: &Llama) -> BTreeMap<String, Tensor> {
    let mut found = model.gradients(&ROWS, &StepOptions::default(), None).unwrap().tensors;
    let all = model.trainable().into_iter().map(|(name, _)| {
        let gradient = found.remove(&name).unwrap_or_else(|| panic!("{name} has no gradient"));
        (name, gradient)
    });
    all.collect()
}

/// d loss(p + h·u) / dh at 0 by central differences in f64, for a random direction u of each tensor, against g·u of the f32 model.
fn check(exact: &Llama, exact_vars: &[(String, Var)], gradients: &BTreeMap<String, Tensor>) {
    assert_eq!(exact_vars.len(), gradients.len());
    for (i, (name, var)) in exact_vars.iter().enumerate() {
        let direction = noise(var.dims(), 1000 + i as u64, 1.0);
        let start = var.as_tensor().copy().unwrap();
        let at = |h: f64| {
            let step = (direction.to_dtype(DType::F64).unwrap() * h).unwrap();
            var.set(&(&start + step).unwrap()).unwrap();
            loss(exact)
        };
        let h = 1e-5;
        let difference = (at(h) - at(-h)) / (2.0 * h);
        var.set(&start).unwrap();
        let slope: f64 = (&gradients[name] * &direction)
            .unwrap()
            .to_dtype(DType::F64)
            .unwrap()
            .sum_all()
            .unwrap()
            .to_scalar()
            .unwrap();
        let size: f64 = gradients[name]
            .sqr()
            .unwrap()
            .sum_all()
            .unwrap()
            .to_dtype(DType::F64)
            .unwrap()
            .to_scalar::<f64>()
            .unwrap()
            .sqrt();
        assert!(
            (difference - slope).abs() <= 2e-5 * size.max(1.0),
            "{name}: slope {slope}, differences say {difference} (norm {size})"
        );
    }
}

#[test]
fn every_parameter_of_a_pretrained_model_has_the_right_gradient() {
    for tied in [true, false] {
        let (dir, model) = saved(tied);
        let exact = Llama::load_trainable(dir.path(), DType::F64, &Device::Cpu).unwrap();
        check(&exact, &exact.trainable(), &gradients(&model));
    }
}

#[test]
fn every_adapter_tensor_has_the_right_gradient() {
    for (variant, tied) in [(Variant::Plain, true), (Variant::RsLora, false)] {
        let (base, _) = saved(tied);
        let adapters = tempfile::tempdir().unwrap();
        let config = LoraConfig { r: 3, alpha: 5.0, variant, ..LoraConfig::default() };
        let mut model = Llama::load(base.path(), &Device::Cpu).unwrap();
        model.attach_lora(&config, 4).unwrap();
        for (i, (_, var)) in model.trainable().into_iter().enumerate() {
            var.set(&(var.as_tensor() + noise(var.dims(), i as u64, 0.2)).unwrap()).unwrap();
        }
        model.save_adapter(adapters.path(), "test/base").unwrap();
        let mut exact = Llama::load_as(base.path(), DType::F64, &Device::Cpu).unwrap();
        exact.load_adapter(adapters.path()).unwrap();
        assert_eq!(model.trainable().len(), 3 * 7 * 2);
        check(&exact, &exact.trainable(), &gradients(&model));
    }
}

#[test]
fn a_fresh_adapter_has_gradients_everywhere_and_those_of_a_are_zero() {
    let (base, _) = saved(true);
    let mut model = Llama::load(base.path(), &Device::Cpu).unwrap();
    assert!(model.trainable().is_empty());
    model.attach_lora(&LoraConfig::default(), 4).unwrap();
    for (name, grad) in gradients(&model) {
        let size: f32 = grad.abs().unwrap().sum_all().unwrap().to_scalar().unwrap();
        assert_eq!(size == 0.0, name.contains("lora_A"), "{name}: {size}");
    }
}

#[test]
fn dropout_repeats_with_its_seed_and_accumulated_parts_equal_the_whole() {
    let (base, _) = saved(true);
    let mut model = Llama::load(base.path(), &Device::Cpu).unwrap();
    model.attach_lora(&LoraConfig::default(), 4).unwrap();
    for (i, (_, var)) in model.trainable().into_iter().enumerate() {
        var.set(&(var.as_tensor() + noise(var.dims(), i as u64, 0.2)).unwrap()).unwrap();
    }
    let options = StepOptions::default();
    let train = |p, seed| model.gradients(&ROWS, &options, Some(&Dropout::new(p, seed))).unwrap().loss;
    assert_eq!(train(0.4, 1).to_bits(), train(0.4, 1).to_bits());
    assert_ne!(train(0.4, 1).to_bits(), train(0.4, 2).to_bits());
    assert_eq!(train(0.0, 1).to_bits(), loss(&model).to_bits());
    let part = |rows| model.loss(rows, &options).unwrap();
    let ((first, n), (second, m)) = (part(&ROWS[..1]), part(&ROWS[1..]));
    let (whole, count) = part(&ROWS);
    assert_eq!(n + m, count);
    assert!(((first + second) / whole - 1.0).abs() < 1e-5);
}
