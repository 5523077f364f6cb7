use crate::compare::{Comparison, compare};
use crate::figures::{Figures, Way, push_figures, push_metrics, row};
use crate::page::{Page, page};
use crate::predict::predict;
use crate::questions::questions;
use crate::{Config, Error};
use artifacts::rows::{Formatted, Language, Metric, Prediction};
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, read_all};
use providers::LocalModel;
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 1;

/// What the evaluator reads.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The base model's folder.
    pub model: PathBuf,
    /// The PEFT adapter that makes it the tuned model; without one only the base model is evaluated.
    pub adapter: Option<PathBuf>,
    /// Rows as `formatter` wrote them with this model's tokenizer.
    pub eval: PathBuf,
}

/// The sets of rows that figures are given for.
pub(crate) fn slices(predictions: &[Prediction]) -> Vec<(&'static str, Vec<&Prediction>)> {
    let mut slices = vec![("all", predictions.iter().collect::<Vec<_>>())];
    for language in Language::ALL {
        let of: Vec<&Prediction> = predictions.iter().filter(|p| p.language == *language).collect();
        if !of.is_empty() {
            slices.push((language.as_str(), of));
        }
    }
    slices
}

/// Evaluates the base model and, with an adapter, the tuned one; writes predictions, metrics and the report.
///
/// # Errors
/// A setting without meaning, an input that cannot be read or was written for another tokenizer, or a model that fails.
pub fn run(config: &Config, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    config.check()?;
    let mut files = vec![inputs.eval.clone(), inputs.model.clone()];
    files.extend(inputs.adapter.clone());
    let spec = StageSpec {
        name: "evaluator",
        version: STAGE_VERSION,
        folder: out.into(),
        seed: options.seed,
        config: serde_json::to_value(config).unwrap_or_default(),
        inputs: files,
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let rows: Vec<Formatted> = read_all(&inputs.eval)?;
    let base_model = LocalModel::open(&inputs.model, None, &config.date)?;
    let questions = questions(&base_model, &rows, &inputs.eval, &config.date)?;
    let ask = |model: &LocalModel, subject| predict(model, subject, &questions, &inputs.eval, config, options.progress);
    let base = ask(&base_model, "base")?;
    drop(base_model);
    let tuned = match &inputs.adapter {
        Some(adapter) => Some(ask(&LocalModel::open(&inputs.model, Some(adapter), &config.date)?, "tuned")?),
        None => None,
    };

    let mut metrics = Vec::new();
    push_subject(&mut metrics, "base", &base, config)?;
    if let Some(tuned) = &tuned {
        push_subject(&mut metrics, "tuned", tuned, config)?;
    }
    for (slice, predictions) in slices(&base) {
        push_figures(
            &mut metrics,
            "majority",
            slice,
            "generated",
            &Figures::majority(&predictions, config.confidence)?,
        );
    }
    let mut comparisons = Vec::new();
    if let Some(tuned) = &tuned {
        for ((slice, base), (_, tuned)) in slices(&base).into_iter().zip(slices(tuned)) {
            for way in Way::ALL {
                let found = compare(&base, &tuned, way, config, open.seed("bootstrap").derive(slice))?;
                push_comparison(&mut metrics, slice, way, &found, base.len() as u64);
                comparisons.push((slice, way, found));
            }
        }
    }
    let document = page(&Page {
        model: &name_of(&inputs.model),
        questions: &questions,
        base: &base,
        tuned: tuned.as_deref(),
        comparisons: &comparisons,
        config,
    })?;
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    for (subject, metric) in [("base", "macro_f1"), ("tuned", "macro_f1"), ("base", "accuracy"), ("tuned", "accuracy")]
    {
        for way in Way::ALL {
            let key = format!("{}_{metric}", way.name());
            let found = metrics.iter().find(|m| m.subject == subject && m.slice == "all" && m.metric == key);
            if let Some(value) = found.and_then(|m| m.value) {
                let fact =
                    if way == Way::Generated { format!("{subject}_{metric}") } else { format!("{subject}_{key}") };
                open.fact(&fact, value);
            }
        }
    }
    open.count(rows.len() as u64, rows.len() as u64);
    open.write_rows("metrics.parquet", metrics)?;
    open.write_rows("predictions.parquet", base.into_iter().chain(tuned.unwrap_or_default()))?;
    Ok(open.finish()?)
}

fn push_subject(
    metrics: &mut Vec<Metric>,
    subject: &str,
    predictions: &[Prediction],
    config: &Config,
) -> Result<(), Error> {
    slices(predictions).iter().try_for_each(|(slice, rows)| push_metrics(metrics, subject, slice, rows, config))
}

fn push_comparison(metrics: &mut Vec<Metric>, slice: &str, way: Way, found: &Comparison, n: u64) {
    let values = [
        ("macro_f1", found.macro_f1.estimate),
        ("macro_f1_low", found.macro_f1.low),
        ("macro_f1_high", found.macro_f1.high),
        ("only_base_right", found.only_base as f64),
        ("only_tuned_right", found.only_tuned as f64),
        ("mcnemar_p", found.p_value),
    ];
    for (name, value) in values {
        metrics.push(row("tuned_minus_base", slice, &format!("{}_{name}", way.name()), Some(value), n));
    }
}

/// The folder's own name: a report must not depend on where a run lies.
fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned())
}
