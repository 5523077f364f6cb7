//! Is it skill? Figures of a strategy that was chosen among many, on returns that depend on each other.
//!
//! | question | function |
//! |---|---|
//! | how good would the best of N strategies without skill look? | [`expected_maximum_sharpe`], [`deflated_sharpe`] |
//! | how many independent trials are many that resemble each other? | [`effective_trials`], [`mean_correlation`] |
//! | how long a record does it take? | [`minimum_track_record`] |
//! | does choosing the best in the past choose well? | [`overfitting`] (PBO by CSCV) |
//! | which rows may a model learn from, that is judged on others? | [`purged_folds`], [`combinatorial_purged`], [`walk_forward`] |
//! | how sure is a figure, when returns depend on each other? | [`stationary_interval`], [`block_length`] |
//! | is one strategy better than another? | [`paired_difference`] |
//! | is the best of many better than a benchmark? | [`superior`] (White's reality check, Hansen's SPA) |
//! | does a signal know anything of what follows? | [`information_coefficient`], [`information_decay`], [`hit_rate`] |

mod block_length;
mod combinations;
mod deflated_sharpe;
mod effective_trials;
mod hit_rate;
mod information;
mod interval;
mod overfitting;
mod splits;
mod stationary;
mod superior;
mod track_record;
mod walk_forward;

pub use block_length::{BlockLength, block_length};
pub use deflated_sharpe::{deflated_sharpe, expected_maximum_sharpe};
pub use effective_trials::{effective_trials, mean_correlation};
pub use hit_rate::{HitRate, hit_rate};
pub use information::{Information, information_coefficient, information_decay, spearman};
pub use interval::{Interval, Resampling, paired_difference, stationary_interval};
pub use overfitting::{Overfitting, overfitting};
pub use splits::{CombinatorialSplit, Span, Split, combinatorial_paths, combinatorial_purged, purged_folds};
pub use stationary::StationaryBootstrap;
pub use superior::{Superior, Tail, superior, superior_given};
pub use track_record::minimum_track_record;
pub use walk_forward::{Window, walk_forward};
