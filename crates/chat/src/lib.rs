//! Messages to text to tokens, and which tokens are learned: one renderer for training, evaluation and serving.
//!
//! A model says how it wants to be spoken to in a Jinja template beside its tokenizer. [`ChatTokenizer`] renders that
//! template exactly as the reference library does (with a pinned date, never today's), turns the text into tokens, and
//! marks the answer and the end of its turn as the part to learn ([`Supervised`]). The preflight
//! [`ChatTokenizer::doctor`] refuses every row on which this would go wrong unnoticed ([`Refusal`]).
//!
//! ```no_run
//! use chat::{ChatTokenizer, prompts};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tokenizer = ChatTokenizer::load("models/some-model".as_ref(), "26 Jul 2024")?;
//! let mut messages = prompts::sentiment_messages("Profit rose 12%", "en", prompts::Instruction::Brief);
//! messages.push(chat::Message::assistant("positive"));
//! let row = tokenizer.doctor(&messages, 512)?;
//! assert_eq!(row.ids.len(), row.mask.len());
//! # Ok(())
//! # }
//! ```

mod error;
mod files;
mod message;
pub mod prompts;
mod python;
mod supervise;
mod template;
pub mod templates;
mod tokenizer;
mod visible;

pub use error::{Error, Refusal};
pub use message::Message;
pub use supervise::Supervised;
pub use template::ChatTemplate;
pub use tokenizer::ChatTokenizer;
