use crate::figures::Figures;
use crate::results::Results;
use artifacts::rows::{Metric, Sentiment};
use stats::classification::BootstrapInterval;

/// The rows of `metrics.parquet`.
pub(crate) fn metrics(results: &Results) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (slice, figures) in results.slices.iter().zip(&results.figures) {
        for (track, figures) in results.tracks.iter().zip(figures) {
            push_figures(&mut metrics, track.subject, &slice.name, track.way.name(), figures);
            if slice.kind == "all" {
                push_classes(&mut metrics, track.subject, track.way.name(), figures);
            }
        }
    }
    for (subject, unread) in &results.unread {
        let share = (unread.rows > 0).then(|| unread.failed as f64 / unread.rows as f64);
        metrics.push(row(subject, "all", "unparseable_share", share, unread.rows as u64));
    }
    let n = results.truth.len() as u64;
    for (track, calibration) in &results.calibrations {
        let Some(track) = results.tracks.get(*track) else { continue };
        for (when, sureness) in [("", &calibration.before), ("_after_temperature", &calibration.after)] {
            for (name, value) in [("brier", sureness.brier), ("ece", sureness.error)] {
                metrics.push(row(track.subject, "all", &format!("{}_{name}{when}", track.way.name()), value, n));
            }
        }
        let mean = calibration.temperatures.iter().sum::<f64>() / calibration.temperatures.len().max(1) as f64;
        metrics.push(row(track.subject, "all", &format!("{}_temperature", track.way.name()), Some(mean), n));
    }
    for compared in &results.comparisons {
        let rows = results.slices.iter().find(|s| s.name == compared.slice).map_or(0, |s| s.rows.len() as u64);
        let mut push = |name: &str, value: f64| {
            metrics.push(row(&compared.name, &compared.slice, &format!("{}_{name}", compared.way), Some(value), rows));
        };
        push_difference(&mut push, "macro_f1", &compared.found.macro_f1);
        push_difference(&mut push, "accuracy", &compared.found.accuracy);
        push("only_first_right", compared.found.only_first as f64);
        push("only_second_right", compared.found.only_second as f64);
        push("mcnemar_p", compared.found.p_value);
    }
    for form in &results.forms {
        let subject = results.tracks.last().map_or("base", |t| t.subject);
        let slice = format!("form:{}", form.form.name());
        push_figures(&mut metrics, subject, &slice, form.way.name(), &form.figures);
        let mut push = |name: &str, value: f64| {
            metrics.push(row(subject, &slice, &format!("{}_{name}", form.way.name()), Some(value), form.rows as u64));
        };
        push_difference(&mut push, "macro_f1_change", &form.change.macro_f1);
        push("changed_rows", form.changed as f64);
    }
    if let Some(leakage) = &results.leakage {
        let rows = leakage.rows as u64;
        metrics.push(row("data", "all", "leakage_same_key", Some(leakage.same_key as f64), rows));
        metrics.push(row("data", "all", "leakage_near", Some(leakage.near as f64), rows));
        metrics.push(row("data", "all", "leakage_highest", leakage.nearest.first().map(|n| n.jaccard), rows));
    }
    metrics
}

fn push_difference(push: &mut dyn FnMut(&str, f64), name: &str, interval: &BootstrapInterval) {
    push(name, interval.estimate);
    push(&format!("{name}_low"), interval.low);
    push(&format!("{name}_high"), interval.high);
}

fn push_figures(metrics: &mut Vec<Metric>, subject: &str, slice: &str, way: &str, figures: &Figures) {
    let n = figures.confusion.total();
    for (name, interval) in figures.named() {
        let values = [
            ("", interval.map(|i| i.estimate)),
            ("_low", interval.map(|i| i.low)),
            ("_high", interval.map(|i| i.high)),
        ];
        for (end, value) in values {
            metrics.push(row(subject, slice, &format!("{way}_{name}{end}"), value, n));
        }
    }
    if way == "generated" {
        let share = (n > 0).then(|| figures.confusion.unparseable_total() as f64 / n as f64);
        metrics.push(row(subject, slice, "generated_unparseable_share", share, n));
    }
}

fn push_classes(metrics: &mut Vec<Metric>, subject: &str, way: &str, figures: &Figures) {
    for (label, (class, f1)) in Sentiment::ALL.iter().zip(figures.classes.iter().zip(figures.class_f1)) {
        let values = [
            ("precision", class.precision),
            ("recall", class.recall),
            ("f1", class.f1),
            ("f1_low", f1.map(|i| i.low)),
            ("f1_high", f1.map(|i| i.high)),
        ];
        for (name, value) in values {
            metrics.push(row(subject, &format!("class:{label}"), &format!("{way}_{name}"), value, class.support));
        }
    }
}

/// One row of `metrics.parquet`.
fn row(subject: &str, slice: &str, metric: &str, value: Option<f64>, n: u64) -> Metric {
    Metric { subject: subject.to_owned(), slice: slice.to_owned(), metric: metric.to_owned(), value, n }
}
