use super::training_rows;
use crate::Run;
use artifacts::rows::Example;
use artifacts::{Outcome, StageSpec, read_all};
use std::path::{Path, PathBuf};
use text::{comparison_key, similar_to};

/// Raised when other rows are kept for the same input.
const STAGE_VERSION: u32 = 1;
/// Jaccard similarity of character 5-grams from which on a row counts as one of the evaluation's; that of `ingest`.
const SIMILAR: f64 = 0.7;
const GRAM: usize = 5;

/// The training rows of an arm that selects anew, without those that resemble an evaluation row: another selection draws another
/// evaluation set, but all arms are judged on the same one.
pub(super) fn files(run: &Run, train: &[PathBuf], folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let eval = run.file("ingest", "eval.parquet");
    let out = folder.join("kept-apart");
    let spec = StageSpec {
        name: "kept-apart",
        version: STAGE_VERSION,
        folder: out.clone(),
        seed: run.options().seed,
        config: serde_json::json!({ "similar": SIMILAR, "gram": GRAM }),
        inputs: train.iter().chain([&eval]).cloned().collect(),
        force: run.options().force,
    };
    let path = out.join("rows.parquet");
    let Outcome::Run(mut open) = spec.begin()? else { return Ok(vec![path]) };
    let rows = training_rows(train)?;
    let read = rows.len() as u64;
    let keys = |rows: &[Example]| rows.iter().map(|row| comparison_key(&row.text)).collect::<Vec<_>>();
    let alike = similar_to(&keys(&rows), &keys(&read_all::<Example>(&eval)?), GRAM, SIMILAR);
    let kept: Vec<Example> =
        rows.into_iter().zip(alike).filter(|(_, alike)| alike.is_none()).map(|(row, _)| row).collect();
    let refused = read - kept.len() as u64;
    if refused > 0 {
        open.reject("resembles an evaluation row", refused);
    }
    open.count(read, kept.len() as u64);
    open.write_rows("rows.parquet", kept)?;
    open.finish()?;
    Ok(vec![path])
}
