use crate::exercise::{Exercise, Split, Tokens, Wordings};
use crate::page::page;
use crate::split::{Formatter, Sink};
use crate::{Config, Error, Figures, Shown, as_html, as_markdown};
use artifacts::rows::{Example, Rejected, Shortened, TaskExample};
use artifacts::{Manifest, OpenStage, Outcome, Progress, Reader, RunOptions, StageSpec, Writer};
use chat::ChatTokenizer;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
pub const STAGE_VERSION: u32 = 2;

/// What the stage reads.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The folder with the model's tokenizer.json and, where it has them, template and generation settings.
    pub tokenizer: PathBuf,
    /// Files of [`artifacts::rows::Example`], or of [`artifacts::rows::TaskExample`], to train on.
    pub train: Vec<PathBuf>,
    /// Files of the same rows to evaluate on.
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

impl Inputs {
    /// Whether the rows are exercises of other tasks than sentiment: the files themselves say what they hold.
    fn are_tasks(&self) -> bool {
        let first = self.train.first().or(self.eval.first());
        first.is_some_and(|file| Reader::<TaskExample>::open(file).is_ok())
    }
}

/// Sends every row through the preflight and writes nothing.
///
/// # Errors
/// An input is missing or damaged. Refused rows are counted, not errors.
pub fn check(config: &Config, inputs: &Inputs, progress: &dyn Progress) -> Result<Preflight, Error> {
    let wordings = Wordings::new(config)?;
    if inputs.are_tasks() {
        checked::<TaskExample>(&wordings, inputs, progress)
    } else {
        checked::<Example>(&wordings, inputs, progress)
    }
}

fn checked<E: Exercise>(wordings: &Wordings<'_>, inputs: &Inputs, progress: &dyn Progress) -> Result<Preflight, Error> {
    let tokenizer = ChatTokenizer::load(&inputs.tokenizer, &wordings.config.date)?;
    let limit = wordings.config.limit(tokenizer.context());
    let formatter = Formatter { tokenizer: &tokenizer, wordings, limit, progress };
    let mut shown = Shown::default();
    let mut eval_ids = BTreeSet::new();
    let eval = formatter.split::<E>(
        Split::Eval,
        &inputs.eval,
        &BTreeSet::new(),
        &mut eval_ids,
        &mut Sink { kept: &mut |_, _| Ok(()), shortened: &mut |_| Ok(()), refused: &mut |_| Ok(()) },
    )?;
    let mut kept = |_, row: &Tokens| {
        shown.offer(row);
        Ok(())
    };
    let train = formatter.split::<E>(
        Split::Train,
        &inputs.train,
        &eval_ids,
        &mut BTreeSet::new(),
        &mut Sink { kept: &mut kept, shortened: &mut |_| Ok(()), refused: &mut |_| Ok(()) },
    )?;
    Ok(Preflight { train, eval, examples: as_markdown(&shown.rows(), &tokenizer) })
}

/// Formats all rows: `train.parquet`, `eval.parquet`, `rejected.parquet`, `shortened.parquet`, `examples.md`,
/// `examples.html`, `report.html`, `report.md`, `report.ipynb`.
///
/// # Errors
/// An input is missing or damaged; a split has no row left; the folder cannot be written.
pub fn run(config: &Config, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    let wordings = Wordings::new(config)?;
    let mut files = ChatTokenizer::files(&inputs.tokenizer);
    files.extend(inputs.train.iter().chain(&inputs.eval).chain(&config.templates).cloned());
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
    let formatter = Formatter { tokenizer: &tokenizer, wordings: &wordings, limit, progress: options.progress };
    if inputs.are_tasks() {
        write::<TaskExample>(&formatter, inputs, &mut stage)?;
    } else {
        write::<Example>(&formatter, inputs, &mut stage)?;
    }
    Ok(stage.finish()?)
}

fn write<E: Exercise>(formatter: &Formatter<'_>, inputs: &Inputs, stage: &mut OpenStage) -> Result<(), Error> {
    let mut rejected = stage.writer::<Rejected>("rejected.parquet")?;
    let mut shortened = stage.writer::<Shortened>("shortened.parquet")?;
    let mut shown = Shown::default();
    let mut ids = BTreeSet::new();
    let mut figures = Vec::new();
    for (split, files) in [(Split::Eval, &inputs.eval), (Split::Train, &inputs.train)] {
        if split == Split::Eval && files.is_empty() {
            figures.push(Figures::default());
            continue;
        }
        let file = format!("{}.parquet", split.name());
        let mut writer: Writer<E::Formatted> = stage.writer(&file)?;
        let mut kept = |row: E::Formatted, tokens: &Tokens| {
            if split == Split::Train {
                shown.offer(tokens);
            }
            Ok(writer.push(row)?)
        };
        let mut sink = Sink {
            kept: &mut kept,
            shortened: &mut |row| Ok(shortened.push(row)?),
            refused: &mut |row| Ok(rejected.push(row)?),
        };
        let forbidden = std::mem::take(&mut ids);
        let found = formatter.split::<E>(split, files, &forbidden, &mut ids, &mut sink)?;
        some_left(split.name(), &found)?;
        stage.add_rows(&file, writer)?;
        record(stage, split.name(), &found);
        stage.fact(&format!("{}_wording", split.name()), formatter.wordings.names::<E>(split));
        figures.push(found);
    }
    stage.add_rows("rejected.parquet", rejected)?;
    stage.add_rows("shortened.parquet", shortened)?;

    let rows = shown.rows();
    stage.write_bytes("examples.md", as_markdown(&rows, formatter.tokenizer).as_bytes())?;
    stage.write_bytes("examples.html", as_html(&rows, formatter.tokenizer).as_bytes())?;
    let wordings = [Split::Train, Split::Eval].map(|split| formatter.wordings.names::<E>(split));
    if let [eval, train] = figures.as_slice() {
        let document = page(formatter, [train, eval], &wordings, &rows);
        stage.write_bytes("report.html", document.to_html().as_bytes())?;
        stage.write_bytes("report.md", document.to_markdown().as_bytes())?;
        stage.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    }
    stage.fact("max_tokens", formatter.limit);
    stage.fact("template", if formatter.tokenizer.has_own_template() { "the model's own" } else { "plain" });
    stage.fact("prompt_version", chat::prompts::VERSION);
    Ok(())
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
    stage.fact(&format!("{split}_shortened"), figures.shortened);
    for (language, rows) in &figures.by_language {
        stage.fact(&format!("{split}_rows_{language}"), *rows);
    }
    for (language, rows) in &figures.refused_by_language {
        stage.fact(&format!("{split}_refused_{language}"), *rows);
    }
}
