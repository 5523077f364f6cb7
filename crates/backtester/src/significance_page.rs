//! The report of [`crate::significance`].

use crate::significance::{About, SignificanceConfig};
use crate::significance_figures::{Against, Assessment, Tried};
use report::format::{count, number, percent, signed_percent};
use report::plot::{self, HistogramPlot, IntervalPlot};
use report::{Document, Severity, Table, Tile};
use stats::selection::Interval;

/// Below this probability nobody should believe in a strategy.
const CONFIDENCE: f64 = 0.95;

pub(crate) fn page(config: &SignificanceConfig, about: &About, found: &Assessment, registry: Option<&str>) -> Document {
    let mut doc = Document::new(format!("Is it skill? The backtest of {}", about.symbol));
    doc.subtitle(about.market.clone());
    alerts(&mut doc, about, found);
    tiles(&mut doc, found);
    tried(&mut doc, found, registry);
    intervals(&mut doc, config, found);
    against(&mut doc, config, found);
    overfitting(&mut doc, config, found);
    rules(&mut doc, config, about, found);
    doc
}

fn alerts(doc: &mut Document, about: &About, found: &Assessment) {
    if about.lookahead {
        doc.callout(
            Severity::Critical,
            "LOOK-AHEAD: this backtest cannot be had",
            "It was run with allow_lookahead_same_bar_fill; no test makes its figures true.",
        );
    }
    if found.tried.is_none() {
        doc.callout(
            Severity::Warning,
            "Nothing is deflated",
            "No registry of trials was given, so nobody knows how many variants were tried. Give one with --trials.",
        );
    }
    if found.tried.as_ref().is_some_and(|t| !t.registered) {
        doc.callout(
            Severity::Note,
            "This variant is not in the registry",
            "It is counted as one more trial. Run the backtest with --trials to have it written down.",
        );
    }
    if let Some(least) = found.track_record
        && least > found.bars as f64
    {
        doc.callout(
            Severity::Warning,
            "The record is too short",
            format!(
                "{} bars; a Sharpe ratio like this one needs {} to be above 0 with confidence.",
                count(found.bars as u64),
                number(Some(least.ceil()), 0)
            ),
        );
    }
}

fn tiles(doc: &mut Document, found: &Assessment) {
    let trials = found
        .tried
        .as_ref()
        .map_or_else(|| "trials unknown".to_owned(), |t| format!("{} trials", count(t.count as u64)));
    let p = found.figure("strategy", "spa_p_value");
    let mut tiles = vec![
        Tile::new(
            "Sharpe ratio, per year",
            number(found.sharpe, 2),
            interval_in_words(strategy(found, |i| i.1.as_ref()), 2),
        ),
        Tile::new("P(true Sharpe ratio > 0)", percent(found.probabilistic, 1), "of one strategy, tried once"),
        Tile::new("deflated", percent(found.deflated, 1), trials),
        Tile::new("p of the hardest benchmark", p_value(p), "superior predictive ability"),
    ];
    if let Some(o) = &found.overfitting {
        tiles.push(Tile::new(
            "probability of overfitting",
            percent(Some(o.probability), 0),
            "choosing the best of the sweep",
        ));
    }
    doc.tiles(tiles);
    let verdict = match found.deflated.or(found.probabilistic) {
        Some(d) if d >= CONFIDENCE && p.is_some_and(|p| p <= 1.0 - CONFIDENCE) => {
            "Both the deflated Sharpe ratio and the test against all benchmarks speak for skill, as far as this record goes."
        }
        Some(d) if d >= CONFIDENCE => {
            "The Sharpe ratio is probably above what luck would show, but the strategy is not shown to beat every benchmark."
        }
        Some(_) => "This record does not show skill: luck would explain it.",
        None => "The returns do not vary, or are too few, so there is nothing to judge.",
    };
    doc.paragraph(verdict);
}

/// Three decimals; what is smaller is said to be smaller, and never 0.
fn p_value(p: Option<f64>) -> String {
    match p {
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        p => number(p, 3),
    }
}

