use artifacts::Timestamp;
use artifacts::rows::{AlertLevel, Bar, News, Observation, QualityFinding, Rejected};
use report::format::count;
use report::{Document, Severity, Table, Tile};
use std::collections::{BTreeMap, BTreeSet};

/// Findings shown one by one; all are in `quality.parquet`.
const SHOWN: usize = 80;

/// One source in the report.
#[derive(Debug)]
pub(super) struct SourceLine {
    name: String,
    kind: &'static str,
    rows: u64,
    symbols: String,
    span: Option<(Timestamp, Timestamp)>,
    interval: Option<i64>,
    rule: String,
}

impl SourceLine {
    pub(super) fn bars(name: &str, kind: &'static str, bars: &[Bar], interval: i64, rule: String) -> Self {
        let symbols = bars.iter().map(|b| b.symbol.as_str()).collect();
        Self::new(name, kind, bars.len() as u64, &symbols, bars.iter().map(|b| b.event_at), Some(interval), rule)
    }

    pub(super) fn news(name: &str, kind: &'static str, news: &[News], rule: String) -> Self {
        let symbols = news.iter().map(|n| n.symbol.as_str()).collect();
        Self::new(name, kind, news.len() as u64, &symbols, news.iter().map(|n| n.event_at), None, rule)
    }

    pub(super) fn table(name: &str, rows: u64, observations: &[Observation], interval: i64, rule: String) -> Self {
        let symbols = observations.iter().map(|o| o.symbol.as_str()).collect();
        Self::new(name, "annotated", rows, &symbols, observations.iter().map(|o| o.event_at), Some(interval), rule)
    }

    fn new(
        name: &str,
        kind: &'static str,
        rows: u64,
        symbols: &BTreeSet<&str>,
        times: impl Iterator<Item = Timestamp> + Clone,
        interval: Option<i64>,
        rule: String,
    ) -> Self {
        let shown = match symbols.len() {
            0..=3 => symbols.iter().copied().collect::<Vec<_>>().join(", "),
            n => n.to_string(),
        };
        Self {
            name: name.to_owned(),
            kind,
            rows,
            symbols: shown,
            span: times.clone().min().zip(times.max()),
            interval,
            rule,
        }
    }
}

fn severity(level: AlertLevel) -> Severity {
    match level {
        AlertLevel::Note => Severity::Note,
        AlertLevel::Warning => Severity::Warning,
        AlertLevel::Critical => Severity::Critical,
    }
}

/// What came in, when it can be known, and what is odd about it.
pub(super) fn document(lines: &[SourceLine], quality: &[QualityFinding], rejected: &[Rejected]) -> Document {
    let mut doc = Document::new("Market data");
    doc.subtitle("What came in, from when on it can be known, and what is odd about it.");
    let of = |level| quality.iter().filter(|f| f.level == level).count() as u64;
    doc.tiles(vec![
        Tile::new(
            "rows kept",
            count(lines.iter().map(|l| l.rows).sum()),
            if lines.len() == 1 { "1 source".to_owned() } else { format!("{} sources", lines.len()) },
        ),
        Tile::new("rows refused", count(rejected.len() as u64), "rejected.parquet"),
        Tile::new("critical findings", count(of(AlertLevel::Critical)), "quality.parquet"),
        Tile::new("warnings", count(of(AlertLevel::Warning)), "change how figures are to be read"),
        Tile::new("notes", count(of(AlertLevel::Note)), "worth knowing"),
    ]);
    doc.heading("Sources");
    let mut table = Table::new()
        .text("source")
        .text("kind")
        .number("rows")
        .text("symbols")
        .text("first")
        .text("last")
        .number("interval, s");
    for line in lines {
        let time =
            |pick: fn((Timestamp, Timestamp)) -> Timestamp| line.span.map(|s| pick(s).to_string()).unwrap_or_default();
        table.push([
            line.name.clone(),
            line.kind.to_owned(),
            count(line.rows),
            line.symbols.clone(),
            time(|s| s.0),
            time(|s| s.1),
            line.interval.map(|i| i.to_string()).unwrap_or_default(),
        ]);
    }
    doc.table(table);
    doc.heading("When a row can be known");
    doc.paragraph("Decisions, features and retrieval see a row only from this time on.");
    let mut table = Table::new().text("source").text("available");
    for line in lines {
        table.push([line.name.clone(), line.rule.clone()]);
    }
    doc.table(table);
    findings(&mut doc, quality);
    if !rejected.is_empty() {
        doc.heading("Refused rows");
        let mut reasons: BTreeMap<(&str, &str), (u64, &str)> = BTreeMap::new();
        for row in rejected {
            reasons.entry((&row.source, &row.reason)).or_insert((0, &row.detail)).0 += 1;
        }
        let mut table = Table::new().text("source").text("reason").number("rows").text("the first");
        for ((source, reason), (rows, detail)) in reasons {
            table.push([source.to_owned(), reason.to_owned(), count(rows), detail.to_owned()]);
        }
        doc.table(table);
    }
    doc
}

fn findings(doc: &mut Document, quality: &[QualityFinding]) {
    doc.heading("Quality");
    if quality.is_empty() {
        doc.paragraph("No check found anything.");
        return;
    }
    for finding in quality.iter().filter(|f| f.level == AlertLevel::Critical).take(10) {
        let title = format!("{}: {} {}", finding.check_name, finding.source, finding.symbol);
        doc.callout(severity(finding.level), title.trim_end(), &finding.message);
    }
    let mut sums: BTreeMap<(&str, &str), (u64, u64, AlertLevel)> = BTreeMap::new();
    for finding in quality {
        let sum = sums.entry((&finding.check_name, &finding.source)).or_insert((0, 0, finding.level));
        *sum = (sum.0 + 1, sum.1 + finding.rows, sum.2.max(finding.level));
    }
    let mut table = Table::new().text("check").text("source").number("findings").number("rows").text("worst");
    for ((check, source), (n, rows, level)) in sums {
        table.push([check.to_owned(), source.to_owned(), count(n), count(rows), severity(level).word().to_owned()]);
    }
    doc.table(table.caption("Findings by check and source."));
    let mut worst: Vec<&QualityFinding> = quality.iter().collect();
    worst.sort_by_key(|f| std::cmp::Reverse(f.level));
    let mut table = Table::new()
        .text("level")
        .text("check")
        .text("source")
        .text("symbol")
        .text("at")
        .number("rows")
        .text("finding");
    for finding in worst.iter().take(SHOWN) {
        table.push([
            severity(finding.level).word().to_owned(),
            finding.check_name.clone(),
            finding.source.clone(),
            finding.symbol.clone(),
            finding.event_at.map(|t| t.to_string()).unwrap_or_default(),
            count(finding.rows),
            finding.message.clone(),
        ]);
    }
    let caption =
        format!("{} of {} findings, the worst first; all are in quality.parquet.", worst.len().min(SHOWN), worst.len());
    doc.table(table.caption(caption));
}
