//! The arithmetic of a decoder-only transformer, forward and backward, as candle custom ops.
//!
//! In candle 0.11.1 `ops::rms_norm`, `softmax_last_dim` and `rotary_emb::rope` return no gradient and no error, so a
//! model built on them trains only above the last such op. Every op here has a hand-written backward. The fused path
//! runs on f32 CPU tensors; other devices and dtypes take the slow twin in [`mod@reference`], which composes candle's own
//! differentiable primitives and is what the tests compare with.
//!
//! Results do not depend on the number of threads: work is split by shape alone and partial sums are added in order.
//!
//! ```
//! use candle_core::{Device, Tensor, Var};
//! let x = Var::from_tensor(&Tensor::new(&[[1f32, 2., 3., 4.]], &Device::Cpu)?)?;
//! let weight = Tensor::ones(4, candle_core::DType::F32, &Device::Cpu)?;
//! let y = kernels::rms_norm(&x, &weight, 1e-5)?;
//! assert!(y.sum_all()?.backward()?.get(&x).is_some());
//! # Ok::<(), candle_core::Error>(())
//! ```

#![allow(
    clippy::inline_always,
    reason = "only what is inlined into `simd::vectorised` is compiled for the wide registers"
)]

mod attention;
mod cross_entropy;
pub mod encoder;
mod error;
mod fused_lora;
mod gather;
mod linear;
mod lora;
mod lora_linear;
mod memory;
mod packed_rows;
mod product;
mod quantised;
mod raw;
pub mod reference;
mod rms_norm;
mod rope;
mod rows;
mod scale;
mod simd;
mod storage;
mod swiglu;
mod weight;
mod workers;

pub use attention::{attention, attention_backward};
pub use cross_entropy::{cross_entropy, cross_entropy_sum};
pub use error::Error;
pub use gather::{gather_rows, gather_rows_backward};
pub use linear::{frozen_linear, linear};
pub use lora::{Branch, LoraGradients, lora_backward, lora_forward, weight_gradient};
pub use lora_linear::lora_linear;
pub use memory::{MemoryInUse, RecyclingAllocator, memory_in_use};
pub use packed_rows::PackedRows;
pub use product::cpu;
pub use quantised::{Quantisation, Quantised};
pub use rms_norm::{rms_norm, rms_norm_backward};
pub use rope::{rope, rope_backward};
pub use scale::scale_by;
pub use swiglu::{swiglu, swiglu_backward};
pub use weight::Weight;
pub use workers::on_workers;

#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
#[path = "../tests/common/fence.rs"]
mod fence;

/// The unit tests multiply with every kernel of the machine, each within fences.
#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
#[global_allocator]
static FENCE: fence::Fence = fence::Fence;

/// Ops return candle's result, so that they fit into anyone's candle model; their own errors are wrapped in it.
pub type Result<T> = candle_core::Result<T>;
