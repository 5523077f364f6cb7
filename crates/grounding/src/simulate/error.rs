//! Six ways to make a true claim false. They look at the text alone and share nothing with the verifier's reading of it.

use super::draw::Draws;
use crate::{Claim, Verdict};
use artifacts::rows::{Fact, FactKind};
use std::ops::Range;

/// The kinds, in the order in which they are tried from a random place on.
pub(super) const KINDS: [Verdict; 6] = [
    Verdict::WrongNumber,
    Verdict::WrongDate,
    Verdict::WrongName,
    Verdict::WrongDirection,
    Verdict::WrongFact,
    Verdict::UnknownFact,
];

const PAIRS: [(&str, &str); 34] = [
    ("rose", "fell"),
    ("rises", "falls"),
    ("rise", "fall"),
    ("rising", "falling"),
    ("risen", "fallen"),
    ("gained", "lost"),
    ("gains", "losses"),
    ("gain", "loss"),
    ("climbed", "dropped"),
    ("climbs", "drops"),
    ("advanced", "declined"),
    ("increase", "decrease"),
    ("increased", "decreased"),
    ("increases", "decreases"),
    ("increasing", "decreasing"),
    ("up", "down"),
    ("higher", "lower"),
    ("positive", "negative"),
    ("bullish", "bearish"),
    ("optimistic", "pessimistic"),
    ("optimism", "pessimism"),
    ("upward", "downward"),
    ("surge", "plunge"),
    ("surged", "plunged"),
    ("surges", "plunges"),
    ("rally", "slump"),
    ("rallied", "slumped"),
    ("strengthened", "weakened"),
    ("growth", "decline"),
    ("inflows", "outflows"),
    ("buying", "selling"),
    ("greed", "fear"),
    ("uptrend", "downtrend"),
    ("upside", "downside"),
];
const OTHER_NAMES: [&str; 16] = [
    "Ethereum",
    "Tesla",
    "Solana",
    "Nokia",
    "Deutsche",
    "Toyota",
    "Siemens",
    "Ripple",
    "Palantir",
    "Samsung",
    "Glencore",
    "Unilever",
    "Cardano",
    "Airbus",
    "Starbucks",
    "Litecoin",
];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The claim with an error of the kind; none where it has nothing to spoil in that way.
pub(super) fn spoil(claim: &Claim, kind: Verdict, facts: &[(String, &Fact)], draws: &mut Draws) -> Option<Claim> {
    let with = |text: String| Some(Claim { text, fact: claim.fact.clone() });
    match kind {
        Verdict::WrongNumber => with(number(&claim.text, draws)?),
        Verdict::WrongDate => with(date(&claim.text, draws)?),
        Verdict::WrongName => with(name(claim, facts, draws)?),
        Verdict::WrongDirection => with(direction(&claim.text, draws)?),
        Verdict::WrongFact => {
            let own = facts.iter().find(|(number, _)| *number == claim.fact)?.1;
            let others: Vec<&str> = facts
                .iter()
                .filter(|(_, f)| {
                    f.name != own.name || f.kind != own.kind || (f.kind == FactKind::News && f.text != own.text)
                })
                .map(|(n, _)| n.as_str())
                .collect();
            if others.is_empty() {
                return None;
            }
            Some(Claim { text: claim.text.clone(), fact: draws.one(&others).to_owned() })
        }
        Verdict::UnknownFact => {
            let known = |n: &str| facts.iter().any(|(number, _)| number == n);
            let start = facts.len() + 1 + draws.below(20);
            let fact = (start..=start + facts.len()).map(|n| format!("F{n}")).find(|n| !known(n))?;
            Some(Claim { text: claim.text.clone(), fact })
        }
        Verdict::Supported | Verdict::Uncited => None,
    }
}

/// Runs of characters that are all of one kind, as byte ranges.
fn runs(text: &str, belongs: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| belongs(*c)) {
        match found.last_mut() {
            Some(last) if last.end == at => last.end = at + c.len_utf8(),
            _ => found.push(at..at + c.len_utf8()),
        }
    }
    found
}

