//! Means of free answers, with intervals.

use super::GenerativeConfig;
use crate::Error;
use artifacts::Seed;
use artifacts::rows::{Generation, Metric};
use stats::classification::{Bootstrap, Interval, bootstrap};
use std::collections::BTreeMap;

/// One measure of some answers.
pub(super) struct Figure {
    pub(super) subject: String,
    pub(super) slice: String,
    pub(super) name: &'static str,
    pub(super) rows: usize,
    pub(super) interval: Option<Interval>,
}

impl Figure {
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let of = |end: &str, value: Option<f64>| Metric {
            subject: self.subject.clone(),
            slice: self.slice.clone(),
            metric: format!("{}{end}", self.name),
            value,
            n: self.rows as u64,
        };
        let interval = self.interval;
        vec![
            of("", interval.map(|i| i.estimate)),
            of("_low", interval.map(|i| i.low)),
            of("_high", interval.map(|i| i.high)),
        ]
    }
}

type Measure = (&'static str, fn(&Generation) -> Option<f64>);

const MEASURES: [Measure; 6] = [
    ("exact_match", |g| Some(f64::from(u8::from(g.exact_match)))),
    ("token_f1", |g| Some(g.token_f1)),
    ("rouge_l", |g| Some(g.rouge_l)),
    ("entity_f1", |g| g.entity_f1),
    ("judged", |g| g.judged),
    ("finished", |g| Some(f64::from(u8::from(g.finished)))),
];

/// Means with intervals for each model, of all answers and of each task and language.
pub(super) fn figures(generations: &[Generation], config: &GenerativeConfig, seed: Seed) -> Result<Vec<Figure>, Error> {
    let mut slices: BTreeMap<(String, String), Vec<&Generation>> = BTreeMap::new();
    for generation in generations {
        let task = generation.task.as_str();
        let names = ["all".to_owned(), task.to_owned(), format!("{task}:{}", generation.language)];
        for slice in names {
            slices.entry((generation.subject.clone(), slice)).or_default().push(generation);
        }
    }
    let mut figures = Vec::new();
    for ((subject, slice), rows) in slices {
        for (name, measure) in MEASURES {
            // Over the answers that have this measure; how many there are is beside it.
            let values: Vec<f64> = rows.iter().filter_map(|g| measure(g)).collect();
            if values.is_empty() {
                continue;
            }
            let seed = seed.derive(&subject).derive(&slice).derive(name).0;
            let settings = Bootstrap { resamples: config.resamples, level: config.confidence, seed };
            let mean = |drawn: &[usize]| {
                let sum: f64 = drawn.iter().filter_map(|&row| values.get(row)).sum();
                [Some(sum / drawn.len() as f64)]
            };
            let [interval] = bootstrap(values.len(), &settings, mean)?;
            figures.push(Figure { subject: subject.clone(), slice: slice.clone(), name, rows: values.len(), interval });
        }
    }
    Ok(figures)
}
