use crate::table::Encoding;
use artifacts::rows::{Language, Sentiment};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of [`super::run`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SentimentConfig {
    /// Training rows of each language; 0: all that can be used.
    pub train_rows: u64,
    /// Evaluation rows of each language; 0: a tenth of the rows that can be used, 250 at most.
    pub eval_rows: u64,
    /// Classes among the training rows. By default the rare ones are lifted: UIT-VSFC has 4 % neutral, and from 120
    /// of 3,000 rows nobody learns a class that counts a third of macro-F1.
    pub train_balance: Balance,
    /// Classes among the evaluation rows. By default their natural shares: a figure on them says how the model does on
    /// data as they come.
    pub eval_balance: Balance,
    /// Which rows of a class and source train. Evaluation rows are always drawn at random: they stand for the data as
    /// they come.
    pub selection: Choice,
    /// Also write `eval_balanced.parquet`: as many rows of each class, at most `eval_rows` in all, none of them in a
    /// cluster with a training row. Its rows may be rows of the natural set too.
    pub eval_balanced: bool,
    /// What becomes of equal texts with different labels.
    pub conflicts: Conflicts,
    /// Jaccard similarity of character 5-grams from which two texts are near duplicates and stay on one side.
    pub near_duplicate_threshold: f64,
    /// Refuse rows that are clearly in another language than their source says.
    pub check_language: bool,
    /// What to read, in order of precedence among equal texts.
    pub sources: Vec<SourceConfig>,
}

impl Default for SentimentConfig {
    fn default() -> Self {
        let source = |name: &str, language, kind, path: &str| SourceConfig {
            name: name.into(),
            language,
            kind,
            path: path.into(),
            columns: TextColumns::default(),
            labels: BTreeMap::new(),
            encoding: Encoding::Auto,
        };
        Self {
            train_rows: 3000,
            eval_rows: 250,
            train_balance: Balance::LiftMinority,
            eval_balance: Balance::Natural,
            selection: Choice::Diverse,
            eval_balanced: true,
            conflicts: Conflicts::Vote,
            near_duplicate_threshold: 0.7,
            check_language: true,
            sources: vec![
                source("fingpt", Language::English, SourceKind::Instruction, "fingpt/train-00000-of-00001.parquet"),
                source("uit-vsfc", Language::Vietnamese, SourceKind::Vsfc, "uit_vsfc/default"),
            ],
        }
    }
}

/// How many rows of each class are chosen. Within a class, sources keep their natural shares either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// As they occur.
    Natural,
    /// Equal shares; a class with fewer rows gives all it has, and the others share what it lacks.
    LiftMinority,
}

/// Which rows of a stratum (class and source) are taken where not all are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// One after the other, each drawn with a probability that grows with the square of its distance to the nearest row
    /// already taken (the seeding of k-means++; distance between TF-IDF vectors of words and word pairs): few rows say
    /// the same thing, and odd ones do not push to the front.
    Diverse,
    /// Always the row farthest from all rows already taken (greedy k-center).
    Farthest,
    /// Drawn evenly.
    Random,
    /// The first ones of the source.
    First,
}

/// What becomes of equal texts with different labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conflicts {
    /// Each source has one vote for each label it gives; the label with most votes stays, a tie drops all.
    Vote,
    /// All go.
    Drop,
}

/// One data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// The name its rows bear.
    pub name: String,
    /// The language it is in.
    pub language: Language,
    /// Its form.
    pub kind: SourceKind,
    /// File or folder below the data folder, or `hf://datasets/ORG/NAME[@REVISION][/PATH]`.
    pub path: String,
    /// Where a `table` keeps what.
    #[serde(default)]
    pub columns: TextColumns,
    /// What its own labels mean (`{"4" = "positive"}`), before the labels known anyway.
    #[serde(default)]
    pub labels: BTreeMap<String, Sentiment>,
    /// How the bytes of a CSV file are to be read.
    #[serde(default)]
    pub encoding: Encoding,
}

/// The forms of data sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// As FinGPT's: `input`, `output`, `instruction`, in Parquet or JSON lines.
    Instruction,
    /// UIT-VSFC: the Hub's Parquet folders (`train/0000.parquet` with `sentence`, `sentiment`) or the original three text
    /// files a split (`train/sents.txt`, `sentiments.txt`). Its official split is kept: training rows come from `train`,
    /// evaluation rows from `validation`, and `test` goes to a file of its own.
    Vsfc,
    /// Financial PhraseBank: lines `text@label` (the last `@` counts), UTF-8 or Latin-1.
    Phrasebank,
    /// Any CSV, JSON or Parquet with the columns given.
    Table,
}

/// Names of columns, the preferred one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextColumns {
    /// The text.
    pub text: Vec<String>,
    /// The label.
    pub label: Vec<String>,
    /// An instruction that belongs to the row.
    pub instruction: Vec<String>,
}

impl Default for TextColumns {
    fn default() -> Self {
        let names = |n: &[&str]| n.iter().map(|n| (*n).to_owned()).collect();
        Self {
            text: names(&["text", "sentence", "title", "headline"]),
            label: names(&["label", "sentiment"]),
            instruction: names(&["instruction"]),
        }
    }
}
