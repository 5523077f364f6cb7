//! The linear layer with low-rank branches against its slow twin in f64, and the twin's formulas against candle's autograd.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{flat, random, same};
use kernels::{Branch, Quantisation, Weight, lora_backward, lora_forward, reference, weight_gradient};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// A layer of two branches (or one, or none) with everything random.
struct Layer {
    x: Tensor,
    weight: Tensor,
    residual: Tensor,
    d_y: Tensor,
    branches: Vec<(Range<usize>, Tensor, Tensor, Option<Tensor>)>,
}

#[derive(Debug, Clone)]
struct Sizes {
    rows: usize,
    inputs: usize,
    outputs: usize,
    ranks: Vec<usize>,
    dropout: bool,
}

fn sizes() -> impl Strategy<Value = Sizes> {
    let ranks = prop::collection::vec(1..20usize, 0..3);
    (1..60usize, 1..150usize, 2..400usize, ranks, any::<bool>())
        .prop_map(|(rows, inputs, outputs, ranks, dropout)| Sizes { rows, inputs, outputs, ranks, dropout })
}

impl Layer {
    fn random(seed: u64, sizes: &Sizes) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let Sizes { rows, inputs, outputs, ref ranks, dropout } = *sizes;
        let share = outputs / ranks.len().max(1);
        let branches = ranks.iter().enumerate().map(|(i, &rank)| {
            // The last branch leaves an output alone, so that not every column has one.
            let end = if i + 1 == ranks.len() { outputs - 1 } else { (i + 1) * share };
            let columns = (i * share).min(end)..end;
            let (a, b) = (random(rng, &[rank, inputs], 1.0), random(rng, &[columns.len(), rank], 1.0));
            let mask = (dropout && i == 0).then(|| random(rng, &[rows, inputs], 1.0).ge(0f32).unwrap());
            (columns, a, b, mask.map(|m| (m.to_dtype(DType::F32).unwrap() * 2.0).unwrap()))
        });
        let branches = branches.collect();
        Self {
            branches,
            x: random(rng, &[rows, inputs], 1.0),
            weight: random(rng, &[outputs, inputs], 1.0),
            residual: random(rng, &[rows, outputs], 1.0),
            d_y: random(rng, &[rows, outputs], 1.0),
        }
    }

    fn to(&self, dtype: DType) -> Self {
        let to = |t: &Tensor| t.to_dtype(dtype).unwrap();
        let branches = self.branches.iter().map(|(c, a, b, m)| (c.clone(), to(a), to(b), m.as_ref().map(to))).collect();
        Self { x: to(&self.x), weight: to(&self.weight), residual: to(&self.residual), d_y: to(&self.d_y), branches }
    }

    fn branches(&self) -> Vec<Branch<'_>> {
        let mut branches = Vec::new();
        for (i, (columns, a, b, mask)) in self.branches.iter().enumerate() {
            branches.push(Branch { columns: columns.clone(), a, b, scale: 0.5 + i as f64, mask: mask.as_ref() });
        }
        branches
    }
}

/// As `same`; where the processor multiplies narrow weights in bf16 or bytes, activations keep 8 bits.
fn near(weight: &Weight, what: &str, found: &Tensor, expected: &Tensor) -> Result<(), TestCaseError> {
    let rounds = ["bf16", "int8"].iter().any(|unit| kernels::cpu().contains(unit));
    let exact = !rounds || matches!(weight, Weight::Dense(w) if w.dtype() == DType::F32);
    if exact {
        return same(what, found, expected);
    }
    prop_assert_eq!(found.dims(), expected.dims(), "{}: shape", what);
    let (found, expected) = (flat(found), flat(expected));
    let largest = expected.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
    for (i, (f, e)) in found.iter().zip(&expected).enumerate() {
        prop_assert!((f - e).abs() <= 2e-2 * largest, "{what} at {i}: {f}, expected {e} (largest {largest})");
    }
    Ok(())
}

