//! How good a classifier's answers are. Everything starts from a [`Confusion`], in which an answer that could not be
//! read has its own place: it is wrong, and it is never a class.

mod accuracy;
mod balanced_accuracy;
mod bootstrap;
mod brier;
mod calibration;
mod class_scores;
mod confident_learning;
mod confusion;
mod logistic;
mod macro_f1;
mod matthews;
mod mcnemar;
mod paired_bootstrap;
mod temperature;
mod weighted_f1;
mod wilson;

pub use accuracy::accuracy;
pub use balanced_accuracy::balanced_accuracy;
pub use bootstrap::{Interval, bootstrap};
pub use brier::brier_score;
pub use calibration::{ReliabilityBin, calibration_error, reliability};
pub use class_scores::{ClassScores, class_scores};
pub use confident_learning::{LabelQuality, confident_learning};
pub use confusion::Confusion;
pub use logistic::{LogisticConfig, LogisticRegression, out_of_fold};
pub use macro_f1::macro_f1;
pub use matthews::matthews;
pub use mcnemar::mcnemar_exact;
pub use paired_bootstrap::{Bootstrap, BootstrapInterval, paired_bootstrap};
pub use temperature::{TEMPERATURES, fit_temperature, softmax};
pub use weighted_f1::weighted_f1;
pub use wilson::wilson_interval;
