use crate::questions::Question;
use crate::{Config, Error};
use artifacts::Progress;
use artifacts::rows::{Outcome, Prediction, Sentiment};
use chat::prompts::parse_label;
use providers::{Completion, LocalModel, Sampling};
use rayon::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Asks one model every question, on all cores; the answers are in the order of the questions, whatever the cores did.
///
/// # Errors
/// A row does not fit the model's context, or the model fails; the error names the row.
pub(crate) fn predict(
    model: &LocalModel,
    subject: &str,
    questions: &[Question],
    path: &Path,
    config: &Config,
    progress: &dyn Progress,
) -> Result<Vec<Prediction>, Error> {
    let ticker = progress.start(&format!("evaluating {subject}"), questions.len() as u64);
    let done = AtomicU64::new(0);
    let options =
        Completion { max_tokens: config.max_new_tokens, sampling: Sampling::Greedy, stop_at_line_break: false };
    let answers: Vec<Result<Prediction, Error>> = questions
        .par_iter()
        .enumerate()
        .map(|(row, question)| {
            let prediction = ask(model, subject, question, &options).map_err(|source| Error::Row {
                path: path.to_owned(),
                row,
                id: question.id.clone(),
                source,
            });
            ticker.at(done.fetch_add(1, Ordering::Relaxed) + 1, "");
            prediction
        })
        .collect();
    answers.into_iter().collect()
}

fn ask(
    model: &LocalModel,
    subject: &str,
    question: &Question,
    options: &Completion,
) -> Result<Prediction, providers::Error> {
    let response = model.complete_ids(&question.prompt, options)?.text;
    let predicted = parse_label(&response).and_then(|label| label.parse::<Sentiment>().ok());
    let p = model.score_ids(&question.prompt, &question.answers)?;
    let of = |label: Sentiment| p.get(label as usize).copied().unwrap_or(0.0);
    // The first of equals, so that a tie does not depend on anything else.
    let mut scored = Sentiment::Negative;
    for label in Sentiment::ALL {
        if of(*label) > of(scored) {
            scored = *label;
        }
    }
    Ok(Prediction {
        example_id: question.id.clone(),
        model: subject.to_owned(),
        language: question.language,
        label: question.label,
        response,
        outcome: if predicted.is_some() { Outcome::Parsed } else { Outcome::Unparseable },
        predicted,
        scored,
        p_negative: of(Sentiment::Negative),
        p_neutral: of(Sentiment::Neutral),
        p_positive: of(Sentiment::Positive),
    })
}
