//! Facts as a prompt lists them, from real and from made markets.
#![allow(clippy::print_stdout, dead_code, unreachable_pub, reason = "each test uses its part, and shows its figures")]

use artifacts::Timestamp;
use artifacts::rows::{Fact, FactKind};
use std::path::{Path, PathBuf};

/// One bar of a series with what is known beside the price.
pub struct Point {
    pub at: Timestamp,
    pub close: f64,
    pub others: Vec<(&'static str, f64, &'static str)>,
    pub news: Vec<(Timestamp, String)>,
}

/// The facts of one prompt, with their local numbers.
pub type Prompt = Vec<(String, Fact)>;

pub fn shared() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|a| a.join("shared/data"))
        .find(|s| s.join("gold/gold.csv").is_file());
    if found.is_none() {
        println!("skipped: no shared folder");
    }
    found
}

/// The cells of a CSV text; quoted cells may hold commas, line breaks and doubled quotes.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or_else(|e| panic!("{cell:?}: {e}"))
}

/// The 276 bars of gold.csv.
pub fn gold(data: &Path) -> Vec<Point> {
    let text = std::fs::read_to_string(data.join("gold/gold.csv")).unwrap();
    let rows = csv(&text);
    let place = |name: &str| rows[0].iter().position(|c| c == name).unwrap();
    let (time, close, mvrv, volume) =
        (place("datetime"), place("close"), place("mvrv_btc_momentum"), place("spot_volume_daily_sum"));
    let (index, summary) = (place("index"), place("summary"));
    rows[1..]
        .iter()
        .map(|row| {
            let at = Timestamp::parse_with(&row[time], "%m/%d/%Y %H:%M").unwrap();
            let mut others = vec![
                ("mvrv_btc_momentum", number(&row[mvrv]), ""),
                ("spot_volume_daily_sum", number(&row[volume]), "USD"),
            ];
            others.extend(row[index].parse().ok().map(|v| ("fear_greed_index", v, "")));
            Point { at, close: number(&row[close]), others, news: vec![(at, row[summary].clone())] }
        })
        .collect()
}