/// The layer with each form of weight, and the f64 matrix it stands for.
fn forms(weight: &Tensor) -> Vec<(Weight, Tensor)> {
    let dense = Weight::from(weight.clone());
    let all = [
        dense.clone(),
        Weight::from(weight.to_dtype(DType::BF16).unwrap()),
        dense.quantise(Quantisation::Int8).unwrap(),
        dense.quantise(Quantisation::Int8Rows).unwrap(),
        dense.quantise(Quantisation::Nf4).unwrap(),
    ];
    all.into_iter().map(|w| (w.clone(), w.to_dense(DType::F64).unwrap())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn forward_and_backward_equal_their_twins_for_every_form_of_weight(seed: u64, sizes in sizes()) {
        let layer = Layer::random(seed, &sizes);
        let slow = layer.to(DType::F64);
        for (weight, exact) in forms(&layer.weight) {
            let exact = Weight::from(exact);
            let (y, h) = lora_forward(&layer.x, &weight, &layer.branches(), Some(&layer.residual)).unwrap();
            let (slow_y, slow_h) = reference::lora_forward(&slow.x, &exact, &slow.branches(), Some(&slow.residual)).unwrap();
            near(&weight, "y", &y, &slow_y)?;
            prop_assert_eq!(h.is_some(), !layer.branches.is_empty());
            if let (Some(h), Some(slow_h)) = (&h, &slow_h) {
                same("h", h, slow_h)?;
            }
            let found = lora_backward(&layer.x, h.as_ref(), &layer.d_y, &weight, &layer.branches(), true).unwrap();
            let slow = reference::lora_backward(&slow.x, slow_h.as_ref(), &slow.d_y, &exact, &slow.branches(), true).unwrap();
            near(&weight, "dx", &found.input.unwrap(), &slow.input.unwrap())?;
            for ((da, db), (slow_da, slow_db)) in found.branches.iter().zip(&slow.branches) {
                same("da", da, slow_da)?;
                same("db", db, slow_db)?;
            }
            let none = lora_backward(&layer.x, h.as_ref(), &layer.d_y, &weight, &layer.branches(), false).unwrap();
            prop_assert!(none.input.is_none());
        }
        same("dw", &weight_gradient(&layer.x, &layer.d_y).unwrap(), &reference::weight_gradient(&slow.x, &slow.d_y).unwrap())?;
    }

    #[test]
    fn the_twins_formulas_are_the_gradients_that_autograd_finds(seed: u64, sizes in sizes()) {
        let layer = Layer::random(seed, &sizes).to(DType::F64);
        let var = |t: &Tensor| Var::from_tensor(t).unwrap();
        let x = var(&layer.x);
        let vars: Vec<(Var, Var)> = layer.branches.iter().map(|(_, a, b, _)| (var(a), var(b))).collect();
        let mut branches = layer.branches();
        for (branch, (a, b)) in branches.iter_mut().zip(&vars) {
            (branch.a, branch.b) = (a.as_tensor(), b.as_tensor());
        }
        let weight = Weight::from(layer.weight.clone());
        let (y, h) = reference::lora_forward(x.as_tensor(), &weight, &branches, None).unwrap();
        let tape = (&y * &layer.d_y).unwrap().sum_all().unwrap().backward().unwrap();
        let found = reference::lora_backward(x.as_tensor(), h.as_ref(), &layer.d_y, &weight, &branches, true).unwrap();
        same("dx", &found.input.unwrap(), tape.get(&x).unwrap())?;
        for ((da, db), (a, b)) in found.branches.iter().zip(&vars) {
            same("da", da, tape.get(a).unwrap())?;
            same("db", db, tape.get(b).unwrap())?;
        }
    }

    #[test]
    fn stacked_layers_equal_the_layers_one_by_one_and_rows_are_views(seed: u64, rows in 1..5usize, inputs in 1..200usize) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let x = random(rng, &[rows, inputs], 1.0);
        let parts = [random(rng, &[30, inputs], 1.0), random(rng, &[7, inputs], 1.0)];
        for kind in [None, Some(Quantisation::Int8), Some(Quantisation::Int8Rows), Some(Quantisation::Nf4)] {
            let weights = parts.each_ref().map(|p| match kind {
                Some(kind) => Weight::from(p.clone()).quantise(kind).unwrap(),
                None => Weight::from(p.clone()),
            });
            let stacked = Weight::stack(&weights).unwrap();
            prop_assert_eq!(stacked.dims(), (37, inputs));
            let (whole, _) = lora_forward(&x, &stacked, &[], None).unwrap();
            let (second, _) = lora_forward(&x, &weights[1], &[], None).unwrap();
            let (view, _) = lora_forward(&x, &stacked.rows(30, 7).unwrap(), &[], None).unwrap();
            prop_assert_eq!(flat(&whole.narrow(1, 30, 7).unwrap()), flat(&second));
            prop_assert_eq!(flat(&view), flat(&second));
        }
    }
}

