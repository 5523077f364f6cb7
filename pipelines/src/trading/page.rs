use super::TradingConfig;
use super::compare::{Arm, Comparison, Result};
use super::heard::Heard;
use report::{Document, Severity, Table, Tile, format, plot};
use std::fmt::Write;

/// Below this span a Sharpe ratio is given for a bar: a year would be made of a few days.
const SHORT_DAYS: f64 = 90.0;
/// Most lines that can still be told apart.
const LINES: usize = 10;

/// The comparison as a report.
pub(super) fn page(settings: &TradingConfig, results: &[Result], comparison: &Comparison) -> Document {
    let mut document = Document::new("Task 3: what each change to the strategy brings");
    let bars = results.first().map_or(0, |r| r.returns.len());
    document.subtitle(format!(
        "{} arms on the same {} bar returns with the same costs; {} where chance plays a part",
        results.len(),
        format::count(bars as u64),
        several(settings.seeds.len(), "seed"),
    ));
    summary(&mut document, results, comparison);
    question(&mut document, settings, results);
    figures(&mut document, results, comparison);
    differences(&mut document, settings, results, comparison);
    unseen(&mut document, settings, results, comparison);
    commentary(&mut document, settings, results, comparison);
    document
}

/// `1 seed`, `3 seeds`.
fn several(n: usize, what: &str) -> String {
    format!("{} {what}{}", format::count(n as u64), if n == 1 { "" } else { "s" })
}

/// How an arm stands to the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Better,
    Worse,
    Same,
    Open,
}

impl Verdict {
    fn of(arm: &Arm) -> Self {
        match (arm.low, arm.high) {
            (Some(low), _) if low > 0.0 => Self::Better,
            (_, Some(high)) if high < 0.0 => Self::Worse,
            _ if arm.difference == Some(0.0) && arm.low == arm.high => Self::Same,
            _ => Self::Open,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Better => "better than the first",
            Self::Worse => "worse than the first",
            Self::Same => "the same decisions",
            Self::Open => "cannot be told apart",
        }
    }
}

fn summary(document: &mut Document, results: &[Result], comparison: &Comparison) {
    let Some((first, arm)) = results.first().zip(comparison.arms.first()) else { return };
    let verdicts: Vec<Verdict> = comparison.arms.iter().skip(1).map(Verdict::of).collect();
    let count = |wanted: Verdict| format::count(verdicts.iter().filter(|v| **v == wanted).count() as u64);
    document.tiles(vec![
        Tile::new(
            format!("“{}”, total return", first.name),
            format::signed_percent(arm.total_return, 2),
            "the arm that the others change",
        ),
        Tile::new("arms better than it", count(Verdict::Better), "95 % interval above 0, each by itself"),
        Tile::new("cannot be told apart", count(Verdict::Open), "95 % interval holds 0"),
        Tile::new("worse", count(Verdict::Worse), "95 % interval below 0"),
        Tile::new(
            "is any better? p, for all arms together",
            p_value(comparison.any_better),
            "test for superior predictive ability",
        ),
    ]);
}

/// The changes whose effect is known beforehand only as a hope.
fn question(document: &mut Document, settings: &TradingConfig, results: &[Result]) {
    document.heading("What was changed, and why");
    let sets = |start: &str| settings.arms.iter().any(|a| a.set.iter().any(|s| s.starts_with(start)));
    let mut improvements = Vec::new();
    if sets("agent.agents.retrieval.on") {
        improvements.push(
            "Retrieval of similar past cases. Weakness: each bar is judged as if nothing like it had happened before. Change: earlier \
             news like the newest are looked up (word match and nearest vectors, the two rankings fused), and what the price did after \
             them is given to the agents as facts. Only cases whose outcome was known at the moment of the decision can be found, and word \
             frequencies are counted as of it.",
        );
    }
    if sets("agent.agents.grounding_filter.on") || sets("agent.agents.calibration.method") {
        improvements.push(
            "Grounding filter and calibrated confidence. Weakness: agents state things that their facts do not say, and are surer than they are \
             right. Change: claims that the verifier refuses are dropped before anyone hears them and an opinion with few supported claims \
             counts less; confidence is mapped to the share of past decisions like it that turned out right, and sizes the position.",
        );
    }
    if !improvements.is_empty() {
        document.paragraph(format!(
            "{}, each also measured by itself where there is an arm for it:",
            if improvements.len() == 1 { "One improvement" } else { "Two improvements" }
        ));
        document.list(improvements);
    }
    document.paragraph(
        "Every arm is the strategy with only the settings below changed. All trade the same bars with the same costs, and none sees a row before it could be \
         known. An arm's returns are the mean over its seeds.",
    );
    let mut table = Table::new().text("arm").text("what is different").text("settings");
    for (result, arm) in results.iter().zip(&settings.arms) {
        let reader = (!arm.tuned).then(|| "base model instead of the tuned one".to_owned());
        let set: Vec<String> = arm.set.iter().cloned().chain(reader).collect();
        table.push([
            result.name.clone(),
            result.what.clone(),
            if set.is_empty() { "as configured".to_owned() } else { set.join(" ") },
        ]);
    }
    document.table(table);
}

