//! The look-ahead audit names five planted leaks and stays silent on what is clean.
#![allow(missing_docs, clippy::unwrap_used, clippy::cast_possible_wrap, reason = "tests")]

mod common;

use artifacts::rows::{Bar, Decision, Event, Fill, News, Observation, Order, OrderStatus, Trace};
use artifacts::{NoProgress, RunOptions, Seed, Timeline, Timestamp, read_all, write_all};
use pipelines::audit::{Audit, AuditConfig, CommandSubject, Market, Subject, audit, document, findings};
use providers::Provider;
use providers::testing::Scripted;
use rand::Rng;
use std::collections::BTreeMap;
use std::path::Path;

const HOUR: i64 = 3600;
const BARS: usize = 120;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_740_355_200 + seconds)
}

/// A random walk in hours, texts of two sources (some known late), two numbers.
fn market() -> Market {
    let mut rng = Seed(11).rng();
    let mut close = 100.0;
    let mut bars = Vec::new();
    for i in 0..BARS {
        let open: f64 = close;
        close = open * (1.0 + rng.random_range(-0.01..0.01));
        let event_at = at(HOUR * i as i64);
        bars.push(Bar {
            symbol: "X".into(),
            event_at,
            available_at: event_at.plus_seconds(HOUR),
            open: Some(open),
            high: Some(open.max(close) * 1.003),
            low: Some(open.min(close) * 0.997),
            close,
            volume: Some(rng.random_range(10.0..1000.0)),
        });
    }
    let words = ["profit", "loss", "rises", "falls", "bank", "steel", "strong", "weak", "quarter", "forecast", "deal"];
    let mut news: Vec<News> = (0..BARS)
        .map(|i| {
            let event = HOUR * i as i64 + rng.random_range(0..3000);
            let text: Vec<&str> = (0..8).map(|_| words[rng.random_range(0..words.len())]).collect();
            News {
                id: format!("n{i:03}"),
                symbol: "X".into(),
                event_at: at(event),
                available_at: at(event + rng.random_range(0..7200)),
                text: text.join(" "),
                source: ["wire", "blog"][i % 2].into(),
            }
        })
        .collect();
    news.sort_by_key(|n| (n.available_at, n.event_at, n.id.clone()));
    let observations = (0..BARS as i64).flat_map(|i| {
        let (a, b) = (rng.random_range(0.0..100.0), rng.random_range(-1.0..1.0));
        let row = |name: &str, value| Observation {
            symbol: "X".into(),
            name: name.into(),
            event_at: at(HOUR * i),
            available_at: at(HOUR * i + 600),
            value,
        };
        [row("index", a), row("mvrv_btc_momentum", b)]
    });
    let observations = observations.collect();
    Market { bars, news, observations }
}

fn audited(name: &str, subject: &dyn Subject) -> anyhow::Result<Audit> {
    let dir = tempfile::tempdir().unwrap();
    market().write(dir.path()).unwrap();
    audit(name, subject, dir.path(), &AuditConfig::default(), &NoProgress)
}

/// The first day and a half, at three cuts: for what takes its time.
fn audited_briefly(name: &str, subject: &dyn Subject) -> Audit {
    let dir = tempfile::tempdir().unwrap();
    let mut market = market();
    let end = market.bars[36].available_at;
    market.bars.retain(|b| b.available_at <= end);
    market.news.retain(|n| n.available_at <= end);
    market.observations.retain(|o| o.available_at <= end);
    market.write(dir.path()).unwrap();
    audit(name, subject, dir.path(), &AuditConfig { cuts: 3, ..AuditConfig::default() }, &NoProgress).unwrap()
}

/// The parts that leak, as text.
fn leaks(subject: &dyn Subject) -> Vec<String> {
    let found = audited("planted", subject).unwrap();
    assert!(found.looks_ahead(), "not caught");
    let mut parts: Vec<String> = found.leaks.iter().map(|l| l.part.to_string()).collect();
    parts.sort();
    assert_eq!(findings(&found).len(), parts.len());
    let page = document(&found).to_markdown();
    for part in &parts {
        assert!(page.contains(part), "{part} is not in the report");
    }
    parts
}

fn decision(bar: &Bar, decided_at: Timestamp, position: f64) -> Decision {
    Decision {
        symbol: bar.symbol.clone(),
        bar_at: bar.event_at,
        decided_at,
        position: position.clamp(-1.0, 1.0),
        sentiment: None,
        technical: None,
        news_ids: Vec::new(),
        confidence: None,
        fact_ids: Vec::new(),
        rationale: String::new(),
    }
}

