//! Each fused op against its slow twin: outputs and every gradient, on random shapes. The twin computes in f64, so the
//! tolerance is that of one f32 computation.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Op<'a> = dyn Fn(&[Tensor]) -> candle_core::Result<Tensor> + 'a;

fn random(rng: &mut ChaCha8Rng, shape: &[usize], size: f32) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.random_range(-size..size)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Output and the gradient of each input under the loss Σ output · probe.
fn run(op: &Op<'_>, inputs: &[Tensor], probe: &Tensor, dtype: DType) -> (Vec<f64>, Vec<Vec<f64>>) {
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let output = op(&tensors).unwrap();
    let probe = probe.to_dtype(output.dtype()).unwrap().broadcast_as(output.shape()).unwrap();
    let grads = (&output * &probe).unwrap().sum_all().unwrap().backward().unwrap();
    let flat = |t: &Tensor| t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
    let gradients = vars.iter().map(|v| grads.get(v.as_tensor()).map(flat).unwrap()).collect();
    (flat(&output), gradients)
}

fn close(what: &str, found: &[f64], expected: &[f64]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len(), "{}: length", what);
    let largest = expected.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        prop_assert!((f - e).abs() <= 1e-5 * largest, "{what} at {i}: {f}, expected {e} (largest {largest})");
    }
    Ok(())
}

