//! The report.

mod calibration;
mod leaks;
mod reading;
mod robustness;
mod scores;

use crate::Config;
use crate::answering::Answered;
use crate::figures::Figures;
use crate::results::{Compared, Results};
use crate::track::Way;
use report::{Document, Severity, Tile, format};
use stats::classification::Interval;

/// Everything the report shows.
pub(crate) struct Page<'a> {
    pub(crate) model: &'a str,
    pub(crate) answered: &'a Answered,
    pub(crate) results: &'a Results,
    pub(crate) config: &'a Config,
}

/// The report as a document.
pub(crate) fn page(page: &Page<'_>) -> Document {
    let tuned = page.last() == "tuned";
    let compared = if tuned { "Base model against tuned model" } else { "Base model" };
    let (count, set) = (format::count(page.answered.questions.len() as u64), page.config.set_name.as_str());
    let mut doc = Document::new(if set.is_empty() { compared.to_owned() } else { format!("{compared}: {set}") });
    doc.subtitle(format!("{}, {count} {}", page.model, if set.is_empty() { "evaluation rows" } else { "rows" }));
    if !set.is_empty() {
        doc.callout(
            Severity::Note,
            "These are not the evaluation rows",
            format!("They are the {set}. Read these figures once, after all choices: a set that settings were chosen by is no test any more."),
        );
    }
    summary(&mut doc, page);
    scores::all(&mut doc, page);
    scores::compared(&mut doc, page);
    scores::gap(&mut doc, page);
    scores::sliced(&mut doc, page);
    reading::confusions(&mut doc, page);
    scores::classes(&mut doc, page);
    calibration::section(&mut doc, page);
    reading::unread(&mut doc, page);
    robustness::section(&mut doc, page);
    leaks::section(&mut doc, page);
    reading::worst(&mut doc, page);
    method(&mut doc, page);
    doc
}

impl Page<'_> {
    /// The subject that matters: the tuned model where there is one.
    fn last(&self) -> &'static str {
        self.answered.subjects.last().map_or("base", |s| s.name)
    }

    /// Of all rows.
    fn figures(&self, subject: &str, way: Way) -> Option<&Figures> {
        self.results.figures.first()?.get(self.results.track(subject, way)?)
    }

    fn comparison(&self, name: &str, slice: &str, way: &str) -> Option<&Compared> {
        self.results.comparisons.iter().find(|c| c.name == name && c.slice == slice && c.way == way)
    }

    fn level(&self) -> String {
        format!("{:.0} %", self.config.confidence * 100.0)
    }
}

/// A share with its interval, in percent.
fn share(interval: Option<Interval>) -> String {
    interval.map_or_else(
        || format::UNDEFINED.to_owned(),
        |i| format!("{:.1} ({:.1} … {:.1})", i.estimate * 100.0, i.low * 100.0, i.high * 100.0),
    )
}

/// A number with its interval.
fn number(interval: Option<Interval>) -> String {
    interval.map_or_else(
        || format::UNDEFINED.to_owned(),
        |i| {
            let show = |v| format::number(Some(v), 3);
            format!("{} ({} … {})", show(i.estimate), show(i.low), show(i.high))
        },
    )
}

/// A difference of shares, in points.
fn points(value: f64) -> String {
    let text = format!("{:+.1}", value * 100.0);
    if text == "-0.0" { "+0.0".to_owned() } else { text }
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "below 0.001".into() } else { format!("{p:.3}") }
}

