use super::TradingConfig;
use super::compare::{Comparison, Result};
use report::{Document, Severity, Table, format, plot};

/// The comparison as a report.
pub(super) fn page(settings: &TradingConfig, results: &[Result], comparison: &Comparison) -> Document {
    let mut document = Document::new("Task 3: what each change to the strategy brings");
    let bars = results.first().map_or(0, |r| r.returns.len());
    document.subtitle(format!(
        "{} arms on the same {bars} returns with the same costs, {} seeds where chance plays a part, 95 % intervals from {} resamples of blocks of bars",
        results.len(),
        settings.seeds.len(),
        settings.resamples
    ));
    document.paragraph(
        "Each arm changes one part of the strategy. An arm's returns are the mean over its seeds. Differences are to the first arm, on \
         the same resampled bars; where an interval holds 0, this period cannot tell the two apart.",
    );
    figures(&mut document, results, comparison);
    differences(&mut document, results, comparison);
    unseen(&mut document, settings, results, comparison);
    recommendations(&mut document, results, comparison);
    document
}

fn figures(document: &mut Document, results: &[Result], comparison: &Comparison) {
    document.heading("Every arm");
    let head = Table::new().text("arm").text("what").number("total return").number("over seeds ±").number("Sharpe, per year");
    let head = head.number("largest drawdown").number("turnover").number("costs").number("tokens").number("model cost");
    let mut table = head.number("return net of model cost");
    for (result, arm) in results.iter().zip(&comparison.arms) {
        table.push([
            result.name.clone(),
            result.what.clone(),
            format::signed_percent(arm.total_return, 2),
            format::percent(arm.deviation, 2),
            format::number(arm.sharpe, 2),
            format::percent(arm.drawdown, 2),
            format::number(arm.turnover, 1),
            format::number(arm.cost, 0),
            format::count(result.tokens as u64),
            format::number(Some(result.money), 2),
            format::signed_percent(arm.net_return, 2),
        ]);
    }
    document.table(table);
    let bars = plot::BarPlot {
        title: "Total return by arm".into(),
        y_label: "share".into(),
        categories: results.iter().map(|r| r.name.clone()).collect(),
        series: vec![("total return".into(), comparison.arms.iter().map(|a| a.total_return).collect())],
    };
    document.figure(plot::bars(&bars), "The mean over seeds, after costs.");
    let seconds = |t: &artifacts::Timestamp| t.micros() as f64 / 1e6;
    let grown = |r: &Result| {
        let mut equity = 1.0;
        r.bars.iter().zip(&r.returns).map(|(t, x)| {
            equity *= 1.0 + x;
            (seconds(t), equity)
        }).collect()
    };
    let series = results.iter().take(8).map(|r| plot::Series { name: r.name.clone(), points: grown(r) }).collect();
    let lines = plot::LinePlot { title: "Growth of 1".into(), x: plot::XAxis::Time, y_label: "multiple".into(), series };
    document.figure(plot::line(&lines), "From the mean returns over seeds, after costs.");
}

fn differences(document: &mut Document, results: &[Result], comparison: &Comparison) {
    document.heading("Differences to the first arm");
    let reference = results.first().map_or("", |r| &r.name);
    let head = Table::new().text("arm").number("difference in total return [95 %]").number("one-sided p").number("verdict");
    let mut table = head.caption(format!("Against “{reference}”; p is the share of resamples in which the arm is not better"));
    for (result, arm) in results.iter().zip(&comparison.arms).skip(1) {
        let verdict = match (arm.low, arm.high) {
            (Some(low), _) if low > 0.0 => "better",
            (_, Some(high)) if high < 0.0 => "worse",
            _ if arm.difference == Some(0.0) && arm.low == arm.high => "the same decisions",
            _ => "cannot be told apart",
        };
        table.push([
            result.name.clone(),
            format!(
                "{} [{}, {}]",
                format::signed_percent(arm.difference, 2),
                format::signed_percent(arm.low, 2),
                format::signed_percent(arm.high, 2)
            ),
            format::number(arm.p_value, 3),
            verdict.to_owned(),
        ]);
    }
    document.table(table);
    document.paragraph(format!(
        "Looked at one by one, some arm will seem better by chance. Taken together: the probability of an advantage as large as the \
         largest, if no arm were better than “{reference}”, is {} (test for superior predictive ability).",
        format::number(comparison.any_better, 3)
    ));
    document.paragraph(format!(
        "The best arm was found by looking at {} of them. Deflated for that, the probability that its true Sharpe ratio is above what \
         the best of {} without skill would show is {}.",
        results.len(),
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

fn recommendations(document: &mut Document, results: &[Result], comparison: &Comparison) {
    document.heading("What worked, what did not, what to do");
    let mut points = Vec::new();
    for (result, arm) in results.iter().zip(&comparison.arms).skip(1) {
        let difference = format::signed_percent(arm.difference, 2);
        points.push(match (arm.low, arm.high) {
            (Some(low), _) if low > 0.0 => {
                format!("“{}” is better by {difference}; keep it, and confirm it on another period.", result.name)
            }
            (_, Some(high)) if high < 0.0 => {
                format!("“{}” is worse by {difference}; leave it out.", result.name)
            }
            _ if arm.difference == Some(0.0) && arm.low == arm.high => {
                format!("“{}” changes no decision here.", result.name)
            }
            _ => format!(
                "“{}” differs by {difference}, which chance explains; it needs more bars, not more tuning.",
                result.name
            ),
        });
    }
    document.list(points);
    document.callout(
        Severity::Note,
        "What this cannot say",
        "One market over one period is one sample. Intervals cover the bars of this period; they do not cover other markets, and no \
         figure here was confirmed by trading.",
    );
}
