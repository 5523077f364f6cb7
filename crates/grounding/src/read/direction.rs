//! Words that say where something goes or on which side it is, with what negates them.

use super::token::{Kind, Token, stem, tokens};
use std::collections::BTreeSet;

/// Up, down or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Down,
    Flat,
    Up,
}

impl Way {
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Down => Self::Up,
            Self::Flat => Self::Flat,
            Self::Up => Self::Down,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Flat => "neither up nor down",
            Self::Up => "up",
        }
    }

    pub(crate) fn of(value: f64) -> Self {
        if value > 0.0 {
            Self::Up
        } else if value < 0.0 {
            Self::Down
        } else {
            Self::Flat
        }
    }
}

/// One such word in a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Direction {
    pub(crate) way: Way,
    /// Whether it names a side (`positive`, `bullish`) and not a movement (`rises`).
    pub(crate) state: bool,
    /// The words around it, in their common forms.
    pub(crate) context: BTreeSet<String>,
    /// The word.
    pub(crate) word: String,
}

/// Words with these beginnings, whatever follows: longer words first decide.
const UP_STEMS: [&str; 26] = [
    "climb",
    "gain",
    "increas",
    "advanc",
    "surg",
    "soar",
    "jump",
    "rebound",
    "recover",
    "strengthen",
    "outperform",
    "upgrad",
    "improv",
    "spik",
    "appreciat",
    "inflow",
    "rally",
    "ralli",
    "growth",
    "grow",
    "expand",
    "optimis",
    "tailwind",
    "bullish",
    "accumulat",
    "lift",
];
const DOWN_STEMS: [&str; 29] = [
    "declin",
    "decreas",
    "drop",
    "plung",
    "plummet",
    "tumbl",
    "crash",
    "weaken",
    "underperform",
    "downgrad",
    "worsen",
    "retreat",
    "slump",
    "depreciat",
    "outflow",
    "pessimis",
    "headwind",
    "bearish",
    "shrink",
    "shrank",
    "contract",
    "sell-off",
    "selloff",
    "sinking",
    "sinks",
    "slid",
    "slip",
    "deteriorat",
    "liquidat",
];
const UP_WORDS: [&str; 22] = [
    "rise",
    "rises",
    "rose",
    "risen",
    "rising",
    "up",
    "uptrend",
    "uptick",
    "upside",
    "upturn",
    "grew",
    "stronger",
    "higher",
    "upbeat",
    "firmer",
    "upswing",
    "added",
    "beat",
    "beats",
    "bought",
    "buys",
    "purchased",
];
const DOWN_WORDS: [&str; 24] = [
    "fall",
    "falls",
    "fell",
    "fallen",
    "falling",
    "down",
    "downtrend",
    "downtick",
    "downside",
    "downturn",
    "lose",
    "loses",
    "lost",
    "losing",
    "loss",
    "losses",
    "sank",
    "sunk",
    "weaker",
    "lower",
    "softer",
    "downswing",
    "sold",
    "sells",
];
const UP_STATES: [&str; 13] = [
    "positive",
    "positively",
    "upward",
    "upwards",
    "buy",
    "buying",
    "buyers",
    "greed",
    "favourable",
    "favorable",
    "encouraging",
    "supportive",
    "constructive",
];
const DOWN_STATES: [&str; 14] = [
    "negative",
    "negatively",
    "downward",
    "downwards",
    "sell",
    "selling",
    "sellers",
    "fear",
    "unfavourable",
    "unfavorable",
    "panic",
    "discouraging",
    "gloomy",
    "fearful",
];
const FLAT: [&str; 12] = [
    "flat",
    "unchanged",
    "neutral",
    "stable",
    "steady",
    "sideways",
    "stagnant",
    "muted",
    "balanced",
    "mixed",
    "range-bound",
    "rangebound",
];
const NEGATIONS: [&str; 17] = [
    "not", "no", "never", "without", "failed", "fails", "failing", "hardly", "neither", "nor", "lack", "lacks",
    "cannot", "stopped", "barely", "nothing", "unlikely",
];
const REDUCERS: [&str; 8] = ["narrow", "eas", "slow", "fade", "fading", "pare", "trim", "limit"];

/// How many words to each side make the context.
const AROUND: usize = 4;

/// Every direction that a text states.
pub(crate) fn directions(text: &str) -> Vec<Direction> {
    let list = tokens(text);
    let words: Vec<String> = list.iter().map(Token::lower).collect();
    let mut found = Vec::new();
    for (i, token) in list.iter().enumerate() {
        if token.kind != Kind::Word {
            continue;
        }
        let Some((way, state)) = words.get(i).and_then(|w| way(w)).or_else(|| relation(&list, &words, i)) else {
            continue;
        };
        if fixed(&words, i) || reduced(&words, i) {
            continue;
        }
        let way = if negated(&words, i) { negate(way) } else { way };
        let from = i.saturating_sub(AROUND);
        let context = words.iter().enumerate().skip(from).take(i - from + AROUND + 1);
        let context = context
            .filter(|(at, w)| *at != i && w.chars().next().is_some_and(char::is_alphanumeric) && !is_idle(w))
            .map(|(_, w)| stem(w))
            .collect();
        found.push(Direction { way, state, context, word: words.get(i).cloned().unwrap_or_default() });
    }
    found
}

/// `not rising` is down or flat: as a contradiction of `rising` it is down. `not flat` says nothing.
fn negate(way: Way) -> Way {
    way.opposite()
}

/// Words that stand beside any direction.
fn is_idle(word: &str) -> bool {
    text::is_stop_word(word) || matches!(word, "million" | "billion" | "trillion" | "percent")
}