/// One DJIA stock, daily, with its news.
pub fn stock(data: &Path, symbol: &str) -> Vec<Point> {
    let text = std::fs::read_to_string(data.join("market/dj30_daily.csv")).unwrap();
    let news: Vec<(Timestamp, String)> = std::fs::read_to_string(data.join("news/stockbench_news.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|item| item["_cache_symbol"] == symbol)
        .filter_map(|item| {
            let at = Timestamp::from_seconds(item["datetime"].as_i64()?);
            let (title, body) = (item["title"].as_str()?, item["description"].as_str().unwrap_or_default());
            Some((at, if body.len() > title.len() { body.to_owned() } else { title.to_owned() }))
        })
        .collect();
    let rows = csv(&text);
    rows.iter()
        .filter(|row| row[0] == symbol)
        .map(|row| {
            let at: Timestamp = row[1].parse().unwrap();
            let known =
                news.iter().filter(|(t, _)| *t >= at && *t < at.plus_seconds(86_400)).take(3).cloned().collect();
            Point { at, close: number(&row[5]), others: vec![("volume", number(&row[6]), "shares")], news: known }
        })
        .collect()
}

/// The project's own market.
pub fn made() -> Vec<Point> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data/market");
    let bars = csv(&std::fs::read_to_string(data.join("bars.csv")).unwrap());
    let news: Vec<(Timestamp, String)> = std::fs::read_to_string(data.join("news.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|item| item["language"] == "en")
        .map(|item| {
            (item["published_at"].as_str().unwrap().parse().unwrap(), item["text"].as_str().unwrap().to_owned())
        })
        .collect();
    bars[1..]
        .iter()
        .map(|row| {
            let at: Timestamp = row[0].parse().unwrap();
            let known =
                news.iter().filter(|(t, _)| *t > at.plus_seconds(-3_600) && *t <= at).take(2).cloned().collect();
            Point { at, close: number(&row[4]), others: vec![("volume", number(&row[5]), "")], news: known }
        })
        .collect()
}

/// One prompt for each bar from the 20th on.
pub fn prompts(symbol: &str, bar_seconds: i64, points: &[Point]) -> Vec<Prompt> {
    (20..points.len()).map(|i| prompt(symbol, bar_seconds, &points[..=i])).collect()
}

fn prompt(symbol: &str, bar_seconds: i64, known: &[Point]) -> Prompt {
    let now = known.last().unwrap();
    let end = now.at.plus_seconds(bar_seconds);
    let mut facts: Vec<Fact> = Vec::new();
    let mut add = |kind, name: &str, event_at, value: Option<f64>, unit: &str, text: String| {
        let id = format!("{symbol}@{}/{}", now.at, facts.len());
        let available_at = if kind == FactKind::News { event_at } else { end };
        facts.push(Fact {
            id,
            symbol: symbol.into(),
            bar_at: now.at,
            kind,
            name: name.into(),
            event_at,
            available_at,
            value,
            unit: unit.into(),
            text,
        });
    };
    let closes: Vec<f64> = known.iter().map(|p| p.close).collect();
    let back = |n: usize| closes[closes.len() - 1 - n];
    add(FactKind::Price, "close", now.at, Some(now.close), "USD", format!("close {} USD at {}", now.close, now.at));
    for bars in [1, 12] {
        let change = 100.0 * (now.close / back(bars) - 1.0);
        let text = format!("return over {bars} bars: {change:+.3} %");
        add(FactKind::Price, &format!("return_{bars}"), now.at, Some(change), "%", text);
    }
    let mean = |n: usize| closes[closes.len() - n..].iter().sum::<f64>() / n as f64;
    let (ups, downs) = closes[closes.len() - 15..]
        .windows(2)
        .fold((0.0, 0.0), |(u, d): (f64, f64), w| (u + (w[1] - w[0]).max(0.0), d + (w[0] - w[1]).max(0.0)));
    let rsi = if ups + downs > 0.0 { 100.0 * ups / (ups + downs) } else { 50.0 };
    add(FactKind::Observation, "rsi_14", now.at, Some(rsi), "", format!("rsi_14 = {rsi:.2}"));
    add(FactKind::Observation, "sma_20", now.at, Some(mean(20)), "USD", format!("sma_20 = {:.2}", mean(20)));
    let momentum = (now.close / back(6)).ln();
    add(FactKind::Observation, "momentum_6", now.at, Some(momentum), "", format!("momentum_6 = {momentum:.6}"));
    for (name, value, unit) in &now.others {
        add(
            FactKind::Observation,
            name,
            now.at,
            Some(*value),
            unit,
            format!("{name} = {value} {unit}").trim_end().to_owned(),
        );
    }
    for (at, text) in &now.news {
        add(FactKind::News, "news", *at, None, "", text.clone());
    }
    let mood = (now.close * 7.0).sin();
    let label = if mood > 0.0 { "positive" } else { "negative" };
    add(
        FactKind::Sentiment,
        "llm_sentiment",
        now.at,
        Some(mood),
        "",
        format!("the model reads the last news as {label}: {mood:+.2}"),
    );
    let past = &known[known.len() - 12];
    let outcome = 100.0 * (now.close / past.close - 1.0);
    add(
        FactKind::PastCase,
        "similar_case",
        past.at,
        Some(outcome),
        "%",
        format!("similar case at {}: then {outcome:+.2} %", past.at),
    );
    let score = (now.close * 3.0).cos();
    let leans = if score > 0.0 { "bullish" } else { "bearish" };
    add(
        FactKind::Opinion,
        "technical_analyst",
        now.at,
        Some(score),
        "",
        format!("technical analyst: {leans}, score {score:+.2}"),
    );
    facts.into_iter().enumerate().map(|(n, fact)| (format!("F{}", n + 1), fact)).collect()
}
