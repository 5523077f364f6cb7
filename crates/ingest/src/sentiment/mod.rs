//! Labelled sentences: read, clean, deduplicate, split, select.
//!
//! Order, and why: NFC, then encoding, then placeholders, so that equal texts look equal; then exact duplicates, because
//! FinGPT repeats its rows on purpose and a split before this would put copies on both sides; conflicting labels are
//! put to a vote; near duplicates form clusters, which stay on one side of the split; last, exactly as many rows as asked
//! for are chosen. Of official splits, evaluation rows come from `validation`, training rows from `train`, and `test` is
//! written apart, whole and in its order, and used for neither. What each step did stands in `report.html`, with rows
//! before and after it.

mod clean;
mod config;
mod dedupe;
mod diverse;
mod journal;
mod mapping;
mod page;
mod proof;
mod raw;
mod read;
mod select;

pub use config::{Balance, Choice, Conflicts, SentimentConfig, SourceConfig, SourceKind, TextColumns};
pub use mapping::Mapping;
pub(crate) use mapping::{guess_language, pairs};

use crate::{Error, Options};
use artifacts::rows::{Conflict, Example, Language, Rejected, Sentiment, TickerMention};
use artifacts::{Manifest, OpenStage, Outcome, StageSpec};
use journal::Journal;
use page::Facts;
use raw::{CleanRow, Collector};
use read::Found;
use select::{Placed, Selection, select};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use text::{all_near_duplicates, text_id};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 2;

/// Brings the configured sources in. Writes `train.parquet` and `eval.parquet` with exactly the rows asked for of each
/// language, `eval_balanced.parquet`, `test.parquet` (official test rows, where there are any), `pool.parquet` (good rows not
/// needed, where there are any) and `rejected.parquet` into `out`; besides, what the cleaning did: `report.html`,
/// `report.md`, `report.ipynb`, and as rows `cleaning.parquet`, `samples.parquet`, `conflicts.parquet`, `tickers.parquet`.
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
    let mut collected = Collector::new(config.check_language, Journal::new(open.seed("samples")));
    for (vote, source) in found.iter().enumerate() {
        ticker.at(vote as u64, &source.source.name);
        source.read(vote, &mut collected)?;
    }
    let Collector { rows, mut rejected, read, journal, .. } = collected;
    ticker.at(found.len() as u64, "duplicates");
    let deduplicated = dedupe::deduplicate(rows, config.conflicts, &mut rejected);
    open.fact("unique_texts", deduplicated.kept.len());
    let mut result = Selection::default();
    let mut clusters = Vec::new();
    for &language in Language::ALL {
        let of_language: Vec<CleanRow> =
            deduplicated.kept.iter().filter(|r| r.raw.language == language).cloned().collect();
        if of_language.is_empty() {
            continue;
        }
        let placed = place(of_language, language, config, &mut open);
        clusters.extend(page::largest_clusters(&placed, language));
        let mut part = select(placed, language, config, open.seed("select"), &mut rejected)?;
        result.train.append(&mut part.train);
        result.eval.append(&mut part.eval);
        result.eval_balanced.append(&mut part.eval_balanced);
        result.test.append(&mut part.test);
        result.pool.append(&mut part.pool);
        result.strata.append(&mut part.strata);
    }
    ticker.at(found.len() as u64 + 1, "writing");
    write(open, &result, Findings { rejected, read, journal, conflicts: deduplicated.conflicts, clusters }, config)
}

/// What is known of the rows besides the rows.
struct Findings {
    rejected: Vec<Rejected>,
    read: u64,
    journal: Journal,
    conflicts: Vec<Conflict>,
    clusters: Vec<page::LargeCluster>,
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
    // Exactly, not by signatures: that nothing similar crosses the split must hold for every pair.
    let clusters = all_near_duplicates(&keys, config.near_duplicate_threshold);
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
    result: &Selection,
    findings: Findings,
    config: &SentimentConfig,
) -> Result<Manifest, Error> {
    let Findings { mut rejected, read, mut journal, conflicts, clusters } = findings;
    rejected.sort_by(|a, b| (&a.source, a.row, &a.reason).cmp(&(&b.source, b.row, &b.reason)));
    for row in &rejected {
        open.reject(&row.reason, 1);
        journal.refused(&row.reason, &row.source, row.row, &row.text, &row.detail);
    }
    let leaks = proof::leaks(result, config.near_duplicate_threshold);
    // Counted afresh from the result, as a proof.
    open.fact("overlap_train_eval", leaks.iter().filter(|l| l.is_train_against_eval()).map(|l| l.equal).sum::<usize>());
    open.fact(
        "near_duplicate_clusters_train_eval",
        leaks.iter().filter(|l| l.is_train_against_eval()).map(|l| l.similar).sum::<usize>(),
    );
    for leak in &leaks {
        open.fact(&format!("highest_similarity_{}_{}", leak.asked, leak.against), leak.highest);
    }
    let splits = [
        ("train", &result.train),
        ("eval", &result.eval),
        ("eval_balanced", &result.eval_balanced),
        ("test", &result.test),
        ("pool", &result.pool),
    ];
    let in_eval: BTreeSet<&str> = result.eval.iter().map(|p| p.id.as_str()).collect();
    let mut kept = 0;
    let mut tickers = Vec::new();
    for (split, rows) in splits {
        kept += if split == "eval_balanced" {
            rows.iter().filter(|p| !in_eval.contains(p.id.as_str())).count()
        } else {
            rows.len()
        };
        open.fact(&format!("rows_{split}"), composition(rows));
        if !rows.is_empty() {
            open.write_rows(&format!("{split}.parquet"), rows.iter().map(example))?;
        }
        for placed in rows {
            let mention = |ticker| TickerMention { id: placed.id.clone(), split: split.to_owned(), ticker };
            tickers.extend(text::tickers(&placed.row.raw.text).into_iter().map(mention));
        }
    }
    open.count(read, kept as u64);
    let (steps, samples) = (journal.steps(read), journal.samples());
    let facts = Facts {
        config,
        read,
        kept,
        steps: &steps,
        samples: &samples,
        conflicts: &conflicts,
        clusters: &clusters,
        leaks: &leaks,
        tickers: &tickers,
        result,
        seed: open.seed("yardstick"),
    };
    let document = page::page(&facts);
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    open.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    open.write_rows("cleaning.parquet", steps)?;
    open.write_rows("samples.parquet", samples)?;
    open.write_rows("conflicts.parquet", conflicts)?;
    open.write_rows("tickers.parquet", tickers)?;
    open.write_rows("rejected.parquet", rejected)?;
    Ok(open.finish()?)
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

fn example(placed: &Placed) -> Example {
    let raw = &placed.row.raw;
    Example {
        id: placed.id.clone(),
        text: raw.text.clone(),
        label: placed.row.label,
        raw_label: raw.raw_label.clone(),
        language: raw.language,
        source: raw.source.clone(),
        source_row: raw.row,
        cluster: placed.cluster.clone(),
        instruction: raw.instruction.clone(),
        synthetic: false,
    }
}
