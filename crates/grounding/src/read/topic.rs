//! Which measure a text or a name is about.

use super::token::{Kind, Token, tokens};
use std::collections::BTreeSet;

/// Phrases of several words first: `average true range` is not a moving average.
const PHRASES: [(&[&str], &[&str]); 40] = [
    (&["relative", "strength", "index"], &["rsi"]),
    (&["relative", "strength"], &["rsi"]),
    (&["average", "true", "range"], &["atr"]),
    (&["true", "range"], &["atr"]),
    (&["exponential", "moving", "average"], &["ema", "average"]),
    (&["exponential", "average"], &["ema", "average"]),
    (&["simple", "moving", "average"], &["sma", "average"]),
    (&["simple", "average"], &["sma", "average"]),
    (&["moving", "average", "convergence", "divergence"], &["macd"]),
    (&["moving", "average"], &["average"]),
    (&["moving", "averages"], &["average"]),
    (&["signal", "line"], &["macd", "signal"]),
    (&["macd", "histogram"], &["macd", "histogram"]),
    (&["macd", "hist"], &["macd", "histogram"]),
    (&["upper", "bollinger", "band"], &["bollinger", "upper"]),
    (&["lower", "bollinger", "band"], &["bollinger", "lower"]),
    (&["bollinger", "upper"], &["bollinger", "upper"]),
    (&["bollinger", "lower"], &["bollinger", "lower"]),
    (&["upper", "band"], &["bollinger", "upper"]),
    (&["lower", "band"], &["bollinger", "lower"]),
    (&["bollinger", "band"], &["bollinger"]),
    (&["bollinger", "bands"], &["bollinger"]),
    (&["percent", "b"], &["bollinger", "percent-b"]),
    (&["band", "width"], &["bollinger", "width"]),
    (&["market", "value", "to", "realised", "value"], &["mvrv"]),
    (&["market", "value", "to", "realized", "value"], &["mvrv"]),
    (&["market-value-to-realised-value"], &["mvrv"]),
    (&["fear", "and", "greed"], &["fear-greed"]),
    (&["fear", "&", "greed"], &["fear-greed"]),
    (&["fear", "/", "greed"], &["fear-greed"]),
    (&["fear", "greed"], &["fear-greed"]),
    (&["greed", "index"], &["fear-greed"]),
    (&["fear", "index"], &["fear-greed"]),
    (&["volume", "z"], &["volume", "z-score"]),
    (&["past", "case"], &["case"]),
    (&["similar", "case"], &["case"]),
    (&["open", "interest"], &["open-interest"]),
    (&["standard", "deviation"], &["volatility"]),
    (&["funding", "rate"], &["funding"]),
    (&["buy", "signal"], &[]),
];
/// Single words and the measure they name.
const WORDS: [(&str, &[&str]); 59] = [
    ("rsi", &["rsi"]),
    ("macd", &["macd"]),
    ("histogram", &["macd", "histogram"]),
    ("hist", &["macd", "histogram"]),
    ("sma", &["sma", "average"]),
    ("ema", &["ema", "average"]),
    ("average", &["average"]),
    ("averages", &["average"]),
    ("atr", &["atr"]),
    ("bollinger", &["bollinger"]),
    ("band", &["bollinger"]),
    ("bands", &["bollinger"]),
    ("volatility", &["volatility"]),
    ("volatile", &["volatility"]),
    ("vol", &["volatility"]),
    ("mvrv", &["mvrv"]),
    ("momentum", &["momentum"]),
    ("trend", &["momentum"]),
    ("volume", &["volume"]),
    ("volumes", &["volume"]),
    ("turnover", &["volume"]),
    ("spot", &["spot"]),
    ("price", &["price"]),
    ("prices", &["price"]),
    ("priced", &["price"]),
    ("quote", &["price"]),
    ("quoted", &["price"]),
    ("trades", &["price"]),
    ("traded", &["price"]),
    ("trading", &["price"]),
    ("close", &["price", "close"]),
    ("closes", &["price", "close"]),
    ("closed", &["price", "close"]),
    ("closing", &["price", "close"]),
    ("settled", &["price", "close"]),
    ("opened", &["price", "open"]),
    ("opening", &["price", "open"]),
    ("vwap", &["price", "vwap"]),
    ("return", &["return"]),
    ("returns", &["return"]),
    ("returned", &["return"]),
    ("change", &["return"]),
    ("z-score", &["z-score"]),
    ("zscore", &["z-score"]),
    ("z", &["z-score"]),
    ("fng", &["fear-greed"]),
    ("fg", &["fear-greed"]),
    ("sentiment", &["sentiment"]),
    ("mood", &["sentiment"]),
    ("tone", &["sentiment"]),
    ("precedent", &["case"]),
    ("precedents", &["case"]),
    ("analogue", &["case"]),
    ("analogues", &["case"]),
    ("case", &["case"]),
    ("cases", &["case"]),
    ("drawdown", &["drawdown"]),
    ("dominance", &["dominance"]),
    ("funding", &["funding"]),
];