type Row = (String, Option<Interval>, Option<Interval>);

fn strategy(found: &Assessment, which: fn(&Row) -> Option<&Interval>) -> Option<&Interval> {
    found.intervals.iter().find(|(name, ..)| name == "strategy").and_then(which)
}

fn interval_in_words(interval: Option<&Interval>, digits: usize) -> String {
    interval
        .map_or_else(String::new, |i| format!("{} to {}", number(Some(i.low), digits), number(Some(i.high), digits)))
}

fn tried(doc: &mut Document, found: &Assessment, registry: Option<&str>) {
    let Some(Tried { count: n, variance, best_by_luck, origins, .. }) = &found.tried else { return };
    doc.heading("How many were tried");
    let origins: Vec<String> = origins.iter().map(|(origin, n)| format!("{} by {origin}", count(*n as u64))).collect();
    let yearly = best_by_luck.zip(found.sharpe).map(|(b, _)| b);
    doc.paragraph(format!(
        "{} variants on these bars ({}). Their Sharpe ratios per bar have a standard deviation of {}, so the best of as many without \
         any skill is expected to show {} per bar. The deflated Sharpe ratio, {}, is the probability that the true one is above that.",
        count(*n as u64),
        if origins.is_empty() { "none written down".to_owned() } else { origins.join(", ") },
        number(Some(variance.sqrt()), 5),
        number(yearly, 5),
        percent(found.deflated, 1),
    ));
    doc.paragraph(
        "Trials are counted as if they were independent; variants of one idea resemble each other, so the true bar is somewhat lower. \
         Trials nobody wrote down make it higher.",
    );
    if let Some(hash) = registry {
        doc.paragraph(format!("Registry: blake3 {}.", hash.get(..16).unwrap_or(hash)));
    }
}

fn intervals(doc: &mut Document, config: &SignificanceConfig, found: &Assessment) {
    doc.heading("How sure the figures are");
    let level = percent(Some(config.level), 0);
    let mut table = Table::new()
        .text("subject")
        .number("Sharpe ratio, per year")
        .number(format!("{level} interval"))
        .number("total return")
        .number(format!("{level} interval"))
        .caption("Percentile intervals of the stationary bootstrap.");
    for (name, sharpe, total) in &found.intervals {
        table.push([
            name.replace('_', " "),
            number(sharpe.as_ref().map(|i| i.estimate), 2),
            interval_in_words(sharpe.as_ref(), 2),
            signed_percent(total.as_ref().map(|i| i.estimate), 2),
            total.as_ref().map_or_else(String::new, |i| {
                format!("{} to {}", signed_percent(Some(i.low), 1), signed_percent(Some(i.high), 1))
            }),
        ]);
    }
    doc.table(table);
    let drawn = |i: &Option<Interval>| {
        i.as_ref().map(|i| stats::classification::Interval { estimate: i.estimate, low: i.low, high: i.high })
    };
    doc.figure(
        plot::intervals(&IntervalPlot {
            title: "Sharpe ratio per year with its interval".to_owned(),
            x_label: "Sharpe ratio per year".to_owned(),
            rows: found.intervals.iter().map(|(name, ..)| name.replace('_', " ")).collect(),
            series: vec![("Sharpe ratio".to_owned(), found.intervals.iter().map(|(_, s, _)| drawn(s)).collect())],
            mark: Some(0.0),
        }),
        format!(
            "Blocks of {} bars on average keep what bars near each other have in common.",
            number(Some(found.mean_block), 1)
        ),
    );
}

