use crate::group::LABELS;
use crate::{Alert, Analysis, Config, Group, LanguageAnalysis, Level};
use artifacts::rows::Language;
use report::format::{count, number, percent};
use report::plot::{BarPlot, HistogramPlot, Svg, bars, histogram};
use report::{Document, Severity, Table, Tile};

/// The report, and its figures with the names of their files.
pub(crate) fn page(analysis: &Analysis, alerts: &[Alert], config: &Config) -> (Document, Vec<(String, Svg)>) {
    let mut doc = Document::new("What is in the data");
    doc.subtitle(format!("Splits: {}. The first is the reference.", analysis.splits.join(", ")));
    let rejected: u64 = analysis.rejected.values().sum();
    let serious = alerts.iter().filter(|a| a.level() == Level::Critical).count();
    let mut tiles = vec![Tile::new("rows", count(analysis.rows), format!("{} splits", analysis.splits.len()))];
    for language in &analysis.languages {
        let rows: u64 = language.groups.iter().map(|g| g.rows).sum();
        let parts: Vec<String> = language.groups.iter().map(|g| format!("{} {}", g.split, count(g.rows))).collect();
        tiles.push(Tile::new(name(language.language), count(rows), parts.join(", ")));
    }
    if !analysis.rejected.is_empty() {
        tiles.push(Tile::new("refused", count(rejected), "rows set aside earlier, with reasons"));
    }
    tiles.push(Tile::new("alerts", alerts.len().to_string(), format!("{serious} critical")));
    doc.tiles(tiles);

    doc.heading("Alerts");
    if alerts.is_empty() {
        doc.paragraph("None: no figure crosses a limit of the settings.");
    }
    for alert in alerts {
        let severity = match alert.level() {
            Level::Note => Severity::Note,
            Level::Warning => Severity::Warning,
            Level::Critical => Severity::Critical,
        };
        doc.callout(severity, alert.title(), alert.message());
    }
    let mut figures = Vec::new();
    for language in &analysis.languages {
        of_language(&mut doc, language, &mut figures);
    }
    refused(&mut doc, analysis);
    method(&mut doc, config);
    (doc, figures)
}

fn name(language: Language) -> &'static str {
    match language {
        Language::English => "English",
        Language::Vietnamese => "Vietnamese",
    }
}

fn of_language(doc: &mut Document, found: &LanguageAnalysis, figures: &mut Vec<(String, Svg)>) {
    let language = name(found.language);
    let mut figure = |doc: &mut Document, kind: &str, svg: Svg, caption: String| {
        let file = format!("{kind}_{}.svg", found.language);
        doc.figure_with_file(svg.clone(), caption, &file);
        figures.push((file, svg));
    };
    doc.heading(language);

    doc.subheading("Labels");
    let share = |group: &Group, rows: u64| rows as f64 / group.rows.max(1) as f64;
    let mut table = Table::new().text("split").number("rows").number("synthetic");
    for label in LABELS {
        table = table.number(label.as_str());
    }
    for group in &found.groups {
        let labels = group.labels.iter().map(|&n| format!("{} ({})", count(n), percent(Some(share(group, n)), 1)));
        table.push([group.split.clone(), count(group.rows), count(group.synthetic)].into_iter().chain(labels));
    }
    doc.table(table);
    let series = found
        .groups
        .iter()
        .map(|g| (g.split.clone(), g.labels.iter().map(|&n| Some((share(g, n) * 1000.0).round() / 10.0)).collect()));
    let plot = BarPlot {
        title: format!("{language}: labels"),
        y_label: "share of rows, %".into(),
        categories: LABELS.iter().map(ToString::to_string).collect(),
        series: series.collect(),
    };
    figure(doc, "labels", bars(&plot), format!("Share of each class in the {language} rows of each split."));

    doc.subheading("Length");
    let mut table = Table::new()
        .text("split")
        .text("unit")
        .number("5 %")
        .number("median")
        .number("mean")
        .number("95 %")
        .number("longest");
    for group in &found.groups {
        for (unit, lengths) in [("characters", &group.characters), ("words", &group.words)] {
            let q = |q: f64| number(lengths.quantile(q), 0);
            let (median, mean) = (q(0.5), number(lengths.mean(), 1));
            table.push([group.split.clone(), unit.into(), q(0.05), median, mean, q(0.95), q(1.0)]);
        }
    }
    doc.table(table);
    let plot = HistogramPlot {
        title: format!("{language}: words a row"),
        x_label: "words".into(),
        bins: 30,
        series: found.groups.iter().map(|g| (g.split.clone(), g.words.values.clone())).collect(),
    };
    figure(doc, "lengths", histogram(&plot), format!("Length of the {language} rows in words."));

    sources(doc, found);
    words(doc, found);
    repeats(doc, found);
    differences(doc, found);
    languages(doc, found);
}