fn summary(doc: &mut Document, page: &Page<'_>) {
    let mut tiles = Vec::new();
    let f1 = |subject, way| page.figures(subject, way).and_then(|f| f.macro_f1);
    for subject in &page.answered.subjects {
        let choosing = f1(subject.name, Way::Scored).map(|i| i.estimate);
        let note = format!("{} when it may only choose a label", format::percent(choosing, 1));
        let value = format::percent(f1(subject.name, Way::Generated).map(|i| i.estimate), 1);
        tiles.push(Tile::new(format!("macro F1, {}", subject.name), value, note));
    }
    if let Some(classifier) = f1("tfidf", Way::Scored) {
        let value = format::percent(Some(classifier.estimate), 1);
        tiles.push(Tile::new("macro F1, TF-IDF classifier", value, "trained on the same rows"));
    }
    if let Some(compared) = page.comparison("tuned_minus_base", "all", "generated") {
        let found = &compared.found;
        let note = format!(
            "{} interval {} to {}, McNemar p {}",
            page.level(),
            points(found.macro_f1.low),
            points(found.macro_f1.high),
            p_value(found.p_value)
        );
        tiles.push(Tile::new("gain in points of macro F1", points(found.macro_f1.estimate), note));
    }
    if let Some(leakage) = &page.results.leakage {
        let note = format!("of {} rows, by key or by Jaccard of {} and more", leakage.rows, page.config.leakage);
        tiles.push(Tile::new("evaluation rows seen in training", leakage.same_key.max(leakage.near).to_string(), note));
    }
    doc.tiles(tiles);
    if let Some((_, unread)) = page.results.unread.iter().find(|(s, u)| *s == "base" && u.failed * 2 > u.rows) {
        doc.callout(
            Severity::Note,
            "The base model does not answer in the form asked for",
            format!(
                "{} of its answers cannot be read. Its generated figures measure mostly that; where it may only choose among the three labels, the figures measure what it knows.",
                format::percent(Some(unread.failed as f64 / unread.rows.max(1) as f64), 1)
            ),
        );
    }
    if page.last() == "base" {
        doc.callout(Severity::Note, "No adapter was given", "Only the base model is evaluated.");
    }
    match &page.results.leakage {
        Some(leakage) if leakage.same_key > 0 => doc.callout(
            Severity::Critical,
            "Evaluation rows were trained on",
            "Some evaluation rows are training rows, so the figures are too good. The section on leakage lists them.",
        ),
        Some(leakage) if leakage.near > 0 => doc.callout(
            Severity::Warning,
            "Evaluation rows resemble training rows",
            format!(
                "{} of them have a training row of a similarity of {} or more. The section on leakage shows the nearest pairs: do they differ in what matters?",
                leakage.near, page.config.leakage
            ),
        ),
        _ => doc,
    };
}

fn method(doc: &mut Document, page: &Page<'_>) {
    let config = page.config;
    doc.heading("How it was measured");
    let mut points = vec![
        format!("All models read exactly the prompt tokens that the formatter wrote, and write greedily, at most {} tokens. Weights are kept in {}.", config.max_new_tokens, config.precision),
        "Generated: the answer must be exactly one label, whatever its case, with white space around it and one full stop allowed; anything else is unparseable and counts as wrong in every denominator.".to_owned(),
        "Scored: the log-probability of each label's tokens and end token, as in training; the likeliest label is taken, whatever the model would write.".to_owned(),
        format!("Calibrated: from each of these, the mean over questions about nothing ({}) is taken away, and the rest divided by the label's tokens.", config.content_free.iter().map(|t| format!("“{t}”")).collect::<Vec<_>>().join(", ")),
        format!("Intervals of accuracy are Wilson's; all others are percentile intervals of a bootstrap over rows with {} resamples, paired where two are compared; all at {}. McNemar's test is exact and two-sided. Nothing is corrected for the number of comparisons.", config.resamples, page.level()),
        format!("Calibration error: expected calibration error of the highest probability over {} bins of equal width. Brier: sum over the three labels, from 0 to 2.", config.calibration_bins),
    ];
    for subject in &page.answered.subjects {
        let work = subject.work;
        points.push(format!(
            "{}: prompts of {} tokens in all; {} went through the model, with labels and answers, because what prompts share is computed once.",
            subject.name,
            format::count(work.prompt_tokens),
            format::count(work.computed)
        ));
    }
    doc.list(points);
}
