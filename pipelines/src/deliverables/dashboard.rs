use super::STAGE_VERSION;
use crate::Run;
use artifacts::rows::{Bar, CheckedClaim, Cost, Decision, EquityPoint, Fact, Metric, Opinion, Trace};
use artifacts::{Outcome, Row, StageSpec, Timestamp, read_all};
use report::{
    AccountPoint, ClaimView, DashboardData, DecisionView, FactView, Instrument, OpinionView, StepView, Tile, format,
};
use std::collections::{BTreeMap, BTreeSet};

/// Longest request or answer on the page, in characters; the whole text is in traces.parquet.
const LONGEST_TEXT: usize = 2000;
/// With more decisions than this the steps behind each are left to traces.parquet, to keep the page small.
const MOST_WITH_STEPS: usize = 5000;

type Key = (String, Timestamp);

/// `dashboard/dashboard.html`: prices, account and, for each decision, who said what from which facts.
pub(crate) fn dashboard(run: &Run) -> anyhow::Result<()> {
    let spec = StageSpec {
        name: "dashboard",
        version: STAGE_VERSION,
        folder: run.folder("dashboard"),
        seed: run.options().seed,
        config: serde_json::json!({}),
        inputs: ["decisions", "facts", "opinions", "checked_claims", "traces", "costs"]
            .map(|name| run.file("trading-agent", &format!("{name}.parquet")))
            .into_iter()
            .chain([run.file("ingest-market", "bars.parquet"), run.file("backtester", "equity.parquet")])
            .filter(|path| path.exists())
            .collect(),
        force: run.options().force,
    };
    let Outcome::Run(mut open) = spec.begin()? else { return Ok(()) };
    let page = report::dashboard(&data(run)?);
    open.write_bytes("dashboard.html", page.as_bytes())?;
    open.finish()?;
    Ok(())
}

/// The rows of a file by decision; nothing where there is no such file.
fn by_decision<R: Row + Clone>(
    run: &Run,
    file: &str,
    key: impl Fn(&R) -> Key,
) -> anyhow::Result<BTreeMap<Key, Vec<R>>> {
    let path = run.file("trading-agent", file);
    let mut found: BTreeMap<Key, Vec<R>> = BTreeMap::new();
    if path.exists() {
        for row in read_all::<R>(&path)? {
            found.entry(key(&row)).or_default().push(row);
        }
    }
    Ok(found)
}

fn data(run: &Run) -> anyhow::Result<DashboardData> {
    let bars: Vec<Bar> = read_all(&run.file("ingest-market", "bars.parquet"))?;
    let decisions: Vec<Decision> = read_all(&run.file("trading-agent", "decisions.parquet"))?;
    let facts = by_decision::<Fact>(run, "facts.parquet", |f| (f.symbol.clone(), f.bar_at))?;
    let opinions = by_decision::<Opinion>(run, "opinions.parquet", |o| (o.symbol.clone(), o.bar_at))?;
    let checked = by_decision::<CheckedClaim>(run, "checked_claims.parquet", |c| (c.symbol.clone(), c.bar_at))?;
    let traces = by_decision::<Trace>(run, "traces.parquet", |t| (t.symbol.clone(), t.bar_at))?;
    let costs = by_decision::<Cost>(run, "costs.parquet", |c| (c.symbol.clone(), c.bar_at))?;
    let equity_file = run.file("backtester", "equity.parquet");
    // the account is of one instrument; a portfolio's has no price of its own to lie beside
    let symbols: BTreeSet<&str> = bars.iter().map(|b| b.symbol.as_str()).collect();
    let equity: Vec<EquityPoint> =
        if equity_file.exists() && symbols.len() == 1 { read_all(&equity_file)? } else { Vec::new() };
    let with_steps = decisions.len() <= MOST_WITH_STEPS;
    let mut instruments = Vec::new();
    for symbol in symbols {
        let own = decisions.iter().filter(|d| d.symbol == symbol);
        let views = own.map(|decision| {
            let key = (decision.symbol.clone(), decision.bar_at);
            let steps = if with_steps { traces.get(&key).map_or(&[][..], Vec::as_slice) } else { &[] };
            DecisionView {
                bar_ms: ms(decision.bar_at),
                decided_ms: ms(decision.decided_at),
                position: decision.position,
                confidence: decision.confidence,
                reason: decision.rationale.clone(),
                opinions: opinions_of(opinions.get(&key), checked.get(&key)),
                facts: facts.get(&key).into_iter().flatten().map(fact).collect(),
                steps: steps.iter().map(step).collect(),
                cost: costs.get(&key).map(|c| c.iter().map(|c| c.money).sum()),
            }
        });
        instruments.push(Instrument {
            symbol: symbol.to_owned(),
            closes: bars.iter().filter(|b| b.symbol == symbol).map(|b| (ms(b.event_at), b.close)).collect(),
            equity: equity
                .iter()
                .map(|p| AccountPoint { at_ms: ms(p.event_at), equity: p.equity, held: p.market_equity })
                .collect(),
            decisions: views.collect(),
        });
    }
    Ok(DashboardData {
        title: "What the agents decided, and why".into(),
        subtitle: format!("{} decisions; times in UTC", format::count(decisions.len() as u64)),
        tiles: tiles(run)?,
        instruments,
        longest_text: LONGEST_TEXT,
    })
}

