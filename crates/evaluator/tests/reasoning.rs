//! The evaluation of reasoning on runs whose properties are known.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use artifacts::rows::{Bar, CheckedClaim, Decision, Fact, FactKind, Metric, Opinion};
use artifacts::{NoProgress, RunOptions, Seed, Timestamp, read_all, write_all};
use evaluator::reasoning::leakage::{self, LeakageConfig, LeakageInputs};
use evaluator::reasoning::{self, ReasoningConfig, ReasoningInputs};
use grounding::{author, corrupt};
use providers::{Simulation, testing::Scripted};
use std::collections::BTreeMap;
use std::path::Path;

const BARS: usize = 400;
/// Share of claims that get an error.
const RATE: f64 = 0.2;

fn share(seed: u64, n: usize) -> f64 {
    (Seed(seed).derive(&n.to_string()).0 >> 11) as f64 / (1_u64 << 53) as f64
}

fn at(n: usize) -> Timestamp {
    Timestamp::from_seconds(1_740_355_200 + 600 * n.cast_signed() as i64)
}

fn bars(symbol: &str) -> Vec<Bar> {
    let mut close = 95_000.0;
    (0..BARS)
        .map(|n| {
            close *= 1.0 + 0.004 * (share(1, n) - 0.5);
            Bar {
                symbol: symbol.into(),
                event_at: at(n),
                available_at: at(n + 1),
                open: None,
                high: None,
                low: None,
                close,
                volume: None,
            }
        })
        .collect()
}

fn decision(bar: &Bar, position: f64, confidence: f64) -> Decision {
    Decision {
        symbol: bar.symbol.clone(),
        bar_at: bar.event_at,
        decided_at: bar.available_at,
        position,
        sentiment: None,
        technical: None,
        news_ids: Vec::new(),
        confidence: Some(confidence),
        fact_ids: Vec::new(),
        rationale: "so it is".into(),
    }
}

/// Positions that take the right side in a share of `skill` of the bars.
fn knowing(bars: &[Bar], skill: f64, seed: u64) -> Vec<Decision> {
    let right = |n: usize| if share(seed, n) < skill { 1.0 } else { -1.0 };
    bars.windows(2)
        .chain(std::iter::once(&bars[bars.len() - 1..]))
        .enumerate()
        .map(|(n, pair)| {
            let moved = pair.get(1).map_or(1.0, |next| (next.close - pair[0].close).signum());
            decision(&pair[0], 0.5 * moved * right(n), skill)
        })
        .collect()
}

fn market(dir: &Path, bars: &[Bar]) {
    std::fs::create_dir_all(dir).unwrap();
    write_all(&dir.join("bars.parquet"), bars).unwrap();
}

fn decisions(dir: &Path, decisions: &[Decision]) {
    std::fs::create_dir_all(dir).unwrap();
    write_all(&dir.join("decisions.parquet"), decisions).unwrap();
}

