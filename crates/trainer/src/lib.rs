//! LoRA fine-tuning of Llama-family models, and pretraining of tiny ones.
//!
//! Read [`train_loop`] for the loop itself; [`sft`] and [`pretrain`] are the stages around it, [`preflight`] and [`memory`]
//! look before the first step, [`judge`] at held-out rows, and [`parity`] compares every part with PEFT. What comes out goes
//! on by [`merge`], [`export`] (GGUF) and [`push`] (the Hub). [`random_model`] makes checkpoints to measure with.

pub mod adamw;
pub mod card;
pub mod checkpoint;
mod curve;
mod error;
pub mod export;
pub mod gguf_vocabulary;
pub mod judge;
mod lesson;
pub mod memory;
pub mod merge;
mod model_files;
pub mod order;
pub mod parity;
pub mod preflight;
pub mod pretrain;
pub mod push;
pub mod random_model;
pub mod schedule;
mod settings;
pub mod sft;
pub mod shapes;
pub mod tensor_stream;
pub mod tokenizer;
pub mod train_loop;

pub use error::Error;
pub use lesson::Lesson;
pub use pretrain::PretrainConfig;
pub use sft::{Inputs, TrainConfig};
