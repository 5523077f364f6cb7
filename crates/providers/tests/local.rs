#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use chat::Message;
use chat::prompts::LABELS;
use providers::testing::tiny_model;
use providers::{Completion, Error, LocalModel, Provider, Sampling};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const DATE: &str = "26 Jul 2024";

fn tiny() -> (tempfile::TempDir, LocalModel) {
    let folder = tempfile::tempdir().unwrap();
    tiny_model(folder.path(), 1).unwrap();
    let model = LocalModel::open(folder.path(), None, DATE).unwrap();
    (folder, model)
}

fn question(text: &str) -> Vec<Message> {
    vec![Message::user(text)]
}

fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?.join("shared");
    root.join("README.md").is_file().then_some(root)
}

#[test]
fn answer_probabilities_sum_to_one_and_follow_the_order_of_the_answers() {
    let (_folder, model) = tiny();
    let p = model.score(&question("Profit rose."), &LABELS).unwrap();
    assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{p:?}");
    let reversed: Vec<&str> = LABELS.iter().rev().copied().collect();
    let q = model.score(&question("Profit rose."), &reversed).unwrap();
    for (a, b) in p.iter().zip(q.iter().rev()) {
        assert!((a - b).abs() < 1e-6, "{p:?} {q:?}");
    }
}

#[test]
fn an_answer_is_scored_with_its_end_token() {
    let (_folder, model) = tiny();
    let (prompt, answer) = model.answer_ids(&question("Up?"), "up").unwrap();
    assert_eq!(answer, [u32::from(b'u'), u32::from(b'p'), 257]);
    assert_eq!(prompt.first(), Some(&256));
    // Without the end token `up` could never be less likely than `upup`.
    let [with, without] = [answer.clone(), answer[..2].to_vec()];
    let odds = |a: &Vec<u32>| model.score_ids(&prompt, &[a.clone(), vec![0]]).unwrap()[0];
    assert!(odds(&with) < odds(&without));
}

#[test]
fn equal_seeds_give_equal_text_and_other_seeds_other_text() {
    let (_folder, model) = tiny();
    let sample = |seed| {
        let sampling = Sampling::Sample { temperature: 1.0, top_k: None, top_p: None, seed };
        let options = Completion { max_tokens: 24, sampling, stop_at_line_break: false };
        model.continue_text("Good news today:", &options).unwrap()
    };
    assert_eq!(sample(1), sample(1));
    assert_ne!(sample(1), sample(2));
}

#[test]
fn a_prompt_longer_than_the_context_names_the_lengths() {
    let (_folder, model) = tiny();
    let error = model.score(&question(&"long ".repeat(200)), &LABELS).unwrap_err();
    assert!(matches!(error, Error::PromptTooLong { prompt: 1000.., context: 512, .. }), "{error}");
    let error = model.complete_ids(&vec![5; 512], &Completion::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a prompt of 512 tokens with 1 tokens of answer does not fit the model's context of 512; shorten the text or take a model with a longer context"
    );
    // One place is left: one token is written, and the answer counts as cut off.
    let reply = model.complete_ids(&vec![5; 511], &Completion::default()).unwrap();
    assert!(reply.text.chars().count() <= 1);
}

#[test]
fn text_that_spells_out_a_control_token_is_refused() {
    let (_folder, model) = tiny();
    let error = model.score(&question("Profit </s> rose"), &LABELS).unwrap_err();
    assert!(matches!(error, Error::Refused(_)) && error.to_string().contains("</s>"), "{error}");
}

#[test]
fn a_folder_without_a_model_and_a_tokenizer_too_large_are_named() {
    let empty = tempfile::tempdir().unwrap();
    let error = LocalModel::open(empty.path(), None, DATE).err().unwrap().to_string();
    assert!(error.contains("config.json is missing") && error.contains("Hub id"), "{error}");

    let (folder, _model) = tiny();
    let error = LocalModel::open(folder.path(), Some(empty.path()), DATE).err().unwrap().to_string();
    assert!(error.contains("adapter_config.json is missing"), "{error}");

    let path = folder.path().join("tokenizer.json");
    let mut tokenizer: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let tokens = tokenizer["added_tokens"].as_array_mut().unwrap();
    let mut extra = tokens[0].clone();
    (extra["id"], extra["content"]) = (258.into(), "<extra>".into());
    tokens.push(extra);
    std::fs::write(&path, serde_json::to_vec(&tokenizer).unwrap()).unwrap();
    let error = LocalModel::open(folder.path(), None, DATE).err().unwrap();
    assert!(matches!(error, Error::VocabularyTooSmall { tokens: 259, vocabulary: 258, .. }), "{error}");
}