/// Where dates and times stand: what a number must not be looked for in.
fn date_ranges(text: &str) -> Vec<Range<usize>> {
    let dated = |r: &Range<usize>| {
        let part = text.get(r.clone()).unwrap_or_default();
        part.chars().filter(|c| matches!(c, ':' | '/' | '-')).count() >= 1
            && part.chars().filter(char::is_ascii_digit).count() >= 3
    };
    let mut found: Vec<Range<usize>> =
        runs(text, |c| c.is_ascii_digit() || matches!(c, ':' | '/' | '-')).into_iter().filter(dated).collect();
    for digits in runs(text, |c| c.is_ascii_digit()) {
        let before = text.get(..digits.start).unwrap_or_default().trim_end().rsplit(' ').next().unwrap_or_default();
        let after = text.get(digits.end..).unwrap_or_default().trim_start();
        let half = |w: &str| {
            let rest = w.strip_prefix("am").or_else(|| w.strip_prefix("pm"));
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
        };
        let month = |w: &str| MONTHS.iter().any(|m| w.starts_with(m));
        let year =
            digits.len() == 4 && before.ends_with(',') && text.get(digits.clone()).is_some_and(|y| y.starts_with("20"));
        if (month(before) || month(after) || year || half(after)) && digits.len() <= 4 {
            found.push(digits);
        }
    }
    found
}

fn number(text: &str, draws: &mut Draws) -> Option<String> {
    let dates = date_ranges(text);
    let usable = |r: &Range<usize>| {
        let before = text.get(..r.start).unwrap_or_default();
        let after = text.get(r.end..).unwrap_or_default();
        let glued = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ',' | '&'));
        // Parameters of a measure and borders are left alone: changing a border can leave the sentence true.
        let border = ["above ", "below ", "over ", "under ", "than ", "least ", "most "]
            .iter()
            .any(|w| before.to_lowercase().trim_end_matches('$').ends_with(w));
        let window = after.starts_with("-b") || after.starts_with(')') && before.ends_with('(');
        let ends = after.starts_with(|c: char| c.is_alphabetic() && !matches!(c, 'k' | 'M' | 'B' | 'b'));
        let dated = dates.iter().any(|d| d.start < r.end && r.start < d.end);
        !(glued || window || border || ends || dated)
    };
    let places: Vec<Range<usize>> = runs(text, |c| c.is_ascii_digit() || matches!(c, '.' | ','))
        .into_iter()
        .map(|r| {
            let part = text.get(r.clone()).unwrap_or_default();
            let trimmed = part.trim_end_matches(['.', ',']);
            r.start..r.start + trimmed.len()
        })
        .filter(|r| text.get(r.clone()).is_some_and(|p| p.starts_with(|c: char| c.is_ascii_digit())) && usable(r))
        .collect();
    let place = places.get(draws.below(places.len()))?.clone();
    let old = text.get(place.clone())?;
    // Change one digit, more often an early one; or move the point.
    let digits: Vec<usize> = old.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(i, _)| i).collect();
    let which = draws.below(digits.len()).min(draws.below(digits.len()));
    let at = *digits.get(which)?;
    let digit = old.get(at..=at)?.parse::<usize>().ok()?;
    // By two at least: one more or less in the last digit can be a matter of rounding.
    let other = (digit + 2 + draws.below(7)) % 10;
    let new = format!("{}{other}{}", old.get(..at)?, old.get(at + 1..)?);
    Some(format!("{}{new}{}", text.get(..place.start)?, text.get(place.end..)?))
}

