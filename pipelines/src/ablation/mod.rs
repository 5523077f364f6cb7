//! `experiments sentiment`: the same evaluation rows, one part of the recipe changed at a time, over several seeds.

mod answers;
mod arms;
mod baselines;
mod compare;
mod extra_rows;
mod few_shot;
mod kept_apart;
mod page;

pub use arms::{AblationConfig, Arm, Extra, Method};

use crate::{Run, RunConfig, Step};
use answers::Answers;
use anyhow::Context;
use artifacts::rows::Example;
use artifacts::runtime::Runtime;
use artifacts::{OpenStage, Outcome, RunOptions, Seed, StageSpec, read_all};
use std::path::{Path, PathBuf};

/// Raised when the comparison changes for the same input.
const STAGE_VERSION: u32 = 1;
/// The folder of the comparison; each arm has one in it.
pub(crate) const FOLDER: &str = "ablation";

/// What one arm leaves behind.
struct Made {
    /// Files that the comparison reads.
    files: Vec<PathBuf>,
    /// The subject among the predictions.
    subject: &'static str,
    /// Folder of each training.
    trainings: Vec<PathBuf>,
}

/// Runs every arm and compares them in `ablation/report.html`. What did not change since the last call is not run again.
pub(crate) fn run(run: &Run) -> anyhow::Result<()> {
    let settings = &run.config.ablation;
    settings.check()?;
    let mut made = Vec::new();
    for arm in &settings.arms {
        made.push(make(run, arm).with_context(|| format!("arm {}", arm.name))?);
    }
    let eval = run.file("ingest", "eval.parquet");
    let mut inputs: Vec<PathBuf> = made.iter().flat_map(|m| m.files.clone()).collect();
    inputs.push(eval.clone());
    let spec = StageSpec {
        name: FOLDER,
        version: STAGE_VERSION,
        folder: run.folder(FOLDER),
        seed: run.options().seed,
        config: serde_json::to_value(settings)?,
        inputs,
        force: run.options().force,
    };
    let Outcome::Run(mut open) = spec.begin()? else { return Ok(()) };
    let rows: Vec<Example> = read_all(&eval)?;
    let mut answers = Vec::new();
    for (arm, made) in settings.arms.iter().zip(&made) {
        answers.push(match arm.method {
            Method::TfIdf | Method::Majority => baselines::answers(arm, &training_rows(&made.files)?, &rows),
            _ => Answers::read(&arm.name, &made.files, made.subject, &rows)?,
        });
    }
    let seed = open.seed("resampling");
    let metrics = compare::metrics(&answers, &rows, settings.resamples, seed)?;
    for (arm, made) in settings.arms.iter().zip(&made) {
        costs(&mut open, &arm.name, &made.trainings);
    }
    let document = page::page(settings, &metrics, &rows);
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    open.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    open.count(rows.len() as u64, rows.len() as u64);
    open.write_rows("metrics.parquet", metrics)?;
    open.finish()?;
    Ok(())
}

/// Brings everything up to date that one arm needs.
fn make(run: &Run, arm: &Arm) -> anyhow::Result<Made> {
    let mut config: RunConfig = cli::resolve(&run.config, &[], &arm.set)?;
    // The same rows in other forms are the evaluation's business, and would cost each arm as much again.
    config.evaluate.robustness.forms.clear();
    let folder = run.folder(FOLDER).join(&arm.name);
    let options = run.options();
    let mut ingested = run.folder("ingest");
    if config.sentiment != run.config.sentiment {
        ingested = folder.join("ingest");
        run.ingest_texts(&config.sentiment, &ingested)?;
    }
    let mut train = vec![ingested.join("train.parquet")];
    train.extend(extra_rows::files(run, arm, &ingested, &folder, options.seed)?);
    if ingested != run.folder("ingest") {
        train = kept_apart::files(run, &train, &folder)?;
    }
    let untrained = |files, subject| Made { files, subject, trainings: Vec::new() };
    if matches!(arm.method, Method::TfIdf | Method::Majority) {
        return Ok(untrained(train, ""));
    }
    let formatted = folder.join("formatter");
    let inputs = formatter::Inputs {
        tokenizer: run.model().to_owned(),
        train: train.clone(),
        eval: vec![run.file("ingest", "eval.parquet")],
    };
    formatter::run(&config.formatter, &inputs, &formatted, &options)?;
    match arm.method {
        Method::ZeroShot | Method::FewShot => {
            let mut eval = formatted.join("eval.parquet");
            if arm.method == Method::FewShot {
                eval = few_shot::run(run, &config, &formatted, &train, &folder)?;
            }
            let inputs = evaluator_inputs(run, run.model(), None, eval, train);
            let out = folder.join("evaluator");
            evaluator::run(&config.evaluate, &inputs, &out, &options)?;
            return Ok(untrained(vec![out.join("predictions.parquet")], "base"));
        }
        Method::Tuned | Method::TfIdf | Method::Majority => {}
    }
    let mut made = untrained(Vec::new(), if config.train.full { "base" } else { "tuned" });
    for &seed in &run.config.ablation.seeds {
        let seeded = RunOptions { seed: Seed(seed), ..run.options() };
        let folder = folder.join(format!("seed-{seed}"));
        let (training, judged) = (folder.join("trainer"), folder.join("evaluator"));
        let rows = formatted.join("train.parquet");
        let inputs = trainer::Inputs { model: run.model().to_owned(), rows, dev: None };
        trainer::sft::run(&config.train, &inputs, &training, &seeded)?;
        let (model, adapter) = if config.train.full {
            (training.join(trainer::sft::MODEL), None)
        } else {
            (run.model().to_owned(), Some(training.join(trainer::sft::ADAPTER)))
        };
        let inputs = evaluator_inputs(run, &model, adapter, formatted.join("eval.parquet"), train.clone());
        evaluator::run(&config.evaluate, &inputs, &judged, &options)?;
        made.files.push(judged.join("predictions.parquet"));
        made.trainings.push(training);
    }
    Ok(made)
}

fn evaluator_inputs(
    run: &Run,
    model: &Path,
    adapter: Option<PathBuf>,
    eval: PathBuf,
    train: Vec<PathBuf>,
) -> evaluator::Inputs {
    let examples = vec![run.file("ingest", "eval.parquet")];
    evaluator::Inputs { model: model.to_owned(), adapter, eval, dev: None, examples, train }
}

fn training_rows(files: &[PathBuf]) -> anyhow::Result<Vec<Example>> {
    let mut rows = Vec::new();
    for file in files {
        rows.extend(read_all::<Example>(file)?);
    }
    Ok(rows)
}

/// What an arm's trainings cost on average. It differs from run to run, so it is kept with the run's own times.
fn costs(open: &mut OpenStage, arm: &str, trainings: &[PathBuf]) {
    let read = |folder: &PathBuf| {
        let text = std::fs::read_to_string(folder.join("runtime.json")).ok()?;
        serde_json::from_str::<Runtime>(&text).ok()
    };
    let found: Vec<Runtime> = trainings.iter().filter_map(read).collect();
    if !found.is_empty() {
        let seconds = found.iter().map(|r| r.wall_seconds).sum::<f64>() / found.len() as f64;
        open.measured(&format!("{arm}_training_seconds"), seconds);
    }
}

/// What has to be there before any arm can run.
pub(crate) const NEEDS: &[Step] = &[Step::Format];