#[test]
fn activations_with_a_gap_between_rows_are_read_where_they_lie() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let wide = random(rng, &[9, 70], 1.0);
    let (x, weight) = (wide.narrow(1, 13, 40).unwrap(), Weight::from(random(rng, &[33, 40], 1.0)));
    let d_y = random(rng, &[9, 50], 1.0).narrow(1, 5, 33).unwrap();
    let (y, _) = lora_forward(&x, &weight, &[], None).unwrap();
    let (expected, _) = lora_forward(&x.contiguous().unwrap(), &weight, &[], None).unwrap();
    assert_eq!(flat(&y), flat(&expected));
    let found = lora_backward(&x, None, &d_y, &weight, &[], true).unwrap().input.unwrap();
    let expected = lora_backward(&x, None, &d_y.contiguous().unwrap(), &weight, &[], true).unwrap().input.unwrap();
    assert_eq!(flat(&found), flat(&expected));
    let turned = random(rng, &[40, 9], 1.0).t().unwrap();
    let (y, _) = lora_forward(&turned, &weight, &[], None).unwrap();
    assert_eq!(flat(&y), flat(&lora_forward(&turned.contiguous().unwrap(), &weight, &[], None).unwrap().0));
}

#[test]
fn no_tokens_give_an_empty_output_and_zero_gradients() {
    let empty = |columns: usize| Tensor::zeros((0, columns), DType::F32, &Device::Cpu).unwrap();
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let (a, b) = (random(rng, &[4, 20], 1.0), random(rng, &[30, 4], 1.0));
    let weight = Weight::from(random(rng, &[30, 20], 1.0));
    let branches = [Branch { columns: 0..30, a: &a, b: &b, scale: 1.0, mask: None }];
    let (y, h) = lora_forward(&empty(20), &weight, &branches, None).unwrap();
    assert_eq!(y.dims(), [0, 30]);
    let found = lora_backward(&empty(20), h.as_ref(), &empty(30), &weight, &branches, true).unwrap();
    assert_eq!(found.input.unwrap().dims(), [0, 20]);
    assert!(flat(&found.branches[0].0).iter().chain(&flat(&found.branches[0].1)).all(|v| *v == 0.0));
}

#[test]
fn shapes_that_do_not_fit_are_named_with_their_values() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let (x, weight) = (zeros(&[2, 3]), Weight::from(zeros(&[5, 3])));
    let (a, b) = (zeros(&[1, 3]), zeros(&[5, 1]));
    let branch = |columns: Range<usize>| Branch { columns, a: &a, b: &b, scale: 1.0, mask: None };
    let message = |result: kernels::Result<(Tensor, Option<Tensor>)>| result.unwrap_err().to_string();
    let text = message(lora_forward(&zeros(&[2, 4]), &weight, &[], None));
    assert!(text.contains("lora_forward: x has shape [2, 4], expected [2, 3]"), "{text}");
    let text = message(lora_forward(&x, &weight, &[branch(1..6)], None));
    assert!(text.contains("lora_forward: a branch adds to the outputs 1..6 of 5"), "{text}");
    let text = message(lora_forward(&x, &weight, &[branch(0..4)], None));
    assert!(text.contains("lora_forward: b has shape [5, 1], expected [4, 1]"), "{text}");
    let text = lora_backward(&x, None, &zeros(&[2, 5]), &weight, &[branch(0..5)], true).unwrap_err().to_string();
    assert!(text.contains("lora_backward: h is needed with branches"), "{text}");
    let other = Weight::from(zeros(&[5, 3])).quantise(Quantisation::Nf4).unwrap();
    let text = Weight::stack(&[weight, other]).unwrap_err().to_string();
    assert!(text.contains("cannot stack 1 dense and 1 quantised weights"), "{text}");
}

/// Outputs and gradients of wide, narrow and single-row layers, as bits.
fn everything() -> Vec<u32> {
    let mut bits = Vec::new();
    for (rows, ranks) in [(1, vec![8, 8]), (7, vec![]), (70, vec![4, 16]), (300, vec![8])] {
        let layer = Layer::random(5, &Sizes { rows, inputs: 520, outputs: 700, ranks, dropout: false });
        for (weight, _) in forms(&layer.weight) {
            let (y, h) = lora_forward(&layer.x, &weight, &layer.branches(), Some(&layer.residual)).unwrap();
            let found = lora_backward(&layer.x, h.as_ref(), &layer.d_y, &weight, &layer.branches(), true).unwrap();
            let branches = found.branches.into_iter().flat_map(|(a, b)| [a, b]);
            for tensor in [y, found.input.unwrap()].into_iter().chain(h).chain(branches) {
                bits.extend(tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits));
            }
        }
    }
    bits
}

#[test]
fn one_and_five_threads_give_the_same_bits() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    assert!(pool(1).install(everything) == pool(5).install(everything));
}
