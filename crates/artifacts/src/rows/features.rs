use crate::row::rows;
use crate::{Checks, Timestamp};

rows! {
    /// What one feature is: its values are [`super::Observation`]s of the same name.
    FeatureDefinition = "feature_definition", version 1, not_empty {
        /// The name of its values, such as `rsi_14`.
        name: String,
        /// Raised when the meaning changes.
        version: u32,
        /// blake3 of name, version, inputs and parameters.
        hash: String,
        /// What it reads, such as `bar.close`.
        inputs: Vec<String>,
        /// Parameters as JSON.
        parameters: String,
        /// Bars before its first value.
        warm_up: u32,
        /// Formula and source, in words.
        description: String,
    }

    /// One partition of feature values: which input it was made from.
    FeaturePartition = "feature_partition", version 1, may_be_empty {
        /// The instrument.
        symbol: String,
        /// First moment of the partition.
        from: Timestamp,
        /// The file, relative to the folder.
        file: String,
        /// Hash of everything its values depend on: definitions, rows, state before it.
        input_hash: String,
        /// Values in it.
        values: u64,
    }
}

impl Checks for FeatureDefinition {}
impl Checks for FeaturePartition {}
