//! What decisions knew of the prices that followed, whatever was traded on them.

use artifacts::rows::{Bar, Decision, Metric};
use report::format::{count, number, percent};
use report::{Document, Table};
use stats::Error;
use stats::selection::{HitRate, Information, hit_rate, information_coefficient};

/// Bars after a decision over which it is asked.
const HORIZONS: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// Confidence of the interval of the hit rate.
const LEVEL: f64 = 0.95;

/// Information coefficients over horizons, and the hit rate over one bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Knowledge {
    pub(crate) decay: Vec<Information>,
    pub(crate) hits: HitRate,
}

/// Target positions against the price's return from the close of the bar they were decided on to the close some bars later;
/// several instruments are pooled. `bars` and `decisions` are ordered by symbol, then time. Outcomes of h bars overlap, so t
/// counts n/h pairs.
pub(crate) fn knowledge(bars: &[Bar], decisions: &[Decision]) -> Result<Knowledge, Error> {
    let decay = HORIZONS.iter().map(|horizon| {
        let (targets, outcomes) = pairs(bars, decisions, *horizon);
        let found = information_coefficient(&targets, &outcomes)?;
        let n = found.pairs as f64;
        let free = n / *horizon as f64 - 2.0;
        let t = found.t.filter(|_| free > 0.0).map(|t| t * (free / (n - 2.0)).sqrt());
        Ok(Information { horizon: *horizon, t, ..found })
    });
    let decay = decay.collect::<Result<_, Error>>()?;
    let (targets, outcomes) = pairs(bars, decisions, 1);
    Ok(Knowledge { decay, hits: hit_rate(&targets, &outcomes, LEVEL)? })
}

fn pairs(bars: &[Bar], decisions: &[Decision], horizon: usize) -> (Vec<f64>, Vec<f64>) {
    let of = |decision: &Decision| {
        let key = |b: &Bar| (b.symbol.as_str(), b.event_at).cmp(&(decision.symbol.as_str(), decision.bar_at));
        let at = bars.binary_search_by(key).ok()?;
        let later = bars.get(at + horizon).filter(|b| b.symbol == decision.symbol)?;
        Some((decision.position, later.close / bars.get(at)?.close - 1.0))
    };
    decisions.iter().filter_map(of).unzip()
}

impl Knowledge {
    /// Rows for the table of metrics: the hit rate for all, a coefficient for each horizon.
    pub(crate) fn metrics(&self, subject: &str) -> Vec<Metric> {
        let row = |slice: String, metric: &str, value: Option<f64>, n| Metric {
            subject: subject.to_owned(),
            slice,
            metric: metric.to_owned(),
            value: value.filter(|v| v.is_finite()),
            n,
        };
        let HitRate { calls, rate, interval, .. } = self.hits;
        let mut rows = vec![
            row("all".to_owned(), "hit_rate", rate, calls),
            row("all".to_owned(), "hit_rate_low", interval.map(|i| i.0), calls),
            row("all".to_owned(), "hit_rate_high", interval.map(|i| i.1), calls),
        ];
        for i in &self.decay {
            let (slice, n) = (format!("horizon {}", i.horizon), i.pairs as u64);
            rows.push(row(slice.clone(), "information_coefficient", i.coefficient, n));
            rows.push(row(slice, "information_t", i.t, n));
        }
        rows
    }

    /// The section of the report.
    pub(crate) fn add_to(&self, doc: &mut Document) {
        doc.heading("What the decisions knew");
        let mut table = Table::new().number("bars ahead").number("rank correlation").number("t").number("pairs").caption(
            "Target position against the price's return from that bar's close on, before costs; t counts pairs that do not overlap.",
        );
        for i in &self.decay {
            table.push([count(i.horizon as u64), number(i.coefficient, 4), number(i.t, 2), count(i.pairs as u64)]);
        }
        doc.table(table);
        let within = self.hits.interval.map_or_else(String::new, |(low, high)| {
            format!(" ({} to {}, if bars were independent)", percent(Some(low), 1), percent(Some(high), 1))
        });
        doc.paragraph(format!(
            "The next bar went the way of the decision in {}{within} of {} decisions with a side and a change.",
            percent(self.hits.rate, 1),
            count(self.hits.calls)
        ));
    }
}
