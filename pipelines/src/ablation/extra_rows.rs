use super::{Arm, Extra};
use crate::Run;
use artifacts::rows::{Candidate, Example, Language};
use artifacts::{Outcome, Seed, StageSpec, read_all};
use rand::seq::SliceRandom;
use std::path::{Path, PathBuf};

/// Raised when other rows are drawn from the same input.
const STAGE_VERSION: u32 = 1;

/// Files with what the arm learns beside the real rows.
pub(super) fn files(run: &Run, arm: &Arm, ingested: &Path, folder: &Path, seed: Seed) -> anyhow::Result<Vec<PathBuf>> {
    let source = match arm.extra {
        Extra::None => return Ok(Vec::new()),
        Extra::Verified => {
            let verified = run.file("synth", "synthetic.parquet");
            return Ok(if verified.exists() { vec![verified] } else { Vec::new() });
        }
        Extra::Unverified => run.file("synth", "candidates.parquet"),
        Extra::MoreReal => ingested.join("pool.parquet"),
    };
    let count = run.config.ablation.extra_rows;
    let out = folder.join("extra-rows");
    let spec = StageSpec {
        name: "extra-rows",
        version: STAGE_VERSION,
        folder: out.clone(),
        seed,
        config: serde_json::json!({ "extra": arm.extra, "rows": count }),
        inputs: vec![source.clone()],
        force: run.options().force,
    };
    let path = out.join("rows.parquet");
    let Outcome::Run(mut open) = spec.begin()? else { return Ok(vec![path]) };
    let rows = match arm.extra {
        Extra::Unverified => unverified(read_all(&source)?, count),
        _ => drawn(read_all(&source)?, count, open.seed("pool")),
    };
    anyhow::ensure!(rows.len() == count, "{} has {} of {count} rows to give", source.display(), rows.len());
    open.count(rows.len() as u64, rows.len() as u64);
    open.write_rows("rows.parquet", rows)?;
    open.finish()?;
    Ok(vec![path])
}

/// The first candidates that have a text at all, each text once, labelled as asked for.
fn unverified(candidates: Vec<Candidate>, count: usize) -> Vec<Example> {
    let mut seen = std::collections::BTreeSet::new();
    let mut rows = Vec::new();
    for candidate in candidates {
        let id = text::text_id(candidate.language.as_str(), &candidate.text);
        if candidate.text.trim().is_empty() || rows.len() == count || !seen.insert(id.clone()) {
            continue;
        }
        rows.push(Example {
            cluster: id.clone(),
            id,
            text: candidate.text,
            label: candidate.intended,
            raw_label: candidate.intended.as_str().to_owned(),
            language: candidate.language,
            source: "unverified".to_owned(),
            source_row: candidate.number,
            instruction: None,
            synthetic: true,
        });
    }
    rows
}

/// English rows by lot, in their order.
fn drawn(pool: Vec<Example>, count: usize, seed: Seed) -> Vec<Example> {
    let mut english: Vec<(usize, Example)> =
        pool.into_iter().enumerate().filter(|(_, row)| row.language == Language::English).collect();
    english.shuffle(&mut seed.rng());
    english.truncate(count);
    english.sort_unstable_by_key(|(at, _)| *at);
    english.into_iter().map(|(_, row)| row).collect()
}
