//! Norm, rotation, gated unit, loss and gathering against their slow twins, in both directions.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{Op, compare, flat, random, run, same};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn wide(t: &Tensor) -> Tensor {
    t.to_dtype(DType::F64).unwrap()
}

/// A tensor seen through a transposition, so that its elements are not neighbours.
fn strided(rng: &mut ChaCha8Rng, rows: usize, columns: usize, size: f32) -> Tensor {
    random(rng, &[columns, rows], size).t().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rms_norm_equals_its_twin(seed: u64, rows in 1..200usize, width in 2..100usize) {
        // Of a single column the gradient is the difference of two equal numbers: nothing to compare.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let inputs = [random(&mut rng, &[2, rows, width], 3.0), random(&mut rng, &[width], 2.0)];
        let probe = random(&mut rng, &[2, rows, width], 1.0);
        let eps = 1e-3;
        compare(&|t| kernels::rms_norm(&t[0], &t[1], eps), &|t| kernels::reference::rms_norm(&t[0], &t[1], eps), &inputs, &probe)?;
    }

    #[test]
    fn the_backward_of_rms_norm_adds_what_comes_around(seed: u64, rows in 0..200usize, width in 1..100usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (x, d_y) = (strided(&mut rng, rows, width, 3.0), strided(&mut rng, rows, width, 1.0));
        let (w, around) = (random(&mut rng, &[width], 2.0), strided(&mut rng, rows, width, 1.0));
        let (dx, dw) = kernels::rms_norm_backward(&x, &w, 1e-3, &d_y, Some(&around), true).unwrap();
        let twin = |t: &[Tensor]| kernels::reference::rms_norm(&t[0], &t[1], 1e-3);
        let expected = kernels::reference::vjp(&[&wide(&x), &wide(&w)], &wide(&d_y), twin).unwrap();
        same("dx", &dx, &(&expected[0] + wide(&around)).unwrap())?;
        same("dw", &dw.unwrap(), &expected[1])?;
        let slow = kernels::rms_norm_backward(&wide(&x), &wide(&w), 1e-3, &wide(&d_y), Some(&wide(&around)), false).unwrap();
        same("dx", &dx, &slow.0)?;
        prop_assert!(slow.1.is_none());
    }

    #[test]
    fn rope_equals_its_twin(seed: u64, tokens in 1..300usize, heads in 1..6usize, kept in 0..3usize, half in 1..17usize, table in 1..90usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shape = [tokens, heads + kept, 2 * half];
        let (x, probe) = (random(&mut rng, &shape, 2.0), random(&mut rng, &shape, 1.0));
        let angles = random(&mut rng, &[table, half], 3.0);
        let (cos, sin) = (angles.cos().unwrap(), angles.sin().unwrap());
        let positions: Vec<u32> = (0..tokens).map(|_| rng.random_range(0..table as u32)).collect();
        compare(
            &|t| kernels::rope(&t[0], &cos, &sin, &positions, heads),
            &|t| kernels::reference::rope(&t[0], &cos, &sin, &positions, heads),
            std::slice::from_ref(&x),
            &probe,
        )?;
        let back = kernels::rope_backward(&probe, &cos, &sin, &positions, heads).unwrap();
        let twin = |t: &[Tensor]| kernels::reference::rope(&t[0], &cos, &sin, &positions, heads);
        same("gradient", &back, &kernels::reference::vjp(&[&wide(&x)], &wide(&probe), twin).unwrap()[0])?;
        same("slow path", &back, &kernels::rope_backward(&wide(&probe), &wide(&cos), &wide(&sin), &positions, heads).unwrap())?;
    }

    #[test]
    fn swiglu_equals_its_twin(seed: u64, rows in 0..40usize, width in 1..700usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (gate_up, probe) = (random(&mut rng, &[rows, 2 * width], 20.0), random(&mut rng, &[rows, width], 1.0));
        compare(&|t| kernels::swiglu(&t[0]), &|t| kernels::reference::swiglu(&t[0]), std::slice::from_ref(&gate_up), &probe)?;
        let slow = kernels::swiglu_backward(&wide(&gate_up), &wide(&probe)).unwrap();
        same("gradient", &kernels::swiglu_backward(&gate_up, &probe).unwrap(), &slow)?;
        let seen = strided(&mut rng, rows, 2 * width, 5.0);
        same("strided", &kernels::swiglu(&seen).unwrap(), &kernels::swiglu(&wide(&seen)).unwrap())?;
    }

    #[test]
    fn cross_entropy_equals_its_twin(seed: u64, rows in 0..60usize, classes in 1..700usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let logits = random(&mut rng, &[rows, classes], 15.0);
        let targets: Vec<u32> = (0..rows).map(|_| rng.random_range(0..classes as u32)).collect();
        let probe = Tensor::new(0.7f32, &Device::Cpu).unwrap();
        compare(
            &|t| kernels::cross_entropy_sum(&t[0], &targets),
            &|t| kernels::reference::cross_entropy_sum(&t[0], &targets),
            std::slice::from_ref(&logits),
            &probe,
        )?;
        let (loss, gradient) = kernels::cross_entropy(logits.clone(), &targets).unwrap();
        let (slow_loss, slow_gradient) = kernels::cross_entropy(wide(&logits), &targets).unwrap();
        prop_assert!((loss - slow_loss).abs() <= 1e-6 * slow_loss.max(1.0), "{loss}, expected {slow_loss}");
        same("gradient", &gradient, &slow_gradient)?;
    }

    #[test]
    fn gathered_rows_and_scaled_tensors_equal_their_twins(seed: u64, rows in 1..40usize, width in 1..400usize, count in 0..90usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let table = random(&mut rng, &[rows, width], 1.0);
        let ids: Vec<u32> = (0..count).map(|_| rng.random_range(0..rows as u32)).collect();
        let probe = random(&mut rng, &[count, width], 1.0);
        compare(
            &|t| kernels::gather_rows(&t[0], &ids),
            &|t| kernels::reference::gather_rows(&t[0], &ids),
            std::slice::from_ref(&table),
            &probe,
        )?;
        let back = kernels::gather_rows_backward(&probe, &ids, rows).unwrap();
        same("gradient", &back, &kernels::gather_rows_backward(&wide(&probe), &ids, rows).unwrap())?;
        for half in [DType::BF16, DType::F16] {
            let table = table.to_dtype(half).unwrap();
            let found = kernels::gather_rows(&table, &ids).unwrap();
            prop_assert_eq!(found.dtype(), DType::F32);
            prop_assert_eq!(flat(&found), flat(&kernels::gather_rows(&wide(&table), &ids).unwrap()));
        }
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
fn a_vocabulary_of_128_256_keeps_the_loss_to_seven_digits() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let logits = random(&mut rng, &[3, 128_256], 8.0);
    let targets = [0, 128_255, 77];
    let (loss, gradient) = kernels::cross_entropy(logits.clone(), &targets).unwrap();
    let (slow_loss, slow_gradient) = kernels::cross_entropy(wide(&logits), &targets).unwrap();
    assert!((loss - slow_loss).abs() < 1e-6 * slow_loss, "{loss}, expected {slow_loss}");
    same("gradient", &gradient, &slow_gradient).unwrap();
    let sums = flat(&gradient.sum(1).unwrap());
    assert!(sums.iter().all(|s| s.abs() < 1e-4), "a softmax minus a one-hot sums to 0: {sums:?}");
}

#[test]
fn extreme_logits_keep_cross_entropy_finite_and_nan_visible() {
    let row = |values: [f32; 3]| Tensor::new(&[values], &Device::Cpu).unwrap();
    let both = |logits: Tensor| {
        let sum = kernels::cross_entropy_sum(&logits, &[1]).unwrap().to_scalar::<f32>().unwrap();
        (f64::from(sum), kernels::cross_entropy(logits, &[1]).unwrap().0)
    };
    let (sum, loss) = both(row([1e4, -1e4, 0.0]));
    assert!((sum - 2e4).abs() < 1.0 && (loss - 2e4).abs() < 1.0, "{sum} {loss}");
    for broken in [f32::NAN, f32::INFINITY] {
        let (sum, loss) = both(row([broken, 0.0, 1.0]));
        assert!(sum.is_nan() && loss.is_nan(), "{broken}: {sum} {loss}");
    }
    let (sum, loss) = both(row([f32::NEG_INFINITY; 3]));
    assert!(sum.is_nan() && loss.is_nan(), "{sum} {loss}");
}

#[test]
fn the_gradient_of_half_precision_logits_is_in_half_precision() {
    let logits = Tensor::new(&[[1f32, 2.0, 3.0]], &Device::Cpu).unwrap().to_dtype(DType::BF16).unwrap();
    let (loss, gradient) = kernels::cross_entropy(logits, &[0]).unwrap();
    assert!((loss - 2.407_605_9).abs() < 1e-5, "{loss}");
    assert_eq!(gradient.dtype(), DType::BF16);
}

#[test]
fn a_half_precision_table_still_gets_its_gradient() {
    let table = Tensor::ones((3, 2), DType::BF16, &Device::Cpu).unwrap();
    let table = Var::from_tensor(&table).unwrap();
    let grads = kernels::gather_rows(&table, &[2, 0, 2]).unwrap().sum_all().unwrap().backward().unwrap();
    assert_eq!(flat(grads.get(&table).unwrap()), [1.0, 1.0, 0.0, 0.0, 2.0, 2.0]);
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
    near(&|t| kernels::swiglu(&t[0]), &[random(&mut rng, &[3, 18], 1.0)]);
    near(&|t| kernels::cross_entropy_sum(&t[0], &[2, 0]), &[random(&mut rng, &[2, 4], 1.0)]);
}

#[test]
fn nothing_is_recorded_for_inputs_that_need_no_gradient() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (x, w) = (random(&mut rng, &[5, 4], 1.0), random(&mut rng, &[4], 1.0));
    assert!(!kernels::rms_norm(&x, &w, 1e-5).unwrap().track_op());
    assert!(!kernels::swiglu(&x).unwrap().track_op());
}

