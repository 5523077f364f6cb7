//! A local model under grammars.
#![allow(clippy::unwrap_used, reason = "tests")]

use chat::Message;
use chat::prompts::LABELS;
use providers::testing::tiny_model;
use providers::{Completion, Error, Form, LocalModel, Prompt, Provider, Sampling, Shape};
use std::collections::BTreeSet;
use std::path::Path;

fn tiny() -> (tempfile::TempDir, LocalModel) {
    let folder = tempfile::tempdir().unwrap();
    tiny_model(folder.path(), 1).unwrap();
    let model = LocalModel::open(folder.path(), None, "26 Jul 2024").unwrap();
    (folder, model)
}

fn drawn(seed: u64) -> Completion {
    let sampling = Sampling::Sample { temperature: 1.5, top_k: None, top_p: None, seed };
    Completion { max_tokens: 60, sampling, stop_at_line_break: false }
}

#[test]
fn a_model_that_writes_nonsense_still_gives_one_of_the_choices() {
    let (_folder, model) = tiny();
    let question = [Message::user("Sentiment?")];
    let said: BTreeSet<String> = (0..30)
        .map(|seed| {
            let written = model.write(Prompt::Chat(&question), &drawn(seed), &Shape::choice(LABELS)).unwrap();
            assert!(written.reply.finished && written.canonical, "{written:?}");
            written.reply.text
        })
        .collect();
    assert_eq!(said, LABELS.iter().map(|l| (*l).to_owned()).collect(), "every label comes, and nothing else");
}

#[test]
fn a_regular_expression_and_a_grammar_hold_to_the_last_character() {
    let (_folder, model) = tiny();
    let regex =
        Shape { form: Some(Form::Regex("[A-Z][a-z]{3,8} (rose|fell) [0-9]{1,2}%\\.".into())), ..Shape::default() };
    let lark = "start: \"{\\\"text\\\": \\\"\" WORDS \"\\\"}\"\nWORDS: /[a-z]{2,5}( [a-z]{2,5}){2}/\n";
    let json = Shape { form: Some(Form::Lark(lark.into())), ..Shape::default() };
    for seed in 0..10 {
        let text = model.write(Prompt::Raw("News:"), &drawn(seed), &regex).unwrap().reply.text;
        let (company, rest) = text.split_once(' ').unwrap();
        assert!(company.starts_with(|c: char| c.is_ascii_uppercase()) && (4..=9).contains(&company.len()), "{text}");
        assert!((rest.starts_with("rose ") || rest.starts_with("fell ")) && rest.ends_with("%."), "{text}");

        let text = model.write(Prompt::Raw("News:"), &drawn(seed), &json).unwrap().reply.text;
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["text"].as_str().unwrap().split(' ').count(), 3, "{text}");
    }
}

#[test]
fn a_grammar_that_is_none_is_an_error_that_shows_it() {
    let (_folder, model) = tiny();
    let bad = Shape { form: Some(Form::Regex("(unclosed".into())), ..Shape::default() };
    let error = model.write(Prompt::Raw("News:"), &drawn(1), &bad).unwrap_err();
    assert!(matches!(error, Error::BadGrammar { .. }) && error.to_string().contains("(unclosed"), "{error}");
}

#[test]
fn min_p_and_greedy_continuation_narrow_the_draw() {
    let (_folder, model) = tiny();
    let text = |seed, shape: &Shape| model.write(Prompt::Raw("News:"), &drawn(seed), shape).unwrap().reply.text;
    let only_the_likeliest = Shape { min_p: Some(1.0), ..Shape::default() };
    assert_eq!(text(1, &only_the_likeliest), text(2, &only_the_likeliest));
    let greedy = Shape { greedy_after: Some(0), ..Shape::default() };
    assert_eq!(text(1, &greedy), text(1, &only_the_likeliest));
    assert_ne!(text(1, &Shape::default()), text(2, &Shape::default()));
}

/// A tokenizer with merges, where a text can be split in more than one way.
#[test]
fn a_split_that_the_tokenizer_would_not_choose_is_noticed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("fixtures/model");
    let model = LocalModel::open(&folder, None, "26 Jul 2024").unwrap();
    let question = [Message::user("Sentiment?")];
    let mut odd = 0;
    for seed in 0..40 {
        let hot = Completion {
            sampling: Sampling::Sample { temperature: 5.0, top_k: None, top_p: None, seed },
            ..drawn(seed)
        };
        let written = model.write(Prompt::Chat(&question), &hot, &Shape::choice(LABELS)).unwrap();
        assert!(LABELS.contains(&written.reply.text.as_str()));
        let own = model.tokenizer().encode(&written.reply.text).unwrap();
        // A split into another number of tokens is certainly another split.
        assert!(own.len() as u64 == written.usage.answer_tokens || !written.canonical, "{written:?}");
        odd += usize::from(!written.canonical);
    }
    assert!(odd > 0, "a hot model splits words in odd ways now and then");
}

#[test]
fn continuations_of_raw_text_are_scored_as_the_model_would_write_them() {
    let (_folder, model) = tiny();
    let scores = model.score_text("Profit rose.", &[" Up", " Down today"]).unwrap();
    let whole = |continuation: &str| {
        let ids: Vec<u32> = continuation.bytes().map(u32::from).collect();
        model.score_ids(
            &[&[256][..], &"Profit rose.".bytes().map(u32::from).collect::<Vec<_>>()].concat(),
            &[ids, vec![1]],
        )
    };
    // exp(score) is not normalised: the ratio to a third continuation is what `score_ids` tells.
    let one = model.score_text("Profit rose.", &[" Up", "\u{1}"]).unwrap();
    let p = whole(" Up").unwrap();
    assert!(((one[0] - one[1]) - (p[0] / p[1]).ln()).abs() < 1e-4, "{one:?} {p:?}");
    assert!((scores[0] - one[0]).abs() < 1e-5 && scores[1] < scores[0]);
}

#[test]
fn a_json_schema_holds_a_model_on_this_machine_too() {
    let (_folder, model) = tiny();
    let schema = serde_json::json!({
        "type": "object", "additionalProperties": false, "required": ["mood", "count"],
        "properties": {"mood": {"enum": LABELS}, "count": {"type": "integer", "minimum": 0, "maximum": 9}},
    });
    let shape = Shape { form: Some(Form::JsonSchema(schema.to_string())), ..Shape::default() };
    let mut read = 0;
    for seed in 0..10 {
        let options = Completion { max_tokens: 200, ..drawn(seed) };
        let written = model.write(Prompt::Raw("News:"), &options, &shape).unwrap();
        // White space is free in JSON, and a model of noise may fill its limit with it.
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(&written.reply.text) {
            assert!(LABELS.contains(&value["mood"].as_str().unwrap()), "{value}");
            assert!((0..=9).contains(&value["count"].as_i64().unwrap()), "{value}");
            read += 1;
        } else {
            assert!(!written.reply.finished, "{written:?}");
        }
    }
    assert!(read > 0, "none of ten answers came to an end");
    let bad = Shape { form: Some(Form::JsonSchema("{".into())), ..Shape::default() };
    assert!(matches!(model.write(Prompt::Raw("News:"), &drawn(1), &bad), Err(Error::BadGrammar { .. })));
}
