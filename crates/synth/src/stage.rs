use crate::page::{Page, page};
use crate::{Config, Error, RUNGS, RealRows, Synthesis, distinct_2, generate};
use artifacts::rows::{Example, Sentiment, Verdict};
use artifacts::{Manifest, OpenStage, Outcome, RunOptions, Seed, StageSpec, read_all};
use providers::LocalModel;
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 1;

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

/// Generates, verifies and writes `candidates.parquet`, `synthetic.parquet` and the report. Fewer rows than asked for are a
/// warning; none at all means that there is no `synthetic.parquet`, and the fact `kept` is 0.
///
/// # Errors
/// A setting without meaning, an input that cannot be read, or a model that fails.
pub fn run(config: &Config, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    config.check()?;
    let mut files = vec![inputs.train.clone(), inputs.eval.clone(), inputs.model.clone()];
    files.extend(inputs.adapter.clone());
    let spec = StageSpec {
        name: "synth",
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
    let train: Vec<Example> = read_all(&inputs.train)?;
    let eval: Vec<Example> = read_all(&inputs.eval)?;
    let model = LocalModel::open(&inputs.model, inputs.adapter.as_deref(), &config.date)?;
    let real = RealRows { train: &train, eval: &eval };
    let synthesis = generate(config, &model, real, open.seed("candidates"), options.progress)?;
    write(&mut open, config, &synthesis, &train)?;
    Ok(open.finish()?)
}

fn write(open: &mut OpenStage, config: &Config, synthesis: &Synthesis, train: &[Example]) -> Result<(), Error> {
    let kept = synthesis.examples();
    let made = synthesis.generated.len() as u64;
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
    let real = comparable(train, config, kept.len(), open.seed("diversity"));
    let diversity =
        (distinct_2(kept.iter().map(|e| e.text.as_str())), distinct_2(real.iter().map(|e| e.text.as_str())));
    open.fact("model", synthesis.model.clone());
    open.fact("candidates", made);
    open.fact("asked", config.rows);
    open.fact("kept", kept.len());
    for label in Sentiment::ALL {
        open.fact(&format!("kept_{label}"), kept.iter().filter(|e| e.label == *label).count());
    }
    if let Some(precision) = synthesis.judge.precision() {
        open.fact("classifier_precision", precision);
    }
    if let (Some(synthetic), Some(real)) = diversity {
        open.fact("distinct_2_synthetic", synthetic);
        open.fact("distinct_2_real", real);
    }
    let document = page(&Page { config, synthesis, diversity });
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    open.write_rows("candidates.parquet", synthesis.generated.iter().map(|g| g.candidate.clone()))?;
    if !kept.is_empty() {
        open.write_rows("synthetic.parquet", kept)?;
    }
    Ok(())
}

/// `n` real rows of the language to compare diversity with: drawn, because rows of a file often stand in order of source.
fn comparable<'a>(train: &'a [Example], config: &Config, n: usize, seed: Seed) -> Vec<&'a Example> {
    use rand::seq::SliceRandom;
    let mut rows: Vec<&Example> = train.iter().filter(|e| e.language == config.language && !e.synthetic).collect();
    rows.shuffle(&mut seed.rng());
    rows.truncate(n);
    rows
}

/// The verdicts of a synthesis in the order of the ladder, kept last, with their counts.
pub(crate) fn funnel(synthesis: &Synthesis) -> Vec<(Verdict, usize)> {
    RUNGS.into_iter().chain([Verdict::Kept]).map(|verdict| (verdict, synthesis.of(verdict).count())).collect()
}