fn sources(doc: &mut Document, found: &LanguageAnalysis) {
    doc.subheading("Sources");
    let mut table = Table::new().text("split").text("source").number("rows");
    for label in LABELS {
        table = table.number(label.as_str());
    }
    for group in &found.groups {
        for (source, by_class) in &group.sources {
            let rows = count(by_class.iter().sum());
            table.push(
                [group.split.clone(), source.clone(), rows].into_iter().chain(by_class.iter().map(|&n| count(n))),
            );
        }
    }
    doc.table(table);
    if let Some(v) = found.source_label_v {
        doc.paragraph(format!(
            "Association of source and label (Cramér's V): {v:.3}; 0 none, 1 the source gives the label away."
        ));
    }
}

fn words(doc: &mut Document, found: &LanguageAnalysis) {
    doc.subheading("Most distinctive words");
    let mut table = Table::new().text("negative").number("z").text("neutral").number("z").text("positive").number("z");
    let lines = found.distinctive.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..lines {
        table.push(found.distinctive.iter().flat_map(|words| match words.get(line) {
            Some(w) => [format!("{} ({} : {})", w.word, w.inside, w.outside), format!("{:.1}", w.z)],
            None => [String::new(), String::new()],
        }));
    }
    doc.table(table.caption("Of the reference split: word (times in the class : times in the others)."));
}

fn repeats(doc: &mut Document, found: &LanguageAnalysis) {
    doc.subheading("Duplicates and conflicts");
    let d = &found.duplicates;
    let mut table = Table::new().text("what").number("count");
    for (split, rows) in &d.repeats {
        table.push([format!("rows of {split} that repeat a text of {split}"), count(*rows)]);
    }
    for (what, n) in [
        ("texts in more than one split", d.across),
        ("texts with more than one label", d.conflicting),
        ("clusters of near copies", d.near_clusters),
        ("rows in them", d.near_rows),
        ("clusters across splits", d.near_across),
        ("clusters with more than one label", d.near_conflicting),
    ] {
        table.push([what.to_owned(), count(n)]);
    }
    doc.table(table);
    for conflict in &d.conflicts {
        doc.pre(conflict.clone());
    }
}

fn differences(doc: &mut Document, found: &LanguageAnalysis) {
    if found.shifts.is_empty() {
        return;
    }
    doc.subheading("How far the splits differ");
    let mut table =
        Table::new().text("splits").text("of").number("distance").number("by chance").text("more than chance");
    for s in &found.shifts {
        let pair = format!("{} and {}", s.reference, s.split);
        let verdict = if s.is_real() { "yes" } else { "no" };
        let (distance, chance) = (format!("{:.3}", s.distance), format!("{:.3}", s.chance));
        table.push([pair, s.aspect.name().to_owned(), distance, chance, verdict.to_owned()]);
    }
    doc.table(
        table.caption("Jensen–Shannon distance, from 0 (equal) to 1; by chance: 95th percentile over random splits."),
    );
    doc.subheading("What plain methods reach");
    let mut table = Table::new()
        .text("split")
        .number("rows")
        .number("best constant answer: accuracy")
        .number("macro F1")
        .number("naive Bayes: accuracy")
        .number("macro F1");
    for y in &found.yardsticks {
        let [a, b, c, d] = [y.majority_accuracy, y.majority_macro_f1, y.bayes_accuracy, y.bayes_macro_f1];
        let [a, b, c, d] = [a, b, c, d].map(|value| number(value, 3));
        table.push([y.split.clone(), count(y.rows), a, b, c, d]);
    }
    doc.table(table.caption("Naive Bayes learned from the reference split; the constant answer is the split's own largest class. A language model must beat both."));
}

fn languages(doc: &mut Document, found: &LanguageAnalysis) {
    doc.subheading("Language");
    let mut table = Table::new()
        .text("split")
        .number("as stated")
        .number("other")
        .number("undecided")
        .number("names its own label");
    for group in &found.groups {
        let detected = group.detected.values().map(|&n| count(n)).collect::<Vec<_>>();
        table.push(std::iter::once(group.split.clone()).chain(detected).chain([count(group.label_words)]));
    }
    doc.table(table.caption(format!("Rows that are stated to be {} by what they seem to be.", name(found.language))));
    for group in found.groups.iter().filter(|g| !g.mismatches.is_empty()) {
        doc.paragraph(format!("Rows of {} that seem to be in another language, the first few:", group.split));
        doc.list(group.mismatches.clone());
    }
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

fn method(doc: &mut Document, config: &Config) {
    doc.heading("Method");
    doc.list([
        "Two texts are equal if their comparison keys are: case, punctuation and white space do not count, Vietnamese \
         tone marks do."
            .to_owned(),
        format!(
            "Near copies: Jaccard similarity of character 5-grams of {} or more; chains of near copies are one cluster.",
            config.near_duplicate_threshold
        ),
        format!(
            "Distinctive words: log-odds ratio with a Dirichlet prior of {} words, in standard deviations; function words \
             and numbers left out.",
            config.distinctive_prior
        ),
        format!(
            "Distances by chance: {} random splits of the same rows into the same sizes.",
            config.chance_draws
        ),
        format!(
            "A row is in another language if the detector says so with a confidence of {} or more; short or mixed rows \
             are undecided.",
            config.language_confidence
        ),
    ]);
}
