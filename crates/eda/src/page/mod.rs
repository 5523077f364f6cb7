//! The report: what a reader of the data should know, in the order of its weight.

mod alerts;
mod comparisons;
mod differs;
mod subject;

pub(crate) use subject::often;

use crate::{Analysis, Config, Subject};
use artifacts::rows::{AlertLevel, DataAlert, Language};
use report::format::count;
use report::plot::Svg;
use report::{Document, Table, Tile};

/// A document and the figures that also lie beside it.
pub(crate) struct Page {
    pub(crate) document: Document,
    pub(crate) figures: Vec<(String, Svg)>,
}

impl Page {
    fn figure(&mut self, file: String, svg: Svg, caption: String) {
        self.document.figure_with_file(svg.clone(), caption, &file);
        self.figures.push((file, svg));
    }
}

/// The report, and its figures with the names of their files.
pub(crate) fn page(analysis: &Analysis, alerts: &[DataAlert], config: &Config) -> Page {
    let mut page = Page { document: Document::new("What is in the data"), figures: Vec::new() };
    let doc = &mut page.document;
    let splits = &analysis.profile.splits;
    if splits.len() > 1 {
        doc.subtitle(format!("Splits: {}. The first is the reference.", splits.join(", ")));
    } else {
        doc.subtitle(splits.join(", "));
    }
    tiles(doc, analysis, alerts);
    self::alerts::all(doc, alerts);
    let vietnamese = differs::of_vietnamese(analysis);
    for (subject, findings) in analysis.subjects() {
        subject::of_subject(&mut page, analysis, (subject, findings), config);
    }
    comparisons::all(&mut page, analysis);
    if let Some(table) = vietnamese {
        differs::section(&mut page.document, table);
    }
    refused(&mut page.document, analysis);
    method(&mut page.document, analysis, config);
    page
}

/// The name of a subject in text.
pub(crate) fn name(subject: &Subject) -> &'static str {
    match subject.language {
        Some(Language::English) => "English",
        Some(Language::Vietnamese) => "Vietnamese",
        None => "All rows",
    }
}

fn tiles(doc: &mut Document, analysis: &Analysis, alerts: &[DataAlert]) {
    let profile = &analysis.profile;
    let serious = alerts.iter().filter(|a| a.level == AlertLevel::Critical).count();
    let mut tiles = vec![Tile::new("rows", count(profile.rows), format!("{} splits", profile.splits.len()))];
    for (subject, _) in analysis.subjects() {
        let texts = format!("{} different texts", count(subject.exact.texts));
        tiles.push(Tile::new(name(subject), count(subject.rows()), texts));
    }
    let refused: u64 = analysis.rejected.values().sum();
    if refused > 0 {
        tiles.push(Tile::new("refused", count(refused), "rows set aside earlier, with reasons"));
    }
    tiles.push(Tile::new("alerts", alerts.len().to_string(), format!("{serious} critical")));
    doc.tiles(tiles);
}

fn refused(doc: &mut Document, analysis: &Analysis) {
    if analysis.rejected.is_empty() {
        return;
    }
    doc.heading("Refused rows");
    let mut table = Table::new().text("source").text("reason").number("rows");
    for ((source, reason), rows) in &analysis.rejected {
        table.push([source.clone(), reason.clone(), count(*rows)]);
    }
    doc.table(table);
}

fn method(doc: &mut Document, analysis: &Analysis, config: &Config) {
    doc.heading("Method");
    let exact = analysis.profile.subjects.iter().all(|s| s.exact.exact && s.folded.exact);
    let complete = analysis.profile.subjects.iter().all(|s| s.complete);
    let repeats = if exact {
        "Counts of rows, labels, lengths and repeated texts are exact.".to_owned()
    } else {
        format!(
            "Counts of rows, labels and lengths are exact. Counts of repeated texts are estimated from a uniform sample of at \
             most {} different texts with all their rows.",
            count(config.exact_texts as u64)
        )
    };
    let sample = if complete {
        "Words, near copies, tokens, clusters and comparisons are of all different texts, unless a limit below is lower.".to_owned()
    } else {
        format!(
            "Words, near copies, tokens, clusters and comparisons are of a uniform sample of {} different texts of each \
             language: those with the smallest hashes. Near copies found in a sample are a lower bound.",
            count(config.sample_texts as u64)
        )
    };
    doc.list([
        repeats,
        sample,
        "Two texts are equal byte for byte, or folded: case, punctuation, white space and links do not count, Vietnamese \
         tone marks do."
            .to_owned(),
        format!(
            "Near copies: Jaccard similarity of character 5-grams of {} or more; chains of near copies are one cluster.",
            config.near_duplicate_threshold
        ),
        format!(
            "Words do not include web addresses, except where lengths are counted. Distinctive words and pairs: log-odds ratio with a Dirichlet prior of {} words, in standard deviations; function \
             words and numbers left out, negations kept.",
            config.distinctive_prior
        ),
        format!(
            "Label errors: confident learning on the out-of-fold probabilities ({} folds) of a logistic regression on TF-IDF of \
             words and pairs, on {} texts of each language.",
            config.label_error_folds,
            count(config.label_error_texts as u64)
        ),
        format!(
            "By chance: what 95 % of {} random divisions of the same texts stay below; for Cramér's V the 95th percentile of χ². \
             At most {} texts a side.",
            config.chance_draws,
            count(config.compare_texts as u64)
        ),
        format!(
            "A row is in another language if the detector says so with a confidence of {} or more; short or mixed rows are \
             undecided.",
            config.limits.language_confidence
        ),
        "Syllables are words that have the form of a Vietnamese syllable; in English text some short words do by accident."
            .to_owned(),
    ]);
}
