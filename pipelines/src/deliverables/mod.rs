//! The three notebooks that the trading brief names, each with its HTML beside it, written into the run's folder.

mod architecture;
mod baseline;
mod dashboard;
mod evaluation;

use crate::Run;
use anyhow::Context;
use artifacts::{Outcome, StageSpec};
use report::Document;
use std::path::{Path, PathBuf};

/// Raised when a document changes for the same input.
const STAGE_VERSION: u32 = 2;

pub(crate) use baseline::baseline;
pub(crate) use dashboard::dashboard;
pub(crate) use evaluation::{evaluation, experiments};

/// Writes `<folder>/<name>.ipynb`, `.html` and `.md`, unless what they are made from did not change.
fn write(
    run: &Run,
    (stage, name): (&'static str, &str),
    settings: serde_json::Value,
    inputs: Vec<PathBuf>,
    document: impl FnOnce() -> anyhow::Result<Document>,
) -> anyhow::Result<()> {
    let spec = StageSpec {
        name: stage,
        version: STAGE_VERSION,
        folder: run.folder(stage),
        seed: run.options().seed,
        config: settings,
        inputs: inputs.into_iter().filter(|path| path.exists()).collect(),
        force: run.options().force,
    };
    let Outcome::Run(mut open) = spec.begin()? else { return Ok(()) };
    let document = document()?;
    let page = format!("{name}.html");
    open.write_bytes(&page, document.to_html().as_bytes())?;
    open.write_bytes(&format!("{name}.md"), document.to_markdown().as_bytes())?;
    open.write_bytes(&format!("{name}.ipynb"), document.to_notebook(&page).as_bytes())?;
    open.finish()?;
    Ok(())
}

/// The document that a stage left beside its report.
fn section(folder: &Path) -> anyhow::Result<Document> {
    let path = folder.join("report.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}: cannot read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{}: not a document", path.display()))
}
