use crate::page::{Page, page};
use crate::rows::figures;
use crate::table::{self, Columns};
use crate::{Analysis, Config, Error, Profile, Profiler, Record, alerts, analyse};
use artifacts::rows::{AlertLevel, DataAlert, Example, Rejected};
use artifacts::{Manifest, OpenStage, Outcome, Reader, RunOptions, StageSpec, read_all};
use chat::ChatTokenizer;
use rayon::prelude::*;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
pub const STAGE_VERSION: u32 = 3;
/// Templates may print a date; none is printed here, and the tokens of a text do not depend on it.
const DATE: &str = "26 Jul 2024";

/// What [`run`] reads.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Files of [`Example`]. The name of a file without its ending is the name of the split; files of the same name
    /// are one split; the first is the reference.
    pub examples: Vec<PathBuf>,
    /// Files of [`Rejected`].
    pub rejected: Vec<PathBuf>,
}

/// What [`profile`] reads.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Name of the split and its file; the first is the reference.
    pub files: Vec<(String, PathBuf)>,
    /// Which column means what.
    pub columns: Columns,
}

/// As [`run_with_tokenizer`], without tokens.
///
/// # Errors
/// As there.
pub fn run(config: &Config, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    run_with_tokenizer(config, inputs, None, out, options)
}

/// Looks at rows that `ingest` or `synth` wrote. Writes `report.html`, `report.md` with its figures, `report.ipynb`,
/// `profile.parquet` (every figure), `alerts.parquet` and `label_scores.parquet`. `tokenizer` is the folder of the model
/// whose tokens are counted.
///
/// # Errors
/// No file of examples is given; a file is missing or damaged; the folder cannot be written.
pub fn run_with_tokenizer(
    config: &Config,
    inputs: &Inputs,
    tokenizer: Option<&Path>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    if inputs.examples.is_empty() {
        return Err(Error::NoExamples);
    }
    let files = inputs.examples.iter().chain(&inputs.rejected).cloned().collect();
    let mut stage = match begin(config, files, json!(null), tokenizer, out, options)? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(stage) => stage,
    };
    let mut profiler = Profiler::new(config);
    for path in &inputs.examples {
        let split = stem(path);
        let reader = Reader::<Example>::open(path)?;
        let ticker = options.progress.start(&split, reader.total());
        let mut done = 0;
        for rows in reader {
            let rows = rows?;
            done += rows.len() as u64;
            let wanted = |row: &Example| config.only.is_none_or(|only| row.language == only);
            let records: Vec<Record> = rows.into_iter().filter(wanted).map(record).collect();
            profiler.add(&split, &records);
            ticker.at(done, "");
        }
    }
    let mut rejected = Vec::new();
    for path in &inputs.rejected {
        rejected.extend(read_all::<Rejected>(path)?);
    }
    write(&mut stage, profiler.finish(), &rejected, tokenizer, config, options)?;
    Ok(stage.finish()?)
}

/// Looks at any tables with a column of texts, as they come. Writes what [`run`] writes.
///
/// # Errors
/// No file is given; a file is missing, damaged or lacks a column; there is no row; the folder cannot be written.
pub fn profile(
    config: &Config,
    tables: &Tables,
    tokenizer: Option<&Path>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    if tables.files.is_empty() {
        return Err(Error::NoSource);
    }
    let files = tables.files.iter().map(|(_, path)| path.clone()).collect();
    let names: Vec<&String> = tables.files.iter().map(|(name, _)| name).collect();
    let asked = json!({ "columns": tables.columns, "splits": names });
    let mut stage = match begin(config, files, asked, tokenizer, out, options)? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(stage) => stage,
    };
    let mut profiler = Profiler::new(config);
    for (split, path) in &tables.files {
        let ticker = options.progress.start(split, table::rows(path)?.unwrap_or(0));
        let mut done = 0;
        table::read(path, &tables.columns, &mut |records| {
            match config.only {
                None => profiler.add(split, records),
                Some(only) => {
                    let wanted = records.iter().filter(|r| r.language.is_none_or(|l| l == only)).cloned();
                    profiler.add(split, &wanted.collect::<Vec<_>>());
                }
            }
            done += records.len() as u64;
            ticker.at(done, "rows");
        })?;
    }
    write(&mut stage, profiler.finish(), &[], tokenizer, config, options)?;
    Ok(stage.finish()?)
}

