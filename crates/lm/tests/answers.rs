//! Many questions at once against one at a time: the same scores, the same text, fewer tokens.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::Device;
use common::{model, noise, saved};
use lm::{
    Answer, AnswerOptions, Answers, Error, GenerateOptions, Llama, LoraConfig, Prefix, Question, answer, answer_after,
    generate, score,
};

/// Prompts of two instructions and of none, texts of several lengths, one prompt twice.
fn prompts() -> Vec<Vec<u32>> {
    let mut draw = 7_u64;
    let mut next = |below: u64| {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (draw >> 33) % below
    };
    let mut prompts: Vec<Vec<u32>> = (0..17)
        .map(|i| {
            let instruction = match i % 3 {
                0 => (10..30).collect(),
                1 => (20..45).rev().collect(),
                _ => vec![1],
            };
            let text = (0..=next(9)).map(|_| 3 + next(45) as u32);
            instruction.into_iter().chain(text).chain([5, 6]).collect()
        })
        .collect();
    prompts.push(prompts[4].clone());
    prompts
}

/// Labels of one to four tokens; two of them begin alike.
fn labels() -> Vec<Vec<u32>> {
    vec![vec![7, 2], vec![8, 9, 11, 2], vec![8, 9, 2], vec![13]]
}

fn ask(model: &Llama, options: &AnswerOptions) -> Answers {
    let (prompts, labels) = (prompts(), labels());
    let questions: Vec<Question<'_>> =
        prompts.iter().map(|prompt| Question { prompt, continuations: &labels }).collect();
    let mut heard = Vec::new();
    let found = answer(model, &questions, options, &mut |n| heard.push(n)).unwrap();
    assert_eq!(heard.last(), Some(&prompts.len()));
    assert!(heard.is_sorted());
    found
}

fn assert_as_one_at_a_time(model: &Llama, found: &[Answer]) {
    let labels = labels();
    for (prompt, found) in prompts().iter().zip(found) {
        for (a, b) in score(model, prompt, &labels).unwrap().iter().zip(&found.scores) {
            assert!((a - b).abs() < 2e-4 * a.abs().max(1.0), "{a} and {b}");
        }
        let options = GenerateOptions { max_tokens: 6, stop: vec![2, 9], ..GenerateOptions::default() };
        assert_eq!(generate(model, prompt, &options).unwrap(), found.tokens);
        assert_eq!(found.ended, found.tokens.len() < 6);
    }
}

#[test]
fn all_at_once_is_one_at_a_time_however_the_rows_are_cut() {
    for tied in [true, false] {
        let (_folder, trained) = saved(tied);
        for tokens_at_once in [1, 40, 10_000] {
            let found = ask(&trained, &AnswerOptions { max_tokens: 6, stop: vec![2, 9], tokens_at_once });
            assert_as_one_at_a_time(&trained, &found.answers);
        }
    }
}

#[test]
fn what_is_known_already_is_not_computed_again_and_changes_nothing() {
    let (_folder, model) = saved(true);
    let options = AnswerOptions { max_tokens: 6, stop: vec![2, 9], tokens_at_once: 40 };
    let (prompts, labels) = (prompts(), labels());
    let questions: Vec<Question<'_>> =
        prompts.iter().map(|prompt| Question { prompt, continuations: &labels }).collect();
    let instruction: Vec<u32> = (10..30).collect();
    // The longest counts; one that is a whole prompt leaves nothing to ask after, and one begins none.
    let known = [&instruction[..7], &instruction, &prompts[4], &[48, 48]].map(|ids| Prefix::read(&model, ids).unwrap());
    assert_eq!(known[1].ids(), instruction);
    let mut heard = Vec::new();
    let found = answer_after(&model, &known, &questions, &options, &mut |n| heard.push(n)).unwrap();
    assert_as_one_at_a_time(&model, &found.answers);
    assert_eq!(heard.last(), Some(&prompts.len()));
    // A third of the prompts begin with the instruction, which `answer` reads once.
    let whole = ask(&model, &AnswerOptions { tokens_at_once: 10_000, ..options.clone() }).tokens_computed;
    let after =
        answer_after(&model, &known, &questions, &AnswerOptions { tokens_at_once: 10_000, ..options }, &mut |_| ());
    assert_eq!(after.unwrap().tokens_computed, whole - instruction.len() as u64);
    assert!(matches!(Prefix::read(&model, &[]), Err(Error::EmptyRow { .. })));
}

#[test]
fn an_adapter_changes_scores_and_text_as_it_does_one_at_a_time() {
    let (folder, _) = saved(true);
    let mut model = Llama::load(folder.path(), &Device::Cpu).unwrap();
    let options = AnswerOptions { max_tokens: 6, stop: vec![2, 9], tokens_at_once: 64 };
    let before = ask(&model, &options);
    model.attach_lora(&LoraConfig::default(), 3).unwrap();
    for (i, (_, var)) in model.trainable().into_iter().enumerate() {
        var.set(&noise(var.dims(), i as u64, 0.4)).unwrap();
    }
    let after = ask(&model, &options);
    assert_as_one_at_a_time(&model, &after.answers);
    let moved = before.answers.iter().zip(&after.answers).filter(|(a, b)| (a.scores[0] - b.scores[0]).abs() > 1e-3);
    assert!(moved.count() > 10);
}

