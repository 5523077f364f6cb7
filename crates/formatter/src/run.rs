use crate::split::{Formatter, Sink};
use crate::{Config, Error, Figures, Shown, as_html, as_markdown};
use artifacts::rows::{Formatted, Rejected};
use artifacts::{Manifest, OpenStage, Outcome, Progress, RunOptions, StageSpec};
use chat::ChatTokenizer;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
pub const STAGE_VERSION: u32 = 1;

/// What the stage reads.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The folder with the model's tokenizer.json and, where it has them, template and generation settings.
    pub tokenizer: PathBuf,
    /// Files of [`artifacts::rows::Example`] to train on.
    pub train: Vec<PathBuf>,
    /// Files of [`artifacts::rows::Example`] to evaluate on.
    pub eval: Vec<PathBuf>,
}

/// What the preflight found.
#[derive(Debug, Clone)]
pub struct Preflight {
    /// The training rows.
    pub train: Figures,
    /// The evaluation rows.
    pub eval: Figures,
    /// Three rows as messages, text and tokens, in Markdown.
    pub examples: String,
}

/// Sends every row through the preflight and writes nothing.
///
/// # Errors
/// An input is missing or damaged. Refused rows are counted, not errors.
pub fn check(config: &Config, inputs: &Inputs, progress: &dyn Progress) -> Result<Preflight, Error> {
    let tokenizer = ChatTokenizer::load(&inputs.tokenizer, &config.date)?;
    let mut shown = Shown::default();
    let formatter = Formatter { tokenizer: &tokenizer, config, limit: config.limit(tokenizer.context()), progress };
    let mut eval_ids = BTreeSet::new();
    let mut refused = |_: Rejected| Ok(());
    let eval = formatter.split(
        "eval",
        &inputs.eval,
        &BTreeSet::new(),
        &mut eval_ids,
        &mut Sink { kept: &mut |_: Formatted| Ok(()), refused: &mut refused },
    )?;
    let mut kept = |row: Formatted| {
        shown.offer(&row);
        Ok(())
    };
    let train = formatter.split(
        "train",
        &inputs.train,
        &eval_ids,
        &mut BTreeSet::new(),
        &mut Sink { kept: &mut kept, refused: &mut refused },
    )?;
    Ok(Preflight { train, eval, examples: as_markdown(&shown.rows(), &tokenizer) })
}

/// Formats all rows: `train.parquet`, `eval.parquet`, `rejected.parquet`, `examples.md`, `examples.html`.
///
/// # Errors
/// An input is missing or damaged; a split has no row left; the folder cannot be written.
pub fn run(config: &Config, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    let mut files = ChatTokenizer::files(&inputs.tokenizer);
    files.extend(inputs.train.iter().chain(&inputs.eval).cloned());
    let spec = StageSpec {
        name: "formatter",
        version: STAGE_VERSION,
        folder: out.to_owned(),
        seed: options.seed,
        config: serde_json::to_value(config).map_err(|source| Error::Json { what: "the settings", source })?,
        inputs: files,
        force: options.force,
    };
    let mut stage = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(stage) => stage,
    };
    let tokenizer = ChatTokenizer::load(&inputs.tokenizer, &config.date)?;
    let limit = config.limit(tokenizer.context());
    let formatter = Formatter { tokenizer: &tokenizer, config, limit, progress: options.progress };

    let mut rejected = stage.writer::<Rejected>("rejected.parquet")?;
    let mut refused = |row: Rejected| Ok(rejected.push(row)?);
    let mut eval_ids = BTreeSet::new();
    let eval = {
        let mut writer = stage.writer::<Formatted>("eval.parquet")?;
        let mut kept = |row: Formatted| Ok(writer.push(row)?);
        let mut sink = Sink { kept: &mut kept, refused: &mut refused };
        let figures = formatter.split("eval", &inputs.eval, &BTreeSet::new(), &mut eval_ids, &mut sink)?;
        if !inputs.eval.is_empty() {
            some_left("eval", &figures)?;
            stage.add_rows("eval.parquet", writer)?;
        }
        figures
    };
    let mut shown = Shown::default();
    let mut writer = stage.writer::<Formatted>("train.parquet")?;
    let mut kept = |row: Formatted| {
        shown.offer(&row);
        Ok(writer.push(row)?)
    };
    let mut sink = Sink { kept: &mut kept, refused: &mut refused };
    let train = formatter.split("train", &inputs.train, &eval_ids, &mut BTreeSet::new(), &mut sink)?;
    some_left("train", &train)?;
    stage.add_rows("train.parquet", writer)?;
    stage.add_rows("rejected.parquet", rejected)?;

    stage.write_bytes("examples.md", as_markdown(&shown.rows(), &tokenizer).as_bytes())?;
    stage.write_bytes("examples.html", as_html(&shown.rows(), &tokenizer).as_bytes())?;
    record(&mut stage, "train", &train);
    record(&mut stage, "eval", &eval);
    stage.fact("max_tokens", limit);
    stage.fact("template", if tokenizer.has_own_template() { "the model's own" } else { "plain" });
    stage.fact("prompt_version", chat::prompts::VERSION);
    Ok(stage.finish()?)
}

fn some_left(split: &'static str, figures: &Figures) -> Result<(), Error> {
    if figures.rows > 0 {
        return Ok(());
    }
    Err(Error::NothingLeft { split, rows: figures.rows_in, reasons: figures.reasons() })
}

fn record(stage: &mut OpenStage, split: &str, figures: &Figures) {
    stage.count(figures.rows_in, figures.rows);
    for (reason, rows) in &figures.refused {
        stage.reject(reason, *rows);
    }
    stage.fact(&format!("{split}_rows"), figures.rows);
    stage.fact(&format!("{split}_tokens"), figures.tokens);
    stage.fact(&format!("{split}_tokens_longest"), figures.longest);
    stage.fact(&format!("{split}_tokens_mean"), figures.mean());
    stage.fact(&format!("{split}_tokens_supervised"), figures.supervised);
    for (language, rows) in &figures.by_language {
        stage.fact(&format!("{split}_rows_{language}"), *rows);
    }
    for (language, rows) in &figures.refused_by_language {
        stage.fact(&format!("{split}_refused_{language}"), *rows);
    }
}
