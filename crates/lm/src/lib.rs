//! Llama on candle with correct gradients: token ids in, logits out. Text never comes here.
//!
//! One definition serves training and inference. A model is [loaded](Llama::load) frozen, or
//! [initialised](Llama::initialise) with every parameter trainable; adapters come from the `lora` crate.
//!
//! ```
//! use candle_core::Device;
//! use lm::{Config, GenerateOptions, Llama};
//! let model = Llama::initialise(Config::small(64, 16, 1), 42, &Device::Cpu)?;
//! let (loss, supervised) = model.loss(&[(&[1, 2, 3], &[false, true, true])], None)?;
//! assert_eq!(supervised, 2);
//! assert!(model.trainable().iter().all(|(_, var)| loss.backward().is_ok_and(|g| g.get(var).is_some())));
//! assert_eq!(lm::generate(&model, &[1, 2], &GenerateOptions { max_tokens: 3, ..Default::default() })?.len(), 3);
//! # Ok::<(), lm::Error>(())
//! ```

mod block;
mod cache;
mod checkpoint;
mod config;
mod error;
mod generate;
mod initialise;
mod llama;
mod loss;
mod parameter;
mod rotary;
mod sampling;
mod score;

pub use cache::KvCache;
pub use config::{Config, RopeScaling};
pub use error::Error;
pub use generate::{GenerateOptions, generate};
pub use llama::{Batch, Llama};
pub use lora::{Dropout, LoraConfig, Pass, Variant};
pub use sampling::Sampling;
pub use score::score;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