fn days(results: &[Result]) -> f64 {
    match results.first().map(|r| r.bars.as_slice()) {
        Some([first, .., last]) => last.seconds_since(*first) / 86_400.0,
        _ => 0.0,
    }
}

fn figures(document: &mut Document, results: &[Result], comparison: &Comparison) {
    document.heading("Results of every arm");
    let short = days(results) < SHORT_DAYS;
    let head = Table::new().text("arm").number("total return").number("over seeds ±");
    let head = head.number(if short { "Sharpe ratio, per bar" } else { "Sharpe ratio, per year" });
    let head = head.number("largest drawdown").number("turnover, multiple of equity").number("trading costs, currency");
    let mut table = head.caption(format!(
        "After trading costs, mean over seeds; ± is the standard deviation over seeds.{}",
        if short { " With so few days nothing is scaled to a year." } else { "" }
    ));
    for (result, arm) in results.iter().zip(&comparison.arms) {
        table.push([
            result.name.clone(),
            format::signed_percent(arm.total_return, 2),
            format::percent(arm.deviation, 2),
            if short { format::number(result.sharpe_per_bar(), 4) } else { format::number(arm.sharpe, 2) },
            format::percent(arm.drawdown, 2),
            format::number(arm.turnover, 1),
            format::number(arm.cost, 0),
        ]);
    }
    document.table(table);
    models(document, results, comparison);
    let bars = plot::BarPlot {
        title: "Total return by arm".into(),
        y_label: "% of the capital".into(),
        categories: results.iter().map(|r| r.name.clone()).collect(),
        series: vec![(
            "total return".into(),
            comparison.arms.iter().map(|a| a.total_return.map(|r| 100.0 * r)).collect(),
        )],
    };
    document.figure(plot::bars(&bars), "Mean over seeds, after trading costs.");
    let seconds = |t: &artifacts::Timestamp| t.micros() as f64 / 1e6;
    let grown = |r: &Result| {
        let mut equity = 1.0;
        r.bars
            .iter()
            .zip(&r.returns)
            .map(|(t, x)| {
                equity *= 1.0 + x;
                (seconds(t), equity)
            })
            .collect()
    };
    let series = results.iter().take(LINES).map(|r| plot::Series { name: r.name.clone(), points: grown(r) }).collect();
    let lines = plot::LinePlot {
        title: "Growth of 1".into(),
        x: plot::XAxis::Time,
        y_label: "multiple of the capital".into(),
        series,
    };
    let left = results.len().saturating_sub(LINES);
    let more = if left > 0 { format!(" {left} more arms are not drawn.") } else { String::new() };
    document.figure(plot::line(&lines), format!("From the mean returns over seeds, after trading costs.{more}"));
}

