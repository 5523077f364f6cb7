#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use chat::{ChatTokenizer, Message, Refusal};
use common::{folder, load, with_template};
use proptest::prelude::*;

fn turns(question: &str, answer: &str) -> Vec<Message> {
    vec![Message::user(question), Message::assistant(answer)]
}

fn reason(tokenizer: &ChatTokenizer, messages: &[Message]) -> &'static str {
    tokenizer.doctor(messages, 1000).unwrap_err().reason()
}

/// Turns end in `</s>`, and a line break follows it: the tail that is not learned.
const TAILED: &str = "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}{{ eos_token + '\\n' }}\
                      {% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";

#[test]
fn exactly_the_answer_and_its_end_are_learned() {
    let tokenizer = load(&with_template(&[], TAILED));
    let row = tokenizer.doctor(&turns("up?", " yes "), 1000).unwrap();
    assert_eq!(row.text, "<s>[user]up?</s>\n[assistant]yes</s>\n");
    let learned: Vec<u32> = row.ids.iter().zip(&row.mask).filter(|(_, m)| **m).map(|(id, _)| *id).collect();
    assert_eq!(tokenizer.tokens(&learned), ["y", "e", "s", "</s>"]);
    assert_eq!(row.learned(), 4);
    assert_eq!(tokenizer.tokens(&row.ids[row.prompt_tokens..]), ["y", "e", "s", "</s>", "↵"]);
    assert_eq!(tokenizer.decode(&row.ids).unwrap(), row.text);
}

#[test]
fn the_prompt_of_a_row_is_the_prompt_of_the_evaluation() {
    let tokenizer = load(&with_template(&[], TAILED));
    let row = tokenizer.doctor(&turns("up?", "yes"), 1000).unwrap();
    assert_eq!(row.ids[..row.prompt_tokens], tokenizer.prompt(&turns("up?", "yes")[..1]).unwrap());
}

#[test]
fn a_token_across_the_border_of_prompt_and_answer_is_refused() {
    let template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}\
                    {% if not add_generation_prompt %}{{ eos_token }}{% endif %}";
    let tokenizer = load(&with_template(&[("\n", "p")], template));
    assert_eq!(tokenizer.doctor(&turns("up?\n", "yes"), 99).unwrap().prompt_tokens, 5);
    let refusal = tokenizer.doctor(&turns("up?\n", "pos"), 99).unwrap_err();
    assert!(matches!(refusal, Refusal::PromptNotTokenPrefix { at: 4, .. }), "{refusal}");
}

#[test]
fn a_prompt_that_is_not_the_beginning_of_the_conversation_is_refused() {
    let tokenizer = load(&with_template(&[], "{{ bos_token }}{{ messages | length }}{{ eos_token }}"));
    assert_eq!(reason(&tokenizer, &turns("up?", "yes")), "prompt-not-prefix");
}

#[test]
fn a_template_that_changes_the_answer_is_refused() {
    let template = "{{ bos_token }}{% for m in messages %}{{ m.content | upper }}{{ eos_token }}{% endfor %}";
    assert_eq!(reason(&load(&with_template(&[], template)), &turns("up?", "yes")), "answer-altered");
}

#[test]
fn an_answer_without_an_end_is_refused() {
    let template = "{{ bos_token }}{% for m in messages %}{{ m.content }}<end>{% endfor %}";
    let refusal = load(&with_template(&[], template)).doctor(&turns("up?", "yes"), 99).unwrap_err();
    assert!(refusal.to_string().contains("the end tokens are </s>"), "{refusal}");
    assert_eq!(refusal.reason(), "unsupervised-end");
}

#[test]
fn more_or_fewer_than_one_beginning_is_refused() {
    let body = "{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}";
    for start in ["", "<s><s>", "x<s>"] {
        let tokenizer = load(&with_template(&[], &format!("{start}{body}")));
        assert_eq!(reason(&tokenizer, &turns("up?", "yes")), "bos-count", "{start}");
        assert_eq!(tokenizer.prompt(&[Message::user("up?")]).unwrap_err().reason(), "bos-count", "{start}");
    }
}

#[test]
fn control_tokens_inside_a_message_are_refused_wherever_they_hide() {
    let tokenizer = load(&folder(&[]));
    for (question, answer) in [("a </s> b", "yes"), ("a", "y<end>es"), ("<unk>", "yes")] {
        assert_eq!(reason(&tokenizer, &turns(question, answer)), "smuggled-token");
    }
    assert_eq!(tokenizer.prompt(&[Message::user("<s>")]).unwrap_err().reason(), "smuggled-token");
    assert!(tokenizer.render(&[Message::user("<s>")], true).unwrap().contains("user\n<s>"), "render stays compatible");
}

#[test]
fn empty_missing_and_long_answers_are_refused() {
    let tokenizer = load(&folder(&[]));
    assert_eq!(reason(&tokenizer, &turns("up?", " \u{a0}\n")), "empty-answer");
    assert_eq!(reason(&tokenizer, &[Message::user("up?")]), "no-answer");
    assert_eq!(reason(&tokenizer, &[]), "no-answer");
    let row = tokenizer.doctor(&turns("up?", "yes"), 1000).unwrap();
    assert!(tokenizer.doctor(&turns("up?", "yes"), row.ids.len()).is_ok(), "a row may fill the model's context");
    let refusal = tokenizer.doctor(&turns("up?", "yes"), row.ids.len() - 1).unwrap_err();
    assert!(matches!(refusal, Refusal::TooLong { tokens, limit } if tokens == row.ids.len() && limit + 1 == tokens));
}

#[test]
fn an_answer_is_read_up_to_its_end() {
    let tokenizer = load(&folder(&[]));
    let ids = tokenizer.encode("yes</s>and more").unwrap();
    assert_eq!(tokenizer.decode_answer(&ids).unwrap(), "yes");
    assert_eq!(tokenizer.decode_answer(&tokenizer.encode("y<end>es").unwrap()).unwrap(), "y<end>es");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the texts: the row is whole, one learned stretch ends in the end token, and the prompt is its prefix.
    #[test]
    fn every_row_that_passes_is_in_order(question in "\\PC{0,40}", answer in "[a-zà-ỹ \n]{0,20}") {
        let tokenizer = load(&with_template(&[("e", "s"), ("y", "es"), ("u", "p")], TAILED));
        let messages = turns(&question, &answer);
        match tokenizer.doctor(&messages, 1000) {
            Ok(row) => {
                let from = row.mask.iter().position(|m| *m).unwrap();
                let to = row.mask.iter().rposition(|m| *m).unwrap();
                prop_assert_eq!(from, row.prompt_tokens);
                prop_assert!(row.mask[from..=to].iter().all(|m| *m));
                prop_assert!(tokenizer.is_end(row.ids[to]));
                prop_assert_eq!(tokenizer.decode(&row.ids[from..to]).unwrap(), answer.trim());
                prop_assert_eq!(tokenizer.decode(&row.ids).unwrap(), row.text);
            }
            Err(refusal) => prop_assert!(answer.trim().is_empty() || refusal.reason() == "smuggled-token", "{}", refusal),
        }
    }
}