#[test]
fn wrong_shapes_and_values_are_named() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let message = |result: candle_core::Result<Tensor>| result.unwrap_err().to_string();
    let text = message(kernels::cross_entropy_sum(&zeros(&[2, 3]), &[0, 3]));
    assert!(text.contains("target 3 of row 1 is not below the vocabulary size 3"), "{text}");
    let text = message(kernels::cross_entropy(zeros(&[2, 3]), &[0]).map(|(_, g)| g));
    assert!(text.contains("cross_entropy: logits has shape [2, 3], expected [1, vocabulary]"), "{text}");
    let text = message(kernels::gather_rows(&zeros(&[2, 3]), &[9]));
    assert!(text.contains("id 9 at place 0 is not below the table's 2 rows"), "{text}");
    let text = message(kernels::gather_rows_backward(&zeros(&[2, 3]), &[0], 5));
    assert!(text.contains("d_y has shape [2, 3], expected [1, D], one row an id"), "{text}");
    let text = message(kernels::rope(&zeros(&[5, 1, 4]), &zeros(&[5, 2]), &zeros(&[5, 2]), &[0, 1, 2, 3, 5], 1));
    assert!(text.contains("rope: token 4 has position 5, but the tables end at 5"), "{text}");
    let text = message(kernels::rope(&zeros(&[1, 1, 4]), &zeros(&[5, 3]), &zeros(&[5, 2]), &[0], 1));
    assert!(text.contains("rope: cos has shape [5, 3], expected [positions, 2]"), "{text}");
    let text = message(kernels::rope(&zeros(&[1, 1, 4]), &zeros(&[5, 2]), &zeros(&[5, 2]), &[0], 2));
    assert!(text.contains("rope: x has shape [1, 1, 4], expected [1, at least 2, D]"), "{text}");
    let text = message(kernels::swiglu(&zeros(&[2, 3])));
    assert!(text.contains("swiglu: gate_up has shape [2, 3]"), "{text}");
    let text = message(kernels::swiglu_backward(&zeros(&[2, 4]), &zeros(&[2, 3])));
    assert!(text.contains("swiglu_backward: d_y has shape [2, 3]"), "{text}");
    let text = message(kernels::rms_norm(&zeros(&[2, 4]), &zeros(&[3]), 1e-5));
    assert!(text.contains("rms_norm: weight has shape [3], expected [4]"), "{text}");
}
