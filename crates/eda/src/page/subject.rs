use super::{Page, name};
use crate::analysis::is_vietnamese;
use crate::{Analysis, Config, Findings, Lengths, Mark, Subject};
use report::Table;
use report::format::{count, number, percent};
use report::plot::{BarPlot, HistogramPlot, bars, histogram};

/// Labels and sources listed before the rest is summed up.
const LISTED: usize = 12;
/// Values that a histogram is drawn from.
const POINTS: u64 = 4000;

pub(super) fn of_subject(
    page: &mut Page,
    analysis: &Analysis,
    (subject, findings): (&Subject, &Findings),
    config: &Config,
) {
    page.document.heading(name(subject));
    labels(page, analysis, subject);
    lengths(page, analysis, subject, findings, config);
    marks(page, analysis, subject);
    sources(page, analysis, subject, findings);
    words(page, analysis, findings);
    repeats(page, analysis, subject, findings);
    label_errors(page, findings, config);
    clusters(page, analysis, findings);
    plain_methods(page, analysis, findings);
    languages(page, analysis, subject);
}

fn labels(page: &mut Page, analysis: &Analysis, subject: &Subject) {
    page.document.subheading("Labels");
    let mut present: Vec<usize> =
        (0..analysis.profile.labels.len()).filter(|l| subject.groups.iter().any(|g| g.of_label(*l) > 0)).collect();
    let more = present.len().saturating_sub(LISTED);
    present.truncate(LISTED);
    let mut table = Table::new().text("split").number("rows").number("synthetic").number("no label");
    for label in &present {
        table = table.number(analysis.label(*label));
    }
    for group in &subject.groups {
        let shares = present.iter().map(|l| {
            let n = group.of_label(*l);
            format!("{} ({})", count(n), percent(Some(group.share(n)), 1))
        });
        let split = analysis.split(group.split).to_owned();
        let counts = [group.rows, group.synthetic, group.without_label].map(count);
        table.push(std::iter::once(split).chain(counts).chain(shares));
    }
    let rest = if more > 0 { format!("{more} more labels are not listed.") } else { String::new() };
    page.document.table(table.caption(rest));
    let series = subject.groups.iter().map(|g| {
        let share = |l: &usize| Some((g.share(g.of_label(*l)) * 1000.0).round() / 10.0);
        (analysis.split(g.split).to_owned(), present.iter().map(share).collect())
    });
    let plot = BarPlot {
        title: format!("{}: labels", name(subject)),
        y_label: "share of rows, %".into(),
        categories: present.iter().map(|l| analysis.label(*l).to_owned()).collect(),
        series: series.collect(),
    };
    let caption = format!("Share of each label in the rows of each split. {}.", name(subject));
    page.figure(format!("labels_{}.svg", subject.name()), bars(&plot), caption);
}

fn lengths(page: &mut Page, analysis: &Analysis, subject: &Subject, findings: &Findings, config: &Config) {
    page.document.subheading("Length");
    let mut table = Table::new()
        .text("split")
        .text("unit")
        .number("5 %")
        .number("median")
        .number("mean")
        .number("95 %")
        .number("99 %")
        .number("longest");
    for group in &subject.groups {
        let tokens = findings.tokens.iter().find(|t| t.split == group.split).map(|t| &t.lengths);
        let syllables = is_vietnamese(subject).then_some(("syllables", &group.syllables));
        let units = [("characters", &group.characters), ("words", &group.words)].into_iter().chain(syllables);
        for (unit, lengths) in units.chain(tokens.map(|t| ("tokens", t))) {
            let q = |q: f64| number(lengths.quantile(q), 0);
            let split = analysis.split(group.split).to_owned();
            let longest = count(u64::from(lengths.longest()));
            table.push([split, unit.into(), q(0.05), q(0.5), number(lengths.mean(), 1), q(0.95), q(0.99), longest]);
        }
    }
    page.document.table(table);
    // The longest rows would press all others into one bar.
    let most = subject.groups.iter().filter_map(|g| g.words.quantile(0.995)).fold(1.0, f64::max);
    let values = |l: &Lengths| l.spread(POINTS).into_iter().filter(|v| *v <= most).collect::<Vec<f64>>();
    let plot = HistogramPlot {
        title: format!("{}: words a row", name(subject)),
        x_label: "words".into(),
        bins: 30,
        series: subject.groups.iter().map(|g| (analysis.split(g.split).to_owned(), values(&g.words))).collect(),
    };
    let caption = format!("Length in words, without the longest half percent. {}.", name(subject));
    page.figure(format!("lengths_{}.svg", subject.name()), histogram(&plot), caption);
    if findings.tokens.is_empty() {
        return;
    }
    let mut table = Table::new()
        .text("split")
        .number("tokens a word")
        .number("tokens a syllable")
        .number("tokens a character")
        .number(format!("rows over {} tokens", config.max_tokens));
    for t in &findings.tokens {
        let per_syllable =
            (t.syllables > 0 && is_vietnamese(subject)).then(|| t.lengths.sum() as f64 / t.syllables as f64);
        let over = format!("{} ({})", count(t.over), percent(Some(t.over as f64 / t.lengths.rows().max(1) as f64), 2));
        let split = analysis.split(t.split).to_owned();
        let [a, b, c] = [t.per_word(), per_syllable, t.per_character()].map(|v| number(v, 2));
        table.push([split, a, b, c, over]);
    }
    page.document
        .table(table.caption("The model's tokens (fertility): texts alone, without instruction and template."));
}

