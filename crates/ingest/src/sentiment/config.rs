use artifacts::rows::{Language, Sentiment};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of [`super::run`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SentimentConfig {
    /// Training rows of each language.
    pub train_rows: u64,
    /// Evaluation rows of each language.
    pub eval_rows: u64,
    /// Classes among the training rows. By default the rare ones are lifted: UIT-VSFC has 4 % neutral, and from 120
    /// of 3,000 rows nobody learns a class that counts a third of macro-F1.
    pub train_balance: Balance,
    /// Classes among the evaluation rows. By default their natural shares: a figure on them says how the model does on
    /// data as they come.
    pub eval_balance: Balance,
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
        };
        Self {
            train_rows: 3000,
            eval_rows: 250,
            train_balance: Balance::LiftMinority,
            eval_balance: Balance::Natural,
            near_duplicate_threshold: 0.8,
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
