//! The arithmetic of a BERT-type encoder (Devlin et al. 2018), forward only, on plain slices that it changes in place.
//!
//! Tokens of several texts lie packed one after another, `[N, D]` row-major, without padding: a product sees rows, and
//! attention one text at a time. The slow twins are in [`twins`].
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use kernels::encoder::{Activation, activate, layer_norm, multiply};
//! let weight = Tensor::new(&[[1f32, 2.], [3., 4.], [5., 6.]], &Device::Cpu)?;
//! let mut y = [0f32; 3];
//! multiply(&mut y, &[1., -1.], &weight)?;
//! assert_eq!(y, [-1., -1., -1.]);
//! activate(&mut y, &[0., 1., 3.], Activation::Relu)?;
//! assert_eq!(y, [0., 0., 2.]);
//! layer_norm(&mut y, &[0.; 3], &[1.; 3], &[0.; 3], 1e-12)?;
//! assert!(y.iter().sum::<f32>().abs() < 1e-6);
//! # Ok::<(), candle_core::Error>(())
//! ```

mod activation;
mod attention;
mod norm;
pub mod twins;

use crate::product::{Left, Output, Right, Term};
use crate::storage::Held;
use crate::{Error, Result, product};
use candle_core::Tensor;
use rayon::prelude::*;

pub use activation::{Activation, activate};
pub use attention::self_attention;
pub use norm::layer_norm;

/// y = x·Wᵀ.
///
/// Up to eight rows are multiplied in another order of additions than more of them, so a row's last bits depend on
/// whether there are that few.
///
/// # Shapes
/// `x` `[N, in]`, `weight` `[out, in]`, f32 or bf16 on the CPU, `y` `[N, out]`.
///
/// # Errors
/// Shapes that do not fit, with their values.
pub fn multiply(y: &mut [f32], x: &[f32], weight: &Tensor) -> Result<()> {
    product_into(y, x, weight, false)
}

/// y += x·Wᵀ, as [`multiply`].
///
/// # Errors
/// As [`multiply`].
pub fn multiply_add(y: &mut [f32], x: &[f32], weight: &Tensor) -> Result<()> {
    product_into(y, x, weight, true)
}

fn product_into(y: &mut [f32], x: &[f32], weight: &Tensor, keep: bool) -> Result<()> {
    let (outputs, inputs) = weight.dims2()?;
    let rows = x.len() / inputs.max(1);
    same_size("encoder::multiply", "x", x.len(), rows * inputs)?;
    same_size("encoder::multiply", "y", y.len(), rows * outputs)?;
    let weight = Held::tensor(weight)?;
    let left = Left { values: x, stride: inputs, transposed: false, rows, depth: inputs, scale: 1.0 };
    let right = Right::Transposed(weight.matrix(), 0, outputs);
    product::multiply(&mut Output::new(y, rows, outputs, outputs), &[Term { left, right }], keep);
    Ok(())
}

/// Below this many elements a task costs more to hand out than to do.
const ELEMENTS_PER_TASK: usize = 1 << 14;

/// `work` on blocks of rows of `width`, several at a time.
fn by_rows(values: &mut [f32], width: usize, work: impl Fn(&mut [f32]) + Send + Sync) {
    let block = ELEMENTS_PER_TASK.div_ceil(width.max(1)) * width.max(1);
    values.par_chunks_mut(block).for_each(work);
}

fn same_size(op: &'static str, what: &'static str, found: usize, expected: usize) -> Result<()> {
    if found != expected {
        return Err(Error::Shape { op, what, found: vec![found], expected: format!("{expected} numbers") }.into());
    }
    Ok(())
}
