//! LoRA fine-tuning of Llama-family models, and pretraining of tiny ones.
//!
//! Read [`train_loop`] for the loop itself; [`sft`] and [`pretrain`] are the stages around it, [`parity`] compares every part
//! with PEFT.

pub mod adamw;
pub mod checkpoint;
mod curve;
mod error;
pub mod order;
pub mod parity;
pub mod pretrain;
pub mod schedule;
pub mod sft;
pub mod tokenizer;
pub mod train_loop;

pub use error::Error;
pub use pretrain::PretrainConfig;
pub use sft::{Inputs, TrainConfig};
