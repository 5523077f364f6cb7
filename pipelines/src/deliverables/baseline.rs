use super::architecture::architecture;
use super::write;
use crate::Run;
use artifacts::rows::{Bar, CheckedClaim, Decision, Fact, Opinion, QualityFinding};
use artifacts::{Manifest, read_all};
use report::{Document, Table, Tile, format, plot};
use std::collections::{BTreeMap, BTreeSet};

/// Instruments that are drawn.
const DRAWN: usize = 4;
/// Facts shown of the worked example; the rest is in facts.parquet.
const FACTS_SHOWN: usize = 40;

/// `task_1_baseline/baseline_strategy.ipynb`: the data, how a decision is made, one in full, and all of them.
pub(crate) fn baseline(run: &Run) -> anyhow::Result<()> {
    let agent = |file| run.file("trading-agent", file);
    let inputs = vec![
        run.file("ingest-market", "bars.parquet"),
        run.file("ingest-market", "quality.parquet"),
        agent("decisions.parquet"),
        agent("facts.parquet"),
        agent("opinions.parquet"),
        agent("checked_claims.parquet"),
        agent("traces.parquet"),
    ];
    let settings = serde_json::to_value(&run.config.agent)?;
    write(run, ("task_1_baseline", "baseline_strategy"), settings, inputs, || {
        let bars: Vec<Bar> = read_all(&run.file("ingest-market", "bars.parquet"))?;
        let decisions: Vec<Decision> = read_all(&agent("decisions.parquet"))?;
        let mut document = Document::new("Task 1: from news and numbers to a decision in [-1, 1] for each bar");
        document.subtitle(format!(
            "{} decisions on {} bars of {}; nothing known after a bar's close goes into its decision",
            format::count(decisions.len() as u64),
            format::count(bars.len() as u64),
            instruments(&bars)
        ));
        data(run, &mut document, &bars)?;
        architecture(run, &mut document)?;
        example(run, &mut document, &decisions)?;
        all(&mut document, &bars, &decisions);
        Ok(document)
    })
}

fn instruments(bars: &[Bar]) -> String {
    let symbols: BTreeSet<&str> = bars.iter().map(|b| b.symbol.as_str()).collect();
    match symbols.iter().next() {
        Some(only) if symbols.len() == 1 => (*only).to_owned(),
        _ => format!("{} instruments", symbols.len()),
    }
}

fn data(run: &Run, document: &mut Document, bars: &[Bar]) -> anyhow::Result<()> {
    document.heading("The data");
    let manifest = Manifest::read(&run.folder("ingest-market"))?;
    let facts = manifest.map(|m| m.facts).unwrap_or_default();
    let fact = |name: &str| facts.get(name).map_or_else(|| "n/a".to_owned(), |v| v.to_string().replace('"', ""));
    let number =
        |name: &str| facts.get(name).and_then(serde_json::Value::as_u64).map_or_else(|| fact(name), format::count);
    document.tiles(vec![
        Tile::new("bars", format::count(bars.len() as u64), format!("{} to {}", fact("first_bar"), fact("last_bar"))),
        Tile::new("texts", number("news"), "each with the time from which it could be read"),
        Tile::new("other numbers", number("observations"), "each with the time from which it could be known"),
    ]);
    document.paragraph(
        "Every row carries two times: when it happened and when anyone could have known it. A bar is known at its close; a column \
         that speaks of what comes next is known one interval later; a column that may have been made from the next bar is known \
         only when that bar has closed. Whatever reads data for a decision asks for it as of the decision's moment and cannot get \
         a later row.",
    );
    let path = run.file("ingest-market", "quality.parquet");
    if path.exists() {
        let mut counts: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        for finding in read_all::<QualityFinding>(&path)? {
            let entry = counts.entry((finding.check_name, finding.level.to_string())).or_default();
            entry.0 += 1;
            entry.1 += finding.rows;
        }
        let head = Table::new().text("check").text("level").number("findings").number("rows");
        let table = counts.into_iter().fold(head.caption("What the quality checks found"), |t, ((check, level), n)| {
            t.row([check, level, format::count(n.0), format::count(n.1)])
        });
        document.table(table);
    }
    Ok(())
}