/// What the agents said, what the models read, wrote and cost.
fn models(document: &mut Document, results: &[Result], comparison: &Comparison) {
    let head = Table::new().text("arm").number("claims made").number("claims heard").number("wrong among those heard");
    let head = head.number("model tokens, a run").number("model cost, a run").number("return net of model cost");
    let known = results.iter().filter_map(|r| r.heard.as_ref()).all(|h| h.known);
    let mut table = head.caption(format!(
        "Claims of all runs; heard are those left in the opinions after the filter, where there is one. Wrong: {}. Model cost by the run's price \
         table, in which a model on this machine and the simulation cost nothing.",
        if known {
            "errors that the simulated reasoner is known to have put in, whether or not the verifier sees them"
        } else {
            "what the verifier does not find in the cited fact; after a filter by the same verifier that is none by construction"
        }
    ));
    for (result, arm) in results.iter().zip(&comparison.arms) {
        let claims = |pick: fn(&Heard) -> u64| {
            result.heard.as_ref().map_or_else(|| format::UNDEFINED.to_owned(), |h| format::count(pick(h)))
        };
        table.push([
            result.name.clone(),
            claims(|h| h.made),
            claims(|h| h.left),
            format::percent(result.heard.as_ref().and_then(Heard::share), 2),
            format::count(result.tokens as u64),
            format::number(Some(result.money), 2),
            format::signed_percent(arm.net_return, 2),
        ]);
    }
    document.table(table);
}

/// Three decimals; what is smaller is said to be smaller, and never 0.
fn p_value(p: Option<f64>) -> String {
    match p {
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        p => format::number(p, 3),
    }
}

fn interval(arm: &Arm) -> String {
    format!(
        "{} [{}, {}]",
        format::signed_percent(arm.difference, 2),
        format::signed_percent(arm.low, 2),
        format::signed_percent(arm.high, 2)
    )
}

fn differences(document: &mut Document, settings: &TradingConfig, results: &[Result], comparison: &Comparison) {
    document.heading("Differences to the first arm");
    let reference = results.first().map_or("", |r| &r.name);
    let head = Table::new().text("arm").number("difference in total return [95 % interval]").number("p, one-sided");
    let mut table = head.text("verdict").caption(format!(
        "Arm less “{reference}”, from {} resamples of blocks of bars, the same for both. p: the share of resamples in which the arm is not \
         better; near 0 speaks for the arm, near 1 against it.",
        format::count(settings.resamples as u64)
    ));
    for (result, arm) in results.iter().zip(&comparison.arms).skip(1) {
        table.push([result.name.clone(), interval(arm), p_value(arm.p_value), Verdict::of(arm).words().to_owned()]);
    }
    document.table(table);
    document.paragraph(format!(
        "Looked at one by one, some arm will seem better by chance. Taken together, if no arm were better than “{reference}”, an advantage as \
         large as the largest would be seen with probability {} (Hansen's test for superior predictive ability).",
        p_value(comparison.any_better)
    ));
    document.paragraph(format!(
        "Better than the first is not yet good. The best arm was found by looking at {}; deflated for that, the probability that its true \
         Sharpe ratio is above what the best of as many without skill would show is {}.",
        results.len(),
        format::percent(comparison.deflated, 1)
    ));
}

fn unseen(document: &mut Document, settings: &TradingConfig, results: &[Result], comparison: &Comparison) {
    document.heading("Chosen on one part, judged on the next");
    let Some(choice) = &comparison.choice else {
        document.paragraph("There are too few bars to choose on one part and judge on another.");
        return;
    };
    let name = |i: usize| results.get(i).map_or("", |r| r.name.as_str());
    document.paragraph(format!(
        "By the first {} of the bars, “{}” has the highest Sharpe ratio. On the bars after them, which the choice did not see, it \
         returns {}; the first arm, “{}”, returns {}. The arm that would have been best there is “{}” with {}.",
        format::percent(Some(settings.choose_share), 0),
        name(choice.chosen),
        format::signed_percent(Some(choice.chosen_return), 2),
        name(0),
        format::signed_percent(Some(choice.reference_return), 2),
        name(choice.best),
        format::signed_percent(Some(choice.best_return), 2),
    ));
}

fn commentary(document: &mut Document, settings: &TradingConfig, results: &[Result], comparison: &Comparison) {
    document.heading("What worked, what did not");
    let Some((reference, base)) = results.first().zip(comparison.arms.first()) else { return };
    let mut points = Vec::new();
    for (result, arm) in results.iter().zip(&comparison.arms).skip(1) {
        points.push(point(&reference.name, (reference, base), (result, arm)));
    }
    document.list(points);
    if comparison.arms.iter().all(|a| a.total_return.is_some_and(|r| r < 0.0)) {
        document.paragraph(
            "Every arm loses money after costs. An arm that is better here loses less; arms that trade less lose less to costs, and that alone is \
             no knowledge of the market.",
        );
    }
    document.heading("Recommendation");
    document.list(recommendations(settings, results, comparison));
    document.callout(
        Severity::Note,
        "What this cannot say",
        "One market over one period is one sample. Intervals cover the bars of this period; they do not cover other markets, and no \
         figure here was confirmed by trading.",
    );
}

