//! Whether what a text claims is what the fact it cites says.
//!
//! An agent answers in the form of an [`Answer`]: a score, a confidence, claims that each cite one fact of the prompt, a rationale.
//! [`verify`] holds each claim against the [`artifacts::rows::Fact`] it cites, without a model: numbers within the precision they are
//! written to, dates and times, names, directions, and whether the fact is about the same thing at all. [`contradicts`] holds
//! the score against its own rationale. [`author`] and [`corrupt`] write answers whose every error is known; `tests/measured.rs`
//! and `tests/held_out.rs` measure the verifier on them, `tests/sentences.rs` on sentences written by hand.
//!
//! What it does not do: judge whether a claim is important or a conclusion sound; read figures that follow from others
//! (`doubled`, a difference of two facts) unless a fact states them; tell names from other first words of a sentence with
//! certainty; follow a negation over more than three words or irony over any.

mod answer;
mod evidence;
mod read;
mod reader;
mod simulate;
mod stance;
mod verdict;
mod verify;

pub use answer::{Answer, AnswerError, Claim, MOST_CLAIMS};
pub use reader::Reader;
pub use simulate::{Injected, author, corrupt};
pub use stance::{contradicts, stance};
pub use verdict::{Checked, Verdict};
pub use verify::{Verifier, verify};
