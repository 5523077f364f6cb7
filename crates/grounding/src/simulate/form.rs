//! How the honest author writes numbers, times and names of measures.

use super::draw::Draws;
use artifacts::Timestamp;
use chrono::{DateTime, Datelike, Timelike};

/// A magnitude with thousands separators.
fn grouped(value: f64, decimals: usize) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, rest) = plain.split_once('.').map_or((plain.as_str(), None), |(w, r)| (w, Some(r)));
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

/// Decimals that show about `digits` significant digits.
fn decimals(value: f64, digits: usize) -> usize {
    if value == 0.0 {
        return 1;
    }
    (digits as f64 - 1.0 - value.abs().log10().floor()).clamp(0.0, 8.0) as usize
}

/// The magnitude of a value in one of several ways, without a sign, with its unit.
pub(super) fn magnitude(value: f64, unit: &str, draws: &mut Draws) -> String {
    let number = match value.abs() {
        v if v >= 1e9 => {
            let digits = 1 + draws.below(3);
            let name = draws.one(&[" billion", "bn", "B", " bn"]);
            format!("{:.digits$}{name}", v / 1e9)
        }
        v if v >= 1e6 => {
            let digits = 1 + draws.below(3);
            let name = draws.one(&[" million", "M", " mn"]);
            format!("{:.digits$}{name}", v / 1e6)
        }
        v if v >= 10_000.0 => match draws.below(4) {
            0 => format!("{:.1}k", v / 1e3),
            1 => grouped(v, 0),
            2 => grouped(v, 2),
            _ => format!("{v:.1}"),
        },
        v => {
            let shown = decimals(v, 2 + draws.below(3));
            format!("{v:.shown$}")
        }
    };
    match unit {
        "%" => format!("{number}{}", draws.one(&[" %", "%", " percent"])),
        "USD" => match draws.below(3) {
            0 => format!("${number}"),
            1 => format!("{number} USD"),
            _ => format!("{number} dollars"),
        },
        "" => number,
        other => format!("{number} {other}"),
    }
}

/// A value with its sign.
pub(super) fn signed(value: f64, unit: &str, draws: &mut Draws) -> String {
    let written = magnitude(value, unit, draws);
    if value < 0.0 {
        format!("-{written}")
    } else if draws.below(2) == 0 && value > 0.0 {
        format!("+{written}")
    } else {
        written
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment in one of several ways: a day, a time, or both.
pub(super) fn when(at: Timestamp, draws: &mut Draws) -> String {
    let Some(t) = DateTime::from_timestamp_micros(at.micros()) else { return at.to_string() };
    let month = MONTHS.get(t.month0() as usize).copied().unwrap_or_default();
    let short: String = month.chars().take(3).collect();
    let (year, day, hour, minute) = (t.year(), t.day(), t.hour(), t.minute());
    let clock = format!("{hour:02}:{minute:02}");
    match draws.below(8) {
        0 => format!("on {year}-{:02}-{day:02}", t.month()),
        1 => format!("on {short} {day}"),
        2 => format!("on {month} {day}, {year}"),
        3 => format!("on {}/{day}/{year}", t.month()),
        4 => format!("at {clock} UTC on {day} {month}"),
        5 => format!("at {clock} on {short} {day}"),
        6 => format!("as of {year}-{:02}-{day:02} {clock}", t.month()),
        _ => format!(
            "at {}:{minute:02} {}",
            if hour % 12 == 0 { 12 } else { hour % 12 },
            if hour < 12 { "am" } else { "pm" }
        ),
    }
}

/// What a feature is called in a sentence: `rsi_14` as `RSI(14)`, `the 14-bar RSI` or `rsi_14`.
pub(super) fn measure(name: &str, draws: &mut Draws) -> String {
    if name.contains([' ', '=']) {
        return format!("the {name}");
    }
    let mut words = Vec::new();
    let mut windows = Vec::new();
    for part in name.split(['_', ' ']).filter(|p| !p.is_empty()) {
        if part.chars().all(|c| c.is_ascii_digit()) { windows.push(part) } else { words.push(part) }
    }
    let spoken: Vec<String> = words
        .iter()
        .map(|word| match *word {
            "rsi" | "macd" | "sma" | "ema" | "atr" | "mvrv" | "btc" | "eth" => word.to_uppercase(),
            "z" => "z-score".to_owned(),
            word => word.to_owned(),
        })
        .collect();
    let spoken = spoken.join(" ");
    match (windows.as_slice(), draws.below(3)) {
        ([], 0) => name.to_owned(),
        ([], _) => format!("the {spoken}"),
        ([window], 0) => format!("{spoken}({window})"),
        ([window], 1) => format!("the {window}-bar {spoken}"),
        ([_], _) => name.to_owned(),
        (several, _) => format!("{spoken}({})", several.join(",")),
    }
}

/// What a symbol is called: itself or, for the best known, its name.
pub(super) fn asset(symbol: &str, draws: &mut Draws) -> String {
    let name = match symbol {
        "BTC" => "Bitcoin",
        "ETH" => "Ethereum",
        "AAPL" => "Apple",
        "MSFT" => "Microsoft",
        "JPM" => "JPMorgan",
        "BA" => "Boeing",
        _ => symbol,
    };
    if draws.below(2) == 0 { symbol.to_owned() } else { name.to_owned() }
}

/// The first letter as a capital.
pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