/// Opinions of two agents, one honest and one that errs in a fifth of its claims.
fn opinions(dir: &Path, bars: &[Bar]) -> (usize, usize) {
    let (mut facts, mut opinions, mut injected) = (Vec::new(), Vec::new(), Vec::new());
    for (n, bar) in bars.iter().enumerate() {
        let fact = |name: &str, kind, value: f64, unit: &str| Fact {
            id: format!("{}@{n}/{name}", bar.symbol),
            symbol: bar.symbol.clone(),
            bar_at: bar.event_at,
            kind,
            name: name.into(),
            event_at: bar.event_at,
            available_at: bar.available_at,
            value: Some(value),
            unit: unit.into(),
            text: format!("{name} {value} {unit}"),
        };
        let given = [
            fact("close", FactKind::Price, bar.close, "USD"),
            fact("rsi_14", FactKind::Observation, 20.0 + 60.0 * share(2, n), ""),
            fact("momentum_6", FactKind::Observation, share(3, n) - 0.5, ""),
            fact("spot_volume_daily_sum", FactKind::Observation, 1e9 * (1.0 + share(4, n)), "USD"),
        ];
        let numbered: Vec<(String, &Fact)> =
            given.iter().enumerate().map(|(i, f)| (format!("F{}", i + 1), f)).collect();
        for (agent, rate) in [("honest", 0.0), ("liar", RATE)] {
            let seed = Seed(9).derive(&format!("{agent}/{n}")).0;
            let stance = if n % 2 == 0 { 0.6 } else { -0.6 };
            let (mut answer, errors) = corrupt(&author(&numbered, stance, seed), &numbered, rate, seed);
            if agent == "liar" && n % 10 == 0 {
                answer.rationale =
                    if stance > 0.0 { "Everything is bearish." } else { "Everything is bullish." }.into();
            }
            let id = |local: &str| {
                numbered.iter().find(|(number, _)| number == local).map_or(local.to_owned(), |(_, f)| f.id.clone())
            };
            for error in errors {
                let claim = &answer.claims[error.claim];
                injected.push(CheckedClaim {
                    symbol: bar.symbol.clone(),
                    bar_at: bar.event_at,
                    agent: agent.into(),
                    claim: error.claim as u32,
                    text: claim.text.clone(),
                    cited: id(&claim.fact),
                    verdict: error.kind.as_str().into(),
                    expected: String::new(),
                });
            }
            opinions.push(Opinion {
                symbol: bar.symbol.clone(),
                bar_at: bar.event_at,
                decided_at: bar.available_at,
                agent: agent.into(),
                score: answer.score,
                confidence: answer.confidence,
                claims: answer.claims.iter().map(|c| c.text.clone()).collect(),
                cited: answer.claims.iter().map(|c| id(&c.fact)).collect(),
                rationale: answer.rationale,
            });
        }
        facts.extend(given);
    }
    let claims = opinions.iter().filter(|o| o.agent == "liar").map(|o| o.claims.len()).sum();
    let errors = injected.len();
    write_all(&dir.join("facts.parquet"), &facts).unwrap();
    write_all(&dir.join("opinions.parquet"), &opinions).unwrap();
    write_all(&dir.join("injected.parquet"), &injected).unwrap();
    (claims, errors)
}

fn options() -> RunOptions<'static> {
    RunOptions { seed: Seed(42), force: false, progress: &NoProgress }
}

/// (subject, slice, metric) -> value.
fn metrics(dir: &Path) -> BTreeMap<(String, String, String), Option<f64>> {
    read_all::<Metric>(&dir.join("metrics.parquet"))
        .unwrap()
        .into_iter()
        .map(|m| ((m.subject, m.slice, m.metric), m.value))
        .collect()
}

fn get(metrics: &BTreeMap<(String, String, String), Option<f64>>, subject: &str, slice: &str, metric: &str) -> f64 {
    let key = (subject.to_owned(), slice.to_owned(), metric.to_owned());
    metrics.get(&key).copied().flatten().unwrap_or_else(|| panic!("no {subject} {slice} {metric}"))
}

fn evaluated(
    root: &Path,
    out: &str,
    config: &ReasoningConfig,
    others: &[&str],
) -> BTreeMap<(String, String, String), Option<f64>> {
    let inputs = ReasoningInputs {
        agent: root.join("agent"),
        market: root.join("market"),
        others: others.iter().map(|o| root.join(o)).collect(),
    };
    reasoning::run(config, &inputs, &root.join(out), &options()).unwrap();
    metrics(&root.join(out))
}

#[test]
fn a_liar_is_told_from_an_honest_agent_and_the_verifier_is_measured_on_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let bars = bars("BTC");
    market(&dir.path().join("market"), &bars);
    decisions(&dir.path().join("agent"), &knowing(&bars, 0.5, 5));
    let (claims, errors) = opinions(&dir.path().join("agent"), &bars);
    let found = evaluated(dir.path(), "out", &ReasoningConfig::default(), &[]);
    let put_in = errors as f64 / claims as f64;
    let liar = get(&found, "liar", "all", "hallucination_rate");
    assert!((liar - put_in).abs() < 0.02, "{liar} against {put_in}");
    assert!(get(&found, "honest", "all", "hallucination_rate") < 0.01);
    assert!(
        get(&found, "liar", "all", "hallucination_rate_low") < liar
            && liar < get(&found, "liar", "all", "hallucination_rate_high")
    );
    assert!((get(&found, "liar", "all", "contradiction_rate") - 0.1).abs() < 1e-12);
    assert!(get(&found, "honest", "all", "contradiction_rate").abs() < 1e-12);
    for kind in ["wrong-number", "wrong-fact", "unknown-fact"] {
        assert!(
            get(&found, "verifier", kind, "precision") >= 0.95 && get(&found, "verifier", kind, "recall") >= 0.9,
            "{kind}"
        );
    }
    let proposals: Vec<serde_json::Value> =
        serde_json::from_slice(&std::fs::read(dir.path().join("out/proposals.json")).unwrap()).unwrap();
    assert!(proposals.len() >= 2, "{proposals:?}");
    assert!(proposals.iter().any(|p| p["because"].as_str().unwrap().starts_with("hallucination rate of the liar")));
    assert!(proposals.iter().any(|p| p["because"].as_str().unwrap().starts_with("contradiction rate of the liar")));
}

