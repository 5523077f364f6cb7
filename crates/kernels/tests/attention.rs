//! Attention over packed rows against its slow twin, and what it promises about rows, shared keys and queries.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{compare, flat, random, same};
use kernels::{PackedRows, attention, attention_backward, reference};
use proptest::prelude::*;
use rand::seq::index;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows, of which sometimes only a few tokens ask.
fn random_rows(rng: &mut ChaCha8Rng, rows: usize, longest: usize, shared: usize) -> PackedRows {
    let lengths: Vec<usize> = (0..rows).map(|_| rng.random_range(0..=longest)).collect();
    let tokens = lengths.iter().sum();
    let packed = PackedRows::new(lengths).after(shared);
    if rng.random() {
        return packed;
    }
    let asking = rng.random_range(0..=tokens);
    let mut only = index::sample(rng, tokens, asking).into_vec();
    only.sort_unstable();
    packed.only(only)
}

fn check_both_directions(
    rng: &mut ChaCha8Rng,
    rows: &PackedRows,
    (kv, group, width): (usize, usize, usize),
) -> Result<(), TestCaseError> {
    let keys = [rows.shared() + rows.tokens(), kv, width];
    let queries = [rows.queries(), kv * group, width];
    let inputs = [random(rng, &queries, 2.0), random(rng, &keys, 2.0), random(rng, &keys, 2.0)];
    let probe = random(rng, &queries, 1.0);
    if rows.queries() == 0 {
        // Nothing is recorded then, so there is no gradient to ask autograd for.
        let (dq, dk, dv) = attention_backward(&inputs[0], &inputs[1], &inputs[2], rows, &probe).unwrap();
        prop_assert!(dq.elem_count() == 0 && flat(&dk).iter().chain(&flat(&dv)).all(|&v| v == 0.0));
        let out = attention(&inputs[0], &inputs[1], &inputs[2], rows).unwrap();
        prop_assert_eq!(out.dims(), queries);
        return Ok(());
    }
    compare(
        &|t| attention(&t[0], &t[1], &t[2], rows),
        &|t| reference::attention(&t[0], &t[1], &t[2], rows),
        &inputs,
        &probe,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn attention_equals_its_twin(
        seed: u64, rows in 0..6usize, longest in 1..80usize, shared in 0..40usize, kv in 1..4usize, group in 1..5usize, width in 1..40usize,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rows = random_rows(&mut rng, rows, longest, shared);
        check_both_directions(&mut rng, &rows, (kv, group, width))?;
    }

    #[test]
    fn heads_narrowed_out_of_one_tensor_give_what_copies_give(
        seed: u64, rows in 1..5usize, longest in 1..30usize, kv in 1..4usize, group in 1..4usize, width in 1..20usize,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rows = PackedRows::new((0..rows).map(|_| rng.random_range(1..=longest)).collect());
        let heads = kv * group;
        let fused = random(&mut rng, &[rows.tokens(), heads + 2 * kv, width], 1.0);
        let part = |from, count| fused.narrow(1, from, count).unwrap();
        let (q, k, v) = (part(0, heads), part(heads, kv), part(heads + kv, kv));
        let copy = |t: &Tensor| t.contiguous().unwrap();
        let (qc, kc, vc) = (copy(&q), copy(&k), copy(&v));
        let bits = |t: &Tensor| flat(t).into_iter().map(f64::to_bits).collect::<Vec<_>>();
        let out = attention(&q, &k, &v, &rows).unwrap();
        prop_assert_eq!(bits(&out), bits(&attention(&qc, &kc, &vc, &rows).unwrap()));
        let (dq, dk, dv) = attention_backward(&q, &k, &v, &rows, &out).unwrap();
        let (eq, ek, ev) = attention_backward(&qc, &kc, &vc, &rows, &out).unwrap();
        prop_assert_eq!((bits(&dq), bits(&dk), bits(&dv)), (bits(&eq), bits(&ek), bits(&ev)));
    }

    #[test]
    fn the_explicit_backward_equals_autograd_through_the_twin(
        seed: u64, rows in 1..5usize, longest in 1..40usize, shared in 0..20usize, kv in 1..3usize, group in 1..4usize, width in 1..20usize,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rows = random_rows(&mut rng, rows, longest, shared);
        let keys = [shared + rows.tokens(), kv, width];
        let queries = [rows.queries(), kv * group, width];
        let (q, k, v) = (random(&mut rng, &queries, 2.0), random(&mut rng, &keys, 2.0), random(&mut rng, &keys, 2.0));
        let d_out = random(&mut rng, &queries, 1.0);
        let (dq, dk, dv) = attention_backward(&q, &k, &v, &rows, &d_out).unwrap();
        let wide = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
        let twin = |t: &[Tensor]| reference::attention(&t[0], &t[1], &t[2], &rows);
        let expected = reference::vjp(&[&wide(&q), &wide(&k), &wide(&v)], &wide(&d_out), twin).unwrap();
        for (what, (found, expected)) in ["dq", "dk", "dv"].iter().zip([dq, dk, dv].iter().zip(&expected)) {
            same(what, found, expected)?;
        }
    }
}

#[test]
fn long_rows_many_rows_and_wide_heads_equal_the_twin() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (lengths, shared, shape) in [
        (vec![700], 0, (2, 2, 16)),
        (vec![300, 1, 290], 130, (1, 1, 48)),
        (vec![9; 90], 17, (2, 4, 64)),
        (vec![3, 0, 5], 900, (1, 2, 128)),
        (vec![0, 0], 5, (1, 1, 8)),
    ] {
        check_both_directions(&mut rng, &PackedRows::new(lengths).after(shared), shape).unwrap();
    }
}

