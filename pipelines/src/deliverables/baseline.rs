use super::write;
use crate::Run;
use artifacts::rows::{Bar, Decision, Fact, Opinion, QualityFinding, Trace};
use artifacts::{Manifest, read_all};
use report::{Document, Table, Tile, format, plot};
use std::collections::BTreeMap;

/// Facts shown of the worked example; the rest is in facts.parquet.
const FACTS_SHOWN: usize = 24;

/// `task_1_baseline/baseline_strategy.ipynb`: the data, how a decision is made, one in full, and all of them.
pub(crate) fn baseline(run: &Run) -> anyhow::Result<()> {
    let agent = |file| run.file("trading-agent", file);
    let inputs = vec![
        run.file("ingest-market", "bars.parquet"),
        run.file("ingest-market", "quality.parquet"),
        agent("decisions.parquet"),
        agent("facts.parquet"),
        agent("opinions.parquet"),
        agent("traces.parquet"),
    ];
    write(run, "task_1_baseline", "baseline_strategy", inputs, || {
        let bars: Vec<Bar> = read_all(&run.file("ingest-market", "bars.parquet"))?;
        let decisions: Vec<Decision> = read_all(&agent("decisions.parquet"))?;
        let mut document = Document::new("Task 1: from news and numbers to a decision in [-1, 1] for each bar");
        document.subtitle(format!(
            "{} decisions on {} bars; nothing known after a bar's close goes into its decision",
            format::count(decisions.len() as u64),
            format::count(bars.len() as u64)
        ));
        data(run, &mut document, &bars)?;
        architecture(run, &mut document)?;
        example(run, &mut document, &decisions)?;
        all(&mut document, &bars, &decisions);
        Ok(document)
    })
}

fn data(run: &Run, document: &mut Document, bars: &[Bar]) -> anyhow::Result<()> {
    document.heading("The data");
    let manifest = Manifest::read(&run.folder("ingest-market"))?;
    let facts = manifest.map(|m| m.facts).unwrap_or_default();
    let fact = |name: &str| facts.get(name).map_or_else(|| "n/a".to_owned(), |v| v.to_string().replace('"', ""));
    document.tiles(vec![
        Tile::new("bars", format::count(bars.len() as u64), format!("{} to {}", fact("first_bar"), fact("last_bar"))),
        Tile::new("texts", fact("news"), "each with the moment from which it could be read"),
        Tile::new("other numbers", fact("observations"), "each with the moment from which it could be read"),
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

fn architecture(run: &Run, document: &mut Document) -> anyhow::Result<()> {
    document.heading("How a decision is made");
    document.paragraph(
        "A hybrid: the language model that this project fine-tunes reads each text and says how good the news is; numeric features \
         say what prices and indicators do; agents with fixed roles argue from numbered facts, and a risk manager with hard limits \
         has the last word. Roles are code, prompts are files with a version, every answer has one form and every claim cites a \
         fact, so that each can be checked by a program.",
    );
    let path = run.file("trading-agent", "traces.parquet");
    if !path.exists() {
        document.paragraph("These decisions weigh the parts by fixed weights; no agent was asked.");
        return Ok(());
    }
    let mut steps: BTreeMap<(String, String, String, String), (u64, u64, u64)> = BTreeMap::new();
    for trace in read_all::<Trace>(&path)? {
        let entry = steps.entry((trace.agent, trace.event.to_string(), trace.prompt_version, trace.provider)).or_default();
        entry.0 += 1;
        entry.1 += trace.prompt_tokens;
        entry.2 += trace.answer_tokens;
    }
    let head = Table::new().text("who").text("what").text("prompt").text("answered by").number("times");
    let head = head.number("tokens read").number("tokens written").caption("Every step of this run, summed up");
    document.table(steps.into_iter().fold(head, |t, ((agent, event, prompt, provider), n)| {
        t.row([agent, event, prompt, provider, format::count(n.0), format::count(n.1), format::count(n.2)])
    }));
    Ok(())
}

fn example(run: &Run, document: &mut Document, decisions: &[Decision]) -> anyhow::Result<()> {
    // in the middle of the run, where memory and warm-up are over, the clearest decision
    let middle = decisions.len() / 3..decisions.len() - decisions.len() / 3;
    let chosen = decisions.get(middle).into_iter().flatten().max_by(|a, b| {
        a.position.abs().total_cmp(&b.position.abs()).then(b.bar_at.cmp(&a.bar_at))
    });
    let Some(decision) = chosen else { return Ok(()) };
    document.heading("One decision in full");
    document.paragraph(format!(
        "{} on the bar of {}: position {:+.2}. {}",
        decision.symbol, decision.bar_at, decision.position, decision.rationale
    ));
    let here = |symbol: &str, bar_at| symbol == decision.symbol && bar_at == decision.bar_at;
    let path = run.file("trading-agent", "opinions.parquet");
    if path.exists() {
        let opinions: Vec<Opinion> = read_all(&path)?;
        let mut table = Table::new().text("agent").number("score").number("confidence").text("why").text("claims, each with its fact");
        for opinion in opinions.iter().filter(|o| here(&o.symbol, o.bar_at)) {
            let claims: Vec<String> = opinion.claims.iter().zip(&opinion.cited).map(|(claim, fact)| format!("{claim} [{fact}]")).collect();
            table.push([
                opinion.agent.clone(),
                format!("{:+.2}", opinion.score),
                format!("{:.2}", opinion.confidence),
                opinion.rationale.clone(),
                claims.join(" · "),
            ]);
        }
        document.table(table.caption("Who said what"));
    }
    let path = run.file("trading-agent", "facts.parquet");
    if path.exists() {
        let facts: Vec<Fact> = read_all(&path)?;
        let known: Vec<&Fact> = facts.iter().filter(|f| here(&f.symbol, f.bar_at)).collect();
        let head = Table::new().text("fact").text("known from").text("what it says");
        let caption = format!("The facts they were given: {} of {}", known.len().min(FACTS_SHOWN), known.len());
        document.table(known.iter().take(FACTS_SHOWN).fold(head.caption(caption), |t, f| {
            t.row([f.id.clone(), f.available_at.to_string(), f.text.clone()])
        }));
    }
    Ok(())
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
    for symbol in symbols.iter().take(4) {
        let own = decisions.iter().filter(|d| d.symbol == *symbol);
        let position = own.map(|d| (seconds(d.bar_at), d.position)).collect();
        let close = bars.iter().filter(|b| b.symbol == *symbol).map(|b| (seconds(b.event_at), b.close)).collect();
        for (title, y_label, points) in [
            (format!("{symbol}: close"), "price", close),
            (format!("{symbol}: decision"), "position", position),
        ] {
            let series = vec![plot::Series { name: y_label.to_owned(), points }];
            let plot = plot::LinePlot { title, x: plot::XAxis::Time, y_label: y_label.to_owned(), series };
            document.figure(plot::line(&plot), "");
        }
    }
    let sets = vec![("positions".to_owned(), decisions.iter().map(|d| d.position).collect())];
    let histogram = plot::HistogramPlot { title: "Positions".into(), x_label: "position".into(), bins: 20, series: sets };
    document.figure(plot::histogram(&histogram), "How strong the decisions are.");
}
