//! What quantisation loses, and that rows of any length survive it.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor};
use common::{flat, random};
use kernels::{Quantisation, Weight};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Roughly normal, as trained weights are: the sum of twelve uniform numbers.
fn normal(rng: &mut ChaCha8Rng, rows: usize, columns: usize) -> Tensor {
    let values: Vec<f32> =
        (0..rows * columns).map(|_| (0..12).map(|_| rng.random_range(-0.5f32..0.5)).sum::<f32>()).collect();
    Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
}

/// Root of the mean squared error, as a share of the root of the mean square.
fn relative_error(exact: &[f64], found: &[f64]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    (square(&mut exact.iter().zip(found).map(|(e, f)| e - f)) / square(&mut exact.iter().copied())).sqrt()
}

fn round_trip(matrix: &Tensor, kind: Quantisation) -> Vec<f64> {
    flat(&Weight::from(matrix.clone()).quantise(kind).unwrap().to_dense(DType::F32).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_is_further_from_its_own_than_half_the_widest_gap_between_levels(
        seed: u64, rows in 1..5usize, columns in 1..200usize, size in 1e-3f32..100.0,
    ) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let matrix = random(rng, &[rows, columns], size);
        let exact = flat(&matrix);
        // The widest gap of nf4 is that between −1 and −0.696; int8's are all 1/127.
        for (kind, gap) in [(Quantisation::Int8, 1.0 / 127.0), (Quantisation::Nf4, 1.0 - 0.6961)] {
            let found = round_trip(&matrix, kind);
            for (row, (exact, found)) in exact.chunks(columns).zip(found.chunks(columns)).enumerate() {
                for (block, (exact, found)) in exact.chunks(64).zip(found.chunks(64)).enumerate() {
                    let largest = exact.iter().fold(0f64, |m, v| m.max(v.abs()));
                    for (e, f) in exact.iter().zip(found) {
                        prop_assert!((e - f).abs() <= 0.5001 * gap * largest, "{kind:?} row {row} block {block}: {e} became {f}");
                    }
                }
            }
        }
        let found = round_trip(&matrix, Quantisation::Int8Rows);
        for (exact, found) in exact.chunks(columns).zip(found.chunks(columns)) {
            let largest = exact.iter().fold(0f64, |m, v| m.max(v.abs()));
            for (e, f) in exact.iter().zip(found) {
                prop_assert!((e - f).abs() <= 0.5001 / 127.0 * largest, "{e} became {f}");
            }
        }
    }

    #[test]
    fn quantising_what_was_quantised_changes_nothing(seed: u64, rows in 1..4usize, columns in 1..150usize) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let matrix = random(rng, &[rows, columns], 1.0);
        for kind in [Quantisation::Int8, Quantisation::Int8Rows, Quantisation::Nf4] {
            let once = round_trip(&matrix, kind);
            let again = Tensor::from_vec(once.clone(), (rows, columns), &Device::Cpu).unwrap();
            for (a, b) in round_trip(&again, kind).iter().zip(&once) {
                prop_assert!((a - b).abs() <= 1e-6 * b.abs(), "{kind:?}: {b} became {a}");
            }
        }
    }
}

#[test]
fn normal_weights_lose_less_than_a_hundredth_in_8_bits_and_a_tenth_in_4() {
    let matrix = normal(&mut ChaCha8Rng::seed_from_u64(1), 64, 512);
    let exact = flat(&matrix);
    let (int8, nf4) = (
        relative_error(&exact, &round_trip(&matrix, Quantisation::Int8)),
        relative_error(&exact, &round_trip(&matrix, Quantisation::Nf4)),
    );
    assert!(int8 < 0.007 && int8 > 0.003, "int8 {int8}");
    assert!(nf4 < 0.1 && nf4 > 0.05, "nf4 {nf4}");
}

#[test]
fn an_outlier_spoils_its_block_and_not_its_row() {
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let mut values = flat(&normal(rng, 1, 2048));
    values[100] = 60.0;
    let matrix = Tensor::from_vec(values.clone(), (1, 2048), &Device::Cpu).unwrap().to_dtype(DType::F32).unwrap();
    let found = round_trip(&matrix, Quantisation::Int8);
    let apart = |values: &[f64]| [&values[..64], &values[128..]].concat();
    assert!(relative_error(&apart(&values), &apart(&found)) < 0.007);
    // One scale for the whole row rounds everything to multiples of 60/127.
    let per_row = round_trip(&matrix, Quantisation::Int8Rows);
    assert!(relative_error(&apart(&values), &apart(&per_row)) > 0.1);
}

#[test]
fn zeros_stay_zeros_and_what_is_not_a_number_stays_visible() {
    for kind in [Quantisation::Int8, Quantisation::Nf4] {
        let mut values = vec![0f32; 130];
        let zeros = Tensor::from_vec(values.clone(), (1, 130), &Device::Cpu).unwrap();
        assert!(round_trip(&zeros, kind).iter().all(|v| *v == 0.0));
        for bad in [f32::NAN, f32::INFINITY] {
            values[70] = bad;
            let found = round_trip(&Tensor::from_vec(values.clone(), (1, 130), &Device::Cpu).unwrap(), kind);
            assert!(!found[70].is_finite() && found[..64].iter().chain(&found[128..]).all(|v| *v == 0.0), "{kind:?}");
        }
    }
}

#[test]
fn an_element_takes_one_byte_or_half_a_byte_and_its_share_of_a_scale() {
    let weight = Weight::from(Tensor::zeros((128, 640), DType::BF16, &Device::Cpu).unwrap());
    let share = |kind| weight.quantise(kind).unwrap().bytes() as f64 / (128.0 * 640.0);
    assert_eq!((weight.bytes(), weight.dims()), (2 * 128 * 640, (128, 640)));
    assert!((share(Quantisation::Int8) - 1.0625).abs() < 1e-9 && (share(Quantisation::Nf4) - 0.5625).abs() < 1e-9);
}

#[test]
fn rows_by_number_are_those_of_the_whole_matrix() {
    let matrix = normal(&mut ChaCha8Rng::seed_from_u64(3), 9, 100).to_dtype(DType::F32).unwrap();
    let ids = [7, 0, 7, 3];
    let forms = [Quantisation::Int8, Quantisation::Int8Rows, Quantisation::Nf4]
        .map(|kind| Weight::from(matrix.clone()).quantise(kind));
    for weight in forms.into_iter().map(Result::unwrap).chain([Weight::from(matrix)]) {
        let whole = weight.to_dense(DType::F32).unwrap().to_vec2::<f32>().unwrap();
        let found = weight.gather(&ids).unwrap().to_vec2::<f32>().unwrap();
        assert!(found.iter().zip(ids).all(|(row, id)| *row == whole[id as usize]), "{weight:?}");
        assert!(weight.gather(&[2, 9]).unwrap_err().to_string().contains('9'));
    }
}
