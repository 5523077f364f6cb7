//! Whether the decisions' reasons hold, what the model may have remembered, and what the account is worth.

use crate::lazy_model::LazyModel;
use crate::twins::{Change, Market};
use crate::{Run, trading};
use artifacts::rows::Bar;
use artifacts::{Outcome, StageSpec, read_all};
use backtester::{SignificanceSources, trials};
use evaluator::reasoning::leakage::{self, LeakageInputs};
use evaluator::reasoning::{self, ReasoningInputs};
use providers::{Cassette, CassetteMode, LocalModel, Provider};
use std::path::{Path, PathBuf};

/// Raised when twins change for the same market.
const TWINS_VERSION: u32 = 1;

/// Under which name the leakage report knows a twin.
const fn known_as(change: Change) -> &'static str {
    match change {
        Change::ShuffledText => "placebo",
        Change::InvertedIndicators => "inverted",
        other => other.name(),
    }
}

/// The twins that this market can have: the masks of several symbols could not be told apart afterwards.
fn changes(run: &Run) -> anyhow::Result<Vec<Change>> {
    let bars: Vec<Bar> = read_all(&run.market().0.join("bars.parquet"))?;
    let several = bars.windows(2).any(|w| w[0].symbol != w[1].symbol);
    Ok(Change::ALL.into_iter().filter(|change| !several || *change != Change::Anonymised).collect())
}

/// The folder of one stage on one twin.
fn folder(run: &Run, change: Change, stage: &str) -> PathBuf {
    run.folder("twins").join(format!("{}-{stage}", change.name()))
}

/// The folder of the decisions on one twin.
fn on_twin(run: &Run, change: Change) -> PathBuf {
    folder(run, change, "agent")
}

/// The same agent on every twin of the market.
pub(crate) fn decide_on_twins(run: &Run) -> anyhow::Result<()> {
    let (market, _) = run.market();
    for change in changes(run)? {
        let twin = folder(run, change, "market");
        let spec = StageSpec {
            name: "twin",
            version: TWINS_VERSION,
            folder: twin.clone(),
            seed: run.options().seed,
            config: serde_json::json!({ "change": change.name() }),
            inputs: ["bars.parquet", "news.parquet", "observations.parquet"].map(|f| market.join(f)).to_vec(),
            force: run.options().force,
        };
        if let Outcome::Run(mut open) = spec.begin()? {
            let changed = change.apply(&Market::read(&market)?, run.options().seed);
            let rows = changed.bars.len() as u64;
            open.count(rows, rows);
            open.write_rows("bars.parquet", changed.bars)?;
            open.write_rows("news.parquet", changed.news)?;
            open.write_rows("observations.parquet", changed.observations)?;
            open.finish()?;
        }
        let features = folder(run, change, "features");
        run.features(&twin, &features)?;
        run.decide(&run.config.agent, true, (&twin, &features), &on_twin(run, change), &run.options())?;
    }
    Ok(())
}

/// The account of the decisions beside every benchmark, written down among the trials of the project.
pub(crate) fn account(run: &Run) -> anyhow::Result<()> {
    let placebo = on_twin(run, Change::ShuffledText).join("decisions.parquet");
    run.backtest(&run.config.backtest, &run.folder("trading-agent"), Some(&placebo), &run.folder("backtester"))
}

/// What the account is worth, given every variant tried so far.
pub(crate) fn significance(run: &Run) -> anyhow::Result<()> {
    let backtest = run.folder("backtester");
    let file = trials::of_project(&backtest);
    trials::register(&file, &[trials::of_backtest(&backtest, "backtest", "backtester")?])?;
    let sources = SignificanceSources { backtest: &backtest, trials: Some(&file), variants: None };
    backtester::significance(&run.config.significance, &sources, &run.folder("significance"), &run.options())?;
    Ok(())
}

/// Claims against facts, sureness against outcomes, seed against seed; then twins and the model's memory.
pub(crate) fn evaluate(run: &Run) -> anyhow::Result<()> {
    let (agent, (market, _)) = (run.folder("trading-agent"), run.market());
    let inputs = ReasoningInputs { agent: agent.clone(), market: market.clone(), others: trading::first_arm(run)? };
    reasoning::run(&run.config.reasoning, &inputs, &run.folder("reasoning"), &run.options())?;
    let twins = changes(run)?.into_iter().map(|c| (known_as(c).to_owned(), on_twin(run, c))).collect();
    let files: Vec<PathBuf> = run.reader_files();
    let inputs = LeakageInputs { agent, market, twins, registry: None, model_files: files.clone() };
    let asked = probed(run, &files)?;
    leakage::run(&run.config.leakage, &inputs, Some(&asked), &run.folder("leakage"), &run.options())?;
    asked.save()?;
    Ok(())
}

/// The model that reads the news, behind a cassette.
fn probed(run: &Run, files: &[PathBuf]) -> anyhow::Result<Cassette> {
    let last = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned());
    let name = files.iter().filter_map(|f| last(f)).collect::<Vec<_>>().join("+");
    let hashes = files.iter().map(|f| artifacts::hash_path(f)).collect::<artifacts::Result<Vec<_>>>()?;
    // of every file: another adapter of the same base must not be answered from this cassette
    let key = hashes.iter().filter_map(|hash| hash.get(..8)).collect::<Vec<_>>().join("-");
    let (date, owned) = (run.config.formatter.date.clone(), files.to_vec());
    let model = LazyModel::new(name.clone(), move || {
        let adapter = owned.get(1).map(PathBuf::as_path);
        let base = owned.first().map_or(Path::new(""), PathBuf::as_path);
        LocalModel::open(base, adapter, &date).map(|model| Box::new(model) as Box<dyn Provider>)
    });
    let path = run.cassettes().join(format!("probe-{key}.parquet"));
    let inner: Option<Box<dyn Provider>> =
        if run.mode() == CassetteMode::Strict { None } else { Some(Box::new(model)) };
    Ok(Cassette::open(&path, &name, run.mode(), inner)?)
}