/// One arm in a sentence or two: the difference, what was traded for it, and what became of the claims.
fn point(reference: &str, (first, base): (&Result, &Arm), (result, arm): (&Result, &Arm)) -> String {
    let name = &result.name;
    let mut text = match Verdict::of(arm) {
        Verdict::Better => format!("“{name}”: better than “{reference}” by {}.", interval(arm)),
        Verdict::Worse => format!("“{name}”: worse than “{reference}” by {}.", interval(arm)),
        Verdict::Same => format!("“{name}”: changes no decision here."),
        Verdict::Open => format!("“{name}”: {}; these bars cannot tell it from no difference.", interval(arm)),
    };
    if let (Some(own), Some(of)) = (arm.turnover, base.turnover)
        && of > 0.0
        && (own / of - 1.0).abs() >= 0.1
    {
        write!(
            text,
            " It trades {} {}, costs {} against {}.",
            format::percent(Some((own / of - 1.0).abs()), 0),
            if own < of { "less" } else { "more" },
            format::number(arm.cost, 0),
            format::number(base.cost, 0)
        )
        .ok();
    }
    let share = |r: &Result| r.heard.as_ref().and_then(Heard::share);
    if let (Some(own), Some(of)) = (share(result), share(first))
        && (own - of).abs() >= 0.01
    {
        write!(
            text,
            " Of the claims heard, {} are wrong against {}.",
            format::percent(Some(own), 1),
            format::percent(Some(of), 1)
        )
        .ok();
    }
    text
}

/// What to do, by the verdicts.
fn recommendations(settings: &TradingConfig, results: &[Result], comparison: &Comparison) -> Vec<String> {
    let named = |wanted: Verdict| {
        let found = results.iter().zip(&comparison.arms).skip(1).filter(|(_, a)| Verdict::of(a) == wanted);
        found.map(|(r, _)| format!("“{}”", r.name)).collect::<Vec<_>>().join(", ")
    };
    let mut points = Vec::new();
    if comparison.arms.iter().all(|a| a.total_return.is_some_and(|r| r <= 0.0)) {
        points.push(
            "Trade none of these as they are: none earns anything after costs. What follows is about which to develop."
                .to_owned(),
        );
    }
    let better = named(Verdict::Better);
    if better.is_empty() {
        points.push(format!(
            "Do not replace “{}” for its returns: no arm is shown to earn more.",
            results.first().map_or("", |r| &r.name)
        ));
    } else if comparison.any_better.is_some_and(|p| p < 0.05) {
        points.push(format!("Prefer {better}, which holds also when all arms are tested together, and confirm it on another period before relying on it."));
    } else {
        points
            .push(format!("Take {better} only as a lead: tested together with all arms the advantage may be chance."));
    }
    let worse = named(Verdict::Worse);
    if !worse.is_empty() {
        points.push(format!("Leave out {worse}."));
    }
    let open = named(Verdict::Open);
    if !open.is_empty() {
        points.push(format!("{open}: collect more bars before deciding; more tuning on these would fit chance."));
    }
    let share = |r: &Result| r.heard.as_ref().and_then(Heard::share);
    let filtered = results
        .iter()
        .zip(&settings.arms)
        .find(|(_, a)| a.set.iter().any(|s| s.starts_with("agent.agents.grounding_filter.on")));
    if let Some(((result, _), first)) = filtered.zip(results.first())
        && let (Some(own), Some(of)) = (share(result), share(first))
        && own < of
        && result.heard.is_some_and(|h| h.known)
    {
        points.push(format!(
            "Keep the grounding filter for what it keeps out, whatever the returns: wrong claims among those heard fall from {} to {}.",
            format::percent(Some(of), 1),
            format::percent(Some(own), 1)
        ));
    }
    points
}
