use crate::page::{Page, page};
use crate::review::{put_review, review_file};
use crate::{
    Config, Diversity, Error, JUDGES, Journal, Measured, Panel, RUNGS, RealRows, Rule, Synthesis, compare,
    generate_from,
};
use artifacts::rows::{Example, Sentiment};
use artifacts::{Manifest, OpenStage, Outcome, RunOptions, StageSpec, read_all};
use providers::{LocalModel, Provider};
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 4;
/// What a killed run leaves behind for the next one.
const JOURNAL: &str = "candidates.journal";

/// What `synth` reads.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The folder of the model that writes.
    pub model: PathBuf,
    /// A PEFT adapter upon it, if any.
    pub adapter: Option<PathBuf>,
    /// Real training rows: examples to show, and what the classifier learns from.
    pub train: PathBuf,
    /// Evaluation rows: nothing kept may resemble them.
    pub eval: PathBuf,
}

/// Generates, verifies and writes `candidates.parquet`, `synthetic.parquet`, `review.csv` and the report, with the local model
/// of the inputs. Fewer rows than asked for are a warning; none at all means that there is no `synthetic.parquet`, and the
/// fact `kept` is 0. Killed at any time and called again, it goes on where it was and writes the same bytes.
///
/// # Errors
/// A setting without meaning, an input that cannot be read, or a model that fails.
pub fn run(config: &Config, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    let open = || {
        let model = LocalModel::open(&inputs.model, inputs.adapter.as_deref(), &config.date)?;
        Ok(Box::new(model) as Box<dyn Provider>)
    };
    let files = std::iter::once(inputs.model.clone()).chain(inputs.adapter.clone()).collect();
    let rows = Rows { train: inputs.train.clone(), eval: inputs.eval.clone() };
    run_with(config, &rows, &Writer { files, name: None }, open, out, options)
}

/// The real rows that `synth` reads.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Training rows.
    pub train: PathBuf,
    /// Evaluation rows.
    pub eval: PathBuf,
}

/// What the answers of a provider depend on: when it changes, the stage runs again.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    /// A model's folder, an adapter, a cassette.
    pub files: Vec<PathBuf>,
    /// What files do not tell: address and name of a model elsewhere.
    pub name: Option<String>,
}

/// [`run`] with any provider, opened only if there is work to do.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    config: &Config,
    rows: &Rows,
    writer: &Writer,
    provider: impl FnOnce() -> Result<Box<dyn Provider>, providers::Error>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    config.check()?;
    let mut files = vec![rows.train.clone(), rows.eval.clone()];
    files.extend_from_slice(&writer.files);
    let mut settings = serde_json::to_value(config).unwrap_or_default();
    if let (Some(name), Some(settings)) = (&writer.name, settings.as_object_mut()) {
        settings.insert("provider".into(), name.as_str().into());
    }
    let spec = StageSpec {
        name: "synth",
        version: STAGE_VERSION,
        folder: out.into(),
        seed: options.seed,
        config: settings,
        inputs: files,
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let train: Vec<Example> = read_all(&rows.train)?;
    let eval: Vec<Example> = read_all(&rows.eval)?;
    let provider = provider()?;
    let real = RealRows { train: &train, eval: &eval };
    let fingerprint = format!("{STAGE_VERSION} {} {}", provider.name(), open.inputs_fingerprint());
    let mut journal = Journal::open(&open.folder().join(JOURNAL), &fingerprint)?;
    if !journal.is_empty() {
        tracing::info!("goes on after {} candidates", journal.len());
    }
    let seed = open.seed("candidates");
    let synthesis = generate_from(config, provider.as_ref(), real, seed, options.progress, Some(&mut journal))?;
    write(&mut open, config, &synthesis, real)?;
    let usage = provider.usage();
    open.measured("prompt_tokens", usage.prompt_tokens as f64);
    open.measured("answer_tokens", usage.answer_tokens as f64);
    let manifest = open.finish()?;
    journal.remove()?;
    Ok(manifest)
}