fn date(text: &str, draws: &mut Draws) -> Option<String> {
    let dates = date_ranges(text);
    let place = dates.get(draws.below(dates.len()))?.clone();
    let old = text.get(place.clone())?;
    // The day or the hour: the last two digits of a day, the first of a time.
    let digits = runs(old, |c| c.is_ascii_digit());
    let target = if old.contains(':') {
        digits.first()?.clone()
    } else if old.contains('/') {
        digits.get(1)?.clone()
    } else if digits.first().is_some_and(|d| d.len() == 4) && digits.len() > 1 {
        digits.last()?.clone()
    } else {
        digits.first()?.clone()
    };
    let value: usize = old.get(target.clone())?.parse().ok()?;
    let moved = if old.contains(':') {
        (value + 1 + draws.below(10)) % 12
    } else if value > 31 {
        value - 1 - draws.below(5)
    } else {
        1 + (value + 1 + draws.below(20)) % 27
    };
    if moved == value || (old.contains(':') && moved % 12 == value % 12) {
        return None;
    }
    let width = target.len();
    let new = format!("{}{moved:0width$}{}", old.get(..target.start)?, old.get(target.end..)?);
    Some(format!("{}{new}{}", text.get(..place.start)?, text.get(place.end..)?))
}

fn name(claim: &Claim, facts: &[(String, &Fact)], draws: &mut Draws) -> Option<String> {
    let text = &claim.text;
    let fact = facts.iter().find(|(number, _)| *number == claim.fact)?.1;
    let words = runs(text, char::is_alphanumeric);
    let named = |r: &Range<usize>| {
        let word = text.get(r.clone()).unwrap_or_default();
        let first = text.get(..r.start).unwrap_or_default().trim_end();
        let inside = !(first.is_empty() || first.ends_with(['.', ':', '!', '?', '"', '-']));
        let proper = word.chars().count() >= 4
            && word.starts_with(char::is_uppercase)
            && word.chars().skip(1).all(char::is_lowercase);
        word == fact.symbol || (inside && proper && !MONTHS.iter().any(|m| word.starts_with(m)))
    };
    let places: Vec<Range<usize>> = words.into_iter().filter(named).collect();
    let place = places.get(draws.below(places.len()))?.clone();
    let given = |name: &str| {
        facts.iter().any(|(_, f)| f.symbol.contains(name) || f.text.to_lowercase().contains(&name.to_lowercase()))
    };
    let others: Vec<&str> = OTHER_NAMES.into_iter().filter(|n| !given(n)).collect();
    if others.is_empty() || is_alias_only(text, &place) {
        return None;
    }
    Some(format!("{}{}{}", text.get(..place.start)?, draws.one(&others), text.get(place.end..)?))
}

/// A part of a code such as `mvrv_BTC` is no name to exchange.
fn is_alias_only(text: &str, place: &Range<usize>) -> bool {
    text.get(..place.start).is_some_and(|b| b.ends_with('_'))
        || text.get(place.end..).is_some_and(|a| a.starts_with('_'))
}

fn direction(text: &str, draws: &mut Draws) -> Option<String> {
    let turned = |word: &str| {
        PAIRS.iter().find_map(|(up, down)| {
            if *up == word {
                Some(*down)
            } else if *down == word {
                Some(*up)
            } else {
                None
            }
        })
    };
    let places: Vec<(Range<usize>, &str)> = runs(text, char::is_alphabetic)
        .into_iter()
        .filter_map(|r| Some((r.clone(), turned(&text.get(r)?.to_lowercase())?)))
        .filter(|(r, _)| {
            // `up to`, `fear and greed`: no direction there.
            let after = text.get(r.end..).unwrap_or_default().trim_start().to_lowercase();
            let before = text.get(..r.start).unwrap_or_default().trim_end().to_lowercase();
            !["to ", "and", "&", "or ", "/", "index", "band", "_", "greed"].iter().any(|w| after.starts_with(w))
                && !["and", "&", "or", "/", "_", "fear"].iter().any(|w| before.ends_with(w))
        })
        .collect();
    let (place, word) = places.get(draws.below(places.len()))?.clone();
    let capital = text.get(place.start..).is_some_and(|t| t.starts_with(char::is_uppercase));
    let word = if capital { super::form::capitalised(word) } else { word.to_owned() };
    Some(format!("{}{word}{}", text.get(..place.start)?, text.get(place.end..)?))
}
