//! What differential tests share: each fused op against its slow twin, outputs and every gradient, on random shapes. The
//! twin computes in f64, so the tolerance is that of one f32 computation.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests; not every one uses everything"
)]

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod fence;

use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[global_allocator]
static FENCE: fence::Fence = fence::Fence;

pub type Op<'a> = dyn Fn(&[Tensor]) -> candle_core::Result<Tensor> + 'a;

pub fn random(rng: &mut ChaCha8Rng, shape: &[usize], size: f32) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.random_range(-size..size)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Output and the gradient of each input under the loss Σ output · probe.
pub fn run(op: &Op<'_>, inputs: &[Tensor], probe: &Tensor, dtype: DType) -> (Vec<f64>, Vec<Vec<f64>>) {
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let output = op(&tensors).unwrap();
    let probe = probe.to_dtype(output.dtype()).unwrap().broadcast_as(output.shape()).unwrap();
    let grads = (&output * &probe).unwrap().sum_all().unwrap().backward().unwrap();
    let gradients = vars.iter().map(|v| flat(grads.get(v.as_tensor()).unwrap())).collect();
    (flat(&output), gradients)
}

pub fn close(what: &str, found: &[f64], expected: &[f64]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len(), "{}: length", what);
    let largest = expected.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        prop_assert!((f - e).abs() <= 1e-5 * largest, "{what} at {i}: {f}, expected {e} (largest {largest})");
    }
    Ok(())
}

/// `fused` in f32 against `slow` in f64.
pub fn compare(fused: &Op<'_>, slow: &Op<'_>, inputs: &[Tensor], probe: &Tensor) -> Result<(), TestCaseError> {
    let (out, grads) = run(fused, inputs, probe, DType::F32);
    let (expected_out, expected_grads) = run(slow, inputs, probe, DType::F64);
    close("output", &out, &expected_out)?;
    for (i, (g, e)) in grads.iter().zip(&expected_grads).enumerate() {
        close(&format!("gradient of input {i}"), g, e)?;
    }
    Ok(())
}

pub fn flat(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// As `close`, for a tensor each.
pub fn same(what: &str, found: &Tensor, expected: &Tensor) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.dims(), expected.dims(), "{}: shape", what);
    close(what, &flat(found), &flat(expected))
}
