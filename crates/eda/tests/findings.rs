//! What the closer look finds in corpora that were made to show it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::Language;
use common::{clean, look, rows};
use eda::{Config, Dimension, Measure, Record};

const EN: Language = Language::English;

fn texts(label: &str, texts: impl IntoIterator<Item = String>) -> Vec<Record> {
    let record = |text| Record {
        text: Some(text),
        label: Some(label.to_owned()),
        language: Some(EN),
        source: Some("wire".into()),
        ..Record::default()
    };
    texts.into_iter().map(record).collect()
}

#[test]
fn the_words_that_tell_classes_apart_come_first() {
    let analysis = look(&[("train", rows(EN, 0, 60))], &Config::default());
    let (_, findings) = analysis.subjects().next().unwrap();
    let (label, negative) = &findings.distinctive[0];
    assert_eq!(analysis.label(*label), "negative");
    let first = &negative[0];
    assert!(first.gram.contains("fell") && (first.inside, first.outside) == (60, 0), "{first:?}");
    assert!(negative.windows(2).all(|w| w[0].z >= w[1].z));
    let common = negative.iter().find(|w| w.gram == "sales");
    assert!(common.is_none_or(|w| w.z < 1.0), "a word that is as common everywhere is not distinctive");
}

#[test]
fn a_negation_may_be_distinctive_and_a_function_word_may_not() {
    let mut train = texts("negative", (0..60).map(|i| format!("the merger is not a good plan of {}", i * 7919)));
    train.extend(texts("positive", (0..60).map(|i| format!("merger with a good plan of {}", i * 7907))));
    let analysis = look(&[("train", train)], &Config::default());
    let (_, findings) = analysis.subjects().next().unwrap();
    let negative: Vec<&str> = findings.distinctive[0].1.iter().map(|w| w.gram.as_str()).collect();
    assert!(negative.contains(&"not"), "{negative:?}");
    assert!(!negative.contains(&"the") && !negative.contains(&"is"), "{negative:?}");
}

#[test]
fn texts_about_different_things_fall_into_different_clusters() {
    let topics = [
        ("negative", "shipyard strike delays tanker delivery dock"),
        ("neutral", "central bank keeps interest rate unchanged"),
        ("positive", "brewery opens plant, beer exports grow"),
    ];
    let mut train = Vec::new();
    for (label, topic) in topics {
        // Each text leaves one word out, so that texts differ.
        let words: Vec<&str> = topic.split(' ').collect();
        train.extend(texts(
            label,
            (0..90).map(|i| {
                let mut kept = words.clone();
                kept.remove(i % words.len());
                format!("{} {}", kept.join(" "), i * 7919)
            }),
        ));
    }
    let config = Config { clusters: 3, ..Config::default() };
    let analysis = look(&[("train", train)], &config);
    let (_, findings) = analysis.subjects().next().unwrap();
    assert_eq!(findings.clusters.iter().map(|c| c.texts).collect::<Vec<_>>(), [90, 90, 90]);
    for cluster in &findings.clusters {
        assert_eq!(cluster.labels.iter().filter(|n| **n > 0).count(), 1, "{cluster:?}");
        assert!(
            topics.iter().any(|(_, topic)| cluster.words.iter().all(|w| topic.contains(w.as_str()))),
            "{cluster:?}"
        );
    }
}

#[test]
fn two_parts_of_one_corpus_differ_by_chance_only() {
    let analysis = look(&clean(), &Config::default());
    let splits = analysis.comparisons.iter().filter(|c| c.dimension == Dimension::Split);
    for d in splits.flat_map(|c| &c.differences).filter(|d| d.measure == Measure::JensenShannon) {
        // One draw of twenty lies above the 95th percentile; none may lie far above.
        assert!(d.distance < d.chance + 0.03, "{d:?}");
    }
    let languages = analysis.comparisons.iter().find(|c| c.dimension == Dimension::Language).unwrap();
    assert_eq!((languages.a.as_str(), languages.b.as_str(), languages.texts), ("en", "vi", (420, 420)));
    let of = |figure: &str| languages.differences.iter().find(|d| d.figure == figure).unwrap();
    assert!(of("words used").distance > 0.9 && of("labels").distance < 1e-9);
    assert!((of("ASCII only").distance - 1.0).abs() < 1e-9, "every English row and no Vietnamese one");
}

#[test]
fn rows_that_a_model_wrote_are_compared_with_rows_that_people_wrote() {
    let mut splits = clean();
    let mut made = texts("neutral", (0..60).map(|i| format!("It is what it is, says model number {}", i * 7919)));
    for row in &mut made {
        row.synthetic = true;
    }
    splits[0].1.extend(made);
    let analysis = look(&splits, &Config::default());
    let origin = analysis.comparisons.iter().find(|c| c.dimension == Dimension::Origin).unwrap();
    assert_eq!((origin.subject.as_str(), origin.texts), ("en", (420, 60)));
    let neutral = origin.differences.iter().find(|d| d.figure == "label neutral").unwrap();
    assert_eq!(neutral.b, Some(1.0));
    assert!((neutral.a.unwrap() - 1.0 / 3.0).abs() < 1e-12 && neutral.distance > neutral.chance);
}

#[test]
fn the_order_of_rows_changes_no_figure() {
    let splits = clean();
    let turned: Vec<_> = splits.iter().map(|(s, rows)| (*s, rows.iter().rev().cloned().collect::<Vec<_>>())).collect();
    let config = Config { sample_texts: 150, label_error_texts: 100, ..Config::default() };
    let (a, b) = (look(&splits, &config), look(&turned, &config));
    assert_eq!(a.comparisons, b.comparisons);
    for ((x, f), (y, g)) in a.subjects().zip(b.subjects()) {
        assert!(!x.complete && x.exact == y.exact && x.folded == y.folded);
        assert_eq!(x.sample, y.sample);
        assert_eq!((&f.scores, &f.clusters, &f.near), (&g.scores, &g.clusters, &g.near));
    }
}

#[test]
fn the_linear_yardstick_learns_from_the_reference_only() {
    let analysis = look(&clean(), &Config::default());
    let (_, findings) = analysis.subjects().next().unwrap();
    let y = &findings.yardsticks[0];
    assert_eq!((analysis.split(y.split), y.texts), ("eval", 120));
    assert!((y.majority_accuracy.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    assert!(y.linear_macro_f1.unwrap() > 0.95);
}
