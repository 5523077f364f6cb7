//! One fault of each kind, planted in a corpus in order: its alert comes, with the right figures, and no other.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{AlertKind, AlertLevel, Language};
use common::{LABELS, alert, clean, found, look, rows};
use eda::{Config, Record};

const EN: Language = Language::English;

type Splits = Vec<(&'static str, Vec<Record>)>;

/// Changes the text of every `nth` training row.
fn every(nth: usize, splits: &mut Splits, change: impl Fn(&str) -> String) {
    for row in splits[0].1.iter_mut().step_by(nth) {
        row.text = row.text.as_deref().map(&change);
    }
}

#[test]
fn rows_in_order_raise_no_alert() {
    let found = found(&clean());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_repeated_row_is_a_duplicate_and_one_in_capitals_a_folded_one() {
    let mut splits = clean();
    let again: Vec<Record> = splits[0].1[..30].to_vec();
    let mut louder = splits[0].1[30..60].to_vec();
    for row in &mut louder {
        row.text = row.text.as_ref().map(|t| t.to_uppercase() + " !");
    }
    splits[0].1.extend(again.into_iter().chain(louder));
    let found = found(&splits);
    let exact = alert(&found, AlertKind::Duplicates);
    assert_eq!((exact.count, exact.total, exact.slice.as_str(), exact.exact), (30, 360, "train", true));
    assert_eq!(exact.examples[0], format!("2 times: {}", splits[0].1[0].text.as_ref().unwrap()));
    assert_eq!(alert(&found, AlertKind::FoldedDuplicates).count, 30);
}

#[test]
fn a_text_with_two_labels_is_a_conflict() {
    let mut splits = clean();
    let mut other = splits[0].1[0].clone();
    other.label = Some("positive".into());
    splits[0].1.push(other);
    let found = found(&splits);
    let conflict = alert(&found, AlertKind::ConflictingLabels);
    assert_eq!((conflict.count, conflict.level), (1, AlertLevel::Warning));
    assert!(conflict.examples[0].contains("positive (before: negative)"), "{:?}", conflict.examples);
}

#[test]
fn near_copies_with_different_labels_are_shown() {
    let mut splits = clean();
    let mut other = splits[0].1[0].clone();
    other.text = other.text.map(|t| t + " too");
    other.label = Some("positive".into());
    splits[0].1.push(other);
    let found = found(&splits);
    let conflict = alert(&found, AlertKind::NearConflictingLabels);
    assert_eq!(conflict.count, 1);
    assert!(conflict.examples[0].contains("negative") && conflict.examples[0].contains("positive"));
}

#[test]
fn the_same_text_in_two_splits_is_critical_leakage() {
    let mut splits = clean();
    splits[1].1[0].text = splits[0].1[0].text.as_ref().map(|t| t.to_uppercase() + "!");
    let found = found(&splits);
    assert_eq!(alert(&found, AlertKind::Leakage).count, 1);
    assert_eq!(found[0].level, AlertLevel::Critical, "the most serious alert comes first");
}

#[test]
fn a_near_copy_in_another_split_is_near_leakage() {
    let mut splits = clean();
    splits[0].1[0].text = splits[1].1[0].text.as_ref().map(|t| t.replace("Sales", "The sales"));
    let found = found(&splits);
    let leak = alert(&found, AlertKind::NearLeakage);
    assert_eq!((leak.count, leak.level), (1, AlertLevel::Critical));
    assert!(found.iter().all(|a| a.kind != AlertKind::Leakage));
}

#[test]
fn unequal_classes_are_an_imbalance_with_their_counts() {
    let mut splits = clean();
    splits[0].1.extend(rows(EN, 500, 200).into_iter().filter(|r| r.label.as_deref() == Some("neutral")));
    let found = found(&splits);
    let imbalance = alert(&found, AlertKind::Imbalance);
    assert!((imbalance.value - 3.0).abs() < 1e-12 && imbalance.message.contains("neutral 300"), "{imbalance:?}");
}

#[test]
fn a_class_of_few_held_out_rows_is_told() {
    let mut splits = clean();
    let mut kept = 0;
    splits[1].1.retain(|r| {
        kept += usize::from(r.language == Some(EN) && r.label.as_deref() == Some("neutral"));
        r.language != Some(EN) || r.label.as_deref() != Some("neutral") || kept <= 20
    });
    assert_eq!(alert(&found(&splits), AlertKind::FewRows).count, 20);
}

#[test]
fn an_unknown_and_an_absent_label_are_told_apart() {
    let mut splits = clean();
    splits[0].1[4].label = Some("bullish?".into());
    let seen = found(&splits);
    let odd = alert(&seen, AlertKind::LabelSet);
    assert_eq!((odd.count, odd.level), (1, AlertLevel::Warning));
    assert!(odd.message.contains("Not expected: bullish? 1"), "{}", odd.message);
    assert!(seen.iter().all(|a| a.kind != AlertKind::Imbalance), "one mistyped label is no class");
    let mut splits = clean();
    splits[1].1.retain(|r| r.label.as_deref() != Some("neutral"));
    let seen = found(&splits);
    let absent = alert(&seen, AlertKind::LabelSet);
    assert_eq!((absent.level, absent.slice.as_str()), (AlertLevel::Critical, "eval"));
    assert!(absent.message.contains("absent: neutral"), "{}", absent.message);
}

#[test]
fn text_in_the_wrong_character_set_is_told_from_text_that_is_lost() {
    let mut splits = clean();
    splits[0].1[1].text = Some("Sepp+ñl+ñ said that the sales of the company rose in the year".into());
    splits[0].1[5].text = Some("The caf\u{fffd} said that its sales are up for the year".into());
    let found = found(&splits);
    let both: Vec<_> = found.iter().filter(|a| a.kind == AlertKind::Encoding).collect();
    assert_eq!(both.len(), 2);
    assert!(both[0].message.contains("wrong character set") && both[0].examples[0].starts_with("1: Sepp"));
    assert!(both[1].message.contains("lost") && both[1].examples[0].starts_with("5: "));
}

#[test]
fn entities_and_invisible_characters_are_markup() {
    let mut splits = clean();
    every(50, &mut splits, |t| t.replace("Sales", "S&amp;P\u{200b} sales"));
    let found = found(&splits);
    assert_eq!(found.iter().filter(|a| a.kind == AlertKind::Markup && a.subject == "en").count(), 2);
}

#[test]
fn rows_in_another_language_are_counted_and_shown() {
    let mut splits = clean();
    for (i, row) in splits[0].1.iter_mut().enumerate().filter(|(_, r)| r.language == Some(EN)).step_by(10) {
        row.text = Some(format!("Doanh thu của công ty đã giảm mạnh trong quý này còn {} đồng", i * 7919));
    }
    let found = found(&splits);
    let language = alert(&found, AlertKind::Language);
    assert_eq!((language.count, language.total, language.subject.as_str()), (30, 300, "en"));
    assert!(language.examples[0].contains("Doanh thu"));
}

#[test]
fn very_long_rows_are_outliers_and_rows_without_a_word_too() {
    let mut splits = clean();
    for (i, row) in splits[0].1.iter_mut().filter(|r| r.language == Some(EN)).step_by(60).enumerate() {
        let text = row.text.take().unwrap();
        row.text = Some(if i == 4 { "!?!".into() } else { format!("{text} and so on and on").repeat(9) });
    }
    let found = found(&splits);
    let long = alert(&found, AlertKind::LengthOutliers);
    assert_eq!(long.count, 5);
    assert!(long.examples.iter().any(|e| e.ends_with("!?!")));
}

#[test]
fn missing_texts_and_labels_are_counted() {
    let mut splits = clean();
    splits[0].1[0].text = None;
    splits[0].1[1].text = Some("  ".into());
    splits[0].1[2].label = None;
    let found = found(&splits);
    let missing = alert(&found, AlertKind::Missing);
    assert!(missing.message.starts_with("2 rows have no text and 1 no label"), "{}", missing.message);
    assert_eq!(missing.examples.len(), 3);
}

#[test]
fn rows_that_cannot_be_read_keep_their_reason() {
    let mut splits = clean();
    splits[0].1.push(Record { row: 600, fault: Some("not UTF-8".into()), language: Some(EN), ..Record::default() });
    let found = found(&splits);
    assert!(alert(&found, AlertKind::Unreadable).message.contains("not UTF-8 (1)"));
}

#[test]
fn a_source_of_one_label_only_gives_the_label_away() {
    let mut splits = clean();
    for row in splits[0].1.iter_mut().filter(|r| r.language == Some(EN)) {
        row.source = row.label.as_ref().map(|l| format!("wire of {l}"));
    }
    let found = found(&splits);
    let confounded = alert(&found, AlertKind::SourceTellsLabel);
    assert!((confounded.value - 1.0).abs() < 1e-9);
    assert_eq!(confounded.examples[0], "wire of negative: negative 100 %");
}

#[test]
fn a_text_that_names_its_own_label_is_counted_and_one_that_names_another_is_not() {
    let mut splits = clean();
    for row in splits[0].1.iter_mut().filter(|r| r.language == Some(EN)).step_by(7) {
        let own = row.label.clone().unwrap();
        row.text = row.text.as_ref().map(|t| format!("{t} {}", own.to_uppercase()));
    }
    let other = LABELS[2];
    splits[0].1[0].text = splits[0].1[0].text.as_ref().map(|t| t.replace("NEGATIVE", other));
    assert_eq!(alert(&found(&splits), AlertKind::LabelWord).count, 42);
}

fn vietnamese(splits: &mut Splits, nth: usize, change: impl Fn(&str) -> String) {
    for row in splits[0].1.iter_mut().filter(|r| r.language == Some(Language::Vietnamese)).step_by(nth) {
        row.text = row.text.as_deref().map(&change);
    }
}

#[test]
fn decomposed_letters_are_found() {
    let mut splits = clean();
    // Every 75th row is of the first class, whose verb is `giảm`.
    vietnamese(&mut splits, 75, |t| t.replace('ả', "a\u{309}"));
    let found = found(&splits);
    let form = alert(&found, AlertKind::UnicodeForm);
    assert_eq!((form.subject.as_str(), form.count), ("vi", 4));
}

#[test]
fn a_look_alike_of_the_letter_d_with_stroke_is_found() {
    let mut splits = clean();
    vietnamese(&mut splits, 150, |t| t.replace('đ', "ð"));
    assert_eq!(alert(&found(&splits), AlertKind::LookAlikes).count, 2);
}

#[test]
fn two_places_of_the_tone_mark_are_told_and_one_is_not() {
    let mut splits = clean();
    vietnamese(&mut splits, 1, |t| t.replace("Doanh thu", "Doanh thu hòa vốn"));
    let quiet = found(&splits);
    assert!(quiet.iter().all(|a| a.kind != AlertKind::TonePlacement), "{quiet:#?}");
    vietnamese(&mut splits, 10, |t| t.replace("hòa", "hoà"));
    let found = found(&splits);
    let tone = alert(&found, AlertKind::TonePlacement);
    assert_eq!((tone.count, tone.total), (30, 300));
}

#[test]
fn placeholders_links_and_tickers_are_told() {
    let mut splits = clean();
    vietnamese(&mut splits, 20, |t| format!("{t} colonsmile"));
    for (i, row) in splits[0].1.iter_mut().filter(|r| r.language == Some(EN)).enumerate() {
        row.text = row.text.as_ref().map(|t| match i % 8 {
            0 => format!("{t} https://t.co/{i}"),
            1 => format!("$ABC {t}"),
            _ => t.clone(),
        });
    }
    let found = found(&splits);
    assert_eq!(alert(&found, AlertKind::Placeholders).count, 15);
    assert_eq!(alert(&found, AlertKind::Urls).count, 38);
    assert_eq!(alert(&found, AlertKind::Tickers).count, 38);
}

#[test]
fn teencode_is_a_matter_of_register() {
    let mut splits = clean();
    vietnamese(&mut splits, 20, |t| t.replace("với", "ko có j vs"));
    let found = found(&splits);
    let register = alert(&found, AlertKind::Register);
    assert_eq!((register.count, register.subject.as_str()), (15, "vi"));
    assert!(register.message.contains("teencode"));
}

#[test]
fn a_split_of_other_labels_differs_more_than_chance() {
    let mut splits = clean();
    splits[1].1.retain(|r| r.label.as_deref() != Some("neutral") || r.row % 9 == 0);
    let found = found(&splits);
    let shift = alert(&found, AlertKind::Shift);
    assert_eq!(shift.slice, "train | eval");
    assert!(shift.message.contains("labels ("), "{}", shift.message);
}

#[test]
fn a_label_that_all_others_contradict_is_suspicious() {
    let mut splits = clean();
    let english = splits[0].1.iter_mut().filter(|r| r.language == Some(EN) && r.label.as_deref() == Some("negative"));
    let mut planted: Vec<String> = Vec::new();
    for row in english.step_by(4) {
        row.label = Some("positive".into());
        planted.push(row.text.clone().unwrap());
    }
    let config = Config::default();
    let analysis = look(&splits, &config);
    let found = eda::alerts(&analysis, &config);
    // Half of rows that are equally plain lie below the mean of their class, which is confident learning's threshold.
    let told = alert(&found, AlertKind::LabelErrors).count;
    assert!((10..=25).contains(&told), "{told}");
    let (_, findings) = analysis.subjects().next().unwrap();
    let mut first: Vec<&str> = findings.scores.iter().take(25).map(|s| s.text.as_str()).collect();
    first.sort_unstable();
    planted.sort();
    assert_eq!(first, planted, "the planted errors are the least trusted labels");
    assert!(findings.scores.iter().take(25).all(|s| s.likely == "negative" && s.margin < 0.0));
    assert!(findings.scores.iter().skip(25).all(|s| !s.suspicious));
}

#[test]
fn texts_of_too_many_tokens_are_told_with_a_tokenizer() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/model");
    let tokenizer = chat::ChatTokenizer::load(&folder, "26 Jul 2024").unwrap();
    let mut splits = clean();
    splits[0].1[7].text = splits[0].1[7].text.as_ref().map(|t| t.repeat(40));
    let config = Config::default();
    let mut profiler = eda::Profiler::new(&config);
    for (split, rows) in &splits {
        profiler.add(split, rows);
    }
    let profile = profiler.finish();
    let progress = artifacts::NoProgress;
    let analysis = eda::analyse(profile, &[], Some(&tokenizer), &config, artifacts::Seed(3), &progress).unwrap();
    let found = eda::alerts(&analysis, &config);
    assert_eq!(alert(&found, AlertKind::TooManyTokens).count, 1);
    let (_, findings) = analysis.subjects().next().unwrap();
    let fertility = findings.tokens[0].per_word().unwrap();
    assert!(fertility > 1.0, "{fertility} tokens a word");
    let texts: Vec<&str> =
        splits[1].1.iter().filter(|r| r.language == Some(EN)).filter_map(|r| r.text.as_deref()).collect();
    let tokens: usize = texts.iter().map(|t| tokenizer.encode(t).unwrap().len()).sum();
    assert_eq!(findings.tokens[1].lengths.sum(), tokens as u64);
}
