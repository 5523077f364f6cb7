use crate::compare::Comparison;
use crate::figures::{Figures, Way, calibration};
use crate::questions::Question;
use crate::stage::slices;
use crate::{Config, Error};
use artifacts::rows::{Prediction, Sentiment};
use report::plot::{BarPlot, ConfusionPlot, bars, confusion};
use report::{Document, Severity, Table, Tile, format};

/// Everything the report shows.
pub(crate) struct Page<'a> {
    pub(crate) model: &'a str,
    pub(crate) questions: &'a [Question],
    pub(crate) base: &'a [Prediction],
    pub(crate) tuned: Option<&'a [Prediction]>,
    pub(crate) comparisons: &'a [(&'static str, Way, Comparison)],
    pub(crate) config: &'a Config,
}

/// The report as a document.
///
/// # Errors
/// A statistic contradicts itself (it does not, with rows that were read through the contract).
pub(crate) fn page(page: &Page<'_>) -> Result<Document, Error> {
    let mut doc = Document::new(if page.tuned.is_some() { "Base model against tuned model" } else { "Base model" });
    doc.subtitle(format!("{}, {} evaluation rows", page.model, format::count(page.base.len() as u64)));
    summary(&mut doc, page)?;
    comparison(&mut doc, page)?;
    languages(&mut doc, page)?;
    doc.heading("Confusion");
    doc.paragraph("Generated answers: rows are the truth, columns what the model wrote. An answer that is not exactly one label is unparseable, which is wrong and no class.");
    for (name, predictions) in page.subjects() {
        let all: Vec<&Prediction> = predictions.iter().collect();
        let figures = Figures::of(&all, Way::Generated, page.config.confidence)?;
        let title = format!("Generated answers, {name}");
        doc.figure(
            confusion(&ConfusionPlot { title, confusion: &figures.confusion }),
            format!("{name} model: generated answers."),
        );
    }
    classes(&mut doc, page)?;
    errors(&mut doc, page);
    method(&mut doc, page.config);
    Ok(doc)
}

impl<'a> Page<'a> {
    fn subjects(&self) -> Vec<(&'static str, &'a [Prediction])> {
        std::iter::once(("base", self.base)).chain(self.tuned.map(|t| ("tuned", t))).collect()
    }

    fn compared(&self, slice: &str, way: Way) -> Option<&Comparison> {
        self.comparisons.iter().find(|(s, w, _)| *s == slice && *w == way).map(|(_, _, c)| c)
    }
}

fn points(value: f64) -> String {
    format!("{:+.1}", value * 100.0)
}

fn summary(doc: &mut Document, page: &Page<'_>) -> Result<(), Error> {
    let mut tiles = Vec::new();
    for (name, predictions) in page.subjects() {
        let all: Vec<&Prediction> = predictions.iter().collect();
        let generated = Figures::of(&all, Way::Generated, page.config.confidence)?;
        let scored = Figures::of(&all, Way::Scored, page.config.confidence)?;
        let note = format!("{} when it may only choose a label", format::percent(scored.macro_f1, 1));
        tiles.push(Tile::new(format!("macro F1, {name}"), format::percent(generated.macro_f1, 1), note));
    }
    if let Some(found) = page.compared("all", Way::Generated) {
        let note = format!(
            "{:.0} % interval {} to {}, McNemar p {}",
            page.config.confidence * 100.0,
            points(found.macro_f1.low),
            points(found.macro_f1.high),
            p_value(found.p_value)
        );
        tiles.push(Tile::new("gain in points of macro F1", points(found.macro_f1.estimate), note));
    }
    doc.tiles(tiles);
    let unparseable = page.base.iter().filter(|p| p.predicted.is_none()).count();
    if unparseable * 2 > page.base.len() {
        doc.callout(
            Severity::Note,
            "The base model does not answer in the form asked for",
            format!(
                "{} of its answers cannot be read. Its generated figures measure mostly that; the scored ones, where it may only choose among the three labels, measure what it knows.",
                format::percent(Some(unparseable as f64 / page.base.len().max(1) as f64), 1)
            ),
        );
    }
    if page.tuned.is_none() {
        doc.callout(Severity::Note, "No adapter was given", "Only the base model is evaluated.");
    }
    Ok(())
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "below 0.001".into() } else { format!("{p:.3}") }
}

