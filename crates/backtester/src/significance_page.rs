//! The report of [`crate::significance`].

use crate::significance::{About, SignificanceConfig};
use crate::significance_figures::{Against, Assessment, Tried};
use crate::summary::bars_per_year;
use report::format::{count, number, percent, signed_percent};
use report::plot::{self, HistogramPlot, IntervalPlot};
use report::{Document, Severity, Table, Tile};
use stats::selection::Interval;

/// Below this probability nobody should believe in a strategy.
const CONFIDENCE: f64 = 0.95;

/// Below this part of a year, figures per year are an extrapolation, and figures per bar are shown.
const SHORT_YEARS: f64 = 0.25;

/// Whether figures are for a year or for a bar.
#[derive(Clone, Copy)]
struct Scale {
    short: bool,
    periods: f64,
}

impl Scale {
    fn of(about: &About, found: &Assessment) -> Self {
        let periods = about.periods.get();
        Self { short: (found.bars as f64) < SHORT_YEARS * periods, periods }
    }

    fn unit(self) -> &'static str {
        if self.short { "per bar" } else { "per year" }
    }

    fn sharpe(self, yearly: f64) -> f64 {
        if self.short { yearly / self.periods.sqrt() } else { yearly }
    }

    fn ratio(self, yearly: f64) -> String {
        number(Some(self.sharpe(yearly)), if self.short { 4 } else { 2 })
    }

    /// A mean return, in basis points where it is for a bar.
    fn mean(self, yearly: f64) -> String {
        if self.short { signed(yearly / self.periods * 1e4, 2) } else { signed_percent(Some(yearly), 1) }
    }

    fn mean_unit(self) -> &'static str {
        if self.short { "mean return per bar, bps, more" } else { "mean return per year, more" }
    }
}

fn signed(value: f64, digits: usize) -> String {
    let text = number(Some(value), digits);
    if value > 0.0 { format!("+{text}") } else { text }
}

