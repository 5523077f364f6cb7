//! LoRA, rsLoRA and DoRA for anyone's candle model, with PEFT's files in and out.
//!
//! A model keeps its linear layers as [`Linear`] and lists them by implementing [`Adaptable`]; [`attach`],
//! [`load_adapter`], [`save_adapter`] and [`merge`] then work on it. Names are those of the checkpoint without
//! `.weight`, such as `model.layers.0.self_attn.q_proj`, so that the files are PEFT's own.
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use lora::{Adaptable, Linear, LoraConfig, Pass};
//!
//! struct Head(Linear);
//! impl Adaptable for Head {
//!     fn linears(&self) -> Vec<(String, &Linear)> {
//!         vec![("model.head".into(), &self.0)]
//!     }
//!     fn linears_mut(&mut self) -> Vec<(String, &mut Linear)> {
//!         vec![("model.head".into(), &mut self.0)]
//!     }
//! }
//!
//! let mut head = Head(Linear::Frozen(Tensor::ones((3, 4), DType::F32, &Device::Cpu)?.into()));
//! lora::attach(&mut head, &LoraConfig { r: 2, targets: vec!["head".into()], ..LoraConfig::default() }, 42)?;
//! let x = Tensor::ones((1, 4), DType::F32, &Device::Cpu)?;
//! assert_eq!(head.0.forward(&x, Pass::gradients())?.to_vec2::<f32>()?, [[4.0; 3]]); // B starts at zero
//! # Ok::<(), lora::Error>(())
//! ```

mod adapter;
mod config;
mod dropout;
mod error;
mod linear;
mod lora_linear;
mod peft;
mod stacked;
mod tensor_file;

pub use adapter::{Adaptable, attach, load_adapter, merge, save_adapter, trainable};
pub use config::{LoraConfig, Variant};
pub use dropout::{Dropout, Pass};
pub use error::Error;
pub use linear::Linear;
pub use lora_linear::LoraLinear;
pub use peft::{CONFIG_FILE, MODEL_FILE, read_config, write_config};
pub use stacked::{GradientSum, Kept, Stacked};
pub use tensor_file::{TensorFile, write_atomically, write_tensors};

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
