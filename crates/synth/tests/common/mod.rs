//! Rows, and a simulated model that writes by script and judges without error.
#![allow(dead_code, clippy::unwrap_used, missing_docs, reason = "tests")]

use artifacts::rows::{Example, Language, Sentiment};
use providers::Simulation;
use synth::{Ask, Config, Judging, Strategy, Style};

pub(crate) fn row(text: &str, label: Sentiment) -> Example {
    let id = text::text_id("en", text);
    Example {
        cluster: id.clone(),
        id,
        text: text.to_owned(),
        label,
        raw_label: label.to_string(),
        language: Language::English,
        source: "test".into(),
        source_row: 0,
        instruction: None,
        synthetic: false,
    }
}

/// Fifteen rows a label, each label with its own words.
pub(crate) fn train() -> Vec<Example> {
    let firms = [
        "Acme", "Borealis", "Cobalt", "Delta", "Ember", "Fjord", "Gale", "Harbor", "Iris", "Juno", "Kite", "Lumen",
        "Mast", "Nord", "Opal",
    ];
    firms
        .iter()
        .flat_map(|firm| {
            [
                row(&format!("{firm} lost its largest order and profit fell heavily."), Sentiment::Negative),
                row(&format!("{firm} will hold its annual meeting in the spring."), Sentiment::Neutral),
                row(&format!("{firm} won an order and its profit rose sharply."), Sentiment::Positive),
            ]
        })
        .collect()
}

pub(crate) fn eval() -> Vec<Example> {
    vec![row("Shares of the shipping group jumped after a record profit and a higher dividend.", Sentiment::Positive)]
}

/// What a text of these rows means, by its words.
pub(crate) fn meaning(text: &str) -> Option<Sentiment> {
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if has(&["rose", "won", "jumped"]) {
        Some(Sentiment::Positive)
    } else if has(&["lost", "fell", "loss"]) {
        Some(Sentiment::Negative)
    } else {
        has(&["meeting"]).then_some(Sentiment::Neutral)
    }
}

/// A model that knows what the texts mean and errs on a share of the questions.
pub(crate) fn judge(
    error_rate: f64,
    meaning: impl Fn(&str) -> Option<Sentiment> + Send + Sync + 'static,
) -> Simulation {
    Simulation::new(7, error_rate, move |question, answers| {
        let label = meaning(question)?;
        answers.iter().position(|answer| *answer == label.as_str())
    })
}

pub(crate) fn config(max_candidates: u64) -> Config {
    Config {
        max_candidates,
        rows: 30,
        strategies: vec![Strategy::Heading],
        styles: vec![Style::Temperature],
        judges: Judging { ask: Ask::Question, ..Judging::default() },
        ..Config::default()
    }
}