fn trace(bar: &Bar, step: usize, response: String) -> Trace {
    Trace {
        step: step as u64,
        symbol: bar.symbol.clone(),
        bar_at: bar.event_at,
        at: bar.available_at,
        agent: "news".into(),
        event: Event::ToolCall,
        request: "get_news".into(),
        response,
        prompt_version: String::new(),
        provider: String::new(),
        fact_ids: Vec::new(),
        prompt_tokens: 0,
        answer_tokens: 0,
        attempt: 1,
    }
}

fn observed(bar: &Bar, value: f64) -> Observation {
    let Bar { symbol, event_at, available_at, .. } = bar.clone();
    Observation { symbol, name: "f".into(), event_at, available_at, value }
}

#[test]
fn a_signal_from_the_close_that_claims_the_open_of_its_bar_is_named() {
    let subject = |market: &Path, out: &Path| {
        let market = Market::read(market)?;
        let decisions: Vec<_> = market
            .bars
            .windows(2)
            .map(|w| decision(&w[1], w[1].event_at, 50.0 * (w[1].close / w[0].close).ln()))
            .collect();
        write_all(&out.join("decisions.parquet"), &decisions)?;
        Ok(())
    };
    assert_eq!(leaks(&subject), ["bars.parquet: close"]);
}

#[test]
fn a_feature_shifted_by_minus_one_is_named() {
    let subject = |market: &Path, out: &Path| {
        let market = Market::read(market)?;
        let values: Vec<_> = market.bars.windows(2).map(|w| observed(&w[0], w[1].volume.unwrap_or(0.0))).collect();
        write_all(&out.join("features.parquet"), &values)?;
        Ok(())
    };
    assert_eq!(leaks(&subject), ["bars.parquet: volume"]);
}

#[test]
fn a_z_score_over_the_full_sample_is_named() {
    let subject = |market: &Path, out: &Path| {
        let market = Market::read(market)?;
        let index: Vec<f64> = market.observations.iter().filter(|o| o.name == "index").map(|o| o.value).collect();
        let mean = index.iter().sum::<f64>() / index.len() as f64;
        let sd = (index.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / index.len() as f64).sqrt();
        let values: Vec<_> = market.bars.iter().zip(&index).map(|(bar, x)| observed(bar, (x - mean) / sd)).collect();
        write_all(&out.join("features.parquet"), &values)?;
        Ok(())
    };
    assert_eq!(leaks(&subject), ["observations.parquet: value (name index)"]);
}

#[test]
fn a_tool_that_returns_tomorrows_news_is_named_with_its_source() {
    let subject = |market: &Path, out: &Path| {
        let market = Market::read(market)?;
        let tool = |bar: &Bar| {
            let until = bar.available_at.plus_seconds(24 * HOUR);
            let wire = market.news.iter().filter(|n| n.source == "wire" && n.available_at <= until);
            wire.map(|n| n.text.as_str()).collect::<Vec<_>>().join("\n")
        };
        let traces: Vec<_> = market.bars.iter().enumerate().map(|(i, bar)| trace(bar, i, tool(bar))).collect();
        write_all(&out.join("traces.parquet"), &traces)?;
        Ok(())
    };
    assert_eq!(leaks(&subject), ["news.parquet: text (source wire)"]);
}

/// The most similar past text for each bar, with word weights counted over `counted` texts.
fn retrieve(market: &Market, counted: impl Fn(Timestamp) -> Vec<News>) -> Vec<Trace> {
    let timeline = Timeline::new(market.news.clone()).unwrap();
    let mut traces = Vec::new();
    for (i, bar) in market.bars.iter().enumerate() {
        let known = timeline.as_of(bar.available_at);
        let Some(query) = known.latest() else { continue };
        let documents = counted(bar.available_at);
        let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
        for word in query.text.split(' ') {
            let frequency = documents.iter().filter(|d| d.text.split(' ').any(|w| w == word)).count();
            weights.insert(word, ((1.0 + documents.len() as f64) / (1.0 + frequency as f64)).ln());
        }
        let score =
            |n: &News| weights.iter().filter(|(w, _)| n.text.split(' ').any(|x| x == **w)).map(|(_, s)| s).sum::<f64>();
        let best = known.rows().iter().filter(|n| n.id != query.id).max_by(|a, b| score(a).total_cmp(&score(b)));
        let response = best.map_or(String::new(), |n| format!("{} {}", n.id, score(n)));
        traces.push(trace(bar, i, response));
    }
    traces
}

