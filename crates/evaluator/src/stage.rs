use crate::answering::{Answered, answered};
use crate::forms::PLAIN;
use crate::harness;
use crate::metrics::metrics;
use crate::page::{Page, page};
use crate::results::Results;
use crate::track::{Track, Way};
use crate::{Config, Error};
use artifacts::rows::{Answer, Example, Outcome as Read, Prediction, Sentiment};
use artifacts::{Manifest, OpenStage, Outcome, RunOptions, StageSpec, read_all};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 4;

/// What the evaluator reads.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The base model's folder.
    pub model: PathBuf,
    /// The PEFT adapter that makes it the tuned model; without one only the base model is evaluated.
    pub adapter: Option<PathBuf>,
    /// Rows as `formatter` wrote them with this model's tokenizer.
    pub eval: PathBuf,
    /// Held-out rows of the same kind to fit a temperature on; without them each tenth of `eval` gets that of the others.
    pub dev: Option<PathBuf>,
    /// The evaluation rows as `ingest` wrote them: their texts and sources. May have more rows than `eval`.
    pub examples: Vec<PathBuf>,
    /// The rows that the model was tuned on, as `ingest` and `synth` wrote them: for the baselines and the leakage report.
    pub train: Vec<PathBuf>,
}

/// Evaluates the base model and, with an adapter, the tuned one; writes answers, predictions, metrics, the report and the export.
///
/// # Errors
/// A setting without meaning, an input that cannot be read or was written for another tokenizer, or a model that fails.
pub fn run(config: &Config, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    config.check()?;
    let mut files = vec![inputs.eval.clone(), inputs.model.clone()];
    files.extend(inputs.adapter.iter().chain(&inputs.dev).chain(&inputs.examples).chain(&inputs.train).cloned());
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
    let examples: BTreeMap<String, Example> =
        all_rows(&inputs.examples)?.into_iter().map(|e: Example| (e.id.clone(), e)).collect();
    let train: Vec<Example> = all_rows(&inputs.train)?;
    let answered = answered(config, inputs, &examples, open.seed("answers"), options.progress)?;
    let results = Results::of(&answered, &train, config, open.seed("figures"))?;

    let model = name_of(&inputs.model);
    let document = page(&Page { model: &model, answered: &answered, results: &results, config });
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    open.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    export(&mut open, &model, &answered, &results, config, options)?;
    facts(&mut open, &answered, &results);
    let rows = answered.questions.len() as u64;
    open.count(rows, rows);
    open.write_rows("metrics.parquet", metrics(&results))?;
    open.write_rows("predictions.parquet", predictions(&answered))?;
    open.write_rows("answers.parquet", answers(&answered))?;
    if let Some(leakage) = results.leakage {
        open.write_rows("nearest.parquet", leakage.nearest)?;
    }
    Ok(open.finish()?)
}

fn all_rows<R: artifacts::Row + Clone>(files: &[PathBuf]) -> Result<Vec<R>, Error> {
    let mut rows = Vec::new();
    for file in files {
        rows.extend(read_all::<R>(file)?);
    }
    Ok(rows)
}

/// Headline figures, and what they cost.
fn facts(open: &mut OpenStage, answered: &Answered, results: &Results) {
    let whole = results.figures.first();
    for (track, figures) in results.tracks.iter().zip(whole.into_iter().flatten()) {
        for (name, interval) in [("macro_f1", figures.macro_f1), ("accuracy", figures.accuracy)] {
            let Some(interval) = interval else { continue };
            let way = if track.way == Way::Generated { String::new() } else { format!("{}_", track.way.name()) };
            open.fact(&format!("{}_{way}{name}", track.subject), interval.estimate);
        }
    }
    if let Some(leakage) = &results.leakage {
        open.fact("leakage_same_key", leakage.same_key);
        open.fact("leakage_near", leakage.near);
    }
    for subject in &answered.subjects {
        open.fact(&format!("{}_prompt_tokens", subject.name), subject.work.prompt_tokens);
        open.fact(&format!("{}_tokens_computed", subject.name), subject.work.computed);
        open.measured(
            &format!("{}_rows_per_second", subject.name),
            subject.work.questions as f64 / subject.seconds.max(1e-9),
        );
    }
}

/// Every answer, in every form.
fn answers(answered: &Answered) -> Vec<Answer> {
    let mut rows = Vec::new();
    for subject in &answered.subjects {
        let plain = answered.questions.iter().zip(&subject.replies);
        rows.extend(plain.map(|(question, reply)| reply.row(subject.name, PLAIN, question)));
        for form in &subject.forms {
            let name = form.form.name();
            rows.extend(form.replies.iter().map(|(_, question, reply)| reply.row(subject.name, name, question)));
        }
    }
    rows
}

/// The plain answers with the probabilities that the scores give, before any temperature.
fn predictions(answered: &Answered) -> Vec<Prediction> {
    let mut rows = Vec::new();
    for subject in &answered.subjects {
        for (question, reply) in answered.questions.iter().zip(&subject.replies) {
            let p = stats::classification::softmax(&reply.scores(), 1.0);
            let of = |label: Sentiment| p.get(label as usize).copied().unwrap_or(0.0);
            rows.push(Prediction {
                example_id: question.id.clone(),
                model: subject.name.to_owned(),
                language: question.language,
                label: question.label,
                response: reply.response.clone(),
                outcome: if reply.predicted.is_some() { Read::Parsed } else { Read::Unparseable },
                predicted: reply.predicted,
                scored: crate::replies::likeliest(&reply.scores()),
                p_negative: of(Sentiment::Negative),
                p_neutral: of(Sentiment::Neutral),
                p_positive: of(Sentiment::Positive),
            });
        }
    }
    rows
}

fn export(
    open: &mut OpenStage,
    model: &str,
    answered: &Answered,
    results: &Results,
    config: &Config,
    options: &RunOptions<'_>,
) -> Result<(), Error> {
    for subject in &answered.subjects {
        let tracks: Vec<&Track> = results.tracks.iter().filter(|t| t.subject == subject.name).collect();
        let files = harness::Subject {
            model: &if subject.name == "base" { model.to_owned() } else { format!("{model}+adapter") },
            tracks: &tracks,
            questions: &answered.questions,
            replies: &subject.replies,
            config,
            seed: options.seed,
        }
        .files();
        let folder = format!("lm_eval/{}", subject.name);
        open.write_bytes(&format!("{folder}/results.json"), &files.results)?;
        for (name, bytes) in files.samples {
            open.write_bytes(&format!("{folder}/{name}"), &bytes)?;
        }
    }
    Ok(())
}

/// The folder's own name: a report must not depend on where a run lies.
fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned())
}
