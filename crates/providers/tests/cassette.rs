//! Cassettes and budgets on a simulation.
#![allow(clippy::unwrap_used, reason = "tests")]

use chat::Message;
use providers::testing::{Scripted, tiny_model};
use providers::{
    Budget, Budgeted, Cassette, CassetteMode, Completion, Error, LocalModel, Prompt, Provider, Sampling, Shape,
    Simulation,
};
use std::path::Path;

fn simulation() -> Box<dyn Provider> {
    let truth = |question: &str, answers: &[&str]| answers.iter().position(|a| question.contains(a));
    Box::new(Simulation::new(3, 0.1, truth).writing(|prompt, seed| format!("{prompt} {}", seed % 1000)))
}

fn cassette(path: &Path, mode: CassetteMode, inner: Option<Box<dyn Provider>>) -> Cassette {
    Cassette::open(path, "simulation", mode, inner).unwrap()
}

fn drawn(seed: u64) -> Completion {
    let sampling = Sampling::Sample { temperature: 1.0, top_k: None, top_p: None, seed };
    Completion { sampling, ..Completion::default() }
}

/// All that a stage may ask.
fn ask(provider: &dyn Provider, n: u64) -> Result<String, Error> {
    let mut said = Vec::new();
    for seed in 0..n {
        said.push(provider.continue_text("Good news:", &drawn(seed))?.text);
        let question = [Message::user("positive or negative?")];
        let shape = Shape::choice(["negative", "positive"]);
        said.push(provider.write(Prompt::Chat(&question), &drawn(seed), &shape)?.reply.text);
    }
    said.push(format!("{:?}", provider.score(&[Message::user("positive")], &["negative", "positive"])?));
    said.push(format!("{:?}", provider.score_text("positive", &["negative", "positive"])?));
    Ok(said.concat())
}

#[test]
fn strict_replay_gives_the_same_answers_and_asks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.parquet");
    let recorder = cassette(&path, CassetteMode::Record, Some(simulation()));
    let said = ask(&recorder, 5).unwrap();
    assert_eq!((recorder.asked(), recorder.replayed(), recorder.save().unwrap()), (12, 0, 12));

    let player = cassette(&path, CassetteMode::Strict, None);
    assert_eq!(ask(&player, 5).unwrap(), said);
    assert_eq!((player.asked(), player.replayed(), player.usage().total()), (0, 12, 0));
}

#[test]
fn strict_replay_fails_on_a_miss_even_with_someone_to_ask() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.parquet");
    let player = cassette(&path, CassetteMode::Strict, Some(simulation()));
    let error = player.continue_text("Good news:", &drawn(1)).unwrap_err();
    assert!(matches!(&error, Error::NotOnCassette { call, .. } if call.contains("Good news:")), "{error}");
    assert_eq!(player.asked(), 0);
}

#[test]
fn replay_asks_only_for_what_is_new_and_a_call_differs_by_its_seed_and_shape() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.parquet");
    let first = cassette(&path, CassetteMode::Replay, Some(simulation()));
    ask(&first, 2).unwrap();
    first.save().unwrap();
    let second = cassette(&path, CassetteMode::Replay, Some(simulation()));
    ask(&second, 3).unwrap();
    assert_eq!((second.asked(), second.replayed()), (2, 6));
    let other = Shape { min_p: Some(0.1), ..Shape::default() };
    let strict = cassette(&path, CassetteMode::Strict, None);
    assert!(strict.write(Prompt::Raw("Good news:"), &drawn(0), &Shape::default()).is_ok());
    assert!(strict.write(Prompt::Raw("Good news:"), &drawn(0), &other).is_err());
}

#[test]
fn equal_calls_give_an_equal_file_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let record = |name: &str, seeds: [u64; 3]| {
        let path = folder.path().join(name);
        let cassette = cassette(&path, CassetteMode::Record, Some(simulation()));
        for seed in seeds {
            cassette.continue_text("Good news:", &drawn(seed)).unwrap();
        }
        cassette.save().unwrap();
        std::fs::read(path).unwrap()
    };
    assert_eq!(record("a", [1, 2, 3]), record("b", [3, 1, 2]));
}

