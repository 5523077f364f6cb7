//! Who or what a text names.

use super::token::{Kind, Token, stem, tokens};
use super::{direction, topic};
use std::collections::BTreeSet;

/// Tickers and the names people use for them, in lower case. A name or ticker of one row stands for every other of the row.
const ALIASES: [&[&str]; 40] = [
    &["btc", "xbt", "bitcoin"],
    &["eth", "ethereum", "ether"],
    &["sol", "solana"],
    &["xrp", "ripple"],
    &["ada", "cardano"],
    &["doge", "dogecoin"],
    &["bnb", "binance"],
    &["ltc", "litecoin"],
    &["dot", "polkadot"],
    &["avax", "avalanche"],
    &["xau", "gold"],
    &["spy", "s&p"],
    &["aapl", "apple"],
    &["msft", "microsoft"],
    &["googl", "goog", "google", "alphabet"],
    &["amzn", "amazon"],
    &["meta", "facebook"],
    &["tsla", "tesla"],
    &["nvda", "nvidia"],
    &["jpm", "jpmorgan"],
    &["gs", "goldman"],
    &["v", "visa"],
    &["unh", "unitedhealth"],
    &["hd", "home", "depot"],
    &["cat", "caterpillar"],
    &["mcd", "mcdonald", "mcdonalds"],
    &["amgn", "amgen"],
    &["axp", "american", "express"],
    &["ba", "boeing"],
    &["crm", "salesforce"],
    &["ibm"],
    &["jnj", "johnson"],
    &["trv", "travelers"],
    &["wmt", "walmart"],
    &["dis", "disney"],
    &["ko", "coca-cola", "coke"],
    &["hon", "honeywell"],
    &["pg", "procter", "gamble"],
    &["cvx", "chevron"],
    &["shw", "sherwin", "sherwin-williams", "williams"],
];
/// Names that are known wherever they stand, even at the beginning of a sentence.
const KNOWN: [&str; 26] = [
    "coinbase",
    "microstrategy",
    "blackrock",
    "fidelity",
    "grayscale",
    "tether",
    "reuters",
    "bloomberg",
    "fed",
    "powell",
    "trump",
    "musk",
    "ecb",
    "sec",
    "opec",
    "nasdaq",
    "nyse",
    "intel",
    "amd",
    "netflix",
    "oracle",
    "cisco",
    "pfizer",
    "merck",
    "verizon",
    "nike",
];
/// What may be said of someone or something.
const VERBS: [&str; 47] = [
    "is",
    "was",
    "are",
    "were",
    "has",
    "had",
    "have",
    "will",
    "would",
    "can",
    "could",
    "may",
    "looks",
    "look",
    "trades",
    "traded",
    "closed",
    "closes",
    "opened",
    "settled",
    "ended",
    "ends",
    "finished",
    "now",
    "last",
    "currently",
    "costs",
    "cost",
    "carries",
    "gets",
    "news",
    "shares",
    "stock",
    "moved",
    "moves",
    "edged",
    "went",
    "goes",
    "saw",
    "sees",
    "remains",
    "remained",
    "stands",
    "stood",
    "shows",
    "showed",
    "changed",
];
/// First words that are no names, though they look like one.
const ORDINARY: [&str; 48] = [
    "market",
    "markets",
    "history",
    "press",
    "media",
    "bulls",
    "bears",
    "demand",
    "supply",
    "everything",
    "everyone",
    "someone",
    "one",
    "two",
    "three",
    "coverage",
    "wire",
    "text",
    "model",
    "level",
    "levels",
    "figure",
    "figures",
    "data",
    "outlook",
    "view",
    "trend",
    "score",
    "result",
    "results",
    "risk",
    "risks",
    "bar",
    "candle",
    "asset",
    "stock",
    "stocks",
    "share",
    "shares",
    "crypto",
    "people",
    "experts",
    "performance",
    "evidence",
    "value",
    "score",
    "today",
    "yesterday",
];
const ORDINARY_ENDINGS: [&str; 18] = [
    "tion", "sion", "ment", "ness", "ance", "ence", "ity", "ing", "ings", "ors", "ists", "ysts", "ism", "age", "ure",
    "ures", "ally", "thing",
];
/// In capitals, but no names.
const COMMON: [&str; 58] = [
    "i",
    "usd",
    "eur",
    "gbp",
    "utc",
    "gmt",
    "etf",
    "etfs",
    "ceo",
    "cfo",
    "ai",
    "gdp",
    "cpi",
    "ipo",
    "q1",
    "q2",
    "q3",
    "q4",
    "ma",
    "ta",
    "ohlc",
    "news",
    "headline",
    "article",
    "report",
    "summary",
    "source",
    "update",
    "bull",
    "bear",
    "trader",
    "analyst",
    "critic",
    "risk",
    "the",
    "a",
    "an",
    "it",
    "according",
    "as",
    "at",
    "on",
    "in",
    "overall",
    "meanwhile",
    "however",
    "while",
    "this",
    "that",
    "we",
    "bars",
    "bar",
    "llm",
    "nlp",
    "ok",
    "us",
    "fact",
    "confusion",
];

