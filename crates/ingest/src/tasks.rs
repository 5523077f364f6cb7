//! Exercises of any task from any table: extraction, question answering, summarisation, classification with free labels.
//!
//! A table has one exercise a row; the settings say which column is the input, the question (where there is one) and the
//! answer. Equal exercises with equal answers are kept once, those with different answers go; near duplicates stay on one side
//! of the split.

use crate::locate::locate;
use crate::sentiment::guess_language;
use crate::table::{self, Cell, Encoding, Fault, Wanted};
use crate::{Error, Options};
use artifacts::rows::{Language, Rejected, TaskExample, TaskKind};
use artifacts::{Manifest, Outcome, StageSpec};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use text::{all_near_duplicates, collapse_whitespace, comparison_key, is_damaged, nfc, text_id};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 1;

/// Settings of [`run`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskConfig {
    /// The file, a folder of them, or `hf://datasets/ORG/NAME`.
    pub source: String,
    /// What is asked of the model.
    pub task: TaskKind,
    /// The column with the text to work on.
    pub input: String,
    /// The column with the question, for question answering.
    pub question: Option<String>,
    /// The column with the answer to learn.
    pub answer: String,
    /// The language; by default that of most inputs.
    pub language: Option<Language>,
    /// How the bytes of a CSV file are to be read.
    pub encoding: Encoding,
    /// Rows to evaluate on; 0: a tenth, 250 at most.
    pub eval_rows: u64,
    /// Jaccard similarity of character 5-grams of question and input from which two exercises stay on one side.
    pub near_duplicate_threshold: f64,
}

impl Default for TaskConfig {
    fn default() -> Self {
        Self {
            source: String::new(),
            task: TaskKind::Summarisation,
            input: "input".into(),
            question: None,
            answer: "answer".into(),
            language: None,
            encoding: Encoding::Auto,
            eval_rows: 0,
            near_duplicate_threshold: 0.7,
        }
    }
}

impl TaskConfig {
    /// Sets columns as `--map` gives them: `input=article,answer=summary`.
    ///
    /// # Errors
    /// No `=`, or a role that no column has.
    pub fn set_columns(&mut self, written: &str) -> Result<(), Error> {
        for (role, column) in crate::sentiment::pairs(written, "--map", "input=COLUMN,answer=COLUMN")? {
            match role.as_str() {
                "input" => self.input = column,
                "question" => self.question = Some(column),
                "answer" => self.answer = column,
                _ => {
                    let known = "input, question, answer";
                    return Err(Error::BadConfig(format!("--map {role}={column}: no such role; there are {known}")));
                }
            }
        }
        Ok(())
    }
}

/// Writes `train.parquet` and `eval.parquet` ([`TaskExample`]) and `rejected.parquet` into `out`.
///
/// # Errors
/// The source is missing, empty or has other columns; no row can be used; a file cannot be written.
pub fn run(config: &TaskConfig, data: &Path, out: &Path, options: &Options<'_>) -> Result<Manifest, Error> {
    if config.task == TaskKind::QuestionAnswering && config.question.is_none() {
        return Err(Error::BadConfig(
            "question answering needs the column of the question: --map question=COLUMN".into(),
        ));
    }
    artifacts::settings::within(&[("near_duplicate_threshold", config.near_duplicate_threshold, 0.01..=1.0)])?;
    let name = config.source.rsplit('/').next().unwrap_or_default();
    let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    let files = locate(&config.source, &name, data, &options.hub, &table::ENDINGS)?;
    let spec = StageSpec {
        name: "ingest-tasks",
        version: STAGE_VERSION,
        folder: out.to_owned(),
        seed: options.seed,
        config: serde_json::to_value(config).map_err(|e| Error::BadConfig(e.to_string()))?,
        inputs: files.iter().map(|f| f.path.clone()).collect(),
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let mut rows =
        Collected { config, name, language: Language::English, rows: Vec::new(), rejected: Vec::new(), read: 0 };
    rows.language = match (config.language, files.first()) {
        (None, Some(first)) => guess_language(&first.path, std::slice::from_ref(&config.input), config.encoding)?,
        (given, _) => given.unwrap_or(Language::English),
    };
    let mut wanted = vec![Wanted::required(std::slice::from_ref(&config.input))];
    wanted.push(Wanted::required(std::slice::from_ref(&config.answer)));
    wanted.extend(config.question.as_ref().map(|q| Wanted::required(std::slice::from_ref(q))));
    for file in &files {
        let short = file.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        table::read_as(&file.path, config.encoding, &wanted, &mut |record| {
            rows.add(record.number, record.content, &short);
            Ok(())
        })?;
    }
    let first = files.first().map(|f| f.path.clone()).unwrap_or_default();
    if rows.read == 0 {
        return Err(Error::Empty { path: first, name: rows.name });
    }
    rows.deduplicate();
    let Collected { rows, mut rejected, read, name, .. } = rows;
    let (train, eval) = split(rows, config, open.seed("split"), &mut rejected);
    if train.is_empty() || eval.is_empty() {
        let cause = rejected.first().map(|r| format!("{}: {}", r.reason, r.detail)).unwrap_or_default();
        return Err(Error::NothingKept { path: first, name, rows: read, first: cause });
    }
    open.count(read, (train.len() + eval.len()) as u64);
    open.fact("rows_train", train.len());
    open.fact("rows_eval", eval.len());
    for row in &rejected {
        open.reject(&row.reason, 1);
    }
    open.write_rows("train.parquet", train)?;
    open.write_rows("eval.parquet", eval)?;
    open.write_rows("rejected.parquet", rejected)?;
    Ok(open.finish()?)
}

/// Rows read so far.
struct Collected<'a> {
    config: &'a TaskConfig,
    name: String,
    language: Language,
    rows: Vec<TaskExample>,
    rejected: Vec<Rejected>,
    read: u64,
}