#[test]
fn a_simulation_errs_on_the_share_it_was_told_and_says_on_which() {
    let truth = |question: &str, _: &[&str]| question.len().checked_rem(3);
    let simulation = Simulation::new(1, 0.2, truth);
    let labels = ["negative", "neutral", "positive"];
    let mut wrong = 0;
    for i in 0..2000 {
        let question = format!("question {i}");
        let p = simulation.score(&[Message::user(&question)], &labels).unwrap();
        let chosen = (0..3).find(|c| p[*c] > 0.5).unwrap();
        assert_eq!(chosen != question.len() % 3, simulation.errs(&question));
        wrong += usize::from(simulation.errs(&question));
    }
    assert!((350..450).contains(&wrong), "{wrong}");
}

#[test]
fn a_budget_in_tokens_stops_for_good() {
    let budget = Budget { tokens: Some(100), ..Budget::default() };
    let truth = |_: &str, _: &[&str]| None;
    let writer = Simulation::new(1, 0.0, truth).writing(|_, _| "four words are here".into());
    let provider = Budgeted::new(writer, budget);
    let ask = |tokens| {
        provider.continue_text("Good news:", &Completion { max_tokens: tokens, ..Completion::default() }).map(|_| ())
    };
    // Two tokens of prompt and four of answer each; twenty are held back before.
    let made = (0..40).take_while(|_| ask(16).is_ok()).count();
    assert_eq!(made, 14, "14 x 6 = 84 are used, and 84 + 20 are more than 100");
    assert!(ask(1).is_err(), "once spent, also what would fit is refused");
    assert_eq!(provider.usage().total(), 84);
}

#[test]
fn a_prompt_that_is_too_long_is_too_long_in_the_replay_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.parquet");
    tiny_model(&folder.path().join("model"), 1).unwrap();
    let model = LocalModel::open(&folder.path().join("model"), None, "26 Jul 2024").unwrap();
    let long = "word ".repeat(200);
    let told = |provider: &dyn Provider| {
        let written = provider.write(Prompt::Raw(&long), &drawn(1), &Shape::default());
        let Err(Error::PromptTooLong { prompt, answer, context }) = written else { panic!("{written:?}") };
        (prompt, answer, context)
    };
    let recorder = cassette(&path, CassetteMode::Record, Some(Box::new(model)));
    let first = told(&recorder);
    assert_eq!(recorder.save().unwrap(), 1);
    let player = cassette(&path, CassetteMode::Strict, None);
    assert_eq!(told(&player), first);
    assert_eq!(player.replayed(), 1);
}

#[test]
fn a_killed_recording_asks_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.parquet");
    let open = || cassette(&path, CassetteMode::Replay, Some(simulation())).journaled().unwrap();
    let said = {
        let killed = open();
        let said = ask(&killed, 4).unwrap();
        assert!(!path.exists(), "it was never saved");
        std::mem::forget(killed);
        said
    };
    // The kill has torn a line.
    let journal = folder.path().join("calls.parquet.journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.extend_from_slice(b"{\"request\": \"abc");
    std::fs::write(&journal, bytes).unwrap();
    let again = open();
    assert_eq!(ask(&again, 4).unwrap(), said);
    assert_eq!((again.asked(), again.replayed(), again.unsaved()), (0, 10, 10));
    assert_eq!(again.save().unwrap(), 10);
    assert!(!journal.exists());
}

#[test]
fn an_error_that_another_try_may_mend_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.parquet");
    let recorder = cassette(&path, CassetteMode::Record, Some(Box::new(Scripted::saying("x"))));
    // A scripted provider gives no probabilities of raw text.
    assert!(matches!(recorder.score_text("a", &["b"]), Err(Error::CannotScore { .. })));
    assert_eq!(recorder.save().unwrap(), 0);
}
