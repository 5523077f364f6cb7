//! The stack's products by hand against candle's autograd on the single layers.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use candle_core::{Device, Tensor, Var};
use lora::{Adaptable, Dropout, GradientSum, Linear, LoraConfig, Pass, Stacked, Variant};

struct Model(Vec<(String, Linear)>);

impl Adaptable for Model {
    fn linears(&self) -> Vec<(String, &Linear)> {
        self.0.iter().map(|(n, l)| (n.clone(), l)).collect()
    }

    fn linears_mut(&mut self) -> Vec<(String, &mut Linear)> {
        self.0.iter_mut().map(|(n, l)| (n.clone(), l)).collect()
    }
}

fn numbers(shape: &[usize], salt: usize) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| ((i * 31 + salt * 17 + 7) % 23) as f32 / 11.0 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

const NAMES: [&str; 3] = ["q_proj", "k_proj", "v_proj"];
const OUTPUTS: [usize; 3] = [12, 4, 5];
const INPUTS: usize = 10;

/// Three layers; `targets` carry shaken adapters.
fn layers(variant: Variant, targets: &[&str]) -> Vec<Linear> {
    let frozen = |i: usize| Linear::Frozen(numbers(&[OUTPUTS[i], INPUTS], i).into());
    let mut model = Model((0..3).map(|i| (format!("a.{}", NAMES[i]), frozen(i))).collect());
    let targets: Vec<String> = targets.iter().map(|&t| t.to_owned()).collect();
    if !targets.is_empty() {
        lora::attach(&mut model, &LoraConfig { r: 2, targets, variant, ..LoraConfig::default() }, 5).unwrap();
        for (i, (_, var)) in lora::trainable(&model).into_iter().enumerate() {
            var.set(&(var.as_tensor() + (numbers(var.dims(), i) * 0.3).unwrap()).unwrap()).unwrap();
        }
    }
    model.0.into_iter().map(|(_, layer)| layer).collect()
}

fn variables(layers: &[Linear]) -> Vec<Var> {
    let of = |layer: &Linear| match layer {
        Linear::Frozen(_) => vec![],
        Linear::Trainable(var) => vec![var.clone()],
        Linear::Lora(layer) => layer.parts().into_iter().map(|(_, var)| var.clone()).collect(),
    };
    layers.iter().flat_map(of).collect()
}

fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap()
}

fn check(layers: &[Linear], dropout: Option<Dropout>) {
    let x = Var::from_tensor(&numbers(&[7, INPUTS], 3)).unwrap();
    for which in [0..3, 1..3, 0..1] {
        let single = &layers[which.clone()];
        let pass = dropout.map_or(Pass::gradients(), Pass::training);
        let parts: Vec<Tensor> = single.iter().map(|l| l.forward(x.as_tensor(), pass).unwrap()).collect();
        let expected = Tensor::cat(&parts, 1).unwrap();
        let d_y = numbers(expected.dims(), 9);
        let residual = numbers(expected.dims(), 4);
        let store = (&expected * &d_y).unwrap().sum_all().unwrap().backward().unwrap();

        let stack = Stacked::new(layers.to_vec()).unwrap();
        let input = x.as_detached_tensor();
        let (y, kept) = stack.forward(which.clone(), &input, Some(&residual), dropout).unwrap();
        assert!(difference(&(y - residual).unwrap(), &expected.detach()) < 1e-4, "{which:?}");
        let again = stack.branches(which.clone(), &input, dropout).unwrap();
        for kept in [kept, again] {
            let mut sum = GradientSum::default();
            let d_x = stack.backward(which.clone(), &input, &kept, &d_y, true, dropout, &mut sum).unwrap().unwrap();
            assert!(difference(&d_x, store.get(x.as_tensor()).unwrap()) < 1e-4, "{which:?}");
            for var in variables(layers) {
                match (sum.get(&var), store.get(var.as_tensor())) {
                    (Some(found), Some(expected)) => {
                        assert!(difference(found, expected) < 2e-4, "{which:?} {:?}", var.dims());
                    }
                    (found, expected) => assert_eq!(found.is_some(), expected.is_some(), "{which:?}"),
                }
            }
        }
    }
}

#[test]
fn adapted_stacks_equal_their_layers() {
    for variant in [Variant::Plain, Variant::RsLora, Variant::Dora] {
        for targets in [&NAMES[..], &NAMES[..1], &["q_proj", "v_proj"], &[]] {
            check(&layers(variant, targets), None);
        }
    }
}

#[test]
fn so_do_stacks_with_dropout() {
    for variant in [Variant::Plain, Variant::Dora] {
        check(&layers(variant, &["q_proj", "k_proj", "v_proj"]), Some(Dropout::new(0.4, 8)));
    }
}

#[test]
fn and_stacks_that_are_trained_themselves() {
    let trainable = |i: usize| Linear::Trainable(Var::from_tensor(&numbers(&[OUTPUTS[i], INPUTS], i)).unwrap());
    check(&(0..3).map(trainable).collect::<Vec<_>>(), None);
}

#[test]
fn gradients_add_up_over_parts() {
    let layers = layers(Variant::Plain, &NAMES);
    let stack = Stacked::new(layers.clone()).unwrap();
    let x = numbers(&[7, INPUTS], 3);
    let d_y = numbers(&[7, 21], 9);
    let run = |sum: &mut GradientSum, from: usize, count: usize| {
        let (x, d_y) = (x.narrow(0, from, count).unwrap(), d_y.narrow(0, from, count).unwrap());
        let (_, kept) = stack.forward(0..3, &x, None, None).unwrap();
        assert!(stack.backward(0..3, &x, &kept, &d_y, false, None, sum).unwrap().is_none());
    };
    let (mut whole, mut parts) = (GradientSum::default(), GradientSum::default());
    run(&mut whole, 0, 7);
    run(&mut parts, 0, 3);
    run(&mut parts, 3, 4);
    for var in variables(&layers) {
        assert!(difference(whole.get(&var).unwrap(), parts.get(&var).unwrap()) < 1e-4);
    }
}
