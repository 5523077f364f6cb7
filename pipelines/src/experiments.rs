//! What each part of the strategy contributes: the same bars, costs and rules, one part changed at a time.

use crate::Run;
use artifacts::rows::Metric;
use artifacts::{Outcome, StageSpec, read_all};
use report::{Document, Table};
use trading_agent::AgentConfig;

/// Raised when the comparison changes for the same input.
const STAGE_VERSION: u32 = 2;

/// One variant of the strategy.
struct Arm {
    name: &'static str,
    what: &'static str,
    tuned: bool,
    agent: AgentConfig,
}

impl Arm {
    /// The folder of its back-test.
    fn backtest(&self) -> String {
        format!("{}-backtest", self.name)
    }
}

fn arms(baseline: &AgentConfig) -> Vec<Arm> {
    let changed = |change: fn(&mut AgentConfig)| {
        let mut agent = baseline.clone();
        change(&mut agent);
        agent
    };
    vec![
        Arm {
            name: "hybrid",
            what: "news read by the tuned model, trend and indicators",
            tuned: true,
            agent: baseline.clone(),
        },
        Arm {
            name: "text-only",
            what: "the tuned model's reading alone",
            tuned: true,
            agent: changed(|a| {
                a.technical_weight = 0.0;
                a.observations.clear();
            }),
        },
        Arm {
            name: "numbers-only",
            what: "trend and indicators alone",
            tuned: true,
            agent: changed(|a| a.sentiment_weight = 0.0),
        },
        Arm {
            name: "base-model",
            what: "as hybrid, but read by the base model",
            tuned: false,
            agent: baseline.clone(),
        },
    ]
}

const SHOWN: [&str; 6] = ["total_return", "sharpe_ratio", "max_drawdown", "win_rate_bars", "turnover", "total_cost"];

/// Runs every arm in `experiments/<arm>-agent` and `experiments/<arm>-backtest` and compares them in `experiments/report.html`.
pub(crate) fn run(run: &Run) -> anyhow::Result<()> {
    let folder = run.folder("experiments");
    let arms = arms(&run.config.agent);
    for arm in &arms {
        let (agent, backtest) = (folder.join(format!("{}-agent", arm.name)), folder.join(arm.backtest()));
        run.decide(&arm.agent, arm.tuned, &agent)?;
        run.backtest(&agent, &backtest)?;
    }
    let inputs: Vec<_> = arms.iter().map(|a| folder.join(a.backtest()).join("metrics.parquet")).collect();
    let spec = StageSpec {
        name: "experiments",
        version: STAGE_VERSION,
        folder: folder.clone(),
        seed: run.options().seed,
        config: serde_json::json!({ "arms": arms.iter().map(|a| a.name).collect::<Vec<_>>() }),
        inputs: inputs.clone(),
        force: run.options().force,
    };
    let Outcome::Run(mut open) = spec.begin()? else { return Ok(()) };
    let (mut rows, mut table) = (Vec::new(), Vec::new());
    for (arm, path) in arms.iter().zip(&inputs) {
        let metrics: Vec<Metric> = read_all(path)?;
        let value =
            |name: &str| metrics.iter().find(|m| m.subject == "strategy" && m.metric == name).and_then(|m| m.value);
        let mut line = vec![arm.name.to_owned(), arm.what.to_owned()];
        line.extend(SHOWN.iter().map(|name| value(name).map_or("n/a".into(), |v| format!("{v:.4}"))));
        table.push(line);
        rows.extend(
            metrics
                .into_iter()
                .filter(|m| m.subject == "strategy")
                .map(|m| Metric { subject: arm.name.to_owned(), ..m }),
        );
    }
    let head = SHOWN.iter().fold(Table::new().text("arm").text("what"), |head, name| head.number(*name));
    let table = table.into_iter().fold(head, Table::row);
    let mut document = Document::new("What each part of the strategy contributes");
    document.paragraph(
        "Every arm trades the same bars with the same costs; one part is changed at a time. One period is one sample: \
         a difference here is a lead to follow, not a proof.",
    );
    document.table(table);
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    open.count(rows.len() as u64, rows.len() as u64);
    open.write_rows("metrics.parquet", rows)?;
    open.finish()?;
    Ok(())
}
