//! What values look like, and how far two distributions are apart.

mod cramers_v;
mod histogram;
mod jensen_shannon;
mod kurtosis;
mod log_odds;
mod mean;
mod quantile;
mod skewness;
mod std;

pub use cramers_v::cramers_v;
pub use histogram::{Histogram, histogram};
pub use jensen_shannon::{jensen_shannon_distance, jensen_shannon_divergence};
pub use kurtosis::excess_kurtosis;
pub use log_odds::{LogOdds, log_odds};
pub use mean::mean;
pub use quantile::{median, quantile, quantile_sorted};
pub use skewness::skewness;
pub use std::std;
