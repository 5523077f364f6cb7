use crate::{Run, RunConfig};
use artifacts::rows::{Formatted, Sentiment};
use artifacts::{Outcome, StageSpec, read_all};
use chat::{ChatTokenizer, Message};
use rand::seq::SliceRandom;
use std::path::{Path, PathBuf};

/// Raised when the prompts change for the same input.
const STAGE_VERSION: u32 = 1;

/// The evaluation rows, each after solved examples of every label in its language. The examples are the same for all rows of a
/// language, short ones, drawn by the seed; their order is drawn too.
pub(super) fn run(
    run: &Run,
    config: &RunConfig,
    formatted: &Path,
    train: &[PathBuf],
    folder: &Path,
) -> anyhow::Result<PathBuf> {
    let per_label = run.config.ablation.examples_per_label;
    let (eval, solved) = (formatted.join("eval.parquet"), formatted.join("train.parquet"));
    let out = folder.join("few-shot");
    let mut inputs = ChatTokenizer::files(run.model());
    inputs.extend(train.iter().chain([&eval, &solved]).cloned());
    let spec = StageSpec {
        name: "few-shot",
        version: STAGE_VERSION,
        folder: out.clone(),
        seed: run.options().seed,
        config: serde_json::json!({ "examples_per_label": per_label, "formatter": config.formatter }),
        inputs,
        force: run.options().force,
    };
    let path = out.join("eval.parquet");
    let Outcome::Run(mut open) = spec.begin()? else { return Ok(path) };
    let tokenizer = ChatTokenizer::load(run.model(), &config.formatter.date)?;
    let formatted: Vec<Formatted> = read_all(&solved)?;
    let rows: Vec<Formatted> = read_all(&eval)?;
    let limit = config.formatter.limit(tokenizer.context());
    let real: std::collections::BTreeSet<String> =
        super::training_rows(train)?.into_iter().filter(|row| !row.synthetic).map(|row| row.id).collect();
    let mut written = Vec::new();
    for language in artifacts::rows::Language::ALL {
        let mut shown = Vec::new();
        for label in Sentiment::ALL {
            let of = |row: &&Formatted| row.language == *language && row.label == *label && real.contains(&row.id);
            let mut candidates: Vec<&Formatted> = formatted.iter().filter(of).collect();
            // Of the shorter half, so that the examples leave room for the question.
            candidates.sort_by_key(|row| (row.ids.len(), row.id.clone()));
            candidates.truncate(candidates.len().div_ceil(2).max(per_label));
            candidates.shuffle(&mut open.seed(&format!("{language}/{label}")).rng());
            shown.extend(candidates.into_iter().take(per_label));
        }
        shown.shuffle(&mut open.seed(&format!("{language}/order")).rng());
        let mut before: Vec<Message> = Vec::new();
        for row in &shown {
            before.extend(serde_json::from_str::<Vec<Message>>(&row.messages)?);
        }
        for row in rows.iter().filter(|row| row.language == *language) {
            let mut messages = before.clone();
            messages.extend(serde_json::from_str::<Vec<Message>>(&row.messages)?);
            // A row whose prompt would not fit is asked as it is.
            written.push(match tokenizer.doctor(&messages, limit) {
                Ok(done) => Formatted {
                    messages: serde_json::to_string(&messages)?,
                    text: done.text,
                    ids: done.ids,
                    supervised: done.mask,
                    prompt_tokens: done.prompt_tokens as u32,
                    ..row.clone()
                },
                Err(refusal) => {
                    open.reject("asked without examples", 1);
                    tracing::debug!("{}: {refusal}", row.id);
                    row.clone()
                }
            });
        }
    }
    open.count(rows.len() as u64, written.len() as u64);
    open.write_rows("eval.parquet", written)?;
    open.finish()?;
    Ok(path)
}