/// The names in a text, in lower case and without their endings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Names by their form or place.
    pub(crate) sure: Vec<String>,
    /// First words of which something is said as of a name: `Word is that …` has one, too.
    pub(crate) perhaps: Vec<String>,
}

/// The names in a text.
pub(crate) fn names(text: &str) -> Names {
    let list = tokens(text);
    let measures = topic::named(text).1;
    let mut found = Names::default();
    for (i, token) in list.iter().enumerate() {
        if token.kind != Kind::Word || is_scale(&list, i) {
            continue;
        }
        let word = plain(&token.lower());
        let known = is_known(&word);
        let crypto = matches!(word.as_str(), "bitcoin" | "ethereum" | "solana" | "ripple" | "dogecoin" | "litecoin");
        if !(token.capital() || crypto) || is_common(token, &word) || measures.contains(&word) {
            continue;
        }
        if known || !begins_sentence(&list, i) || named_by_form(&list, i) || is_ticker(token.text) {
            found.sure.push(word);
        } else if is_subject(&list, i, &word) {
            found.perhaps.push(word);
        }
    }
    found.sure.extend(text::tickers(text).into_iter().map(|t| t.to_lowercase()));
    found.sure.dedup();
    found
}

/// The `B` of `4.8B`.
fn is_scale(list: &[Token<'_>], i: usize) -> bool {
    let glued = list.get(i).is_some_and(|t| !t.spaced);
    glued && i.checked_sub(1).and_then(|p| list.get(p)).is_some_and(|t| t.kind == Kind::Number)
}

/// Two to five capitals.
fn is_ticker(written: &str) -> bool {
    (2..=5).contains(&written.len()) && written.bytes().all(|b| b.is_ascii_uppercase())
}

/// A first word that something is said of and that is no ordinary word.
fn is_subject(list: &[Token<'_>], i: usize, word: &str) -> bool {
    let next = list.get(i + 1).map(Token::lower).unwrap_or_default();
    let said = next == ":"
        || VERBS.contains(&next.as_str())
        || (direction::is_direction(&next) && next != "up" && next != "down");
    said && !ORDINARY.contains(&word) && !ORDINARY_ENDINGS.iter().any(|e| word.ends_with(e))
}

fn plain(word: &str) -> String {
    word.strip_suffix("'s").unwrap_or(word).trim_end_matches('\'').to_owned()
}

fn is_known(word: &str) -> bool {
    KNOWN.contains(&word)
        || ALIASES.iter().any(|row| {
            row.contains(&word)
                && word.len() > 2
                && !matches!(word, "home" | "american" | "express" | "cat" | "dot" | "gold" | "meta" | "williams")
        })
}

/// What is written with a capital and names nobody: measures, directions, fixed abbreviations, words with digits.
fn is_common(token: &Token<'_>, word: &str) -> bool {
    let coded = token.text.chars().any(|c| c.is_ascii_digit() || c == '_');
    COMMON.contains(&word)
        || coded
        || topic::is_topic(word)
        || direction::is_direction(word)
        || text::is_stop_word(word)
}

fn begins_sentence(list: &[Token<'_>], i: usize) -> bool {
    let mut before = list
        .get(..i)
        .unwrap_or_default()
        .iter()
        .rev()
        .skip_while(|t| matches!(t.text, "\"" | "'" | "“" | "‘" | "(" | "[" | "«" | "*"));
    before.next().is_none_or(|t| matches!(t.text, "." | "!" | "?" | ":" | ";" | "-" | "–" | "—" | "…" | "]" | "|"))
}

/// A first word with a possessive, or in front of another name, is a name itself.
fn named_by_form(list: &[Token<'_>], i: usize) -> bool {
    let own = list.get(i).is_some_and(|t| t.text.ends_with("'s") || t.text.ends_with("’s"));
    let next = list.get(i + 1).is_some_and(|t| {
        t.kind == Kind::Word
            && t.capital()
            && !is_common(t, &plain(&t.lower()))
            && t.text.chars().any(char::is_lowercase)
    });
    own || next
}

/// Every word by which a text's subject may be named: the words of the text, and the aliases of those that are tickers or names.
pub(crate) fn vocabulary(texts: &[&str], symbol: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for text in texts {
        for token in tokens(text).iter().filter(|t| t.kind == Kind::Word) {
            let word = plain(&token.lower());
            words.extend(word.split(['-', '_', '&']).filter(|p| !p.is_empty()).map(str::to_owned));
            words.insert(word);
        }
    }
    let symbol = symbol.to_lowercase();
    let base = symbol.split(['-', '/', '.', '_']).next().unwrap_or_default();
    let base = base.strip_suffix("usdt").or_else(|| base.strip_suffix("usd")).filter(|b| !b.is_empty()).unwrap_or(base);
    words.extend([symbol.clone(), base.to_owned()]);
    let more: Vec<&str> = ALIASES
        .iter()
        .filter(|row| row.iter().any(|name| words.contains(*name)))
        .flat_map(|row| row.iter().copied())
        .collect();
    words.extend(more.into_iter().map(str::to_owned));
    words
}

/// Whether a name is among the words, also as a plural or with another ending.
pub(crate) fn is_among(name: &str, words: &BTreeSet<String>, stems: &BTreeSet<String>) -> bool {
    words.contains(name)
        || stems.contains(&stem(name))
        || name.split(['-', '&']).filter(|p| !p.is_empty()).all(|part| words.contains(part))
}

/// The roles of agents that a text names: `the news analyst` is `news`, `the bear` is `bear`.
pub(crate) fn roles(text: &str) -> Vec<String> {
    let words: Vec<String> = tokens(text).iter().map(|t| plain(&t.lower()).replace('_', "-")).collect();
    let agent = |w: &str| matches!(w, "analyst" | "researcher" | "manager" | "agent" | "desk");
    let mut found = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let next = words.get(i + 1).map_or("", String::as_str);
        if agent(next) && !matches!(word.as_str(), "the" | "an" | "a" | "one" | "another" | "each") {
            found.push(word.clone());
        } else if let Some((role, _)) = word.split_once('-').filter(|(_, kind)| agent(kind)) {
            found.push(role.to_owned());
        } else if matches!(word.as_str(), "bull" | "bear" | "trader" | "critic") && next != "case" && next != "market" {
            found.push(word.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_first_words_and_measures() {
        assert_eq!(names("Volatility rises as Tesla falls").sure, ["tesla"]);
        assert_eq!(names("Bitcoin's RSI is 61").sure, ["bitcoin"]);
        assert_eq!(names("Nokia is up").perhaps, ["nokia"]);
        assert_eq!(names("Goldman Sachs said so").sure, ["goldman", "sachs"]);
        assert_eq!(names("Momentum is up. Prices closed higher. The RSI rose."), Names::default());
    }

    #[test]
    fn a_ticker_stands_for_its_names() {
        let words = vocabulary(&["RSI 61"], "BTCUSDT");
        assert!(words.contains("bitcoin") && !words.contains("ethereum"));
    }
}
