use crate::metrics::metrics;
use crate::page::page;
use crate::{Config, Error, Level, Split, alerts, analyse};
use artifacts::rows::{Example, Rejected};
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, read_all};
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
pub const STAGE_VERSION: u32 = 1;

/// What the stage reads.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Files of [`Example`]. The name of a file without its ending is the name of the split; files of the same name
    /// are one split; the first is the reference.
    pub examples: Vec<PathBuf>,
    /// Files of [`Rejected`].
    pub rejected: Vec<PathBuf>,
}

/// Writes `report.html`, `report.md` with its figures, `metrics.parquet` and `alerts.json`.
///
/// # Errors
/// No file of examples is given; a file is missing or damaged; the folder cannot be written.
pub fn run(config: &Config, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    if inputs.examples.is_empty() {
        return Err(Error::NoExamples);
    }
    let spec = StageSpec {
        name: "eda",
        version: STAGE_VERSION,
        folder: out.to_owned(),
        seed: options.seed,
        config: serde_json::to_value(config).map_err(|source| Error::Json { what: "the settings", source })?,
        inputs: inputs.examples.iter().chain(&inputs.rejected).cloned().collect(),
        force: options.force,
    };
    let mut stage = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(stage) => stage,
    };
    let splits = read_splits(&inputs.examples)?;
    let mut rejected = Vec::new();
    for path in &inputs.rejected {
        rejected.extend(read_all::<Rejected>(path)?);
    }
    let analysis = analyse(&splits, &rejected, config, stage.seed("analysis"), options.progress)?;
    let alerts = alerts(&analysis, config);
    let (document, figures) = page(&analysis, &alerts, config);

    stage.write_bytes("report.html", document.to_html().as_bytes())?;
    stage.write_bytes("report.md", document.to_markdown().as_bytes())?;
    for (file, svg) in figures {
        stage.write_bytes(&file, svg.standalone().as_bytes())?;
    }
    stage.write_rows("metrics.parquet", metrics(&analysis))?;
    let mut json = serde_json::to_vec_pretty(&alerts).map_err(|source| Error::Json { what: "the alerts", source })?;
    json.push(b'\n');
    stage.write_bytes("alerts.json", &json)?;

    stage.count(analysis.rows, analysis.rows);
    stage.fact("alerts", alerts.len());
    stage.fact("alerts_critical", alerts.iter().filter(|a| a.level() == Level::Critical).count());
    for language in &analysis.languages {
        for y in &language.yardsticks {
            let name = format!("naive_bayes_macro_f1_{}_{}", y.split, language.language);
            stage.fact(&name, y.bayes_macro_f1);
        }
    }
    Ok(stage.finish()?)
}

fn read_splits(files: &[PathBuf]) -> Result<Vec<Split>, Error> {
    let mut splits: Vec<Split> = Vec::new();
    for path in files {
        let name = path.file_stem().map_or_else(|| "rows".to_owned(), |s| s.to_string_lossy().into_owned());
        let rows = read_all::<Example>(path)?;
        match splits.iter_mut().find(|s| s.name == name) {
            Some(split) => split.rows.extend(rows),
            None => splits.push(Split { name, rows }),
        }
    }
    Ok(splits)
}