fn against(doc: &mut Document, config: &SignificanceConfig, found: &Assessment) {
    doc.heading("Against benchmarks");
    let level = percent(Some(config.level), 0);
    let mut table = Table::new()
        .text("against")
        .number("mean return a year, more")
        .number("p")
        .number("Sharpe ratio, more")
        .number("p")
        .caption(format!(
            "The strategy less the benchmark on the same resampled blocks, with {level} intervals; p of no difference, two-sided."
        ));
    for a in &found.against {
        let cell = |i: &Option<Interval>, text: fn(f64) -> String| {
            let range = |i: &Interval| format!("{} ({} to {})", text(i.estimate), text(i.low), text(i.high));
            i.as_ref().map_or_else(String::new, range)
        };
        let share = |v: f64| signed_percent(Some(v), 1);
        let ratio = |v: f64| number(Some(v), 2);
        table.push([
            a.name.replace('_', " "),
            cell(&a.mean, share),
            p_value(a.mean.as_ref().map(|i| i.p_value)),
            cell(&a.sharpe, ratio),
            p_value(a.sharpe.as_ref().map(|i| i.p_value)),
        ]);
    }
    doc.table(table);
    doc.paragraph(format!(
        "Is the best of {} better than the benchmark, given that it is the best of {}? Hansen's test, with its bounds, and White's reality check:",
        match found.contestants {
            1 => "one strategy".to_owned(),
            n => format!("{} strategies (this one and the variants of the sweep)", count(n as u64)),
        },
        if found.contestants == 1 { "one" } else { "so many" },
    ));
    let mut table =
        Table::new().text("against").number("p, lower").number("p").number("p, upper").number("reality check");
    for Against { name, superior, plain, .. } in &found.against {
        let p = superior.as_ref().map(|s| s.p);
        table.push([
            name.replace('_', " "),
            p_value(p.map(|p| p.lower)),
            p_value(p.map(|p| p.consistent)),
            p_value(p.map(|p| p.upper)),
            p_value(plain.as_ref().map(|s| s.p.upper)),
        ]);
    }
    doc.table(table);
}

fn overfitting(doc: &mut Document, config: &SignificanceConfig, found: &Assessment) {
    doc.heading("Overfitting");
    let (Some(o), Some(variants)) = (&found.overfitting, found.variants) else {
        doc.paragraph("Not computed: it needs the returns of all variants of a sweep (--returns).");
        return;
    };
    doc.paragraph(format!(
        "{} variants, {} splits of {} blocks in time into a past and a future. The variant that was best in the past is in the lower half \
         of the future in {} of the splits, and loses there in {}. Median Sharpe ratio per bar of the chosen one: {} in the past, {} in the future; \
         slope of future over past {}.",
        count(variants as u64),
        count(o.logits.len() as u64),
        config.blocks,
        percent(Some(o.probability), 1),
        percent(Some(o.loss_probability), 1),
        number(o.chosen_in, 4),
        number(o.chosen_out, 4),
        number(o.slope, 2),
    ));
    doc.figure(
        plot::histogram(&HistogramPlot {
            title: "Rank out of sample of the variant that was best in sample".to_owned(),
            x_label: "logit of the relative rank: below 0, worse than the median".to_owned(),
            bins: 30,
            series: vec![("splits".to_owned(), o.logits.clone())],
        }),
        "Choosing well lies on the right; no knowledge is symmetric about 0.",
    );
}

fn rules(doc: &mut Document, config: &SignificanceConfig, about: &About, found: &Assessment) {
    doc.heading("How it was computed");
    doc.list([
        format!("Per year means {} bars. Deflated and probabilistic Sharpe ratios are computed per bar, with skewness and kurtosis.", number(Some(about.periods.get()), 1)),
        format!(
            "{} resamples of the stationary bootstrap, mean block {} bars{}.",
            count(config.resamples as u64),
            number(Some(found.mean_block), 1),
            if config.mean_block.is_some() { " as set" } else { ": the longer of what returns and squared returns ask for (Politis and White)" }
        ),
        format!("Trial: {}.", about.key.get(..16).unwrap_or(&about.key)),
        "Trials are those of the same instruments, period and bar length. The same positions, prices and rules count once, however often they are run.".to_owned(),
        "The hardest benchmark is the one with the largest p: to be better than all of them takes being better than that one.".to_owned(),
    ]);
}