#[test]
fn one_query_over_a_long_context_equals_the_twin() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for shape in [(1, 1, 64), (2, 4, 64), (8, 1, 5)] {
        check_both_directions(&mut rng, &PackedRows::new(vec![1]).after(3000), shape).unwrap();
    }
    let last_tokens = PackedRows::new(vec![1000, 1, 400]).only(vec![999, 1000, 1400]);
    check_both_directions(&mut rng, &last_tokens, (2, 2, 32)).unwrap();
}

#[test]
fn a_row_after_shared_keys_gives_what_the_whole_sequence_gives() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let make = |rng: &mut ChaCha8Rng, heads| random(rng, &[50, heads, 8], 1.0);
    let (q, k, v) = (make(&mut rng, 4), make(&mut rng, 2), make(&mut rng, 2));
    let whole = attention(&q, &k, &v, &PackedRows::new(vec![50])).unwrap();
    let tail = q.narrow(0, 30, 20).unwrap();
    let after = attention(&tail, &k, &v, &PackedRows::new(vec![20]).after(30)).unwrap();
    same("tail", &after, &whole.narrow(0, 30, 20).unwrap()).unwrap();
    let asked = attention(&q.narrow(0, 49, 1).unwrap(), &k, &v, &PackedRows::new(vec![50]).only(vec![49])).unwrap();
    same("last", &asked, &whole.narrow(0, 49, 1).unwrap()).unwrap();
}

#[test]
fn a_row_sees_nothing_of_its_neighbours_or_of_later_tokens() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let var = |rng: &mut ChaCha8Rng| Var::from_tensor(&random(rng, &[12, 2, 4], 1.0)).unwrap();
    let (k, v) = (var(&mut rng), var(&mut rng));
    let q = random(&mut rng, &[10, 2, 4], 1.0);
    let rows = PackedRows::new(vec![4, 6]).after(2);
    let out = attention(&q, k.as_tensor(), v.as_tensor(), &rows).unwrap();
    // Token 2 of the second row: packed 6, so keys 0, 1 (shared) and 6, 7, 8 (its own row's first three).
    let grads = out.narrow(0, 6, 1).unwrap().sqr().unwrap().sum_all().unwrap().backward().unwrap();
    for var in [&k, &v] {
        let size = grads.get(var.as_tensor()).unwrap().abs().unwrap().sum((1, 2)).unwrap().to_vec1::<f32>().unwrap();
        let seen: Vec<usize> = (0..12).filter(|&i| size[i] > 0.0).collect();
        assert_eq!(seen, [0, 1, 6, 7, 8]);
    }
}

#[test]
fn half_precision_takes_the_twin_in_both_directions() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let rows = PackedRows::new(vec![3, 4]).after(2);
    let half = |t: Tensor| t.to_dtype(DType::BF16).unwrap();
    let (q, d_out) = (random(&mut rng, &[7, 2, 4], 1.0), random(&mut rng, &[7, 2, 4], 1.0));
    let (k, v) = (random(&mut rng, &[9, 1, 4], 1.0), random(&mut rng, &[9, 1, 4], 1.0));
    let (dq, dk, dv) = attention_backward(&q, &k, &v, &rows, &d_out).unwrap();
    let (hq, hk, hv) = attention_backward(&half(q), &half(k), &half(v), &rows, &half(d_out)).unwrap();
    for (f, h) in [(dq, hq), (dk, hk), (dv, hv)] {
        assert_eq!(h.dtype(), DType::BF16);
        assert!(flat(&f).iter().zip(flat(&h)).all(|(f, h)| (f - h).abs() < 0.05 * (1.0 + f.abs())));
    }
}

#[test]
fn not_a_number_stays_in_its_row() {
    let device = Device::Cpu;
    let mut values = vec![0.5f32; 12];
    values[8] = f32::NAN;
    let t = Tensor::from_vec(values, (6, 1, 2), &device).unwrap();
    let out = flat(&attention(&t, &t, &t, &PackedRows::new(vec![4, 2])).unwrap());
    assert!(out[..8].iter().all(|v| v.is_finite()) && out[8].is_nan());
}

#[test]
fn wrong_shapes_and_queries_are_named() {
    let zeros = |n: usize, heads: usize| Tensor::zeros((n, heads, 4), DType::F32, &Device::Cpu).unwrap();
    let message = |q, k, v, rows: PackedRows| attention(&q, &k, &v, &rows).unwrap_err().to_string();
    let text = message(zeros(3, 2), zeros(4, 1), zeros(4, 1), PackedRows::new(vec![2, 2]));
    assert!(text.contains("attention: q has shape [3, 2, 4], expected [4, heads, width], one row a query"), "{text}");
    let text = message(zeros(4, 2), zeros(4, 1), zeros(4, 1), PackedRows::new(vec![2, 2]).after(1));
    assert!(text.contains("k has shape [4, 1, 4], expected [5, a divisor of 2, 4]"), "{text}");
    let text = message(zeros(4, 3), zeros(4, 2), zeros(4, 2), PackedRows::new(vec![4]));
    assert!(text.contains("k has shape [4, 2, 4]"), "{text}");
    let text = message(zeros(4, 2), zeros(4, 2), zeros(4, 1), PackedRows::new(vec![4]));
    assert!(text.contains("v has shape [4, 1, 4], expected [4, 2, 4], as k"), "{text}");
    let text = message(zeros(2, 2), zeros(4, 2), zeros(4, 2), PackedRows::new(vec![4]).only(vec![3, 3]));
    assert!(text.contains("query 1 is token 3, expected one from 4 to below 4, in ascending order"), "{text}");
}