#[test]
fn positions_that_know_have_information_and_those_that_do_not_have_none() {
    let dir = tempfile::tempdir().unwrap();
    let bars = bars("BTC");
    market(&dir.path().join("market"), &bars);
    for (name, skill) in [("seeing", 0.7), ("blind", 0.5)] {
        decisions(&dir.path().join("agent"), &knowing(&bars, skill, 6));
        let found = evaluated(dir.path(), name, &ReasoningConfig::default(), &[]);
        let low = get(&found, "decision", "1 bars", "information_coefficient_low");
        let high = get(&found, "decision", "1 bars", "information_coefficient_high");
        let hits = get(&found, "decision", "all/all", "hit_rate");
        // It says how sure it is, and it is as sure as it is right.
        assert!(
            (hits - skill).abs() < 0.06 && (get(&found, "decision", "all", "right") - hits).abs() < 1e-12,
            "{name}: {hits}"
        );
        assert!(get(&found, "decision", "all", "calibration_error") < 0.06);
        let brier = get(&found, "decision", "all", "brier");
        assert!((brier - (hits * (1.0 - skill).powi(2) + (1.0 - hits) * skill.powi(2))).abs() < 1e-9, "{brier}");
        assert_eq!(name == "seeing", low > 0.0, "{name}: {low} … {high}");
        assert!(name == "seeing" || high > 0.0);
        assert!(
            get(&found, "decision", "1 bars", "information_coefficient")
                > get(&found, "decision", "12 bars", "information_coefficient")
                || name == "blind"
        );
    }
}

#[test]
fn equal_runs_agree_and_runs_with_other_draws_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let bars = bars("BTC");
    market(&dir.path().join("market"), &bars);
    decisions(&dir.path().join("agent"), &knowing(&bars, 0.5, 1));
    decisions(&dir.path().join("same"), &knowing(&bars, 0.5, 1));
    decisions(&dir.path().join("other"), &knowing(&bars, 0.5, 2));
    let same = evaluated(dir.path(), "a", &ReasoningConfig::default(), &["same"]);
    assert_eq!(
        (get(&same, "decision", "seeds", "agreement"), get(&same, "decision", "seeds", "position_sd")),
        (1.0, 0.0)
    );
    let other = evaluated(dir.path(), "b", &ReasoningConfig::default(), &["other"]);
    let agreement = get(&other, "decision", "seeds", "agreement");
    assert!((0.4..0.6).contains(&agreement), "{agreement}");
    decisions(&dir.path().join("other"), &knowing(&bars, 0.5, 2)[1..]);
    let inputs = ReasoningInputs {
        agent: dir.path().join("agent"),
        market: dir.path().join("market"),
        others: vec![dir.path().join("other")],
    };
    let error = reasoning::run(&ReasoningConfig::default(), &inputs, &dir.path().join("c"), &options())
        .unwrap_err()
        .to_string();
    assert!(error.contains("399 decisions") && error.contains("has 400"), "{error}");
}

#[test]
fn the_same_run_gives_the_same_bytes_and_a_decision_without_its_bar_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let bars = bars("BTC");
    market(&dir.path().join("market"), &bars);
    decisions(&dir.path().join("agent"), &knowing(&bars, 0.6, 1));
    opinions(&dir.path().join("agent"), &bars);
    let config = ReasoningConfig { resamples: 50, ..ReasoningConfig::default() };
    evaluated(dir.path(), "a", &config, &[]);
    evaluated(dir.path(), "b", &config, &[]);
    for file in ["report.html", "report.md", "report.ipynb", "metrics.parquet", "proposals.json"] {
        let bytes = |out: &str| std::fs::read(dir.path().join(out).join(file)).unwrap();
        assert_eq!(bytes("a"), bytes("b"), "{file}");
    }
    let page = std::fs::read_to_string(dir.path().join("a/report.md")).unwrap();
    assert!(page.contains("Worst 10:") && page.contains("Best 10:") && !page.contains("NaN"));
    market(&dir.path().join("market"), &bars[..300]);
    let inputs =
        ReasoningInputs { agent: dir.path().join("agent"), market: dir.path().join("market"), others: Vec::new() };
    let error = reasoning::run(&config, &inputs, &dir.path().join("c"), &options()).unwrap_err().to_string();
    assert!(error.contains("decision 300 is on the bar") && error.contains("bars.parquet"), "{error}");
}

