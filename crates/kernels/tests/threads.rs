//! The number of threads changes no bit.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use candle_core::{Device, Tensor, Var};

fn numbers(shape: &[usize], salt: usize) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| ((i * 7919 + salt) % 1009) as f32 / 500.0 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// A small block, forward and backward, as bits.
fn everything() -> Vec<u32> {
    let var = |shape: &[usize], salt| Var::from_tensor(&numbers(shape, salt)).unwrap();
    let (x, weight) = (var(&[4, 150, 64], 1), var(&[64], 2));
    let (q, k, v) = (var(&[64, 64], 3), var(&[32, 64], 4), var(&[32, 64], 5));
    let (a, b) = (var(&[8, 64], 6), var(&[200, 8], 7));
    let base = numbers(&[200, 64], 8);
    let norm = kernels::rms_norm(&x, &weight, 1e-5).unwrap();
    let heads = |t: Tensor, n: usize| t.reshape((4, 150, n, 8)).unwrap();
    let q_out = heads(kernels::linear(&norm, &q).unwrap(), 8);
    let k_out = heads(kernels::linear(&norm, &k).unwrap(), 4);
    let v_out = heads(kernels::linear(&norm, &v).unwrap(), 4);
    let mixed = kernels::attention(&q_out, &k_out, &v_out, &[150, 90, 150, 33]).unwrap();
    let mixed = mixed.reshape((600, 64)).unwrap();
    let logits = kernels::lora_linear(&mixed, &base, &a, &b, 0.5).unwrap();
    let logits = kernels::swiglu(&logits, &logits).unwrap();
    let targets: Vec<u32> = (0..600).map(|i| i % 200).collect();
    let loss = kernels::cross_entropy_sum(&logits, &targets).unwrap();
    let grads = loss.backward().unwrap();
    let mut bits = vec![loss.to_scalar::<f32>().unwrap().to_bits()];
    for var in [&x, &weight, &q, &k, &v, &a, &b] {
        let grad = grads.get(var.as_tensor()).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        bits.extend(grad.into_iter().map(f32::to_bits));
    }
    bits
}

#[test]
fn one_and_five_threads_give_the_same_bits() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let one = pool(1).install(everything);
    let five = pool(5).install(everything);
    assert!(one == five);
}
