//! Each fused op against its slow twin: outputs and every gradient, on random shapes. The twin computes in f64, so the
//! tolerance is that of one f32 computation.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{Op, compare, random, run};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn linear_and_its_frozen_form_equal_their_twins(seed: u64, rows in 1..300usize, inputs in 1..90usize, outputs in 1..200usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (x, w) = (random(&mut rng, &[2, rows, inputs], 1.0), random(&mut rng, &[outputs, inputs], 1.0));
        let probe = random(&mut rng, &[2, rows, outputs], 1.0);
        let both = [x.clone(), w.clone()];
        compare(&|t| kernels::linear(&t[0], &t[1]), &|t| kernels::reference::linear(&t[0], &t[1]), &both, &probe)?;
        compare(
            &|t| kernels::frozen_linear(&t[0], &w.to_dtype(t[0].dtype())?),
            &|t| kernels::reference::frozen_linear(&t[0], &w.to_dtype(t[0].dtype())?),
            &[x],
            &probe,
        )?;
    }

    #[test]
    fn lora_linear_equals_its_twin(seed: u64, rows in 1..200usize, inputs in 1..70usize, outputs in 1..150usize, rank in 1..17usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let w = random(&mut rng, &[outputs, inputs], 1.0);
        let tensors =
            [random(&mut rng, &[rows, inputs], 1.0), random(&mut rng, &[rank, inputs], 1.0), random(&mut rng, &[outputs, rank], 1.0)];
        let probe = random(&mut rng, &[rows, outputs], 1.0);
        compare(
            &|t| kernels::lora_linear(&t[0], &w.to_dtype(t[0].dtype())?, &t[1], &t[2], 1.7),
            &|t| kernels::reference::lora_linear(&t[0], &w.to_dtype(t[0].dtype())?, &t[1], &t[2], 1.7),
            &tensors,
            &probe,
        )?;
    }

}

#[test]
fn transposed_inputs_are_made_contiguous_and_still_get_their_gradient() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (x, w) = (random(&mut rng, &[40, 60], 1.0), random(&mut rng, &[40, 7], 1.0));
    let probe = random(&mut rng, &[60, 7], 1.0);
    compare(
        &|t| kernels::linear(&t[0].t()?, &t[1].t()?),
        &|t| kernels::reference::linear(&t[0].t()?, &t[1].t()?),
        &[x, w],
        &probe,
    )
    .unwrap();
}

#[test]
fn a_frozen_weight_gets_no_gradient_even_if_it_is_a_variable() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let x = Var::from_tensor(&random(&mut rng, &[5, 4], 1.0)).unwrap();
    let w = Var::from_tensor(&random(&mut rng, &[3, 4], 1.0)).unwrap();
    let grads = kernels::frozen_linear(&x, &w).unwrap().sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&x).is_some() && grads.get(&w).is_none());
}

#[test]
fn nothing_is_recorded_for_inputs_that_need_no_gradient() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (x, w) = (random(&mut rng, &[5, 4], 1.0), random(&mut rng, &[3, 4], 1.0));
    assert!(!kernels::linear(&x, &w).unwrap().track_op());
}

#[test]
fn half_precision_takes_the_reference_and_stays_near_f32_with_gradients() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let near = |op: &Op<'_>, inputs: &[Tensor]| {
        let probe = Tensor::new(1f32, &Device::Cpu).unwrap();
        let (out, grads) = run(op, inputs, &probe, DType::F32);
        let (half, half_grads) = run(op, inputs, &probe, DType::BF16);
        for (f, h) in out.iter().chain(grads.iter().flatten()).zip(half.iter().chain(half_grads.iter().flatten())) {
            // bfloat16 keeps 8 bits, and a few operations follow each other
            assert!((f - h).abs() < 0.05 * (1.0 + f.abs()), "{h}, f32 has {f}");
        }
    };
    near(&|t| kernels::linear(&t[0], &t[1]), &[random(&mut rng, &[5, 4], 1.0), random(&mut rng, &[3, 4], 1.0)]);
}

#[test]
fn wrong_shapes_and_values_are_named() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let message = |result: candle_core::Result<Tensor>| result.unwrap_err().to_string();
    let text = message(kernels::linear(&zeros(&[2, 3]), &zeros(&[5, 4])));
    assert!(text.contains("linear: weight has shape [5, 4], expected [out, 3]"), "{text}");
}
