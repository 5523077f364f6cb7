//! The whole stage on a market folder: files, strict replay, kill and resume, budget.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{Cost, Decision, Event, Fact, Trace};
use artifacts::{Manifest, NoProgress, RunOptions, Seed, read_all};
use common::{config, config_with_memory, folder, reader, tables};
use providers::{CassetteMode, Prices, Provider};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use trading_agent::{AgentConfig, Error, Inputs, Services, run_with};

const OPTIONS: RunOptions<'_> = RunOptions { seed: Seed(42), force: false, progress: &NoProgress };

fn run(
    config: &AgentConfig,
    inputs: &Inputs,
    tape: Option<(&Path, CassetteMode)>,
    out: &Path,
) -> Result<Manifest, Error> {
    let open = || Ok(Box::new(reader()) as Box<dyn Provider>);
    let services = Services::new(&[], open);
    let services = match tape {
        Some((folder, mode)) => services.taped(folder, mode),
        None => services,
    };
    run_with(config, inputs, services, out, &OPTIONS)
}

#[test]
fn strict_replay_asks_nobody_and_gives_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let inputs = folder(&at("market"), 20);
    let tape = at("tape");
    let config = config_with_memory();
    let first = run(&config, &inputs, Some((&tape, CassetteMode::Record)), &at("first")).unwrap();

    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let nobody = move || -> Result<Box<dyn Provider>, providers::Error> {
        count.fetch_add(1, Ordering::Relaxed);
        Err(providers::Error::NoAnswers)
    };
    let services = Services::new(&[], nobody).taped(&tape, CassetteMode::Strict);
    let second = run_with(&config, &inputs, services, &at("second"), &OPTIONS).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0, "no model was opened");
    assert_eq!(tables(&at("first")), tables(&at("second")));
    assert_eq!(first.facts, second.facts);
    assert_eq!(tables(&at("first")).len(), 7);
    assert!(!at("second/progress").exists());

    let without = run(&config, &inputs, None, &at("without")).unwrap();
    assert_eq!(
        (tables(&at("first")), first.facts),
        (tables(&at("without")), without.facts),
        "a cassette changes nothing"
    );
}

#[test]
fn strict_replay_of_other_questions_fails_and_names_the_call() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = folder(&dir.path().join("market"), 8);
    let tape = dir.path().join("tape");
    run(&config(), &inputs, Some((&tape, CassetteMode::Record)), &dir.path().join("a")).unwrap();
    let mut other = config();
    other.agents.currency = "EUR".into();
    let error =
        run(&other, &inputs, Some((&tape, CassetteMode::Strict)), &dir.path().join("b")).unwrap_err().to_string();
    assert!(error.contains("not on the cassette") && error.contains("technical analyst"), "{error}");
}

#[test]
fn a_second_run_is_skipped_and_another_seed_writes_other_words() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = folder(&dir.path().join("market"), 8);
    let out = dir.path().join("out");
    run(&config(), &inputs, None, &out).unwrap();
    let broken = || Err(providers::Error::NoAnswers);
    assert!(run_with(&config(), &inputs, Services::new(&[], broken), &out, &OPTIONS).is_ok(), "nobody is asked");
    let other = RunOptions { seed: Seed(43), ..OPTIONS };
    let open = || Ok(Box::new(reader()) as Box<dyn Provider>);
    run_with(&config(), &inputs, Services::new(&[], open), &dir.path().join("other"), &other).unwrap();
    let answers = |folder: &Path| -> Vec<String> {
        let traces: Vec<Trace> = read_all(&folder.join("traces.parquet")).unwrap();
        traces.into_iter().filter(|t| t.event == Event::ModelCall).map(|t| t.response).collect()
    };
    assert_ne!(answers(&out), answers(&dir.path().join("other")));
}

#[test]
fn features_are_shown_beside_the_market_s_own_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let mut inputs = folder(&dir.path().join("market"), 8);
    let mut rows: Vec<artifacts::rows::Observation> = read_all(&inputs.observations).unwrap();
    for row in &mut rows {
        row.name = "rsi_14".into();
    }
    let path = dir.path().join("features.parquet");
    artifacts::write_all(&path, &rows).unwrap();
    inputs.features = Some(path);
    run(&config(), &inputs, None, &dir.path().join("out")).unwrap();
    let facts: Vec<Fact> = read_all(&dir.path().join("out/facts.parquet")).unwrap();
    for name in ["rsi_14", "index"] {
        assert!(facts.iter().any(|f| f.name == name), "{name}");
    }
}

#[test]
fn a_spent_budget_stops_the_run_and_a_larger_one_goes_on_with_what_was_asked() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = folder(&dir.path().join("market"), 10);
    let (tape, out) = (dir.path().join("tape"), dir.path().join("out"));
    let mut config = config();
    let prices = Prices { prompt_per_million: 1000.0, answer_per_million: 2000.0 };
    config.agents.prices.insert("simulation".into(), prices);
    config.agents.budget_money = Some(8.0);
    let error = run(&config, &inputs, Some((&tape, CassetteMode::Replay)), &out).unwrap_err();
    assert!(matches!(&error, Error::Provider(providers::Error::BudgetSpent { .. })), "{error}");
    assert!(Manifest::read(&out).unwrap().is_none(), "an unfinished folder is no result");

    config.agents.budget_money = Some(100.0);
    let manifest = run(&config, &inputs, Some((&tape, CassetteMode::Replay)), &out).unwrap();
    let runtime = std::fs::read_to_string(out.join("runtime.json")).unwrap();
    let runtime: serde_json::Value = serde_json::from_str(&runtime).unwrap();
    assert!(runtime["measured"]["model_calls_replayed"].as_f64().unwrap() > 10.0, "{runtime}");
    let costs: Vec<Cost> = read_all(&out.join("costs.parquet")).unwrap();
    let money: f64 = costs.iter().map(|c| c.money).sum();
    assert!(money > 8.0);
    assert!((manifest.facts["model_cost"].as_f64().unwrap() - money).abs() < 1e-9);
    let tokens: f64 = costs
        .iter()
        .filter(|c| c.provider == "simulation")
        .map(|c| c.prompt_tokens as f64 / 1e3 + c.answer_tokens as f64 / 500.0)
        .sum();
    assert!((money - tokens).abs() < 1e-9);
    let calls: u64 = costs.iter().map(|c| c.calls).sum();
    let traces: Vec<Trace> = read_all(&out.join("traces.parquet")).unwrap();
    assert_eq!(traces.iter().filter(|t| t.event == Event::ModelCall).count() as u64, calls);
    assert!(
        manifest.facts["estimated"]["money_at_most"].as_f64().unwrap() == 0.0,
        "the simulation is estimated as free"
    );
}