fn marks(page: &mut Page, analysis: &Analysis, subject: &Subject) {
    page.document.subheading("What the texts hold");
    let mut table = Table::new().text("rows with");
    for group in &subject.groups {
        table = table.number(analysis.split(group.split));
    }
    for mark in Mark::ALL {
        if mark.concerns(is_vietnamese(subject)) && subject.groups.iter().any(|g| g.marked(mark) > 0) {
            let cell =
                |g: &crate::Group| format!("{} ({})", count(g.marked(mark)), percent(Some(g.share(g.marked(mark))), 1));
            table.push(std::iter::once(mark.name().to_owned()).chain(subject.groups.iter().map(cell)));
        }
    }
    page.document.table(table);
}

fn sources(page: &mut Page, analysis: &Analysis, subject: &Subject, findings: &Findings) {
    if subject.groups.iter().all(|g| g.sources.is_empty()) {
        return;
    }
    page.document.subheading("Sources");
    let labels: Vec<usize> = (0..analysis.profile.labels.len())
        .filter(|l| subject.groups.iter().any(|g| g.of_label(*l) > 0))
        .take(LISTED)
        .collect();
    let mut table = Table::new().text("split").text("source").number("rows");
    for label in &labels {
        table = table.number(analysis.label(*label));
    }
    for group in &subject.groups {
        for (source, by_label) in group.sources.iter().take(LISTED) {
            let source = analysis.profile.sources.get(*source).cloned().unwrap_or_default();
            let cells = labels.iter().map(|l| count(by_label.get(*l).copied().unwrap_or(0)));
            let rows = count(by_label.iter().sum());
            table.push([analysis.split(group.split).to_owned(), source, rows].into_iter().chain(cells));
        }
    }
    page.document.table(table);
    for (group, v) in subject.groups.iter().zip(&findings.source_label_v) {
        if let Some(v) = v {
            page.document.paragraph(format!(
                "{}: association of source and label (Cramér's V) {v:.3}; 0 none, 1 the source gives the label away.",
                analysis.split(group.split)
            ));
        }
    }
}

fn words(page: &mut Page, analysis: &Analysis, findings: &Findings) {
    if findings.distinctive.is_empty() {
        return;
    }
    page.document.subheading("Most distinctive words and pairs");
    let mut table = Table::new();
    for (label, _) in &findings.distinctive {
        table = table.text(analysis.label(*label)).number("z");
    }
    let lines = findings.distinctive.iter().map(|(_, list)| list.len()).max().unwrap_or(0);
    for line in 0..lines {
        table.push(findings.distinctive.iter().flat_map(|(_, list)| match list.get(line) {
            Some(w) => [format!("{} ({} : {})", w.gram, w.inside, w.outside), format!("{:.1}", w.z)],
            None => [String::new(), String::new()],
        }));
    }
    let caption =
        "Of the reference split, each text once: word or pair (times under the label : times under the others).";
    page.document.table(table.caption(caption));
}