#[test]
fn a_retriever_with_word_weights_of_the_full_sample_is_named_and_one_that_counts_as_of_then_is_not() {
    let full = |market: &Path, out: &Path| {
        let market = Market::read(market)?;
        write_all(&out.join("traces.parquet"), &retrieve(&market, |_| market.news.clone()))?;
        Ok(())
    };
    assert_eq!(leaks(&full), ["news.parquet: text (source blog)", "news.parquet: text (source wire)"]);
    let clean = |market: &Path, out: &Path| {
        let market = Market::read(market)?;
        let timeline = Timeline::new(market.news.clone())?;
        write_all(&out.join("traces.parquet"), &retrieve(&market, |t| timeline.as_of(t).rows().to_vec()))?;
        Ok(())
    };
    let found = audited("clean retriever", &clean).unwrap();
    assert!(!found.looks_ahead() && found.has_power(), "{:?}", found.cuts);
}

#[test]
fn knowing_how_much_is_still_to_come_is_a_leak_through_the_rows_themselves() {
    let subject = |market: &Path, out: &Path| {
        let market = Market::read(market)?;
        let left = |i: usize| (market.bars.len() - i) as f64;
        let values: Vec<_> = market.bars.iter().enumerate().map(|(i, bar)| observed(bar, left(i))).collect();
        write_all(&out.join("features.parquet"), &values)?;
        Ok(())
    };
    let found = audited("countdown", &subject).unwrap();
    assert!(found.looks_ahead());
    let finding = &findings(&found)[0];
    assert!(finding.message.contains("mere presence of the rows of bars.parquet"), "{}", finding.message);
}

fn clean(name: &str, subject: &dyn Subject) {
    let found = audited(name, subject).unwrap();
    assert!(!found.looks_ahead(), "{name}: {:#?}", found.cuts.iter().flat_map(|c| &c.differences).collect::<Vec<_>>());
    assert!(found.has_power(), "{name} read nothing");
    assert!(found.cuts.len() == 8 && found.cuts.iter().all(|c| c.rows > 0), "{name}");
    assert!(findings(&found).is_empty());
    assert!(document(&found).to_markdown().contains("No look-ahead found"));
    let page = tempfile::tempdir().unwrap();
    std::fs::write(page.path().join("report.html"), document(&found).to_html()).unwrap();
    common::pages::assert_sound(page.path(), &["report.html"]);
}

#[test]
fn the_features_stage_is_clean() {
    let subject = |market: &Path, out: &Path| {
        let options = RunOptions { seed: Seed(1), force: true, progress: &NoProgress };
        let mut config = features::FeaturesConfig::default();
        let mood = features::Compute::Mood {
            observation: "index".into(),
            half_life_seconds: 21_600.0,
            prior: 0.5,
            output: features::MoodOutput::Mean,
        };
        config.definitions.push(features::Definition::new("mood_6h", mood));
        features::run(&config, &features::Inputs::of_folder(market), out, &options)?;
        Ok(())
    };
    clean("features", &subject);
}

/// Reads moods as a model would: the share of good words, by the text alone.
fn reader() -> Scripted {
    Scripted::saying("").scoring(|question, answers| {
        let count = |words: [&str; 3]| words.iter().map(|w| question.matches(w).count()).sum::<usize>() as f64;
        let (good, bad) = (count(["profit", "rises", "strong"]) + 0.5, count(["loss", "falls", "weak"]) + 0.5);
        let of = |label: &&str| match *label {
            "positive" => good,
            "negative" => bad,
            _ => 1.0,
        };
        let sum: f64 = answers.iter().map(of).sum();
        answers.iter().map(|a| of(a) / sum).collect()
    })
}

#[test]
fn the_hybrid_agent_is_clean() {
    let subject = |market: &Path, out: &Path| {
        let options = RunOptions { seed: Seed(1), force: true, progress: &NoProgress };
        let gauge = trading_agent::decision::Gauge { center: 50.0, scale: 50.0, weight: 0.5 };
        let config = trading_agent::AgentConfig {
            observations: BTreeMap::from([("index".to_owned(), gauge)]),
            dead_band: 0.0,
            ..Default::default()
        };
        let inputs = trading_agent::Inputs::of(market);
        trading_agent::run(&config, &inputs, || Ok(Box::new(reader()) as Box<dyn Provider>), out, &options)?;
        Ok(())
    };
    clean("hybrid", &subject);
}