/// How many decisions a checkpoint counts.
fn decided(out: &Path) -> u64 {
    let Ok(bytes) = std::fs::read(out.join("progress/checkpoint.json")) else { return 0 };
    serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["decisions"].as_u64().unwrap()
}

#[test]
fn a_run_killed_again_and_again_ends_with_the_same_bytes() {
    kill_and_resume(1);
}

#[test]
fn so_does_one_that_has_a_checkpoint_every_seven_decisions() {
    kill_and_resume(7);
}

fn kill_and_resume(checkpoint_decisions: u64) {
    const BARS: usize = 60;
    let dir = tempfile::tempdir().unwrap();
    let (market, model) = (dir.path().join("market"), dir.path().join("model"));
    folder(&market, BARS);
    providers::testing::tiny_model(&model, 1).unwrap();
    let settings = dir.path().join("settings.toml");
    let mut config = config_with_memory();
    config.agents.checkpoint_decisions = Some(checkpoint_decisions);
    std::fs::write(&settings, toml::to_string(&config).unwrap()).unwrap();
    let command = |out: &Path, tape: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seafin-trading-agent"));
        command.args(["--quiet", "--config"]).arg(&settings).arg("run").arg("--market").arg(&market);
        command.arg("--model").arg(&model).arg("--out").arg(out).arg("--cassette").arg(tape);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let (whole, whole_tape) = (dir.path().join("whole"), dir.path().join("whole-tape"));
    assert!(command(&whole, &whole_tape).status().unwrap().success());

    let (out, tape) = (dir.path().join("out"), dir.path().join("tape"));
    let mut kills = 0;
    for target in [1, 2, 9, 10, 31, 55] {
        let mut child = command(&out, &tape).spawn().unwrap();
        while decided(&out) < target && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // A process that was faster is no kill, and does not count as one.
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
        if kills > 0 && !out.join("manifest.json").exists() {
            assert!(decided(&out) >= target.min(BARS as u64));
            let size = std::fs::metadata(out.join("progress/checkpoint.json")).unwrap().len();
            assert!(size < 16_384, "the checkpoint has {size} bytes after {} decisions", decided(&out));
        }
    }
    assert!(kills >= 3, "only {kills} kills struck");
    assert!(command(&out, &tape).status().unwrap().success());
    assert_eq!(tables(&out), tables(&whole));
    assert_eq!(tables(&tape), tables(&whole_tape), "the cassettes, too");
    assert!(!out.join("progress").exists() && !tape.join("reasoner.parquet.journal").exists());
    let decisions: Vec<Decision> = read_all(&out.join("decisions.parquet")).unwrap();
    assert_eq!(decisions.len(), BARS);
}

#[test]
fn symbols_take_turns_so_that_nothing_written_depends_on_what_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bars: usize| {
        let market = dir.path().join(name);
        let (b, n, o) = common::rows(bars);
        let twice = |symbol: &str| {
            let mut rows: Vec<_> = b
                .iter()
                .cloned()
                .map(|mut row| {
                    row.symbol = symbol.into();
                    row
                })
                .collect();
            if symbol == "Y" {
                for row in &mut rows {
                    row.close = 200.0 - row.close;
                }
            }
            rows
        };
        let mut bars = twice("X");
        bars.extend(twice("Y"));
        std::fs::create_dir_all(&market).unwrap();
        artifacts::write_all(&market.join("bars.parquet"), &bars).unwrap();
        artifacts::write_all(&market.join("news.parquet"), &n).unwrap();
        artifacts::write_all(&market.join("observations.parquet"), &o).unwrap();
        let out = dir.path().join(format!("{name}-out"));
        run(&config_with_memory(), &Inputs::of(&market), None, &out).unwrap();
        out
    };
    let (long, short) = (write("long", 12), write("short", 8));
    let end = common::bar(7, 1.0).available_at;
    let of = |out: &Path| -> (Vec<Trace>, Vec<Fact>, Vec<Decision>) {
        let traces: Vec<Trace> = read_all(&out.join("traces.parquet")).unwrap();
        let facts: Vec<Fact> = read_all(&out.join("facts.parquet")).unwrap();
        let decisions: Vec<Decision> = read_all(&out.join("decisions.parquet")).unwrap();
        let last = common::bar(7, 1.0).event_at;
        (
            traces.into_iter().filter(|t| t.at <= end).collect(),
            facts.into_iter().filter(|f| f.bar_at <= last).collect(),
            decisions.into_iter().filter(|d| d.decided_at <= end).collect(),
        )
    };
    let (a, b) = (of(&long), of(&short));
    assert_eq!(a.2.len(), 16);
    assert_eq!(a, b);
}