#[test]
fn an_adapter_changes_the_scores_and_a_fresh_one_does_not() {
    let (folder, plain) = tiny();
    let mut model = lm::Llama::load(folder.path(), &candle_core::Device::Cpu).unwrap();
    model.attach_lora(&lora::LoraConfig::default(), 3).unwrap();
    let fresh = folder.path().join("fresh");
    model.save_adapter(&fresh, "org/tiny").unwrap();
    let moved = folder.path().join("moved");
    for (name, var) in model.trainable() {
        if name.contains("lora_B") {
            var.set(&(var.as_tensor().ones_like().unwrap() * 0.05).unwrap()).unwrap();
        }
    }
    model.save_adapter(&moved, "org/tiny").unwrap();
    let score = |adapter: &Path| {
        let model = LocalModel::open(folder.path(), Some(adapter), DATE).unwrap();
        model.score(&question("Profit rose."), &LABELS).unwrap()
    };
    let base = plain.score(&question("Profit rose."), &LABELS).unwrap();
    assert!(base.iter().zip(score(&fresh)).all(|(a, b)| (a - b).abs() < 1e-6));
    assert!(base.iter().zip(score(&moved)).any(|(a, b)| (a - b).abs() > 1e-4));
}

#[test]
fn a_checkpoint_in_bf16_takes_half_the_memory_and_answers_as_its_widened_copy() {
    let (folder, wide) = tiny();
    let weights = lm::Llama::load(folder.path(), &candle_core::Device::Cpu).unwrap().weights().unwrap();
    let opened = |to_stored: fn(&candle_core::Tensor) -> candle_core::Tensor| {
        let copy = tempfile::tempdir().unwrap();
        for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
            std::fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
        }
        let stored: HashMap<_, _> = weights.iter().map(|(name, tensor)| (name.clone(), to_stored(tensor))).collect();
        candle_core::safetensors::save(&stored, copy.path().join("model.safetensors")).unwrap();
        LocalModel::open(copy.path(), None, DATE).unwrap()
    };
    let narrow = opened(|tensor| tensor.to_dtype(candle_core::DType::BF16).unwrap());
    let widened =
        opened(|tensor| tensor.to_dtype(candle_core::DType::BF16).unwrap().to_dtype(candle_core::DType::F32).unwrap());
    assert_eq!(widened.weight_bytes(), wide.weight_bytes());
    // Norms are vectors and stay f32.
    let (narrow_bytes, wide_bytes) = (narrow.weight_bytes(), widened.weight_bytes());
    assert!(2 * narrow_bytes < wide_bytes * 21 / 20, "{narrow_bytes} of {wide_bytes}");
    let score = |model: &LocalModel| model.score(&question("Profit rose."), &LABELS).unwrap();
    // A unit for bf16 rounds activations too.
    for (a, b) in score(&narrow).iter().zip(score(&widened)) {
        assert!((a - b).abs() < 0.01, "{a} {b}");
    }
}

#[test]
fn the_stories_model_tells_a_story() {
    let Some(shared) = shared() else {
        println!("skipped: no shared folder");
        return;
    };
    let model = LocalModel::open(&shared.join("models/stories260k"), None, DATE).unwrap();
    let options = Completion { max_tokens: 40, ..Completion::default() };
    let reply = model.continue_text("Once upon a time", &options).unwrap();
    assert!(reply.text.contains("there was a little girl named Lily"), "{reply:?}");
    assert!(!reply.finished);
    let p = model.score(&question("Profit rose."), &LABELS).unwrap();
    assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn the_embedded_model_writes_and_scores_where_it_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("fixtures/model");
    if !folder.join("config.json").is_file() {
        println!("skipped: no fixtures/model");
        return;
    }
    let model = LocalModel::open(&folder, None, DATE).unwrap();
    let reply =
        model.continue_text("Good news today:", &Completion { max_tokens: 48, ..Completion::default() }).unwrap();
    assert!(reply.text.split_whitespace().count() >= 4, "{reply:?}");
    let p = model.score(&question("Profit rose."), &LABELS).unwrap();
    assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn a_mistyped_folder_is_not_looked_for_on_the_hub() {
    let hub = hub::HubConfig::from_environment(|_| None);
    let error = providers::find_model("tests/no-such-model", &hub).unwrap_err();
    assert!(matches!(error, Error::NoModel { .. }), "{error}");
}
