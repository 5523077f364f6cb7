//! Against renders and token ids of the reference library, where the shared folder is there.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "tests")]

use chat::{ChatTokenizer, Message};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The folder `shared` beside the workspace, if it is there.
fn shared() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared"))
        .find(|shared| shared.join("README.md").is_file());
    if found.is_none() {
        println!("skipped: no shared folder");
    }
    found
}

#[test]
fn every_conversation_becomes_the_same_text_and_the_same_tokens() {
    let Some(shared) = shared() else { return };
    let file: Value =
        serde_json::from_slice(&std::fs::read(shared.join("oracles/chat/renders.json")).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 12);
    let date = cases[0]["date_string"].as_str().unwrap();
    let tokenizer = ChatTokenizer::load(&shared.join("data/tokenizer/llama3"), date).unwrap();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        assert_eq!(case["date_string"].as_str().unwrap(), date, "{name}");
        let messages: Vec<Message> = serde_json::from_value(case["messages"].clone()).unwrap();
        let text = tokenizer.render(&messages, case["add_generation_prompt"].as_bool().unwrap()).unwrap();
        assert_eq!(text, case["text"].as_str().unwrap(), "{name}");
        let expected: Vec<u32> = serde_json::from_value(case["ids"].clone()).unwrap();
        let ids = tokenizer.encode(&text).unwrap();
        assert_eq!(ids, expected, "{name}");
        assert_eq!(tokenizer.decode(&ids).unwrap() == text, case["decode_equals_text"].as_bool().unwrap(), "{name}");
    }
}

#[test]
fn a_llama_row_learns_the_answer_and_its_end() {
    let Some(shared) = shared() else { return };
    let tokenizer = ChatTokenizer::load(&shared.join("data/tokenizer/llama3"), "26 Jul 2024").unwrap();
    let row = tokenizer.doctor(&[Message::user("Lãi tăng mạnh"), Message::assistant("positive")], 512).unwrap();
    let learned: Vec<u32> = row.ids.iter().zip(&row.mask).filter(|(_, m)| **m).map(|(id, _)| *id).collect();
    assert_eq!(tokenizer.tokens(&learned), ["positive", "<|eot_id|>"]);
    assert_eq!(tokenizer.tokens(&row.ids)[0], "<|begin_of_text|>");
}

#[test]
fn a_model_without_a_template_is_spoken_to_plainly() {
    let Some(shared) = shared() else { return };
    let tokenizer = ChatTokenizer::load(&shared.join("models/stories260k"), "26 Jul 2024").unwrap();
    assert_eq!((tokenizer.end_ids(), tokenizer.context()), (&[1, 2][..], Some(512)));
    let row = tokenizer.doctor(&[Message::user("Lãi tăng mạnh"), Message::assistant("positive")], 512).unwrap();
    assert_eq!(row.text, "<s>### user\nLãi tăng mạnh</s>### assistant\npositive</s>");
    assert_eq!(tokenizer.decode(&row.ids[row.prompt_tokens..]).unwrap(), "positive</s>");
    assert!(row.mask.last().unwrap());
}