#[test]
fn the_system_of_agents_is_clean_in_every_prompt_tool_result_fact_and_decision() {
    let subject = |market: &Path, out: &Path| {
        let options = RunOptions { seed: Seed(1), force: true, progress: &NoProgress };
        let strategy = trading_agent::Strategy::Agents;
        let config = trading_agent::AgentConfig { strategy, ..Default::default() };
        let inputs = trading_agent::Inputs::of(market);
        trading_agent::run(&config, &inputs, || Ok(Box::new(reader()) as Box<dyn Provider>), out, &options)?;
        Ok(())
    };
    let found = audited_briefly("agents", &subject);
    assert!(!found.looks_ahead(), "{:#?}", found.cuts);
    assert!(found.has_power());
    let files: Vec<&str> = found.compared.iter().map(|(file, _)| file.as_str()).collect();
    for file in ["decisions.parquet", "traces.parquet", "facts.parquet", "opinions.parquet"] {
        assert!(files.contains(&file), "{file} not among {files:?}");
    }
}

#[test]
fn an_honest_fill_at_the_next_open_is_clean() {
    let subject = |market: &Path, out: &Path| {
        let bars: Vec<Bar> = read_all(&market.join("bars.parquet"))?;
        let position = |w: &[Bar]| 50.0 * (w[1].close / w[0].close).ln();
        let decisions: Vec<_> = bars.windows(2).map(|w| decision(&w[1], w[1].available_at, position(w))).collect();
        let fill = |w: &[Bar]| Fill {
            symbol: w[2].symbol.clone(),
            decided_at: w[1].available_at,
            bar_at: w[2].event_at,
            price: w[2].open.unwrap_or(w[2].close),
            units: position(w),
            commission: 0.0,
            slippage: 0.0,
            held: position(w),
        };
        let fills: Vec<_> = bars.windows(3).map(fill).collect();
        // Every decision has its order; that of the last bar waits for a bar that is not there yet.
        let order = |(i, decision): (usize, &Decision)| {
            let next = bars.get(i + 2).map(|b| b.event_at);
            Order {
                symbol: decision.symbol.clone(),
                decided_at: decision.decided_at,
                bar_at: next,
                wanted: decision.position,
                filled: if next.is_some() { decision.position } else { 0.0 },
                status: if next.is_some() { OrderStatus::Filled } else { OrderStatus::Unfilled },
                reason: String::new(),
            }
        };
        let orders: Vec<_> = decisions.iter().enumerate().map(order).collect();
        write_all(&out.join("decisions.parquet"), &decisions)?;
        write_all(&out.join("fills.parquet"), &fills)?;
        write_all(&out.join("orders.parquet"), &orders)?;
        Ok(())
    };
    clean("next open", &subject);
}

#[test]
fn a_command_is_a_subject_and_one_that_fails_or_reads_nothing_or_rolls_dice_is_told_so() {
    let copy = CommandSubject::new("cp {market}/bars.parquet {out}/copied.parquet").unwrap();
    clean("cp", &copy);
    assert!(CommandSubject::new("cp {market}/bars.parquet .").unwrap_err().to_string().contains("{out}"));
    let fails = CommandSubject::new("ls {market}/nothing {out}").unwrap();
    let error = format!("{:#}", audited("ls", &fails).unwrap_err());
    assert!(error.contains("on the whole market") && error.contains("nothing"), "{error}");

    let constant = |_: &Path, out: &Path| {
        write_all(&out.join("features.parquet"), &[observed(&market().bars[0], 1.0)])?;
        Ok(())
    };
    let found = audited("constant", &constant).unwrap();
    assert!(!found.looks_ahead() && !found.has_power());
    assert!(document(&found).to_markdown().contains("It proves nothing"));

    let dice = std::cell::Cell::new(0.0);
    let random = |_: &Path, out: &Path| {
        dice.set(dice.get() + 1.0);
        write_all(&out.join("features.parquet"), &[observed(&market().bars[0], dice.get())])?;
        Ok(())
    };
    let error = audited("dice", &random).unwrap_err().to_string();
    assert!(error.contains("not reproducible") && error.contains("column value"), "{error}");
    let silent = |_: &Path, _: &Path| Ok(());
    assert!(audited("silent", &silent).unwrap_err().to_string().contains("no Parquet row with a time"));
}
