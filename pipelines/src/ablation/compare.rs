//! Figures of the arms. An arm's figure is its mean over seeds; intervals come from drawing evaluation rows anew, the same for
//! all arms, so what makes a row easy or hard for everyone cancels in a difference.

use super::answers::Answers;
use artifacts::Seed;
use artifacts::rows::{Example, Language, Metric, Sentiment};
use stats::classification::{Bootstrap, Confusion, macro_f1, paired_bootstrap};

/// Confidence of the intervals.
const LEVEL: f64 = 0.95;

/// The figures of each arm, for all rows and each language.
pub(super) fn metrics(
    answers: &[Answers],
    rows: &[Example],
    resamples: usize,
    seed: Seed,
) -> anyhow::Result<Vec<Metric>> {
    let mut metrics = Vec::new();
    let mut slices = vec![("all", (0..rows.len()).collect::<Vec<_>>())];
    for language in Language::ALL {
        let of: Vec<usize> = (0..rows.len()).filter(|i| rows[*i].language == *language).collect();
        if !of.is_empty() {
            slices.push((language.as_str(), of));
        }
    }
    for (slice, members) in &slices {
        let truth: Vec<Sentiment> = members.iter().map(|i| rows[*i].label).collect();
        let here = |answers: &Answers| -> Vec<Vec<Sentiment>> {
            answers.scored.iter().map(|seed| members.iter().map(|i| seed[*i]).collect()).collect()
        };
        let reference = answers.first().map(here).unwrap_or_default();
        for arm in answers {
            let mut put = |metric: &str, value: Option<f64>| {
                metrics.push(Metric {
                    subject: arm.arm.clone(),
                    slice: (*slice).to_owned(),
                    metric: metric.to_owned(),
                    value: value.filter(|v| v.is_finite()),
                    n: members.len() as u64,
                });
            };
            let own = here(arm);
            let all: Vec<usize> = (0..members.len()).collect();
            let each: Vec<f64> = own.iter().filter_map(|seed| f1(&truth, seed, &all)).collect();
            let mean = each.iter().sum::<f64>() / each.len().max(1) as f64;
            let spread = each.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (each.len().max(2) - 1) as f64;
            put("macro_f1_deviation", (each.len() > 1).then(|| spread.sqrt()));
            let right = own.iter().flat_map(|seed| seed.iter().zip(&truth)).filter(|(a, b)| a == b).count();
            put("accuracy", Some(right as f64 / (own.len() * members.len()).max(1) as f64));
            put("generated_macro_f1", generated(arm, members, &truth));
            let settings = Bootstrap { resamples, level: LEVEL, seed: seed.derive(slice).0 };
            let interval = paired_bootstrap(members.len(), &settings, |drawn| over_seeds(&truth, &own, drawn))?;
            put("macro_f1", Some(interval.estimate));
            put("macro_f1_low", Some(interval.low));
            put("macro_f1_high", Some(interval.high));
            let against = paired_bootstrap(members.len(), &settings, |drawn| {
                Some(over_seeds(&truth, &own, drawn)? - over_seeds(&truth, &reference, drawn)?)
            })?;
            put("difference", Some(against.estimate));
            put("difference_low", Some(against.low));
            put("difference_high", Some(against.high));
        }
    }
    Ok(metrics)
}

/// The mean macro-F1 over seeds, on the drawn rows.
fn over_seeds(truth: &[Sentiment], seeds: &[Vec<Sentiment>], drawn: &[usize]) -> Option<f64> {
    let mut sum = 0.0;
    for seed in seeds {
        sum += f1(truth, seed, drawn)?;
    }
    (!seeds.is_empty()).then(|| sum / seeds.len() as f64)
}

fn f1(truth: &[Sentiment], answers: &[Sentiment], drawn: &[usize]) -> Option<f64> {
    of_pairs(drawn.iter().map(|i| (truth[*i] as usize, Some(answers[*i] as usize))))
}

fn of_pairs(pairs: impl IntoIterator<Item = (usize, Option<usize>)>) -> Option<f64> {
    let names = Sentiment::ALL.iter().map(|label| label.as_str().to_owned());
    Confusion::of_pairs(names, pairs).ok().and_then(|confusion| macro_f1(&confusion))
}

/// The same of the generated answers, where an unreadable one is wrong.
fn generated(arm: &Answers, members: &[usize], truth: &[Sentiment]) -> Option<f64> {
    let each: Vec<f64> = arm
        .generated
        .iter()
        .filter_map(|seed| {
            of_pairs(members.iter().zip(truth).map(|(i, t)| (*t as usize, seed[*i].map(|s| s as usize))))
        })
        .collect();
    (!each.is_empty()).then(|| each.iter().sum::<f64>() / each.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Vec<Example> {
        (0..count)
            .map(|i| Example {
                id: format!("{i}"),
                text: format!("text {i}"),
                label: Sentiment::ALL[i % 3],
                raw_label: String::new(),
                language: Language::ALL[i % 2],
                source: "test".into(),
                source_row: i as u64,
                cluster: format!("{i}"),
                instruction: None,
                synthetic: false,
            })
            .collect()
    }

    fn value(metrics: &[Metric], arm: &str, slice: &str, metric: &str) -> f64 {
        metrics.iter().find(|m| m.subject == arm && m.slice == slice && m.metric == metric).unwrap().value.unwrap()
    }

    #[test]
    fn an_arm_is_compared_with_the_first_on_the_same_rows_over_all_seeds() {
        let rows = rows(120);
        let right: Vec<Sentiment> = rows.iter().map(|row| row.label).collect();
        let shifted: Vec<Sentiment> = right.iter().map(|label| Sentiment::ALL[(*label as usize + 1) % 3]).collect();
        let arms = [
            Answers { arm: "first".into(), scored: vec![right.clone(), shifted.clone()], generated: Vec::new() },
            Answers { arm: "perfect".into(), scored: vec![right.clone()], generated: vec![vec![None; 120]] },
        ];
        let metrics = metrics(&arms, &rows, 200, Seed(1)).unwrap();
        assert!((value(&metrics, "first", "all", "macro_f1") - 0.5).abs() < 1e-12);
        assert!((value(&metrics, "first", "en", "difference")).abs() < 1e-12);
        assert!((value(&metrics, "perfect", "vi", "difference") - 0.5).abs() < 1e-12);
        assert!(value(&metrics, "perfect", "all", "difference_low") > 0.49);
        assert!((value(&metrics, "first", "all", "macro_f1_deviation") - 0.5f64.sqrt()).abs() < 1e-12);
        assert!((value(&metrics, "perfect", "all", "generated_macro_f1")).abs() < 1e-12);
    }
}