fn leaked(
    root: &Path,
    out: &str,
    config: &LeakageConfig,
    twins: &[(&str, &str)],
    asked: Option<&dyn providers::Provider>,
) -> BTreeMap<(String, String, String), Option<f64>> {
    let inputs = LeakageInputs {
        agent: root.join("agent"),
        market: root.join("market"),
        twins: twins.iter().map(|(name, folder)| ((*name).to_owned(), root.join(folder))).collect(),
        ..LeakageInputs::default()
    };
    leakage::run(config, &inputs, asked, &root.join(out), &options()).unwrap();
    metrics(&root.join(out))
}

#[test]
fn a_model_that_remembers_is_found_and_one_that_guesses_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let bars = bars("BTC");
    market(&dir.path().join("market"), &bars);
    decisions(&dir.path().join("agent"), &knowing(&bars, 0.5, 1));
    let known: BTreeMap<String, (f64, bool)> =
        bars.windows(2).map(|w| (w[1].event_at.to_string(), (w[1].close, w[1].close > w[0].close))).collect();
    let moment = |question: &str| {
        question.split("began at ").nth(1).map(|rest| rest.split(['?', '.']).next().unwrap_or_default().to_owned())
    };
    let of = known.clone();
    let remembers = Simulation::new(1, 0.1, move |question, _| Some(usize::from(!of.get(&moment(question)?)?.1)))
        .writing(move |question, _| {
            moment(question)
                .and_then(|m| known.get(&m).map(|k| format!("{:.2} USD", k.0)))
                .unwrap_or_else(|| "I do not know".into())
        });
    let found = leaked(dir.path(), "a", &LeakageConfig::default(), &[], Some(&remembers));
    assert!(get(&found, "simulation", "memory", "within_1_percent") > 0.9);
    assert!(
        get(&found, "simulation", "memory", "p_close") < 0.01
            && get(&found, "simulation", "memory", "p_direction") < 0.01
    );
    let page = std::fs::read_to_string(dir.path().join("a/report.md")).unwrap();
    assert!(page.contains("It remembers"), "{page}");
    // It knows the level of prices, and no date.
    let guesses =
        Scripted::new(|question, _| providers::Reply {
            text: format!("{}", 94_000 + question.len() % 7 * 300),
            finished: true,
        })
        .scoring(|question, _| {
            if question.bytes().map(u64::from).sum::<u64>() % 2 == 0 { vec![0.6, 0.4] } else { vec![0.4, 0.6] }
        });
    let found = leaked(dir.path(), "b", &LeakageConfig::default(), &[], Some(&guesses));
    let subject = read_all::<Metric>(&dir.path().join("b/metrics.parquet")).unwrap().last().unwrap().subject.clone();
    assert!(get(&found, &subject, "memory", "p_close") > 0.05 && get(&found, &subject, "memory", "p_direction") > 0.05);
}

