use anyhow::Context;
use artifacts::read_all;
use artifacts::rows::{Example, Prediction, Sentiment};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What one arm answers to every evaluation row, once for each seed.
pub(super) struct Answers {
    /// The arm.
    pub(super) arm: String,
    /// `[seed][row]`: the label that scores best.
    pub(super) scored: Vec<Vec<Sentiment>>,
    /// `[seed][row]`: the label read from the generated answer, if any. Empty for what generates nothing.
    pub(super) generated: Vec<Vec<Option<Sentiment>>>,
}

impl Answers {
    /// From prediction files, one for each seed, in the order of `rows`.
    pub(super) fn read(arm: &str, files: &[PathBuf], subject: &str, rows: &[Example]) -> anyhow::Result<Self> {
        let mut answers = Self { arm: arm.to_owned(), scored: Vec::new(), generated: Vec::new() };
        for file in files {
            let predictions: Vec<Prediction> = read_all(file)?;
            let of: BTreeMap<&str, &Prediction> =
                predictions.iter().filter(|p| p.model == subject).map(|p| (p.example_id.as_str(), p)).collect();
            let found = |row: &Example| {
                let missing = || format!("{}: no answer of {subject} to row {}", file.display(), row.id);
                of.get(row.id.as_str()).with_context(missing)
            };
            let mut scored = Vec::with_capacity(rows.len());
            let mut generated = Vec::with_capacity(rows.len());
            for row in rows {
                let prediction = found(row)?;
                scored.push(prediction.scored);
                generated.push(prediction.predicted);
            }
            answers.scored.push(scored);
            answers.generated.push(generated);
        }
        Ok(answers)
    }
}