fn comparison(doc: &mut Document, page: &Page<'_>) -> Result<(), Error> {
    doc.heading("Comparison");
    if !page.comparisons.is_empty() {
        gains(doc, page)?;
    }
    let mut table = Table::new().text("rows").text("answer").text("figure").number("majority");
    for (name, _) in page.subjects() {
        table = table.number(name);
    }
    for (slice, base_rows) in slices(page.base) {
        let majority = Figures::majority(&base_rows, page.config.confidence)?;
        for way in Way::ALL {
            let all = page
                .subjects()
                .iter()
                .map(|(_, predictions)| {
                    let rows = rows_of(predictions, slice);
                    Ok((Figures::of(&rows, way, page.config.confidence)?, rows))
                })
                .collect::<Result<Vec<_>, Error>>()?;
            let mut push = |figure: &str, majority: String, cells: Vec<String>| {
                let head = [slice.to_owned(), way.name().to_owned(), figure.to_owned(), majority];
                table.push(head.into_iter().chain(cells));
            };
            for (name, show) in FIGURES {
                push(name, show(&majority), all.iter().map(|(figures, _)| show(figures)).collect());
            }
            match way {
                Way::Generated => {
                    push("unparseable", format::UNDEFINED.into(), all.iter().map(|(f, _)| unparseable(f)).collect());
                }
                Way::Scored => {
                    let bins = page.config.calibration_bins;
                    let error = |rows: &[&Prediction]| Ok(format::percent(calibration(rows, bins)?, 1));
                    let cells = all.iter().map(|(_, rows)| error(rows)).collect::<Result<_, Error>>()?;
                    push("calibration error", format::UNDEFINED.into(), cells);
                }
            }
        }
    }
    doc.table(table.caption("In brackets: Wilson interval. Majority: the most frequent label of the rows, always."));
    Ok(())
}

/// A figure's name and how it is shown.
type Shown = (&'static str, fn(&Figures) -> String);

const FIGURES: [Shown; 3] = [
    ("macro F1", |f| format::percent(f.macro_f1, 1)),
    ("accuracy", |f| match f.accuracy_interval {
        Some((low, high)) => format!("{} ({:.1} … {:.1})", format::percent(f.accuracy, 1), low * 100.0, high * 100.0),
        None => format::percent(f.accuracy, 1),
    }),
    ("Matthews correlation", |f| format::number(f.matthews, 3)),
];

fn unparseable(figures: &Figures) -> String {
    let total = figures.confusion.total();
    format::percent((total > 0).then(|| figures.confusion.unparseable_total() as f64 / total as f64), 1)
}

fn rows_of<'a>(predictions: &'a [Prediction], slice: &str) -> Vec<&'a Prediction> {
    slices(predictions).into_iter().find(|(s, _)| *s == slice).map(|(_, rows)| rows).unwrap_or_default()
}

/// Tuned against base, row by row.
fn gains(doc: &mut Document, page: &Page<'_>) -> Result<(), Error> {
    let Some(tuned) = page.tuned else { return Ok(()) };
    let mut table = Table::new().text("rows").text("answer").number("base").number("tuned").number("difference");
    table = table.number("interval").number("only base").number("only tuned").number("p");
    for (slice, way, found) in page.comparisons {
        let f1 = |predictions| {
            let figures = Figures::of(&rows_of(predictions, slice), *way, page.config.confidence)?;
            Ok::<_, Error>(format::percent(figures.macro_f1, 1))
        };
        table.push([
            (*slice).to_owned(),
            way.name().to_owned(),
            f1(page.base)?,
            f1(tuned)?,
            points(found.macro_f1.estimate),
            format!("{} … {}", points(found.macro_f1.low), points(found.macro_f1.high)),
            found.only_base.to_string(),
            found.only_tuned.to_string(),
            p_value(found.p_value),
        ]);
    }
    let caption = format!(
        "Macro F1 of both models, and their difference in points with its {:.0} % interval; rows that only one of them answers rightly, with McNemar's p.",
        page.config.confidence * 100.0
    );
    doc.table(table.caption(caption));
    Ok(())
}