fn repeats(page: &mut Page, analysis: &Analysis, subject: &Subject, findings: &Findings) {
    page.document.subheading("Duplicates and conflicts");
    let (exact, folded, near) = (&subject.exact, &subject.folded, &findings.near);
    let mut table = Table::new().text("what").number("byte for byte").number("folded").number("near");
    let none = String::new;
    for group in &subject.groups {
        let place = group.split.min(crate::key_table::SPLITS - 1);
        let of = |copies: &[u64]| count(copies.get(place).copied().unwrap_or(0));
        let what = format!("rows of {} that repeat an earlier one", analysis.split(group.split));
        table.push([what, of(&exact.copies), of(&folded.copies), none()]);
    }
    let texts = format!("{} of {}", count(near.texts), count(near.among));
    table.push(["different texts; near: in clusters".to_owned(), count(exact.texts), count(folded.texts), texts]);
    let across = [exact.across, folded.across, near.across].map(count);
    table.push(std::iter::once("in more than one split; near: clusters".to_owned()).chain(across));
    let conflicting = [exact.conflicting, folded.conflicting, near.conflicting].map(count);
    table.push(std::iter::once("with more than one label; near: clusters".to_owned()).chain(conflicting));
    page.document.table(table);
    let list: Vec<String> =
        exact.multiplicities.iter().map(|(times, texts)| format!("{} {}", count(*texts), often(*times))).collect();
    page.document.paragraph(format!("How often texts occur, the commonest first: {}.", list.join(", ")));
    let conflicts = subject.contradictory.iter().chain(&near.conflicts).take(6).cloned().collect::<Vec<_>>();
    if !conflicts.is_empty() {
        page.document.paragraph("Texts that are equal or nearly so, with different labels:");
        page.document.pre(conflicts.join("\n\n"));
    }
}

pub(crate) fn often(times: u64) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

fn label_errors(page: &mut Page, findings: &Findings, config: &Config) {
    if findings.scores.is_empty() {
        return;
    }
    page.document.subheading("Labels to read again");
    let mut table = Table::new()
        .number("row")
        .text("label")
        .text("likelier")
        .number("trust in the label")
        .number("margin")
        .text("text");
    for s in findings.scores.iter().take(config.label_errors_shown) {
        table.push([
            s.row.to_string(),
            s.label.clone(),
            s.likely.clone(),
            number(Some(s.self_confidence), 3),
            number(Some(s.margin), 3),
            crate::profiler::short(&s.text),
        ]);
    }
    let suspicious = findings.scores.iter().filter(|s| s.suspicious).count();
    page.document.table(table.caption(format!(
        "The least trusted of {} labels, {} of them suspicious by confident learning; label_scores.parquet has all.",
        count(findings.scores.len() as u64),
        count(suspicious as u64)
    )));
}

fn clusters(page: &mut Page, analysis: &Analysis, findings: &Findings) {
    if findings.clusters.is_empty() {
        return;
    }
    page.document.subheading("What the texts are about");
    let mut table = Table::new().number("texts").text("words").text("labels").text("typical text");
    for cluster in &findings.clusters {
        let shares = cluster.labels.iter().enumerate().filter(|(_, n)| **n > 0).map(|(l, n)| {
            let share = *n as f64 / cluster.labels.iter().sum::<u64>().max(1) as f64;
            format!("{} {}", analysis.label(l), percent(Some(share), 0))
        });
        let labels = shares.take(LISTED).collect::<Vec<_>>().join(", ");
        let example = cluster.examples.first().cloned().unwrap_or_default();
        table.push([count(cluster.texts), cluster.words.join(", "), labels, example]);
    }
    page.document
        .table(table.caption("Clusters of texts by their words (spherical k-means of TF-IDF), the largest first."));
}

fn plain_methods(page: &mut Page, analysis: &Analysis, findings: &Findings) {
    if findings.yardsticks.is_empty() {
        return;
    }
    page.document.subheading("What plain methods reach");
    let mut table = Table::new()
        .text("split")
        .number("texts")
        .number("best constant answer: accuracy")
        .number("macro F1")
        .number("linear classifier: accuracy")
        .number("macro F1");
    for y in &findings.yardsticks {
        let figures = [y.majority_accuracy, y.majority_macro_f1, y.linear_accuracy, y.linear_macro_f1];
        let figures = figures.map(|value| number(value, 3));
        table.push([analysis.split(y.split).to_owned(), count(y.texts)].into_iter().chain(figures));
    }
    page.document.table(table.caption(
        "A logistic regression on words and pairs learned from the reference split; the constant answer is the split's own \
         largest class. A language model must beat both.",
    ));
}

fn languages(page: &mut Page, analysis: &Analysis, subject: &Subject) {
    page.document.subheading("Language");
    let mut table = Table::new()
        .text("split")
        .number("English")
        .number("Vietnamese")
        .number("other")
        .number("undecided")
        .number("names its own label");
    for group in &subject.groups {
        let detected = group.detected.iter().map(|n| count(*n));
        let split = analysis.split(group.split).to_owned();
        table.push(std::iter::once(split).chain(detected).chain([count(group.label_words)]));
    }
    page.document.table(table.caption("Rows by the language they seem to be in."));
}