#[test]
fn twins_tell_a_reader_from_one_that_remembers() {
    let dir = tempfile::tempdir().unwrap();
    let bars = bars("BTC");
    market(&dir.path().join("market"), &bars);
    let original = knowing(&bars, 0.6, 1);
    decisions(&dir.path().join("agent"), &original);
    let change = |f: &dyn Fn(usize, &Decision) -> Decision| {
        original.iter().enumerate().map(|(n, d)| f(n, d)).collect::<Vec<_>>()
    };
    let hidden = change(&|_, d| Decision { symbol: "ASSET1".into(), ..d.clone() });
    decisions(&dir.path().join("anonymised"), &hidden);
    let later = |t: Timestamp| t.plus_seconds(52 * 7 * 86_400);
    decisions(
        &dir.path().join("shifted"),
        &change(&|_, d| Decision { bar_at: later(d.bar_at), decided_at: later(d.decided_at), ..d.clone() }),
    );
    decisions(
        &dir.path().join("flipped"),
        &change(&|n, d| Decision { position: if share(8, n) < 0.9 { -d.position } else { d.position }, ..d.clone() }),
    );
    decisions(&dir.path().join("ignored"), &original);
    decisions(&dir.path().join("placebo"), &knowing(&bars, 0.5, 3));
    let twins = [
        ("anonymised", "anonymised"),
        ("date-shifted", "shifted"),
        ("flipped-news", "flipped"),
        ("inverted", "ignored"),
        ("placebo", "placebo"),
    ];
    let found = leaked(dir.path(), "a", &LeakageConfig::default(), &twins, None);
    assert_eq!(
        (get(&found, "decision", "anonymised", "same_side"), get(&found, "decision", "date-shifted", "same_side")),
        (1.0, 1.0)
    );
    assert!(
        get(&found, "decision", "flipped-news", "same_side") < 0.2
            && get(&found, "decision", "flipped-news", "p") < 0.01
    );
    let page = std::fs::read_to_string(dir.path().join("a/report.md")).unwrap();
    assert!(
        page.contains("the decisions hardly follow what was turned")
            && page.contains("as it should be: most decisions turn"),
        "{page}"
    );
    assert!(page.contains("other texts, other decisions"));
    let inputs = LeakageInputs {
        agent: dir.path().join("agent"),
        market: dir.path().join("market"),
        twins: vec![("mirrored".into(), dir.path().join("flipped"))],
        ..LeakageInputs::default()
    };
    let error = leakage::run(&LeakageConfig::default(), &inputs, None, &dir.path().join("b"), &options())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "twin \"mirrored\" is unknown; known twins are anonymised, date-shifted, flipped-news, inverted, placebo"
    );
}

#[test]
fn skill_that_ends_with_the_training_text_shows_in_the_split() {
    let dir = tempfile::tempdir().unwrap();
    // Four bars a day, so that the cut-off lies in the middle.
    let far = |n: usize| at(0).plus_seconds(21_600 * n.cast_signed() as i64);
    let bars: Vec<Bar> = bars("BTC")
        .into_iter()
        .enumerate()
        .map(|(n, b)| Bar { event_at: far(n), available_at: far(n + 1), ..b })
        .collect();
    market(&dir.path().join("market"), &bars);
    let (before, after) = (knowing(&bars, 0.95, 1), knowing(&bars, 0.5, 2));
    let mixed: Vec<Decision> = before.into_iter().take(200).chain(after.into_iter().skip(200)).collect();
    decisions(&dir.path().join("agent"), &mixed);
    let cutoff = far(199).to_string()[..10].to_owned();
    let found = leaked(dir.path(), "a", &LeakageConfig { cutoff, ..LeakageConfig::default() }, &[], None);
    assert!(get(&found, "decision", "up to the cut-off", "hit_rate") > 0.9);
    assert!(get(&found, "decision", "before minus after", "p") < 0.05);
    let unknown = leaked(
        dir.path(),
        "b",
        &LeakageConfig { model: "somebody/else".into(), ..LeakageConfig::default() },
        &[],
        None,
    );
    assert!(!unknown.keys().any(|(_, slice, _)| slice == "before minus after"));
    assert!(std::fs::read_to_string(dir.path().join("b/report.md")).unwrap().contains("Cut-off unknown"));
}

#[test]
fn a_model_without_sense_still_answers_in_the_form_that_is_verified() {
    use providers::{Completion, Form, LocalModel, Prompt, Provider, Sampling, Shape};
    let folder = tempfile::tempdir().unwrap();
    providers::testing::tiny_model(folder.path(), 1).unwrap();
    let model = LocalModel::open(folder.path(), None, "26 Jul 2024").unwrap();
    let shape = Shape { form: Some(Form::Lark(grounding::Answer::LARK.into())), ..Shape::default() };
    let (mut finished, mut cut) = (0, 0);
    for seed in 0..6 {
        let sampling = Sampling::Sample { temperature: 1.5, top_k: None, top_p: None, seed };
        let options = Completion { max_tokens: 900, sampling, stop_at_line_break: false };
        let written = model.write(Prompt::Raw("Answer: "), &options, &shape).unwrap();
        if written.reply.finished {
            grounding::Answer::parse(&written.reply.text).unwrap_or_else(|e| panic!("{e}: {}", written.reply.text));
            finished += 1;
        } else {
            cut += 1;
        }
    }
    assert!(finished >= 3, "{finished} finished, {cut} cut off");
}