fn write(open: &mut OpenStage, config: &Config, synthesis: &Synthesis, real: RealRows<'_>) -> Result<(), Error> {
    let kept = synthesis.examples();
    let made = synthesis.candidates.len() as u64;
    warn_of(&synthesis.panel);
    if (kept.len() as u64) < config.rows {
        tracing::warn!(
            "synth: {} of {} rows kept from {made} candidates; raise max_candidates, or take a model that writes better news",
            kept.len(),
            config.rows
        );
    }
    open.count(made, kept.len() as u64);
    for rung in RUNGS {
        let refused = synthesis.of(rung).count() as u64;
        if refused > 0 {
            open.reject(rung.as_str(), refused);
        }
    }
    let of_language = |e: &&Example| e.language == config.language && !e.synthetic;
    let rows: Vec<&Example> = real.train.iter().filter(of_language).collect();
    let texts: Vec<&str> = kept.iter().map(|e| e.text.as_str()).collect();
    let diversity = compare(&texts, &rows, open.seed("diversity"));
    facts(open, config, synthesis, &kept, diversity.as_ref());
    let document = page(&Page { config, synthesis, diversity: diversity.as_ref(), eval: real.eval });
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    open.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    open.write_rows("candidates.parquet", synthesis.candidates.iter().cloned())?;
    if !kept.is_empty() {
        open.write_rows("synthetic.parquet", kept)?;
        // No output of the manifest: a person writes into it.
        let review = review_file(&synthesis.candidates, config.review_rows, open.seed("review"));
        put_review(&open.folder().join("review.csv"), &review)?;
    }
    Ok(())
}

/// Says loudly what no row of the output shows.
fn warn_of(panel: &Panel) {
    for ((name, judge), fit) in JUDGES.iter().zip(&panel.judges).zip(panel.fit()) {
        if let Some((accuracy, _)) = judge.as_ref().filter(|_| !fit).and_then(Measured::accuracy) {
            tracing::warn!("synth: the {name} is unfit to judge: {:.1} % right on held-out rows", 100.0 * accuracy);
        }
    }
    if panel.rule == Rule::Nobody {
        tracing::warn!("synth: no judge is fit, so nothing is written; give a better model");
    }
    for (label, reached) in panel.out_of_reach() {
        let precision = reached.map_or(0.0, |t| t.precision);
        tracing::warn!("synth: the judges reach a precision of {precision:.2} for {label}, less than judges.precision");
    }
}

/// The judges in the names of facts, in the order of [`JUDGES`].
const NAMES: [&str; 3] = ["classifier", "score", "vote"];

fn facts(
    open: &mut OpenStage,
    config: &Config,
    synthesis: &Synthesis,
    kept: &[Example],
    diversity: Option<&Diversity>,
) {
    open.fact("model", synthesis.model.clone());
    open.fact("candidates", synthesis.candidates.len());
    open.fact("asked", config.rows);
    open.fact("kept", kept.len());
    for label in Sentiment::ALL {
        open.fact(&format!("kept_{label}"), kept.iter().filter(|e| e.label == *label).count());
    }
    let panel = &synthesis.panel;
    open.fact("judges_held_out", panel.rows);
    open.fact("judges_fit", panel.fit().into_iter().filter(|fit| *fit).count());
    for ((name, judge), fit) in NAMES.iter().zip(&panel.judges).zip(panel.fit()) {
        if let Some((accuracy, _)) = judge.as_ref().and_then(Measured::accuracy) {
            open.fact(&format!("{name}_held_out_accuracy"), accuracy);
            open.fact(&format!("{name}_fit"), fit);
        }
    }
    match panel.rule {
        Rule::Agree(needed) => open.fact("judges_rule", format!("{needed} of 3 agree")),
        Rule::Nobody => open.fact("judges_rule", "nobody is fit"),
        Rule::Posterior(thresholds) => {
            open.fact("judges_rule", "posterior");
            for (label, threshold) in Sentiment::ALL.iter().zip(thresholds) {
                let Some(threshold) = threshold else { continue };
                open.fact(&format!("judges_threshold_{label}"), threshold.value);
                open.fact(&format!("judges_held_out_precision_{label}"), threshold.precision);
                open.fact(&format!("judges_held_out_passes_{label}"), threshold.passes);
            }
            open.fact("judges_precision_reached", panel.out_of_reach().is_empty());
        }
    }
    let check = &synthesis.judge;
    for (name, record) in NAMES.iter().zip(check.judges) {
        if let Some((accuracy, _)) = record.accuracy() {
            open.fact(&format!("{name}_accuracy"), accuracy);
        }
    }
    if let Some(precision) = check.precision() {
        open.fact("judges_precision", precision);
    }
    if let Some(diversity) = diversity {
        open.fact("two_sample_auc", diversity.auc);
        for (kind, variety) in [("synthetic", diversity.synthetic), ("real", diversity.real)] {
            let [_, distinct_2, _] = variety.distinct;
            for (name, value) in
                [("distinct_2", distinct_2), ("self_bleu", variety.self_bleu), ("compression", variety.compression)]
            {
                if let Some(value) = value {
                    open.fact(&format!("{name}_{kind}"), value);
                }
            }
        }
    }
}