pub(crate) fn page(config: &SignificanceConfig, about: &About, found: &Assessment, registry: Option<&str>) -> Document {
    let mut doc = Document::new(format!("Is it skill? The backtest of {}", about.symbol));
    doc.subtitle(format!(
        "{} returns of bars after costs; what luck, the number of tries and the length of the record leave of them",
        count(found.bars as u64)
    ));
    alerts(&mut doc, about, found);
    let scale = Scale::of(about, found);
    if scale.short {
        doc.callout(
            Severity::Warning,
            "Less than a quarter of a year",
            "Sharpe ratios and mean returns are given per bar: scaled to a year they would be an extrapolation from a few days. Tests and \
             probabilities are the same either way.",
        );
    }
    tiles(&mut doc, found, scale);
    tried(&mut doc, found, registry);
    intervals(&mut doc, config, found, scale);
    against(&mut doc, config, found, scale);
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

fn tiles(doc: &mut Document, found: &Assessment, scale: Scale) {
    let trials = found
        .tried
        .as_ref()
        .map_or_else(|| "trials unknown".to_owned(), |t| format!("{} trials", count(t.count as u64)));
    let p = found.figure("strategy", "spa_p_value");
    let mut tiles = vec![
        Tile::new(
            format!("Sharpe ratio, {}", scale.unit()),
            found.sharpe.map_or_else(|| number(None, 2), |s| scale.ratio(s)),
            interval_in_words(strategy(found, |i| i.1.as_ref()), scale),
        ),
        Tile::new(
            "probability that the true Sharpe ratio is above 0",
            percent(found.probabilistic, 1),
            "as if this were the only strategy ever tried",
        ),
        Tile::new("deflated: above what the best of all tries shows by luck", percent(found.deflated, 1), trials),
        Tile::new("p against the hardest benchmark, one-sided", p_value(p), "test for superior predictive ability"),
    ];
    if let Some(o) = &found.overfitting {
        tiles.push(Tile::new(
            "probability of overfitting",
            percent(Some(o.probability), 0),
            "choosing the best of the sweep",
        ));
    }
    doc.tiles(tiles);
    let lost = found.sharpe.is_some_and(|s| s <= 0.0);
    let verdict = match found.deflated.or(found.probabilistic) {
        Some(d) if d >= CONFIDENCE && p.is_some_and(|p| p <= 1.0 - CONFIDENCE) => {
            "Both the deflated Sharpe ratio and the test against all benchmarks speak for skill, as far as this record goes."
        }
        Some(d) if d >= CONFIDENCE => {
            "The Sharpe ratio is probably above what luck would show, but the strategy is not shown to beat every benchmark."
        }
        Some(_) if lost => "This record does not show skill: the strategy earned nothing after costs.",
        Some(_) => "This record does not show skill: luck alone could have given it.",
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

fn interval_in_words(interval: Option<&Interval>, scale: Scale) -> String {
    interval.map_or_else(String::new, |i| format!("{} to {}", scale.ratio(i.low), scale.ratio(i.high)))
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
    match &found.tried.as_ref().and_then(|t| t.effective) {
        Some(e) => doc.paragraph(format!(
            "The returns of the {} variants at hand have a mean correlation of {}. Where all trials resemble each other so, they are \
             worth {} independent ones (r + (1 - r) N, Bailey and López de Prado 2014): the best is then expected to show {} per bar \
             by luck, and the deflated Sharpe ratio is {}.",
            count(found.variants.unwrap_or(0) as u64),
            number(Some(e.correlation), 3),
            number(Some(e.trials), 1),
            number(e.best_by_luck, 5),
            percent(e.deflated, 1),
        )),
        None => doc.paragraph(
            "How much they resemble each other is not known here: give the returns of a sweep's variants with --returns.",
        ),
    };
    if let Some(hash) = registry {
        doc.paragraph(format!("Hash of the registry of trials as it was read: {}.", hash.get(..16).unwrap_or(hash)));
    }
}

fn intervals(doc: &mut Document, config: &SignificanceConfig, found: &Assessment, scale: Scale) {
    doc.heading("How sure the figures are");
    let level = percent(Some(config.level), 0);
    let mut table = Table::new()
        .text("subject")
        .number(format!("Sharpe ratio, {}", scale.unit()))
        .number(format!("{level} interval"))
        .number("total return")
        .number(format!("{level} interval"))
        .caption("Percentile intervals of the stationary bootstrap.");
    for (name, sharpe, total) in &found.intervals {
        table.push([
            name.replace('_', " "),
            sharpe.as_ref().map_or_else(|| number(None, 2), |i| scale.ratio(i.estimate)),
            interval_in_words(sharpe.as_ref(), scale),
            signed_percent(total.as_ref().map(|i| i.estimate), 2),
            total.as_ref().map_or_else(String::new, |i| {
                format!("{} to {}", signed_percent(Some(i.low), 1), signed_percent(Some(i.high), 1))
            }),
        ]);
    }
    doc.table(table);
    let drawn = |i: &Option<Interval>| {
        i.as_ref().map(|i| {
            let at = |yearly| scale.sharpe(yearly);
            stats::classification::Interval { estimate: at(i.estimate), low: at(i.low), high: at(i.high) }
        })
    };
    doc.figure(
        plot::intervals(&IntervalPlot {
            title: format!("Sharpe ratio {} with its {level} interval", scale.unit()),
            x_label: format!("Sharpe ratio {}", scale.unit()),
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

fn against(doc: &mut Document, config: &SignificanceConfig, found: &Assessment, scale: Scale) {
    doc.heading("Against benchmarks");
    let level = percent(Some(config.level), 0);
    let mut table = Table::new()
        .text("against")
        .number(scale.mean_unit())
        .number("p, two-sided")
        .number(format!("Sharpe ratio {}, more", scale.unit()))
        .number("p, two-sided")
        .caption(format!(
            "The strategy less the benchmark on the same resampled blocks, with {level} intervals; p: of a difference as large if there were none."
        ));
    for a in &found.against {
        let cell = |i: &Option<Interval>, text: &dyn Fn(f64) -> String| {
            let range = |i: &Interval| format!("{} ({} to {})", text(i.estimate), text(i.low), text(i.high));
            i.as_ref().map_or_else(|| number(None, 2), range)
        };
        table.push([
            a.name.replace('_', " "),
            cell(&a.mean, &|v| scale.mean(v)),
            p_value(a.mean.as_ref().map(|i| i.p_value)),
            cell(&a.sharpe, &|v| scale.ratio(v)),
            p_value(a.sharpe.as_ref().map(|i| i.p_value)),
        ]);
    }
    doc.table(table);
    doc.paragraph(format!(
        "Is {} better than the benchmark? One-sided: a small p speaks for the strategy. Hansen's test for superior predictive ability, with its \
         bounds, and White's reality check:",
        match found.contestants {
            1 => "the strategy".to_owned(),
            n => format!("the best of {} strategies (this one and the variants of the sweep), given that it is the best of so many,", count(n as u64)),
        },
    ));
    let mut table = Table::new()
        .text("against")
        .number("p, one-sided")
        .number("its lower bound")
        .number("its upper bound")
        .number("p, reality check");
    for Against { name, superior, plain, .. } in &found.against {
        let p = superior.as_ref().map(|s| s.p);
        table.push([
            name.replace('_', " "),
            p_value(p.map(|p| p.consistent)),
            p_value(p.map(|p| p.lower)),
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
        format!("Per year means {}. Deflated and probabilistic Sharpe ratios are computed per bar, with skewness and kurtosis.", bars_per_year(about.periods)),
        format!(
            "{} resamples of the stationary bootstrap, mean block {} bars{}.",
            count(config.resamples as u64),
            number(Some(found.mean_block), 1),
            if config.mean_block.is_some() { " as set" } else { ": the longer of what returns and squared returns ask for (Politis and White)" }
        ),
        format!("Market: {}. This trial: {}.", about.market, about.key.get(..16).unwrap_or(&about.key)),
        "Trials are those of the same instruments, period and bar length. The same positions, prices and rules count once, however often they are run.".to_owned(),
        "The hardest benchmark is the one with the largest p: to be better than all of them takes being better than that one.".to_owned(),
    ]);
}
