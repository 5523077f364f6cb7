use crate::stage::funnel;
use crate::{Config, Generated, RUNGS, Strategy, Synthesis};
use artifacts::rows::{Candidate, Sentiment, Verdict};
use report::plot::{BarPlot, bars};
use report::{Document, Severity, Table, Tile, format};

/// Samples shown of what was kept and of each refusal.
const SAMPLES: usize = 10;

/// Everything the report shows.
pub(crate) struct Page<'a> {
    pub(crate) config: &'a Config,
    pub(crate) synthesis: &'a Synthesis,
    /// Distinct-2 of the kept rows and of as many real ones.
    pub(crate) diversity: (Option<f64>, Option<f64>),
}

/// The report as a document.
pub(crate) fn page(page: &Page<'_>) -> Document {
    let Page { config, synthesis, diversity } = page;
    let made = synthesis.generated.len();
    let kept = synthesis.of(Verdict::Kept).count();
    let mut doc = Document::new("Synthetic rows");
    doc.subtitle(format!("written by {}, verified by the ladder", synthesis.model));
    doc.tiles(vec![
        Tile::new("kept", format::count(kept as u64), format!("of {} asked for", format::count(config.rows))),
        Tile::new(
            "candidates",
            format::count(made as u64),
            format!("at most {}", format::count(config.max_candidates)),
        ),
        Tile::new("share kept", share(kept, made), "of all candidates"),
        Tile::new(
            "distinct-2",
            format::number(diversity.0, 3),
            format!("{} of as many real rows", format::number(diversity.1, 3)),
        ),
    ]);
    if (kept as u64) < config.rows {
        let (severity, what) = if kept == 0 {
            (Severity::Critical, "Nothing was kept, so there is no synthetic.parquet.")
        } else {
            (Severity::Warning, "Fewer rows were kept than asked for.")
        };
        let text = "The model does not write enough news that passes; the refusals below say why. Raise max_candidates or take another model.";
        doc.callout(severity, what, text);
    }
    rungs(&mut doc, synthesis);
    balance(&mut doc, config, synthesis);
    judges(&mut doc, config, synthesis);
    doc.heading("Samples");
    samples(&mut doc, synthesis, Verdict::Kept);
    for verdict in RUNGS {
        samples(&mut doc, synthesis, verdict);
    }
    doc
}

fn share(part: usize, whole: usize) -> String {
    format::percent((whole > 0).then(|| part as f64 / whole as f64), 1)
}

/// What each rung asks.
const fn question(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "passed every rung",
        Verdict::Format => "one whole, sentence-like line of the right length",
        Verdict::Language => "in the language asked for",
        Verdict::LabelLeak => "does not name its label",
        Verdict::Duplicate => "is no copy of an earlier kept candidate",
        Verdict::Contaminated => "is no copy of a training or evaluation row",
        Verdict::Label => "reads like the real rows, and the judges agree with the label asked for",
        Verdict::Surplus => "its label still has room",
    }
}

fn rungs(doc: &mut Document, synthesis: &Synthesis) {
    let made = synthesis.generated.len();
    let mut left = made;
    let mut table = Table::new().text("rung").text("asks").number("refused").number("left").number("left of all");
    table.push(["generated".to_owned(), String::new(), String::new(), made.to_string(), share(made, made)]);
    let mut steps = vec![("generated".to_owned(), Some(made as f64))];
    for (verdict, count) in funnel(synthesis).into_iter().filter(|(v, _)| *v != Verdict::Kept) {
        left -= count;
        table.push([
            verdict.to_string(),
            question(verdict).to_owned(),
            count.to_string(),
            left.to_string(),
            share(left, made),
        ]);
        steps.push((verdict.to_string(), Some(left as f64)));
    }
    doc.heading("Funnel");
    doc.paragraph("Candidates climb the rungs in this order; the first that refuses one is its verdict.");
    let (categories, values) = steps.into_iter().unzip();
    let plot = BarPlot {
        title: "Candidates left after each rung".into(),
        y_label: "candidates".into(),
        categories,
        series: vec![("left".into(), values)],
    };
    doc.figure(bars(&plot), "Candidates left after each rung.");
    doc.table(table);
}