impl Collected<'_> {
    fn refuse(&mut self, row: u64, text: &str, answer: &str, reason: &str, detail: &str) {
        self.rejected.push(Rejected::new(&self.name, row, text, answer, reason, detail));
    }

    fn add(&mut self, row: u64, content: Result<Vec<Cell>, Fault>, file: &str) {
        self.read += 1;
        let cells = match content {
            Ok(cells) => cells,
            Err(fault) => {
                return self.refuse(row, &fault.raw, "", fault.reason, &format!("{file}: row {row}: {}", fault.detail));
            }
        };
        let text = |i: usize| cells.get(i).and_then(Cell::text).map(|t| clean(&t)).unwrap_or_default();
        let (input, answer, question) = (text(0), text(1), text(2));
        let lacks = |what: &str| format!("{file}: row {row}: no {what}");
        if input.is_empty() {
            self.refuse(row, &input, &answer, "empty-text", &lacks("input"));
        } else if answer.is_empty() {
            self.refuse(row, &input, &answer, "empty-answer", &lacks("answer"));
        } else if self.config.question.is_some() && question.is_empty() {
            self.refuse(row, &input, &answer, "empty-question", &lacks("question"));
        } else if is_damaged(&input) || is_damaged(&answer) {
            let detail = format!("{file}: row {row}: U+FFFD stands where characters were lost");
            self.refuse(row, &input, &answer, "unrepairable-encoding", &detail);
        } else {
            let question = Some(question).filter(|q| !q.is_empty());
            let whole = format!("{} {input}", question.as_deref().unwrap_or_default());
            let id = text_id(self.language.as_str(), &whole);
            self.rows.push(TaskExample {
                cluster: id.clone(),
                id,
                task: self.config.task,
                language: self.language,
                input,
                question,
                answer,
                source: self.name.clone(),
                source_row: row,
            });
        }
    }

    /// Leaves one row of each exercise; where answers differ, none: nobody knows which is right.
    fn deduplicate(&mut self) {
        let mut answers: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for row in &self.rows {
            answers.entry(&row.id).or_default().insert(comparison_key(&row.answer));
        }
        let disputed: BTreeSet<String> =
            answers.iter().filter(|(_, a)| a.len() > 1).map(|(id, _)| (*id).to_owned()).collect();
        let mut seen = BTreeSet::new();
        for row in std::mem::take(&mut self.rows) {
            if disputed.contains(&row.id) {
                let detail = format!("row {}: equal exercises have different answers", row.source_row);
                self.refuse(row.source_row, &row.input, &row.answer, "conflicting-answers", &detail);
            } else if seen.insert(row.id.clone()) {
                self.rows.push(row);
            } else {
                let detail = format!("row {}: the same exercise came before", row.source_row);
                self.refuse(row.source_row, &row.input, &row.answer, "duplicate", &detail);
            }
        }
    }
}

/// Line breaks in a text of several paragraphs are kept as spaces: every template writes the input as one block.
fn clean(text: &str) -> String {
    collapse_whitespace(&nfc(&text::unescape_entities(&text::repair_encoding(&nfc(text)))))
}

fn split(
    mut rows: Vec<TaskExample>,
    config: &TaskConfig,
    seed: artifacts::Seed,
    rejected: &mut Vec<Rejected>,
) -> (Vec<TaskExample>, Vec<TaskExample>) {
    let keys: Vec<String> = rows
        .iter()
        .map(|row| comparison_key(&format!("{} {}", row.question.as_deref().unwrap_or_default(), row.input)))
        .collect();
    let clusters = all_near_duplicates(&keys, config.near_duplicate_threshold).representative;
    let ids: Vec<String> = clusters.iter().filter_map(|&c| rows.get(c).map(|row| row.id.clone())).collect();
    for (row, cluster) in rows.iter_mut().zip(ids) {
        row.cluster = cluster;
    }
    rows.sort_by_key(|row| (seed.derive(&row.id).0, row.id.clone()));
    let want = match config.eval_rows {
        0 => (rows.len() / 10).clamp(1, 250),
        n => usize::try_from(n).unwrap_or(usize::MAX),
    };
    let mut evaluated = BTreeSet::new();
    let (mut train, mut eval) = (Vec::new(), Vec::new());
    for row in rows {
        if eval.len() < want && !evaluated.contains(&row.cluster) {
            evaluated.insert(row.cluster.clone());
            eval.push(row);
        } else {
            train.push(row);
        }
    }
    let (train, mates): (Vec<_>, Vec<_>) =
        train.into_iter().partition(|row: &TaskExample| !evaluated.contains(&row.cluster));
    for row in mates {
        let detail = format!("in the cluster of row id {}", row.cluster);
        let reason = "near-duplicate-of-eval";
        rejected.push(Rejected::new(&row.source, row.source_row, &row.input, &row.answer, reason, &detail));
    }
    rejected.sort_by(|a, b| (a.row, &a.reason).cmp(&(b.row, &b.reason)));
    (train, eval)
}