fn begin(
    config: &Config,
    mut inputs: Vec<PathBuf>,
    asked: serde_json::Value,
    tokenizer: Option<&Path>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Outcome, Error> {
    inputs.extend(tokenizer.map(ChatTokenizer::files).into_iter().flatten());
    let mut settings = serde_json::to_value(config).map_err(|source| Error::Json { what: "the settings", source })?;
    if let (Some(settings), false) = (settings.as_object_mut(), asked.is_null()) {
        settings.insert("tables".into(), asked);
    }
    let spec = StageSpec {
        name: "eda",
        version: STAGE_VERSION,
        folder: out.to_owned(),
        seed: options.seed,
        config: settings,
        inputs,
        force: options.force,
    };
    Ok(spec.begin()?)
}

fn write(
    stage: &mut OpenStage,
    profile: Profile,
    rejected: &[Rejected],
    tokenizer: Option<&Path>,
    config: &Config,
    options: &RunOptions<'_>,
) -> Result<(), Error> {
    let tokenizer = tokenizer.map(|folder| ChatTokenizer::load(folder, DATE)).transpose()?;
    let seed = stage.seed("analysis");
    let analysis = analyse(profile, rejected, tokenizer.as_ref(), config, seed, options.progress)?;
    let alerts = alerts(&analysis, config);
    let page = page(&analysis, &alerts, config);
    // A file that is to survive a fall of power is waited for: several at once cost hardly more than one.
    let folder = stage.folder().to_owned();
    let (files, rows) = rayon::join(|| write_page(&folder, &page), || write_tables(stage, analysis, alerts));
    for file in files? {
        stage.add_path(&file)?;
    }
    rows
}

/// Writes the report and its figures. Returns their names.
fn write_page(folder: &Path, page: &Page) -> artifacts::Result<Vec<String>> {
    let document = &page.document;
    let mut files = vec![
        ("report.html".to_owned(), document.to_html()),
        ("report.md".to_owned(), document.to_markdown()),
        ("report.ipynb".to_owned(), document.to_notebook("report.html")),
    ];
    files.extend(page.figures.iter().map(|(file, svg)| (file.clone(), svg.standalone())));
    let write = |(file, text): (String, String)| {
        artifacts::write_bytes(&folder.join(&file), text.as_bytes())?;
        Ok(file)
    };
    files.into_par_iter().map(write).collect()
}

/// Writes the rows, and counts them.
fn write_tables(stage: &mut OpenStage, analysis: Analysis, alerts: Vec<DataAlert>) -> Result<(), Error> {
    stage.write_rows("profile.parquet", figures(&analysis))?;
    stage.count(analysis.profile.rows, analysis.profile.rows);
    stage.fact("alerts", alerts.len());
    stage.fact("alerts_critical", alerts.iter().filter(|a| a.level == AlertLevel::Critical).count());
    for (subject, findings) in analysis.subjects() {
        let name = subject.name();
        stage.fact(&format!("different_texts_{name}"), subject.exact.texts);
        stage.fact(&format!("exact_{name}"), subject.exact.exact && subject.folded.exact);
        for y in &findings.yardsticks {
            stage.fact(&format!("linear_macro_f1_{}_{name}", analysis.split(y.split)), y.linear_macro_f1);
        }
    }
    stage.write_rows("alerts.parquet", alerts)?;
    stage.write_rows("label_scores.parquet", analysis.findings.into_iter().flat_map(|f| f.scores))?;
    Ok(())
}

/// The name of a file without its ending.
pub fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "rows".to_owned(), |s| s.to_string_lossy().into_owned())
}

fn record(row: Example) -> Record {
    Record {
        row: row.source_row,
        text: Some(row.text),
        label: Some(row.label.as_str().to_owned()),
        language: Some(row.language),
        source: Some(row.source),
        synthetic: row.synthetic,
        fault: None,
    }
}
