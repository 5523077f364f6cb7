//! The number of threads changes no bit.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use candle_core::{Device, Tensor, Var};

fn numbers(shape: &[usize], salt: usize) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| ((i * 7919 + salt) % 1009) as f32 / 500.0 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn bits(tensors: &[&Tensor]) -> Vec<u32> {
    let of = |t: &&Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits);
    tensors.iter().flat_map(of).collect()
}

/// A small block, forward and backward, as bits.
fn everything() -> Vec<u32> {
    let var = |shape: &[usize], salt| Var::from_tensor(&numbers(shape, salt)).unwrap();
    let (x, weight) = (var(&[600, 64], 1), var(&[64], 2));
    let (q, k, v) = (var(&[64, 64], 3), var(&[32, 64], 4), var(&[32, 64], 5));
    let (a, b) = (var(&[8, 64], 6), var(&[200, 8], 7));
    let base = numbers(&[200, 64], 8);
    let norm = kernels::rms_norm(&x, &weight, 1e-5).unwrap();
    let heads = |t: Tensor, n: usize| t.reshape((600, n, 8)).unwrap();
    let q_out = heads(kernels::linear(&norm, &q).unwrap(), 8).narrow(0, 50, 550).unwrap();
    let k_out = heads(kernels::linear(&norm, &k).unwrap(), 4);
    let v_out = heads(kernels::linear(&norm, &v).unwrap(), 4);
    let rows = kernels::PackedRows::new(vec![300, 1, 90, 33, 26, 60, 40]).after(50);
    let mixed = kernels::attention(&q_out, &k_out, &v_out, &rows).unwrap();
    let angles = numbers(&[40, 4], 9);
    let (cos, sin) = (angles.cos().unwrap(), angles.sin().unwrap());
    let positions: Vec<u32> = (0..550).map(|i| i % 40).collect();
    let mixed = kernels::rope(&mixed, &cos, &sin, &positions, 6).unwrap().reshape((550, 64)).unwrap();
    let logits = kernels::lora_linear(&mixed, &base, &a, &b, 0.5).unwrap();
    let logits = kernels::swiglu(&logits).unwrap();
    let ids: Vec<u32> = (0..700).map(|i| i * 7 % 550).collect();
    let logits = kernels::gather_rows(&logits, &ids).unwrap();
    let targets: Vec<u32> = (0..700).map(|i| i % 100).collect();
    let loss = kernels::cross_entropy_sum(&logits, &targets).unwrap();
    let grads = loss.backward().unwrap();
    let (sum, gradient) = kernels::cross_entropy(logits, &targets).unwrap();
    let of = |var: &Var| grads.get(var.as_tensor()).unwrap().clone();
    let found = [&x, &weight, &q, &k, &v, &a, &b].map(of);
    let mut bits = bits(&found.iter().chain([&gradient]).collect::<Vec<_>>());
    bits.extend([loss.to_scalar::<f32>().unwrap().to_bits(), (sum as f32).to_bits()]);
    bits
}

/// Explicit backward functions that the block above does not call, and a decoding step.
fn explicit() -> Vec<u32> {
    let (x, d_y, around) = (numbers(&[300, 96], 1), numbers(&[300, 96], 2), numbers(&[300, 96], 3));
    let (dx, dw) = kernels::rms_norm_backward(&x, &numbers(&[96], 4), 1e-5, &d_y, Some(&around), true).unwrap();
    let ids: Vec<u32> = (0..300).map(|i| i * 31 % 97).collect();
    let table = kernels::gather_rows_backward(&d_y, &ids, 120).unwrap();
    let gated = kernels::swiglu_backward(&numbers(&[300, 192], 5), &d_y).unwrap();
    let (q, k, v) = (numbers(&[1, 8, 32], 6), numbers(&[5000, 2, 32], 7), numbers(&[5000, 2, 32], 8));
    let decoded = kernels::attention(&q, &k, &v, &kernels::PackedRows::new(vec![1]).after(4999)).unwrap();
    bits(&[&dx, &dw.unwrap(), &table, &gated, &decoded])
}

#[test]
fn one_and_five_threads_give_the_same_bits() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for work in [everything, explicit] {
        let one = pool(1).install(work);
        let five = pool(5).install(work);
        assert!(one == five);
    }
}