fn ms(t: Timestamp) -> i64 {
    t.micros() / 1000
}

fn tiles(run: &Run) -> anyhow::Result<Vec<Tile>> {
    let path = run.file("backtester", "metrics.parquet");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let metrics: Vec<Metric> = read_all(&path)?;
    let value = |subject: &str, name: &str| {
        metrics.iter().find(|m| m.subject == subject && m.metric == name).and_then(|m| m.value)
    };
    let against = |name| format!("buy and hold {}", format::signed_percent(value("buy_and_hold", name), 2));
    Ok(vec![
        Tile::new(
            "total return",
            format::signed_percent(value("strategy", "total_return"), 2),
            against("total_return"),
        ),
        Tile::new("max drawdown", format::percent(value("strategy", "max_drawdown"), 2), against("max_drawdown")),
        Tile::new("fills", format::number(value("strategy", "fills"), 0), "orders that were filled"),
        Tile::new("costs", format::number(value("strategy", "total_cost"), 0), "commission and slippage, in currency"),
    ])
}

fn opinions_of(opinions: Option<&Vec<Opinion>>, checked: Option<&Vec<CheckedClaim>>) -> Vec<OpinionView> {
    let verdict = |agent: &str, place: usize, text: &str| {
        let found =
            checked.into_iter().flatten().find(|c| c.agent == agent && c.claim as usize == place && c.text == text);
        found.map_or_else(Default::default, |c| (c.verdict.clone(), c.expected.clone()))
    };
    let view = |o: &Opinion| OpinionView {
        agent: o.agent.clone(),
        score: o.score,
        confidence: o.confidence,
        rationale: o.rationale.clone(),
        claims: o
            .claims
            .iter()
            .zip(&o.cited)
            .enumerate()
            .map(|(place, (text, cited))| {
                let (verdict, expected) = verdict(&o.agent, place, text);
                ClaimView { text: text.clone(), cited: cited.clone(), verdict, expected }
            })
            .collect(),
    };
    opinions.into_iter().flatten().map(view).collect()
}

fn fact(f: &Fact) -> FactView {
    FactView {
        id: f.id.clone(),
        kind: f.kind.to_string(),
        name: f.name.clone(),
        text: f.text.clone(),
        event_ms: ms(f.event_at),
        available_ms: ms(f.available_at),
    }
}

fn step(t: &Trace) -> StepView {
    StepView {
        agent: t.agent.clone(),
        event: t.event.to_string(),
        provider: t.provider.clone(),
        prompt: t.prompt_version.clone(),
        request: t.request.clone(),
        response: t.response.clone(),
        prompt_tokens: t.prompt_tokens,
        answer_tokens: t.answer_tokens,
    }
}
