use crate::shift::shifts;
use crate::yardstick::yardstick;
use crate::{Config, DistinctiveWord, Duplicates, Error, Group, Shift, Yardstick, distinctive_words, duplicates};
use artifacts::rows::{Example, Language, Rejected};
use artifacts::{Progress, Seed};
use stats::distribution::cramers_v;
use std::collections::{BTreeMap, BTreeSet};

/// The rows of one split, of all languages.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Its name, such as `train`.
    pub name: String,
    /// Its rows.
    pub rows: Vec<Example>,
}

/// Everything that was found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Names of the splits; the first is the reference.
    pub splits: Vec<String>,
    /// Rows in all.
    pub rows: u64,
    /// By language.
    pub languages: Vec<LanguageAnalysis>,
    /// Refused rows by (source, reason).
    pub rejected: BTreeMap<(String, String), u64>,
}

/// What was found out about one language.
#[derive(Debug, Clone, PartialEq)]
pub struct LanguageAnalysis {
    /// Which one.
    pub language: Language,
    /// Its rows, split by split; splits without a row of it are left out.
    pub groups: Vec<Group>,
    /// Each further split against the first.
    pub shifts: Vec<Shift>,
    /// What plain methods reach on each further split.
    pub yardsticks: Vec<Yardstick>,
    /// The most distinctive words of negative, neutral and positive rows of the first split.
    pub distinctive: [Vec<DistinctiveWord>; 3],
    /// Texts that occur more than once.
    pub duplicates: Duplicates,
    /// Cramér's V of source and label in the first split; none with one source or one label.
    pub source_label_v: Option<f64>,
    /// Refused rows by reason, of the sources whose kept rows are all in this language.
    pub rejected: BTreeMap<String, u64>,
}

/// Looks at all rows. `rejected` are the rows that an earlier stage refused.
///
/// # Errors
/// There is no split.
pub fn analyse(
    splits: &[Split],
    rejected: &[Rejected],
    config: &Config,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Analysis, Error> {
    if splits.is_empty() {
        return Err(Error::NoExamples);
    }
    let mut sources: BTreeMap<&str, BTreeSet<Language>> = BTreeMap::new();
    for row in splits.iter().flat_map(|s| &s.rows) {
        sources.entry(&row.source).or_default().insert(row.language);
    }
    let present: BTreeSet<Language> = sources.values().flatten().copied().collect();
    let ticker = progress.start("languages", present.len() as u64);
    let mut languages = Vec::new();
    for (done, language) in present.into_iter().enumerate() {
        ticker.at(done as u64, language.as_str());
        let mut found = one_language(splits, language, config, seed.derive(language.as_str()))?;
        for row in rejected {
            if sources.get(row.source.as_str()).is_some_and(|l| l.len() == 1 && l.contains(&language)) {
                *found.rejected.entry(row.reason.clone()).or_default() += 1;
            }
        }
        languages.push(found);
    }
    let mut by_reason = BTreeMap::new();
    for row in rejected {
        *by_reason.entry((row.source.clone(), row.reason.clone())).or_default() += 1;
    }
    Ok(Analysis {
        splits: splits.iter().map(|s| s.name.clone()).collect(),
        rows: splits.iter().map(|s| s.rows.len() as u64).sum(),
        languages,
        rejected: by_reason,
    })
}

fn one_language(splits: &[Split], language: Language, config: &Config, seed: Seed) -> Result<LanguageAnalysis, Error> {
    let parts: Vec<(&str, Vec<&Example>)> = splits
        .iter()
        .map(|s| (s.name.as_str(), s.rows.iter().filter(|r| r.language == language).collect::<Vec<_>>()))
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    let groups: Vec<Group> = parts.iter().map(|(split, rows)| Group::new(split, language, rows, config)).collect();
    let tagged: Vec<(&str, &Example)> =
        parts.iter().flat_map(|(split, rows)| rows.iter().map(|r| (*split, *r))).collect();
    let near_seed = seed.derive("near-duplicates").0;
    let duplicates = duplicates::find(&tagged, config.near_duplicate_threshold, near_seed, config.examples);
    let (mut all_shifts, mut yardsticks) = (Vec::new(), Vec::new());
    let mut distinctive = [Vec::new(), Vec::new(), Vec::new()];
    if let Some(((reference, reference_rows), others)) = parts.split_first() {
        distinctive = distinctive_words(reference_rows, config.distinctive_words, config.distinctive_prior);
        for (split, rows) in others {
            let seed = seed.derive(&format!("shift/{split}"));
            all_shifts.extend(shifts((reference, reference_rows), (split, rows), config, seed)?);
            yardsticks.push(yardstick(reference_rows, split, rows)?);
        }
    }
    let table: Vec<Vec<u64>> =
        groups.first().map(|g| g.sources.values().map(|by_class| by_class.to_vec()).collect()).unwrap_or_default();
    let source_label_v = if table.is_empty() {
        None
    } else {
        cramers_v(&table).map_err(|source| Error::Statistic { figure: "source against label", source })?
    };
    Ok(LanguageAnalysis {
        language,
        groups,
        shifts: all_shifts,
        yardsticks,
        distinctive,
        duplicates,
        source_label_v,
        rejected: BTreeMap::new(),
    })
}