/// The measures a text names.
pub(crate) fn topics(text: &str) -> BTreeSet<&'static str> {
    named(text).0
}

/// The measures a text names, and the words it names them with.
pub(crate) fn named(text: &str) -> (BTreeSet<&'static str>, BTreeSet<String>) {
    let list = tokens(text);
    let words: Vec<String> =
        list.iter().filter(|t| t.kind == Kind::Word || matches!(t.text, "&" | "/")).flat_map(|t| parts(t)).collect();
    let (mut found, mut used) = (BTreeSet::new(), BTreeSet::new());
    let mut i = 0;
    while i < words.len() {
        let rest = words.get(i..).unwrap_or_default();
        let phrase = PHRASES
            .iter()
            .find(|(phrase, _)| rest.len() >= phrase.len() && rest.iter().zip(phrase.iter()).all(|(w, p)| w == p));
        if let Some((phrase, named)) = phrase {
            found.extend(named.iter().copied());
            used.extend(phrase.iter().map(|w| (*w).to_owned()));
            i += phrase.len();
            continue;
        }
        // `close to` is near; `case` is a topic only with what it is a case of.
        let word = rest.first().map_or("", String::as_str);
        let idle = (word == "close" && rest.get(1).is_some_and(|w| w == "to"))
            || (word == "case"
                && i > 0
                && words.get(i - 1).is_some_and(|w| matches!(w.as_str(), "in" | "bull" | "bear")));
        if let Some((_, named)) = WORDS.iter().find(|(name, _)| *name == word && !idle) {
            found.extend(named.iter().copied());
            used.insert(word.to_owned());
        }
        i += 1;
    }
    (found, used)
}

/// The measures that a fact's name such as `rsi_14` or `mvrv_btc_momentum` stands for.
pub(crate) fn topics_of_name(name: &str) -> BTreeSet<&'static str> {
    let spaced: String = name.chars().map(|c| if matches!(c, '_' | '.' | ':' | '-') { ' ' } else { c }).collect();
    let plain: String = spaced.chars().filter(|c| !c.is_ascii_digit()).collect();
    let mut found = topics(&plain);
    // In a name these are what they say, in a text they are common words.
    for word in plain.split_whitespace() {
        match word.to_ascii_lowercase().as_str() {
            "open" => found.extend(["price", "open"]),
            "high" => found.extend(["price", "high"]),
            "low" => found.extend(["price", "low"]),
            "change" | "ret" | "roc" => found.extend(["return", "price"]),
            "signal" if found.contains("macd") => found.extend(["signal"]),
            "upper" | "lower" | "middle" | "width" if found.contains("bollinger") => {}
            "outcome" => found.extend(["case"]),
            _ => {}
        }
    }
    if found.contains("return") {
        found.insert("price");
    }
    found
}

/// The numbers in a fact's name: its windows and other parameters.
pub(crate) fn parameters(name: &str) -> Vec<f64> {
    name.split(|c: char| !c.is_ascii_digit() && c != '.').filter_map(|n| n.trim_matches('.').parse().ok()).collect()
}

/// The parts of a word that is written with `_`, or as `RSI14`, in lower case.
fn parts(token: &Token<'_>) -> Vec<String> {
    let lower = token.lower();
    let lower = lower.strip_suffix("'s").unwrap_or(&lower);
    lower
        .split('_')
        .map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// Whether a word, in lower case, names a measure.
pub(crate) fn is_topic(word: &str) -> bool {
    !topics(word).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_phrases_go_first() {
        assert_eq!(topics("the average true range").into_iter().collect::<Vec<_>>(), ["atr"]);
        assert_eq!(topics("MVRV momentum").into_iter().collect::<Vec<_>>(), ["momentum", "mvrv"]);
        assert!(topics("close to nothing").is_empty());
    }

    #[test]
    fn a_features_name_is_read_like_a_text() {
        assert_eq!(topics_of_name("rsi_14"), topics("RSI(14)"));
        assert!(topics_of_name("spot_volume_daily_sum").is_superset(&topics("spot volume")));
        assert_eq!(parameters("macd_12_26_9"), [12.0, 26.0, 9.0]);
    }
}
