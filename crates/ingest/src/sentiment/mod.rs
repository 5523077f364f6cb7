//! Labelled sentences: read, clean, deduplicate, split, select.
//!
//! Order, and why: NFC, then encoding, then placeholders, so that equal texts look equal; then exact duplicates, because
//! FinGPT repeats its rows on purpose and a split before this would put copies on both sides; conflicting labels are
//! put to a vote; near duplicates form clusters, which stay on one side of the split; last, exactly as many rows as asked
//! for are drawn. Of official splits, evaluation rows come from `validation`, training rows from `train`, and `test` is
//! written apart and used for neither.

mod config;
mod dedupe;
mod raw;
mod read;
mod select;

pub use config::{Balance, SentimentConfig, SourceConfig, SourceKind, TextColumns};

use crate::{Error, Options, STAGE_VERSION};
use artifacts::rows::{Example, Language, Rejected, Sentiment};
use artifacts::{Manifest, OpenStage, Outcome, StageSpec};
use raw::{CleanRow, Collector};
use read::Found;
use select::{Placed, Selection, select};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use text::{near_duplicates, text_id};

/// Brings the configured sources in. Writes `train.parquet` and `eval.parquet` with exactly the rows asked for of each
/// language, `test.parquet` (official test rows, where there are any), `pool.parquet` (good rows not needed, where there
/// are any) and `rejected.parquet` into `out`.
///
/// # Errors
/// A source is missing, empty or of the wrong form; too few rows of a language are left; a file cannot be written.
pub fn run(config: &SentimentConfig, data: &Path, out: &Path, options: &Options<'_>) -> Result<Manifest, Error> {
    check(config)?;
    let found = config.sources.iter().map(|s| Found::new(s, data, options)).collect::<Result<Vec<_>, _>>()?;
    let spec = StageSpec {
        name: "ingest-sentiment",
        version: STAGE_VERSION,
        folder: out.to_owned(),
        seed: options.seed,
        config: serde_json::to_value(config).map_err(|e| Error::BadConfig(e.to_string()))?,
        inputs: found.iter().flat_map(|f| f.files.iter().map(|l| l.path.clone())).collect(),
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let ticker = options.progress.start("ingest sentiment", found.len() as u64 + 2);
    let mut collected = Collector { check_language: config.check_language, ..Collector::default() };
    for (vote, source) in found.iter().enumerate() {
        ticker.at(vote as u64, &source.source.name);
        source.read(vote, &mut collected)?;
    }
    let Collector { rows, mut rejected, read, .. } = collected;
    ticker.at(found.len() as u64, "duplicates");
    let rows = dedupe::deduplicate(rows, &mut rejected);
    open.fact("unique_texts", rows.len());
    let mut result = Selection::default();
    for &language in Language::ALL {
        let of_language: Vec<CleanRow> = rows.iter().filter(|r| r.raw.language == language).cloned().collect();
        if of_language.is_empty() {
            continue;
        }
        let placed = place(of_language, language, config, &mut open);
        let mut part = select(placed, language, config, open.seed("select"), &mut rejected)?;
        result.train.append(&mut part.train);
        result.eval.append(&mut part.eval);
        result.test.append(&mut part.test);
        result.pool.append(&mut part.pool);
    }
    ticker.at(found.len() as u64 + 1, "writing");
    write(open, result, rejected, read, config)
}

fn check(config: &SentimentConfig) -> Result<(), Error> {
    let bad = |message: String| Err(Error::BadConfig(message));
    if config.sources.is_empty() {
        return bad("no `sources`; name at least one".into());
    }
    let names: BTreeSet<&str> = config.sources.iter().map(|s| s.name.as_str()).collect();
    if names.len() < config.sources.len() {
        return bad("two `sources` have the same name; give each its own".into());
    }
    if config.train_rows == 0 || config.eval_rows == 0 {
        return bad("train_rows and eval_rows must be at least 1".into());
    }
    if !(0.0..=1.0).contains(&config.near_duplicate_threshold) || config.near_duplicate_threshold == 0.0 {
        return bad(format!(
            "near_duplicate_threshold is {}; it lies above 0 and at most at 1",
            config.near_duplicate_threshold
        ));
    }
    Ok(())
}

/// Gives each row its id and its cluster.
fn place(rows: Vec<CleanRow>, language: Language, config: &SentimentConfig, open: &mut OpenStage) -> Vec<Placed> {
    let keys: Vec<&str> = rows.iter().map(|r| r.key.as_str()).collect();
    let clusters = near_duplicates(&keys, config.near_duplicate_threshold, open.seed("near-duplicates").0);
    let (shared, members) = clusters.shared();
    open.fact(&format!("near_duplicate_clusters_{language}"), shared);
    open.fact(&format!("rows_in_near_duplicate_clusters_{language}"), members);
    let ids: Vec<String> = rows.iter().map(|r| text_id(language.as_str(), &r.raw.text)).collect();
    // The smallest id, not the first: the order of files must not show.
    let mut names: BTreeMap<usize, &String> = BTreeMap::new();
    for (id, &representative) in ids.iter().zip(&clusters.representative) {
        names.entry(representative).and_modify(|n| *n = (*n).min(id)).or_insert(id);
    }
    let cluster_of: Vec<String> =
        clusters.representative.iter().map(|r| names.get(r).map(|n| (*n).clone()).unwrap_or_default()).collect();
    rows.into_iter().zip(ids).zip(cluster_of).map(|((row, id), cluster)| Placed { row, id, cluster }).collect()
}

fn write(
    mut open: OpenStage,
    result: Selection,
    mut rejected: Vec<Rejected>,
    read: u64,
    config: &SentimentConfig,
) -> Result<Manifest, Error> {
    let (overlap, crossing) = leakage(&result, config, &open);
    open.fact("overlap_train_eval", overlap);
    open.fact("near_duplicate_clusters_train_eval", crossing);
    let mut kept = 0;
    for (file, rows) in [("train", result.train), ("eval", result.eval), ("test", result.test), ("pool", result.pool)] {
        kept += rows.len() as u64;
        open.fact(&format!("rows_{file}"), composition(&rows));
        if !rows.is_empty() {
            open.write_rows(&format!("{file}.parquet"), rows.into_iter().map(example))?;
        }
    }
    open.count(read, kept);
    rejected.sort_by(|a, b| (&a.source, a.row, &a.reason).cmp(&(&b.source, b.row, &b.reason)));
    for row in &rejected {
        open.reject(&row.reason, 1);
    }
    open.write_rows("rejected.parquet", rejected)?;
    Ok(open.finish()?)
}

/// Comparison keys on both sides, and clusters with rows on both sides: counted afresh from the result, as a proof.
fn leakage(result: &Selection, config: &SentimentConfig, open: &OpenStage) -> (usize, usize) {
    let key = |p: &Placed| (p.row.raw.language, p.row.key.clone());
    let train: BTreeSet<_> = result.train.iter().map(key).collect();
    let overlap = result.eval.iter().filter(|p| train.contains(&key(p))).count();
    let mut crossing = 0;
    for &language in Language::ALL {
        let of = |rows: &'_ [Placed]| -> Vec<String> {
            rows.iter().filter(|p| p.row.raw.language == language).map(|p| p.row.key.clone()).collect()
        };
        let (mut keys, eval) = (of(&result.train), of(&result.eval));
        let boundary = keys.len();
        keys.extend(eval);
        let clusters = near_duplicates(&keys, config.near_duplicate_threshold, open.seed("proof").0).representative;
        let of_train: BTreeSet<usize> = clusters.iter().take(boundary).copied().collect();
        let of_eval: BTreeSet<usize> = clusters.iter().skip(boundary).copied().collect();
        crossing += of_train.intersection(&of_eval).count();
    }
    (overlap, crossing)
}

fn composition(rows: &[Placed]) -> serde_json::Value {
    let mut counts: BTreeMap<(Language, Sentiment), u64> = BTreeMap::new();
    for placed in rows {
        *counts.entry((placed.row.raw.language, placed.row.label)).or_default() += 1;
    }
    let mut by_language: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for ((language, label), n) in counts {
        let entry = by_language.entry(language.to_string()).or_default();
        entry.insert(label.to_string(), n);
        *entry.entry("all".into()).or_default() += n;
    }
    serde_json::json!(by_language)
}

fn example(placed: Placed) -> Example {
    let raw = placed.row.raw;
    Example {
        id: placed.id,
        text: raw.text,
        label: placed.row.label,
        raw_label: raw.raw_label,
        language: raw.language,
        source: raw.source,
        source_row: raw.row,
        cluster: placed.cluster,
        instruction: raw.instruction,
        synthetic: false,
    }
}