fn languages(doc: &mut Document, page: &Page<'_>) -> Result<(), Error> {
    let mut series = Vec::new();
    let names: Vec<String> = slices(page.base).iter().map(|(slice, _)| (*slice).to_owned()).collect();
    for (name, predictions) in page.subjects() {
        for way in Way::ALL {
            let values = slices(predictions)
                .iter()
                .map(|(_, rows)| Ok(Figures::of(rows, way, page.config.confidence)?.macro_f1))
                .collect::<Result<Vec<_>, Error>>()?;
            series.push((format!("{name}, {}", way.name()), values));
        }
    }
    doc.heading("By language");
    let plot = BarPlot { title: "Macro F1 by language".into(), y_label: "macro F1".into(), categories: names, series };
    doc.figure(bars(&plot), "Macro F1 of all rows and of each language, generated and scored.");
    Ok(())
}

fn classes(doc: &mut Document, page: &Page<'_>) -> Result<(), Error> {
    doc.heading("By class");
    let mut table = Table::new()
        .text("model")
        .text("answer")
        .text("class")
        .number("rows")
        .number("precision")
        .number("recall")
        .number("F1");
    for (name, predictions) in page.subjects() {
        let all: Vec<&Prediction> = predictions.iter().collect();
        for way in Way::ALL {
            let figures = Figures::of(&all, way, page.config.confidence)?;
            for (label, class) in Sentiment::ALL.iter().zip(&figures.classes) {
                let percent = |value| format::percent(value, 1);
                table.push([
                    name.to_owned(),
                    way.name().to_owned(),
                    label.to_string(),
                    class.support.to_string(),
                    percent(class.precision),
                    percent(class.recall),
                    percent(class.f1),
                ]);
            }
        }
    }
    doc.table(table);
    Ok(())
}

/// The rows that the last model was surest to be something else.
fn errors(doc: &mut Document, page: &Page<'_>) {
    let (name, predictions) = page.tuned.map_or(("base", page.base), |tuned| ("tuned", tuned));
    let truth = |p: &Prediction| match p.label {
        Sentiment::Negative => p.p_negative,
        Sentiment::Neutral => p.p_neutral,
        Sentiment::Positive => p.p_positive,
    };
    let mut wrong: Vec<(usize, &Prediction)> =
        predictions.iter().enumerate().filter(|(_, p)| p.predicted != Some(p.label)).collect();
    wrong.sort_by(|(_, a), (_, b)| truth(a).total_cmp(&truth(b)).then_with(|| a.example_id.cmp(&b.example_id)));
    doc.heading("Worst errors");
    if wrong.is_empty() {
        doc.paragraph(format!("The {name} model answered every row rightly."));
        return;
    }
    doc.paragraph(format!(
        "Of the {} rows that the {name} model answered wrongly, those to whose true label it gave the least probability.",
        wrong.len()
    ));
    let mut table = Table::new()
        .text("question")
        .text("language")
        .text("truth")
        .text("answer")
        .text("base answered")
        .number("p(truth)");
    for (row, prediction) in wrong.into_iter().take(page.config.worst) {
        table.push([
            page.questions.get(row).map_or_else(String::new, |q| q.text.clone()),
            prediction.language.to_string(),
            prediction.label.to_string(),
            shown(&prediction.response),
            page.base.get(row).map_or_else(String::new, |b| shown(&b.response)),
            format!("{:.3}", truth(prediction)),
        ]);
    }
    doc.table(table);
}

/// A response so that it can be seen, even if it is empty or runs on.
fn shown(response: &str) -> String {
    let line = response.replace('\n', " ↵ ");
    let short: String = line.chars().take(60).collect();
    match (short.is_empty(), short.len() < line.len()) {
        (true, _) => "(nothing)".into(),
        (false, true) => format!("{short}…"),
        (false, false) => short,
    }
}

fn method(doc: &mut Document, config: &Config) {
    doc.heading("How it was measured");
    doc.list([
        format!("Both models read exactly the prompt tokens that the formatter wrote, and generate greedily, at most {} tokens.", config.max_new_tokens),
        "Generated: the answer must be exactly one label, whatever its case, with white space around it and one full stop allowed; anything else is unparseable and counts as wrong in every denominator.".to_owned(),
        "Scored: each label's tokens and end token are scored as in training, and the likeliest label is taken; this is independent of the form of the answer.".to_owned(),
        format!("Intervals of accuracy are Wilson's, those of differences percentile intervals of a paired bootstrap with {} resamples, all at {:.0} %. McNemar's test is exact and two-sided.", config.resamples, config.confidence * 100.0),
        format!("Calibration error: expected calibration error of the highest label score over {} bins of equal width.", config.calibration_bins),
    ]);
}
