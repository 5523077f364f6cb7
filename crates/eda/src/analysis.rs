use crate::classify::{Yardstick, label_scores, yardsticks};
use crate::clusters::{Cluster, clusters};
use crate::comparison::{self, Comparison};
use crate::compounds::{self, Compounds};
use crate::near::{self, NearCopies};
use crate::ngrams::{Distinctive, distinctive};
use crate::tokens::{self, Tokens};
use crate::vocabulary::Vocabulary;
use crate::{Config, Error, Profile, Subject};
use artifacts::rows::{LabelScore, Language, Rejected};
use artifacts::{Progress, Seed};
use chat::ChatTokenizer;
use stats::distribution::cramers_v;
use std::collections::BTreeMap;

/// Everything that was found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// What was counted.
    pub profile: Profile,
    /// What was found out about each of its subjects.
    pub findings: Vec<Findings>,
    /// One side against another.
    pub comparisons: Vec<Comparison>,
    /// Rows refused by an earlier stage, by (source, reason).
    pub rejected: BTreeMap<(String, String), u64>,
}

/// What was found out about one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// Texts that are nearly equal.
    pub near: NearCopies,
    /// The most distinctive words of each label in the reference split.
    pub distinctive: Vec<(usize, Vec<Distinctive>)>,
    /// Tokens of the model, split by split; empty without a tokenizer.
    pub tokens: Vec<Tokens>,
    /// Tokens of the same texts with letters and marks apart (NFD), over those of the texts composed (NFC).
    pub nfd_cost: Option<f64>,
    /// Trust in each label, the least trusted first.
    pub scores: Vec<LabelScore>,
    /// What plain methods reach on each further split.
    pub yardsticks: Vec<Yardstick>,
    /// Texts about the same thing.
    pub clusters: Vec<Cluster>,
    /// Vietnamese words of two syllables; none for another language.
    pub compounds: Option<Compounds>,
    /// Cramér's V of source and label in each split; none with one source or one label.
    pub source_label_v: Vec<Option<f64>>,
}

impl Analysis {
    /// Each subject with what was found out about it.
    pub fn subjects(&self) -> impl Iterator<Item = (&Subject, &Findings)> {
        self.profile.subjects.iter().zip(&self.findings)
    }

    /// The name of a split.
    pub fn split(&self, index: usize) -> &str {
        self.profile.splits.get(index).map_or("", String::as_str)
    }

    /// The spelling of a label.
    pub fn label(&self, index: usize) -> &str {
        self.profile.labels.get(index).map_or("", String::as_str)
    }
}

/// Looks deeper into what was counted. `rejected` are the rows that an earlier stage refused.
///
/// # Errors
/// There is no row; the tokenizer cannot represent a text.
pub fn analyse(
    profile: Profile,
    rejected: &[Rejected],
    tokenizer: Option<&ChatTokenizer>,
    config: &Config,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Analysis, Error> {
    if profile.rows == 0 {
        return Err(Error::NoRows { files: profile.splits.join(", ") });
    }
    let ticker = progress.start("looking closer", profile.subjects.len() as u64 + 1);
    let names = (profile.splits.as_slice(), profile.labels.as_slice());
    let reference = |subject: &Subject| subject.groups.first().map_or(0, |g| g.split);
    // What needs the words of all subjects, beside what does not.
    let ((vocabulary, distinctive), parts) = rayon::join(
        || {
            let vocabulary = Vocabulary::new(&profile);
            let of = |at: (usize, &Subject)| {
                distinctive(at, &vocabulary, reference(at.1), config.distinctive_words, config.distinctive_prior)
            };
            let found: Vec<_> = profile.subjects.iter().enumerate().map(of).collect();
            (vocabulary, found)
        },
        || profile.subjects.iter().map(|s| Parts::of(s, names, reference(s), config, seed)).collect::<Vec<_>>(),
    );
    let (mut findings, mut counted) = (Vec::new(), Vec::new());
    for (place, ((subject, parts), distinctive)) in profile.subjects.iter().zip(parts).zip(distinctive).enumerate() {
        ticker.at(place as u64, subject.name());
        let (tokens, of_texts) = match tokenizer {
            Some(tokenizer) => tokens::count(subject, tokenizer, config.max_tokens, config.examples)?,
            None => (Vec::new(), Vec::new()),
        };
        counted.push(of_texts);
        findings.push(Findings {
            near: parts.near,
            distinctive: distinctive?,
            nfd_cost: tokenizer.map(|t| tokens::nfd_cost(subject, t)).transpose()?.flatten(),
            tokens,
            scores: parts.scores,
            yardsticks: parts.yardsticks?,
            clusters: parts.clusters,
            compounds: is_vietnamese(subject).then(|| compounds::find((place, subject), &vocabulary, 12)),
            source_label_v: subject.groups.iter().map(|g| v(g.sources.values())).collect::<Result<_, _>>()?,
        });
    }
    ticker.at(profile.subjects.len() as u64, "comparisons");
    let comparisons = comparison::all(&profile, &vocabulary, &counted, config, seed.derive("comparisons"))?;
    let mut by_reason = BTreeMap::new();
    for row in rejected {
        *by_reason.entry((row.source.clone(), row.reason.clone())).or_default() += 1;
    }
    Ok(Analysis { profile, findings, comparisons, rejected: by_reason })
}

/// What is found out about a subject from its texts alone.
struct Parts {
    scores: Vec<LabelScore>,
    near: NearCopies,
    clusters: Vec<Cluster>,
    yardsticks: Result<Vec<Yardstick>, Error>,
}

impl Parts {
    fn of(subject: &Subject, names: (&[String], &[String]), reference: usize, config: &Config, seed: Seed) -> Self {
        let seed = seed.derive(subject.name());
        let (scores, ((near, clusters), yardsticks)) = rayon::join(
            || label_scores(subject, names, config, seed.derive("label-errors").0),
            || {
                let (threshold, seed_of_near) = (config.near_duplicate_threshold, seed.derive("near-duplicates").0);
                rayon::join(
                    || {
                        rayon::join(
                            || near::find(&subject.sample, names, threshold, seed_of_near, config.examples),
                            || clusters(subject, config, seed.derive("clusters")),
                        )
                    },
                    || yardsticks(subject, reference, names.1, config.label_error_texts),
                )
            },
        );
        Self { scores, near, clusters, yardsticks }
    }
}

/// Whether the rows are Vietnamese: stated, or else most of those that could be told.
pub(crate) fn is_vietnamese(subject: &Subject) -> bool {
    match subject.language {
        Some(language) => language == Language::Vietnamese,
        None => subject.groups.first().is_some_and(|g| g.expected(None) == 1),
    }
}

/// Association of source and label.
fn v<'a>(sources: impl Iterator<Item = &'a Vec<u64>>) -> Result<Option<f64>, Error> {
    let mut table: Vec<Vec<u64>> = sources.cloned().collect();
    let width = table.iter().map(Vec::len).max().unwrap_or(0);
    for row in &mut table {
        row.resize(width, 0);
    }
    cramers_v(&table).map_err(|source| Error::Statistic { figure: "Cramér's V of source and label", source })
}