/// `fused` in f32 against `slow` in f64.
fn compare(fused: &Op<'_>, slow: &Op<'_>, inputs: &[Tensor], probe: &Tensor) -> Result<(), TestCaseError> {
    let (out, grads) = run(fused, inputs, probe, DType::F32);
    let (expected_out, expected_grads) = run(slow, inputs, probe, DType::F64);
    close("output", &out, &expected_out)?;
    for (i, (g, e)) in grads.iter().zip(&expected_grads).enumerate() {
        close(&format!("gradient of input {i}"), g, e)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rms_norm_equals_its_twin(seed: u64, rows in 1..200usize, width in 1..100usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let inputs = [random(&mut rng, &[2, rows, width], 3.0), random(&mut rng, &[width], 2.0)];
        let probe = random(&mut rng, &[2, rows, width], 1.0);
        let eps = 1e-3;
        compare(&|t| kernels::rms_norm(&t[0], &t[1], eps), &|t| kernels::reference::rms_norm(&t[0], &t[1], eps), &inputs, &probe)?;
    }

    #[test]
    fn rope_equals_its_twin(seed: u64, batch in 1..4usize, time in 1..70usize, heads in 1..5usize, half in 1..17usize, offset in 0..9usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shape = [batch, time, heads, 2 * half];
        let (x, probe) = (random(&mut rng, &shape, 2.0), random(&mut rng, &shape, 1.0));
        let angles = random(&mut rng, &[offset + time, half], 3.0);
        let (cos, sin) = (angles.cos().unwrap(), angles.sin().unwrap());
        compare(&|t| kernels::rope(&t[0], &cos, &sin, offset), &|t| kernels::reference::rope(&t[0], &cos, &sin, offset), &[x], &probe)?;
    }

    #[test]
    fn attention_equals_its_twin(
        seed: u64, batch in 1..4usize, time in 1..80usize, past in 0..20usize, kv in 1..4usize, group in 1..4usize, width in 1..20usize,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let q_shape = [batch, time, kv * group, width];
        let k_shape = [batch, past + time, kv, width];
        let inputs = [random(&mut rng, &q_shape, 2.0), random(&mut rng, &k_shape, 2.0), random(&mut rng, &k_shape, 2.0)];
        let probe = random(&mut rng, &q_shape, 1.0);
        let lengths: Vec<usize> = (0..batch).map(|_| rng.random_range(0..=time)).collect();
        compare(
            &|t| kernels::attention(&t[0], &t[1], &t[2], &lengths),
            &|t| kernels::reference::attention(&t[0], &t[1], &t[2], &lengths),
            &inputs,
            &probe,
        )?;
    }

    #[test]
    fn swiglu_equals_its_twin(seed: u64, count in 1..20_000usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let inputs = [random(&mut rng, &[count], 20.0), random(&mut rng, &[count], 3.0)];
        let probe = random(&mut rng, &[count], 1.0);
        compare(&|t| kernels::swiglu(&t[0], &t[1]), &|t| kernels::reference::swiglu(&t[0], &t[1]), &inputs, &probe)?;
    }

    #[test]
    fn cross_entropy_equals_its_twin(seed: u64, rows in 1..60usize, classes in 1..700usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let logits = random(&mut rng, &[rows, classes], 15.0);
        let targets: Vec<u32> = (0..rows).map(|_| rng.random_range(0..classes as u32)).collect();
        let probe = Tensor::new(0.7f32, &Device::Cpu).unwrap();
        compare(
            &|t| kernels::cross_entropy_sum(&t[0], &targets),
            &|t| kernels::reference::cross_entropy_sum(&t[0], &targets),
            &[logits],
            &probe,
        )?;
    }

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

    #[test]
    fn gathered_rows_and_scaled_tensors_equal_their_twins(seed: u64, rows in 1..40usize, width in 1..30usize, count in 1..90usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let table = random(&mut rng, &[rows, width], 1.0);
        let ids: Vec<u32> = (0..count).map(|_| rng.random_range(0..rows as u32)).collect();
        let probe = random(&mut rng, &[count, width], 1.0);
        compare(&|t| kernels::gather_rows(&t[0], &ids), &|t| kernels::reference::gather_rows(&t[0], &ids), &[table], &probe)?;
        let (x, factor) = (random(&mut rng, &[count, width], 1.0), random(&mut rng, &[count, width], 1.0));
        compare(
            &|t| kernels::scale_by(&t[0], &factor.to_dtype(t[0].dtype())?),
            &|t| kernels::reference::scale_by(&t[0], &factor.to_dtype(t[0].dtype())?),
            &[x],
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
    // [B, H, T, D] seen as [B, T, H, D]
    let q = random(&mut rng, &[2, 4, 33, 8], 1.0);
    let k = random(&mut rng, &[2, 2, 33, 8], 1.0);
    let probe = random(&mut rng, &[2, 33, 4, 8], 1.0);
    let turn = |t: &Tensor| t.transpose(1, 2);
    compare(
        &|t| kernels::attention(&turn(&t[0])?, &turn(&t[1])?, &turn(&t[2])?, &[33, 20]),
        &|t| kernels::reference::attention(&turn(&t[0])?, &turn(&t[1])?, &turn(&t[2])?, &[33, 20]),
        &[q, k.clone(), k],
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
    assert!(!kernels::rms_norm(&x, &w.get(0).unwrap(), 1e-5).unwrap().track_op());
}

#[test]
fn padded_queries_are_zero_and_their_keys_get_no_gradient() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let make = |rng: &mut ChaCha8Rng| Var::from_tensor(&random(rng, &[1, 10, 2, 4], 1.0)).unwrap();
    let (q, k, v) = (make(&mut rng), make(&mut rng), make(&mut rng));
    let out = kernels::attention(&q, &k, &v, &[6]).unwrap();
    let sum = |t: &Tensor| t.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(sum(&out.narrow(1, 6, 4).unwrap()) == 0.0 && sum(&out.narrow(1, 0, 6).unwrap()) > 0.0);
    let grads = out.sqr().unwrap().sum_all().unwrap().backward().unwrap();
    for var in [&q, &k, &v] {
        let grad = grads.get(var.as_tensor()).unwrap();
        assert!(sum(&grad.narrow(1, 6, 4).unwrap()) == 0.0 && sum(&grad.narrow(1, 0, 6).unwrap()) > 0.0);
    }
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
    near(&|t| kernels::rms_norm(&t[0], &t[1], 1e-5), &[random(&mut rng, &[3, 8], 1.0), random(&mut rng, &[8], 1.0)]);
    near(&|t| kernels::swiglu(&t[0], &t[1]), &[random(&mut rng, &[9], 1.0), random(&mut rng, &[9], 1.0)]);
    near(&|t| kernels::linear(&t[0], &t[1]), &[random(&mut rng, &[5, 4], 1.0), random(&mut rng, &[3, 4], 1.0)]);
    let heads = [
        random(&mut rng, &[1, 5, 2, 4], 1.0),
        random(&mut rng, &[1, 5, 1, 4], 1.0),
        random(&mut rng, &[1, 5, 1, 4], 1.0),
    ];
    near(&|t| kernels::attention(&t[0], &t[1], &t[2], &[5]), &heads);
    near(&|t| kernels::cross_entropy_sum(&t[0], &[2, 0]), &[random(&mut rng, &[2, 4], 1.0)]);
}

#[test]
fn extreme_logits_keep_cross_entropy_finite_and_nan_visible() {
    let logits = Tensor::new(&[[1e4f32, -1e4, 0.0]], &Device::Cpu).unwrap();
    let loss = kernels::cross_entropy_sum(&logits, &[1]).unwrap().to_scalar::<f32>().unwrap();
    assert!((loss - 2e4).abs() < 1.0, "{loss}");
    let logits = Tensor::new(&[[f32::NAN, 0.0]], &Device::Cpu).unwrap();
    assert!(kernels::cross_entropy_sum(&logits, &[1]).unwrap().to_scalar::<f32>().unwrap().is_nan());
}

#[test]
fn wrong_shapes_and_values_are_named() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let message = |result: candle_core::Result<Tensor>| result.unwrap_err().to_string();
    let text = message(kernels::linear(&zeros(&[2, 3]), &zeros(&[5, 4])));
    assert!(text.contains("linear: weight has shape [5, 4], expected [out, 3]"), "{text}");
    let text = message(kernels::cross_entropy_sum(&zeros(&[2, 3]), &[0, 3]));
    assert!(text.contains("target 3 of row 1 is not below the vocabulary size 3"), "{text}");
    let text = message(kernels::gather_rows(&zeros(&[2, 3]), &[9]));
    assert!(text.contains("id 9 at place 0 is not below the table's 2 rows"), "{text}");
    let text = message(kernels::attention(&zeros(&[1, 2, 2, 4]), &zeros(&[1, 2, 1, 4]), &zeros(&[1, 2, 1, 4]), &[3]));
    assert!(text.contains("row 0 has length 3, but there are only 2 queries"), "{text}");
    let text = message(kernels::rope(&zeros(&[1, 5, 1, 4]), &zeros(&[5, 2]), &zeros(&[5, 2]), 1));
    assert!(text.contains("rope: cos has shape [5, 2], expected [at least 6, 2]"), "{text}");
}