#[test]
fn a_shared_prefix_is_computed_once_and_each_text_once() {
    // 40 rows: 30 tokens of instruction, 3 of text; two labels of which one token each is read.
    let rows: Vec<Vec<u32>> = (0..40).map(|i| (10..40).chain([i % 50, 5, 6]).collect()).collect();
    let labels = [vec![7, 2], vec![8, 2]];
    let questions: Vec<Question<'_>> = rows.iter().map(|prompt| Question { prompt, continuations: &labels }).collect();
    let found = answer(&model(true), &questions, &AnswerOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(found.tokens_computed, 30 + 40 * (3 + 2));
}

#[test]
fn what_prompts_share_beyond_the_common_prefix_and_a_prompt_asked_twice_are_computed_once() {
    // Two ways on after the instruction, of four tokens each, and every prompt twice.
    let prompts: Vec<Vec<u32>> =
        (0..8).map(|i| (10..40).chain([41 + i % 2, 1, 2, 3, 45 + (i / 2) % 2, 6]).collect()).collect();
    let labels = [vec![7, 2], vec![8, 2]];
    let questions: Vec<Question<'_>> =
        prompts.iter().map(|prompt| Question { prompt, continuations: &labels }).collect();
    let model = model(true);
    let found = answer(&model, &questions, &AnswerOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(found.tokens_computed, 30 + 2 * (4 + 2 * (2 + 2)));
    for (prompt, found) in prompts.iter().zip(&found.answers) {
        for (a, b) in score(&model, prompt, &labels).unwrap().iter().zip(&found.scores) {
            assert!((a - b).abs() < 2e-4 * a.abs().max(1.0), "{a} and {b}");
        }
    }
}

#[test]
fn writing_what_was_scored_computes_nothing_again() {
    let (_folder, trained) = saved(true);
    let rows: Vec<Vec<u32>> = (0..6).map(|i| (10..20).chain([i, 5, 6]).collect()).collect();
    let alone = GenerateOptions { max_tokens: 3, ..GenerateOptions::default() };
    let written: Vec<Vec<u32>> = rows.iter().map(|row| generate(&trained, row, &alone).unwrap()).collect();
    // The label is what each row's answer begins with.
    let labels: Vec<Vec<Vec<u32>>> = written.iter().map(|text| vec![text.clone()]).collect();
    let questions: Vec<Question<'_>> =
        rows.iter().zip(&labels).map(|(prompt, label)| Question { prompt, continuations: label }).collect();
    let computed = |max_tokens| {
        let options = AnswerOptions { max_tokens, ..AnswerOptions::default() };
        let found = answer(&trained, &questions, &options, &mut |_| ()).unwrap();
        (found.tokens_computed, found.answers.into_iter().map(|a| a.tokens).collect::<Vec<_>>())
    };
    let (scored, _) = computed(0);
    assert_eq!(computed(3), (scored, written));
    // A fourth token needs the third to be read.
    assert_eq!(computed(4).0, scored + 6);
}

#[test]
fn nothing_asked_is_nothing_answered_and_text_without_labels_is_written() {
    let model = model(true);
    assert_eq!(answer(&model, &[], &AnswerOptions::default(), &mut |_| ()).unwrap(), Answers::default());
    let question = Question { prompt: &[1, 2, 3], continuations: &[] };
    let options = AnswerOptions { max_tokens: 4, ..AnswerOptions::default() };
    let found = answer(&model, &[question], &options, &mut |_| ()).unwrap();
    let alone = GenerateOptions { max_tokens: 4, ..GenerateOptions::default() };
    assert_eq!(found.answers[0].tokens, generate(&model, &[1, 2, 3], &alone).unwrap());
    assert!(found.answers[0].scores.is_empty() && !found.answers[0].ended);
    // The model has 128 positions: what is written ends with them.
    let long: Vec<u32> = (0..126).map(|i| i % 50).collect();
    let options = AnswerOptions { max_tokens: 30, ..options };
    let found = answer(&model, &[Question { prompt: &long, continuations: &[] }], &options, &mut |_| ()).unwrap();
    let alone = GenerateOptions { max_tokens: 30, ..alone };
    assert_eq!(found.answers[0].tokens, generate(&model, &long, &alone).unwrap());
}

#[test]
fn a_row_that_cannot_be_read_is_named_by_its_number() {
    let model = model(true);
    let labels = [vec![7, 2]];
    let ask = |prompt: &[u32], labels: &[Vec<u32>]| {
        let first = Question { prompt: &[1, 2], continuations: &[] };
        let questions = [first, Question { prompt, continuations: labels }];
        answer(&model, &questions, &AnswerOptions::default(), &mut |_| ()).unwrap_err()
    };
    assert!(matches!(ask(&[], &labels), Error::EmptyPrompt));
    assert!(matches!(ask(&[1, 50], &labels), Error::Token { row: 1, position: 1, id: 50, .. }));
    assert!(matches!(ask(&[1], &[vec![7, 99]]), Error::Token { row: 1, id: 99, .. }));
    assert!(matches!(ask(&[1; 128], &labels), Error::TooLong { row: 1, tokens: 129, limit: 128 }));
}
