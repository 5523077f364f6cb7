use super::{by_rows, same_size};
use crate::Result;
use crate::simd::{exp, vectorised};
use std::f32::consts::FRAC_1_SQRT_2;

/// What stands between the two products of a feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x·Φ(x) with the Φ of the normal distribution (Hendrycks & Gimpel 2016).
    Gelu,
    /// The same with Φ approximated by a tanh.
    GeluTanh,
    /// max(x, 0).
    Relu,
}

/// Each row x becomes f(x + bias).
///
/// # Shapes
/// `x` `[N, F]`, `bias` `[F]`.
///
/// # Errors
/// `x` is no number of rows.
pub fn activate(x: &mut [f32], bias: &[f32], activation: Activation) -> Result<()> {
    let width = bias.len();
    same_size("encoder::activate", "x", x.len(), x.len() / width.max(1) * width)?;
    by_rows(x, width, |block| match activation {
        Activation::Gelu => apply(block, bias, gelu),
        Activation::GeluTanh => apply(block, bias, gelu_tanh),
        Activation::Relu => apply(block, bias, |x| if x < 0.0 { 0.0 } else { x }),
    });
    Ok(())
}

#[inline(always)]
fn apply(block: &mut [f32], bias: &[f32], f: impl Fn(f32) -> f32) {
    vectorised(
        #[inline(always)]
        || {
            for row in block.chunks_exact_mut(bias.len()) {
                for (x, b) in row.iter_mut().zip(bias) {
                    *x = f(*x + b);
                }
            }
        },
    );
}

/// max(x, 0) − |x|·(1 − Φ(|x|)), with 1 − Φ as in Abramowitz & Stegun 7.1.26, within 7.5e-8.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    let z = x.abs() * FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let mut p = 1.061_405_4;
    p = p * t - 1.453_152;
    p = p * t + 1.421_413_7;
    p = p * t - 0.284_496_72;
    p = p * t + 0.254_829_6;
    let positive = if x > 0.0 { x } else { 0.0 };
    positive - 0.5 * x.abs() * (p * t) * exp(-z * z)
}

/// x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, written with the logistic function.
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    let twice = 1.595_769 * (x + 0.044_715 * x * x * x);
    x / (1.0 + exp(-twice))
}
