//! What agents remember: the dialogue of one bar is on its [`crate::agents::Desk`]; this is what stays.

mod long;

pub use long::{LongMemory, Pending, situation};