fn example(run: &Run, document: &mut Document, decisions: &[Decision]) -> anyhow::Result<()> {
    // in the middle of the run, where memory and warm-up are over, the clearest decision
    let middle = decisions.len() / 3..decisions.len() - decisions.len() / 3;
    let chosen = decisions
        .get(middle)
        .into_iter()
        .flatten()
        .max_by(|a, b| a.position.abs().total_cmp(&b.position.abs()).then(b.bar_at.cmp(&a.bar_at)));
    let Some(decision) = chosen else { return Ok(()) };
    document.heading("One decision in full");
    document.paragraph(format!(
        "{} on the bar of {}, decided at its close, {}: position {:+.2}. In the words of the run: {}",
        decision.symbol, decision.bar_at, decision.decided_at, decision.position, decision.rationale
    ));
    let here = |symbol: &str, bar_at| symbol == decision.symbol && bar_at == decision.bar_at;
    let opinions: Vec<Opinion> = rows(run, "opinions.parquet")?;
    let opinions: Vec<&Opinion> = opinions.iter().filter(|o| here(&o.symbol, o.bar_at)).collect();
    if !opinions.is_empty() {
        let head = Table::new().text("agent").number("score").number("confidence").text("rationale");
        document.table(opinions.iter().fold(head.caption("What everyone concluded, in this order."), |t, o| {
            t.row([o.agent.clone(), format!("{:+.2}", o.score), format!("{:.2}", o.confidence), o.rationale.clone()])
        }));
        let checked: Vec<CheckedClaim> = rows(run, "checked_claims.parquet")?;
        let checked: Vec<&CheckedClaim> = checked.iter().filter(|c| here(&c.symbol, c.bar_at)).collect();
        let head = Table::new().text("agent").text("claim").text("cites").text("verdict of the verifier");
        let mut table = head
            .caption("Their claims. A claim that its fact does not support is told apart without asking any model.");
        for opinion in &opinions {
            for (claim, cited) in opinion.claims.iter().zip(&opinion.cited) {
                let found = checked.iter().find(|c| c.agent == opinion.agent && c.text == *claim);
                let verdict = found.map_or_else(String::new, |c| match c.expected.as_str() {
                    "" => c.verdict.clone(),
                    _ if c.verdict == "supported" => c.verdict.clone(),
                    expected => format!("{}: {}", c.verdict, local(expected)),
                });
                table.push([opinion.agent.clone(), claim.clone(), local(cited), verdict]);
            }
        }
        document.table(table);
    }
    let facts: Vec<Fact> = rows(run, "facts.parquet")?;
    let known: Vec<&Fact> = facts.iter().filter(|f| here(&f.symbol, f.bar_at)).collect();
    let cited: Vec<&Fact> = known
        .iter()
        .copied()
        .filter(|f| opinions.is_empty() || opinions.iter().any(|o| o.cited.contains(&f.id)))
        .collect();
    if !cited.is_empty() {
        let head = Table::new().text("fact").text("known from (UTC)").text("what it says");
        let caption = format!(
            "{} of the {} facts that lay before them{}; all are in facts.parquet. None is known later than the decision.",
            cited.len().min(FACTS_SHOWN),
            known.len(),
            if opinions.is_empty() { "" } else { ", those that were cited" }
        );
        document.table(
            cited
                .iter()
                .take(FACTS_SHOWN)
                .fold(head.caption(caption), |t, f| t.row([local(&f.id), f.available_at.to_string(), f.text.clone()])),
        );
    }
    Ok(())
}

/// A fact's name within its decision: `news/1`.
fn local(id: &str) -> String {
    id.split_once('/').filter(|(decision, _)| decision.contains('@')).map_or(id, |(_, name)| name).to_owned()
}

/// The rows of one of the agents' files; none where there is no such file.
fn rows<R: artifacts::Row + Clone>(run: &Run, file: &str) -> anyhow::Result<Vec<R>> {
    let path = run.file("trading-agent", file);
    if path.exists() { Ok(read_all(&path)?) } else { Ok(Vec::new()) }
}

fn all(document: &mut Document, bars: &[Bar], decisions: &[Decision]) {
    document.heading("All decisions");
    let count = |wanted: fn(&Decision) -> bool| format::count(decisions.iter().filter(|d| wanted(d)).count() as u64);
    document.tiles(vec![
        Tile::new("long", count(|d| d.position > 0.0), "position above 0"),
        Tile::new("flat", count(|d| d.position == 0.0), "not worth the costs, or refused by a limit"),
        Tile::new("short", count(|d| d.position < 0.0), "position below 0"),
        Tile::new("with news", count(|d| d.sentiment.is_some()), "at least one text was known"),
    ]);
    let mut symbols: Vec<&str> = decisions.iter().map(|d| d.symbol.as_str()).collect();
    symbols.dedup();
    let seconds = |t: artifacts::Timestamp| t.micros() as f64 / 1e6;
    for symbol in symbols.iter().take(DRAWN) {
        let own = decisions.iter().filter(|d| d.symbol == *symbol);
        let position = own.map(|d| (seconds(d.bar_at), d.position)).collect();
        let close = bars.iter().filter(|b| b.symbol == *symbol).map(|b| (seconds(b.event_at), b.close)).collect();
        for (title, y_label, points, caption) in [
            (format!("{symbol}: close"), "price", close, "The close of each bar."),
            (
                format!("{symbol}: decision"),
                "target position, share of equity",
                position,
                "What was decided at the close of each bar: 1 is all in, -1 all short, 0 out of the market.",
            ),
        ] {
            let series = vec![plot::Series { name: y_label.to_owned(), points }];
            let plot = plot::LinePlot { title, x: plot::XAxis::Time, y_label: y_label.to_owned(), series };
            document.figure(plot::line(&plot), caption);
        }
    }
    if symbols.len() > DRAWN {
        document.paragraph(format!("{DRAWN} of {} instruments are drawn.", symbols.len()));
    }
    let sets = vec![("decisions".to_owned(), decisions.iter().map(|d| d.position).collect())];
    let histogram =
        plot::HistogramPlot { title: "Positions".into(), x_label: "target position".into(), bins: 20, series: sets };
    document
        .figure(plot::histogram(&histogram), "How strong the decisions are: number of decisions by target position.");
    document.paragraph("What these decisions earn, and whether their reasons hold, is the matter of Task 2.");
}
