use crate::group::LABELS;
use crate::{Analysis, LanguageAnalysis};
use artifacts::rows::Metric;

/// Every figure as a row: subject = language, slice = split (`train`), class of a split (`train:neutral`), pair of
/// splits (`train|eval`) or `all`.
pub(crate) fn metrics(analysis: &Analysis) -> Vec<Metric> {
    analysis.languages.iter().flat_map(of_language).collect()
}

fn of_language(found: &LanguageAnalysis) -> Vec<Metric> {
    let mut rows = Vec::new();
    let mut add = |slice: &str, metric: &str, value: Option<f64>, n: u64| {
        let (subject, slice, metric) = (found.language.to_string(), slice.to_owned(), metric.to_owned());
        rows.push(Metric { subject, slice, metric, value, n });
    };
    for group in &found.groups {
        let (split, n) = (group.split.as_str(), group.rows);
        add(split, "rows", Some(n as f64), n);
        add(split, "synthetic_rows", Some(group.synthetic as f64), n);
        add(split, "imbalance", group.imbalance(), n);
        for (label, &count) in LABELS.iter().zip(&group.labels) {
            add(&format!("{split}:{label}"), "rows", Some(count as f64), n);
            add(&format!("{split}:{label}"), "share", Some(count as f64 / n.max(1) as f64), n);
        }
        for (unit, lengths) in [("characters", &group.characters), ("words", &group.words)] {
            add(split, &format!("{unit}_mean"), lengths.mean(), n);
            for (name, q) in [("p05", 0.05), ("median", 0.5), ("p95", 0.95), ("max", 1.0)] {
                add(split, &format!("{unit}_{name}"), lengths.quantile(q), n);
            }
        }
        for (source, by_class) in &group.sources {
            let count: u64 = by_class.iter().sum();
            add(split, &format!("rows_of_source:{source}"), Some(count as f64), n);
        }
        for (verdict, &count) in &group.detected {
            add(split, &format!("language_{}", verdict.replace(' ', "_")), Some(count as f64 / n.max(1) as f64), n);
        }
        add(split, "label_word_share", Some(group.label_words as f64 / n.max(1) as f64), n);
        let repeats = found.duplicates.repeats.get(split).copied().unwrap_or(0);
        add(split, "repeated_rows", Some(repeats as f64), n);
    }
    let all: u64 = found.groups.iter().map(|g| g.rows).sum();
    let d = &found.duplicates;
    for (name, value) in [
        ("texts_in_several_splits", d.across),
        ("texts_with_conflicting_labels", d.conflicting),
        ("near_duplicate_clusters", d.near_clusters),
        ("rows_in_near_duplicate_clusters", d.near_rows),
        ("near_duplicate_clusters_across_splits", d.near_across),
        ("near_duplicate_clusters_with_conflicting_labels", d.near_conflicting),
    ] {
        add("all", name, Some(value as f64), all);
    }
    for (reason, &count) in &found.rejected {
        add("all", &format!("rejected:{reason}"), Some(count as f64), count);
    }
    let reference = found.groups.first();
    if let Some(reference) = reference {
        add(&reference.split, "source_label_cramers_v", found.source_label_v, reference.rows);
    }
    for shift in &found.shifts {
        let slice = format!("{}|{}", shift.reference, shift.split);
        add(&slice, &format!("js_distance_{}", shift.aspect.name()), Some(shift.distance), shift.rows);
        add(&slice, &format!("js_distance_{}_by_chance", shift.aspect.name()), Some(shift.chance), shift.rows);
    }
    for y in &found.yardsticks {
        add(&y.split, "majority_accuracy", y.majority_accuracy, y.rows);
        add(&y.split, "majority_macro_f1", y.majority_macro_f1, y.rows);
        add(&y.split, "naive_bayes_accuracy", y.bayes_accuracy, y.rows);
        add(&y.split, "naive_bayes_macro_f1", y.bayes_macro_f1, y.rows);
    }
    rows
}
