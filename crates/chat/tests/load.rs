#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use chat::{ChatTokenizer, Message};
use common::{folder, load, with_template, write};
use serde_json::json;

fn refusal(dir: &tempfile::TempDir) -> String {
    ChatTokenizer::load(dir.path(), "26 Jul 2024").unwrap_err().to_string()
}

#[test]
fn a_model_without_a_template_gets_the_plain_one() {
    let tokenizer = load(&folder(&[]));
    assert!(!tokenizer.has_own_template());
    assert_eq!(tokenizer.render(&[Message::user("up?")], true).unwrap(), "<s>### user\nup?</s>### assistant\n");
}

#[test]
fn the_template_file_wins_over_the_configuration() {
    let dir = with_template(&[], "from the configuration");
    assert_eq!(load(&dir).render(&[], false).unwrap(), "from the configuration");
    std::fs::write(dir.path().join("chat_template.jinja"), "from the file").unwrap();
    assert_eq!(load(&dir).render(&[], false).unwrap(), "from the file");
}

#[test]
fn of_several_templates_the_default_one_is_taken() {
    let dir = folder(&[]);
    let named = |names: [&str; 2]| {
        json!({"bos_token": "<s>", "eos_token": "</s>",
        "chat_template": names.map(|n| json!({"name": n, "template": format!("I am {n}")}))})
    };
    write(dir.path(), "tokenizer_config.json", &named(["tool_use", "default"]));
    assert_eq!(load(&dir).render(&[], false).unwrap(), "I am default");
    write(dir.path(), "tokenizer_config.json", &named(["tool_use", "rag"]));
    assert!(refusal(&dir).contains("tool_use, rag"), "{}", refusal(&dir));
}

#[test]
fn the_ends_of_a_turn_come_from_both_files() {
    let dir = folder(&[]);
    assert_eq!(load(&dir).end_ids(), [2]);
    write(dir.path(), "generation_config.json", &json!({"eos_token_id": [3, 1]}));
    assert_eq!(load(&dir).end_ids(), [1, 2, 3]);
    write(dir.path(), "generation_config.json", &json!({"eos_token_id": 3}));
    assert_eq!(load(&dir).end_ids(), [2, 3]);
}

#[test]
fn the_context_is_what_the_model_says() {
    let dir = folder(&[]);
    assert_eq!(load(&dir).context(), None);
    write(dir.path(), "config.json", &json!({"max_position_embeddings": 512}));
    assert_eq!(load(&dir).context(), Some(512));
    assert_eq!(ChatTokenizer::files(dir.path()).len(), 3);
}

#[test]
fn what_is_wrong_with_a_folder_is_named() {
    let empty = tempfile::tempdir().unwrap();
    assert!(refusal(&empty).contains("tokenizer.json: cannot read"), "{}", refusal(&empty));

    let dir = folder(&[]);
    write(dir.path(), "tokenizer_config.json", &json!({"bos_token": "<s>"}));
    assert!(refusal(&dir).contains("no end-of-turn token"), "{}", refusal(&dir));
    write(dir.path(), "tokenizer_config.json", &json!({"eos_token": "<stop>"}));
    assert!(refusal(&dir).contains("eos_token `<stop>`"), "{}", refusal(&dir));
    std::fs::write(dir.path().join("tokenizer_config.json"), "{").unwrap();
    assert!(refusal(&dir).contains("tokenizer_config.json: not the JSON"), "{}", refusal(&dir));
    std::fs::write(dir.path().join("tokenizer.json"), "{}").unwrap();
    assert!(refusal(&dir).contains("not a tokenizer"), "{}", refusal(&dir));

    let error = ChatTokenizer::load(folder(&[]).path(), "today").unwrap_err().to_string();
    assert!(error.contains("`today` is not a date"), "{error}");
}

#[test]
fn settings_that_cut_or_pad_rows_are_not_obeyed() {
    let dir = folder(&[]);
    let path = dir.path().join("tokenizer.json");
    let mut file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    file["truncation"] = json!({"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0});
    write(dir.path(), "tokenizer.json", &file);
    assert_eq!(load(&dir).encode("abcdef").unwrap().len(), 6);
}
