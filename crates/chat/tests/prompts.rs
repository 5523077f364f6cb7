#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use chat::prompts::{Instruction, LABELS, parse_label, sentiment_messages};
use proptest::prelude::*;

#[test]
fn each_label_is_read_whatever_its_case_and_with_one_full_stop() {
    for label in LABELS {
        for written in [label.to_owned(), format!(" {}.\n", label.to_uppercase()), format!("\t{label} ")] {
            assert_eq!(parse_label(&written), Some(label), "{written:?}");
        }
    }
}

#[test]
fn everything_else_is_no_answer() {
    for written in
        ["", ".", "positive..", "positive!", "positive negative", "not positive", "pos", "tích cực", "positive</s>"]
    {
        assert_eq!(parse_label(written), None, "{written:?}");
    }
}

#[test]
fn every_wording_is_its_own_and_fits_one_line() {
    let mut all: Vec<_> = Instruction::ALL.iter().flat_map(|i| ["en", "vi"].map(|l| i.wording(l))).collect();
    assert!(all.iter().all(|w| w.chars().count() <= 45 && !w.contains('\n')));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
}

#[test]
fn the_text_comes_after_the_question_untouched() {
    let messages = sentiment_messages("Lãi tăng", "vi", Instruction::Brief);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].content, "Cảm xúc của câu này?\nLãi tăng");
}

proptest! {
    #[test]
    fn no_answer_is_ever_guessed(text in "\\PC{0,30}") {
        if let Some(label) = parse_label(&text) {
            prop_assert!(text.to_lowercase().contains(label));
        }
    }
}
