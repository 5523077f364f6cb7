//! How good a classifier's answers are. Everything starts from a [`Confusion`], in which an answer that could not be
//! read has its own place: it is wrong, and it is never a class.

mod accuracy;
mod calibration;
mod class_scores;
mod confusion;
mod macro_f1;
mod matthews;
mod mcnemar;
mod paired_bootstrap;
mod wilson;

pub use accuracy::accuracy;
pub use calibration::calibration_error;
pub use class_scores::{ClassScores, class_scores};
pub use confusion::Confusion;
pub use macro_f1::macro_f1;
pub use matthews::matthews;
pub use mcnemar::mcnemar_exact;
pub use paired_bootstrap::{Bootstrap, BootstrapInterval, paired_bootstrap};
pub use wilson::wilson_interval;