/// Whether a word is one of direction.
pub(crate) fn is_direction(word: &str) -> bool {
    way(word).is_some()
}

fn way(word: &str) -> Option<(Way, bool)> {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let state = |word: &str| word.starts_with("bullish") || word.starts_with("bearish");
    if UP_STATES.contains(&word) {
        return Some((Way::Up, true));
    }
    if DOWN_STATES.contains(&word) {
        return Some((Way::Down, true));
    }
    if FLAT.contains(&word) {
        return Some((Way::Flat, true));
    }
    if UP_WORDS.contains(&word) || UP_STEMS.iter().any(|s| word.starts_with(s)) {
        return Some((Way::Up, state(word) || word.starts_with("optimis")));
    }
    if DOWN_WORDS.contains(&word) || DOWN_STEMS.iter().any(|s| word.starts_with(s)) {
        return Some((Way::Down, state(word) || word.starts_with("pessimis")));
    }
    None
}

/// `above its average`, `below zero`: a side, unless a figure follows (then it is a border) or it stands for nothing.
fn relation(list: &[Token<'_>], words: &[String], i: usize) -> Option<(Way, bool)> {
    let way = match words.get(i).map(String::as_str)? {
        "above" => Way::Up,
        "below" | "beneath" => Way::Down,
        _ => return None,
    };
    let figure = |t: &Token<'_>| t.kind == Kind::Number || matches!(t.text, "$" | "€" | "£");
    let next = list.get(i + 1)?;
    let behind = words.get(i + 1).is_some_and(|w| matches!(w.as_str(), "the" | "its" | "neutral"));
    let border = figure(next) || (behind && list.get(i + 2).is_some_and(figure));
    (!border && next.kind == Kind::Word).then_some((way, true))
}

/// Words of direction inside a fixed phrase state none.
fn fixed(words: &[String], i: usize) -> bool {
    let at = |n: isize| i.checked_add_signed(n).and_then(|place| words.get(place)).map_or("", String::as_str);
    let word = at(0);
    let joint = |w: &str| matches!(w, "and" | "&" | "/" | "or" | "-");
    let two_ways = |other: isize, joined: isize| {
        joint(at(joined))
            && way(at(other)).is_some_and(|(w, _)| way(word).is_some_and(|(v, _)| w == v.opposite() && w != v))
    };
    match word {
        // `fear and greed index`, `rise or fall`
        _ if two_ways(2, 1) || two_ways(-2, -1) => true,
        // the name of an index or a band, not a side
        "greed" | "fear" => matches!(at(1), "index" | "gauge" | "reading") && joint(at(-1)),
        "up" => {
            matches!(at(1), "to" | "until")
                || matches!(at(-1), "made" | "set" | "follow" | "sum" | "sums" | "build")
                || (matches!(at(-1), "end" | "ends" | "ended")
                    && !at(1).starts_with(|c: char| c.is_ascii_digit() || c == '$')
                    && at(1) != "by")
        }
        "down" => matches!(at(-1), "break" | "breaks" | "slow" | "pin"),
        "lower" | "higher" => {
            matches!(at(1), "band" | "bound" | "bollinger" | "limit" | "timeframe" | "frame") || at(1) == "than"
        }
        "loss" | "losses" => at(-1) == "stop",
        "sell" | "buy" => at(1) == "side",
        _ => false,
    }
}

/// `losses narrowed`: neither the loss nor its end is the direction.
fn reduced(words: &[String], i: usize) -> bool {
    let reducer = |w: &String| REDUCERS.iter().any(|r| w.starts_with(r));
    let next = words.get(i + 1).is_some_and(reducer);
    let before = i.checked_sub(1).and_then(|p| words.get(p)).is_some_and(reducer);
    let less = i.checked_sub(1).and_then(|p| words.get(p)).is_some_and(|w| matches!(w.as_str(), "less" | "fewer"));
    next || before || less
}

fn negated(words: &[String], i: usize) -> bool {
    let from = i.saturating_sub(3);
    // A comma or a stop ends what a negation covers.
    let covered = words.get(from..i).unwrap_or_default();
    let begin =
        covered.iter().rposition(|w| matches!(w.as_str(), "," | "." | ";" | "but" | "only")).map_or(0, |p| p + 1);
    let covered = covered.get(begin..).unwrap_or_default();
    let plain = covered.iter().any(|w| NEGATIONS.contains(&w.as_str()) || w.ends_with("n't"));
    let pair = covered
        .windows(2)
        .any(|p| matches!((p[0].as_str(), p[1].as_str()), ("rather", "than") | ("instead", "of") | ("far", "from")));
    plain || pair
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(text: &str) -> Vec<Way> {
        directions(text).iter().map(|d| d.way).collect()
    }

    #[test]
    fn a_negation_turns_a_direction_and_a_comma_ends_it() {
        assert_eq!(ways("Bitcoin is not rising"), [Way::Down]);
        assert_eq!(ways("it didn't fall"), [Way::Up]);
        assert_eq!(ways("no news, prices rise"), [Way::Up]);
        assert_eq!(ways("bullish rather than bearish"), [Way::Up, Way::Up]);
    }

    #[test]
    fn fixed_phrases_and_borders_state_no_direction() {
        for text in [
            "the fear and greed index",
            "up to 5 %",
            "the lower band",
            "above 95,000",
            "below the 70 line",
            "gains and losses",
            "losses narrowed",
        ] {
            assert!(ways(text).is_empty(), "{text}: {:?}", ways(text));
        }
        assert_eq!(ways("it trades above its average"), [Way::Up]);
        assert_eq!(ways("Fear, 40"), [Way::Down]);
    }
}