fn balance(doc: &mut Document, config: &Config, synthesis: &Synthesis) {
    let count = |keep: &dyn Fn(&&Generated) -> bool, verdict: Option<Verdict>| {
        let rows = synthesis.generated.iter().filter(|g| verdict.is_none_or(|v| g.candidate.verdict == v));
        rows.filter(keep).count()
    };
    doc.heading("By label and by way of asking");
    let mut labels =
        Table::new().text("label").number("asked for").number("candidates").number("kept").number("share kept");
    for (label, asked) in Sentiment::ALL.iter().zip(config.shares()) {
        let of = |g: &&Generated| g.candidate.intended == *label;
        let (made, kept) = (count(&of, None), count(&of, Some(Verdict::Kept)));
        labels.push([label.to_string(), asked.to_string(), made.to_string(), kept.to_string(), share(kept, made)]);
    }
    doc.table(labels);
    let used: Vec<Strategy> = Strategy::ALL.into_iter().filter(|s| config.strategies.contains(s)).collect();
    let mut ways = Table::new().text("way of asking");
    for strategy in &used {
        ways = ways.number(strategy.name());
    }
    let of = |strategy: Strategy, verdict| count(&move |g: &&Generated| g.strategy == strategy, verdict);
    ways.push(std::iter::once("candidates".to_owned()).chain(used.iter().map(|s| of(*s, None).to_string())));
    for verdict in RUNGS.into_iter().chain([Verdict::Kept]) {
        let counts = used.iter().map(|s| of(*s, Some(verdict)).to_string());
        ways.push(std::iter::once(verdict.to_string()).chain(counts));
    }
    let shares = used.iter().map(|s| share(of(*s, Some(Verdict::Kept)), of(*s, None)));
    ways.push(std::iter::once("share kept".to_owned()).chain(shares));
    doc.table(ways);
}

type LabelOf = fn(&Candidate) -> Option<Sentiment>;

fn judges(doc: &mut Document, config: &Config, synthesis: &Synthesis) {
    doc.heading("Judges");
    let judged = || synthesis.generated.iter().map(|g| &g.candidate).filter(|c| c.classifier_label.is_some());
    let mut table =
        Table::new().text("judge").number("asked").number("says the label asked for").number("agrees with the other");
    let rows: [(&str, LabelOf); 2] =
        [("classifier trained on real rows", |c| c.classifier_label), ("the language model itself", |c| c.model_label)];
    for (name, label) in rows {
        let asked = judged().filter(|c| label(c).is_some()).count();
        let right = judged().filter(|c| label(c) == Some(c.intended)).count();
        let both: Vec<_> = judged().filter(|c| c.classifier_label.is_some() && c.model_label.is_some()).collect();
        let agree = both.iter().filter(|c| c.classifier_label == c.model_label).count();
        table.push([name.to_owned(), asked.to_string(), share(right, asked), share(agree, both.len())]);
    }
    doc.table(table);
    let check = synthesis.judge;
    doc.paragraph(format!(
        "On the {} real evaluation rows of the language the classifier was sure enough about {} (probability of {} or more), and right about {} of those. Where the judges find the label asked for in only about a third of the texts, the model does not heed the label it is asked for, and that share is the label quality to expect of the kept rows.",
        check.rows,
        check.sure,
        config.classifier_probability,
        format::percent(check.precision(), 1)
    ));
    doc.paragraph(if config.require_model_agreement {
        "Both judges must agree with the label asked for."
    } else {
        "Only the classifier decides; the language model's own label is on record. A model that is not tuned yet labels at random, and one that both writes and judges agrees with itself."
    });
}

fn samples(doc: &mut Document, synthesis: &Synthesis, verdict: Verdict) {
    let count = synthesis.of(verdict).count();
    if count == 0 {
        return;
    }
    doc.subheading(format!("{verdict}: {count}"));
    let mut table = Table::new().number("number").text("label").text("text").text("particulars").number("p(label)");
    // Spread over the whole run: the first ones would all be from its beginning.
    let step = count.div_ceil(SAMPLES).max(1);
    for Generated { candidate, .. } in synthesis.of(verdict).step_by(step) {
        let text = if candidate.text.is_empty() { "(nothing)" } else { &candidate.text };
        table.push([
            candidate.number.to_string(),
            candidate.intended.to_string(),
            text.to_owned(),
            candidate.detail.clone(),
            format::number(candidate.classifier_probability, 2),
        ]);
    }
    doc.table(table);
}
