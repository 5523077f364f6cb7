//! Llama on candle with correct gradients: token ids in, logits out. Text never comes here.
//!
//! One definition serves training and inference. A model is [loaded](Llama::load) frozen, or
//! [initialised](Llama::initialise) with every parameter trainable; adapters come from the `lora` crate.
//!
//! ```
//! use candle_core::Device;
//! use lm::{Config, GenerateOptions, Llama, StepOptions};
//! let model = Llama::initialise(Config::small(64, 16, 1), 42, &Device::Cpu)?;
//! let step = model.gradients(&[(&[1, 2, 3], &[false, true, true])], &StepOptions::default(), None)?;
//! assert_eq!(step.supervised, 2);
//! assert_eq!(step.tensors.len(), model.trainable().len());
//! assert_eq!(lm::generate(&model, &[1, 2], &GenerateOptions { max_tokens: 3, ..Default::default() })?.len(), 3);
//! # Ok::<(), lm::Error>(())
//! ```

mod answers;
mod block;
mod cache;
mod checkpoint;
mod config;
mod constraint;
mod device;
mod error;
mod generate;
mod gguf;
mod gradients;
mod initialise;
mod llama;
mod memory_plan;
mod packed;
mod parameter;
mod prefix_groups;
mod rotary;
mod sampling;
mod score;
mod step_options;

pub use answers::{Answer, AnswerOptions, Answers, Prefix, Question, answer, answer_after};
pub use cache::KvCache;
pub use config::{Config, RopeScaling};
pub use constraint::{Constraint, FORBIDDEN, GreedyAfter, MinP};
pub use device::device;
pub use error::Error;
pub use generate::{GenerateOptions, Writing, generate, generate_constrained, next_logits};
pub use gguf::{GgufDtype, GgufValue, write_gguf};
pub use gradients::Gradients;
pub use llama::Llama;
pub use lora::{Dropout, LoraConfig, Variant};
pub use memory_plan::{MemoryPlan, plan};
pub use sampling::Sampling;
pub use score::score;
pub use step_options::{Precision, Recompute, Savings, StepOptions};

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
