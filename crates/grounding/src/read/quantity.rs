//! Numbers in a text, with the precision they are written to.

use super::token::{Kind, Token, tokens};

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Not said.
    None,
    /// Hundredths.
    Percent,
    /// Ten-thousandths.
    BasisPoints,
    /// Money.
    Currency(&'static str),
    /// How long a window is: bars, hours, days.
    Window,
}

/// A number that is not the figure itself but a border of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    /// `above 70`.
    Above,
    /// `below 30`.
    Below,
    /// `between 60 and 65`: up to this.
    Until(f64),
}

/// One number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quantity {
    /// Its value, in the unit it is written in.
    pub(crate) value: f64,
    /// What one more in its last written digit would be.
    pub(crate) step: f64,
    /// Whether a sign is written.
    pub(crate) signed: bool,
    pub(crate) unit: Unit,
    /// `about`, `roughly`.
    pub(crate) hedged: bool,
    pub(crate) bound: Option<Bound>,
    pub(crate) label: Label,
}

/// Whether a number is a parameter of the measure whose name it stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// It stands elsewhere.
    No,
    /// `RSI 14`: it may be its value as well.
    Perhaps,
    /// `RSI(14)`, `MACD(12, 26, 9)`.
    Yes,
}

const WORDS: [(&str, f64); 28] = [
    ("zero", 0.0),
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
];
const SCALES: [(&[&str], f64); 4] = [
    (&["k", "thousand"], 1e3),
    (&["m", "mn", "mio", "million", "millions"], 1e6),
    (&["b", "bn", "billion", "billions"], 1e9),
    (&["t", "tn", "trillion", "trillions"], 1e12),
];
const CURRENCIES: [(&[&str], &str); 4] = [
    (&["$", "usd", "dollar", "dollars", "usdt"], "USD"),
    (&["€", "eur", "euro", "euros"], "EUR"),
    (&["£", "gbp", "pound", "pounds"], "GBP"),
    (&["¥", "jpy", "yen"], "JPY"),
];
const WINDOWS: [&str; 26] = [
    "bar", "bars", "period", "periods", "candle", "candles", "hour", "hours", "hr", "hrs", "h", "day", "days", "d",
    "minute", "minutes", "min", "mins", "week", "weeks", "month", "months", "session", "sessions", "year", "years",
];
const HEDGES: [&str; 12] = [
    "about",
    "around",
    "roughly",
    "approximately",
    "nearly",
    "almost",
    "some",
    "circa",
    "close",
    "near",
    "approx",
    "≈",
];
const ABOVE: [&str; 6] = ["above", "over", "exceeds", "exceeding", "exceeded", "topping"];
const BELOW: [&str; 4] = ["below", "under", "beneath", "underneath"];

/// The value of `three` or `twenty`.
pub(crate) fn small_number(word: &str) -> Option<f64> {
    WORDS.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// Every number of a text (dates already blanked out), and the byte ranges of windows such as the 14 of `14-bar`.
pub(crate) fn quantities(text: &str) -> Vec<Quantity> {
    let list = tokens(text);
    let mut found: Vec<Quantity> = Vec::new();
    let mut i = 0;
    while i < list.len() {
        let Some((mut quantity, taken)) = one(&list, i) else {
            i += 1;
            continue;
        };
        i += taken;
        // A range: `60-65`, `between 60 and 65`.
        let joint = list.get(i).map(Token::lower).unwrap_or_default();
        let opened = quantity.bound.is_some_and(is_open);
        let dash = matches!(joint.as_str(), "-" | "–") && quantity.unit != Unit::Window;
        let money = usize::from(list.get(i + 1).is_some_and(is_currency));
        let second = if dash || (opened && joint == "and") { one(&list, i + 1 + money) } else { None };
        match second {
            Some((upper, more)) if upper.value > quantity.value => {
                i += money;
                if quantity.unit == Unit::None {
                    quantity.unit = upper.unit;
                }
                quantity.bound = Some(Bound::Until(upper.value));
                i += 1 + more;
            }
            _ if opened => quantity.bound = None,
            _ => {}
        }
        found.push(quantity);
    }
    found
}

fn is_open(bound: Bound) -> bool {
    matches!(bound, Bound::Until(upper) if upper.is_nan())
}

/// The number that begins at token `i` (its sign and currency may stand before it), and how many tokens it takes.
fn one(list: &[Token<'_>], i: usize) -> Option<(Quantity, usize)> {
    let token = list.get(i)?;
    let (mut value, mut step) = match token.kind {
        Kind::Number => written(token.text)?,
        Kind::Word => spelled(list, i)?,
        Kind::Mark => return None,
    };
    // `rsi_14` and `F3` are words; `3rd` is a place, not a number.
    let next = |n: usize| list.get(i + n);
    let glued = |n: usize| next(n).filter(|t| !t.spaced);
    if glued(1).is_some_and(|t| matches!(t.text, "st" | "nd" | "rd" | "th")) {
        return None;
    }
    let mut taken = 1;
    if let Some((_, scale)) = next(taken).and_then(|t| {
        let word = t.lower();
        let joined = !t.spaced || word.len() > 1;
        SCALES.iter().find(|(words, _)| joined && words.contains(&word.as_str()))
    }) {
        (value, step, taken) = (value * scale, step * scale, taken + 1);
    }
    let (unit, more) = unit(list, i, taken);
    taken += more;
    let (sign, before) = sign(list, i);
    let unit = match (unit, currency_before(list, i)) {
        (Unit::None, Some(currency)) => Unit::Currency(currency),
        (unit, _) => unit,
    };
    let (hedged, bound) = manner(list, before);
    // `the overbought 70`: a convention, not a figure.
    let convention = before.checked_sub(1).and_then(|p| list.get(p)).map(Token::lower);
    if bound.is_none() && convention.is_some_and(|w| matches!(w.as_str(), "overbought" | "oversold" | "neutral")) {
        return None;
    }
    // `8 out of 10`, `61/100`: how far the scale goes.
    let back = |n: usize| i.checked_sub(n).and_then(|p| list.get(p)).map_or("", |t| t.text);
    if [5.0, 10.0, 100.0].contains(&value) && (back(1) == "/" || (back(1) == "of" && back(2) == "out")) {
        return None;
    }
    let value = if sign == Some(true) { -value } else { value };
    let label = if sign.is_none() { label(list, i) } else { Label::No };
    Some((Quantity { value, step, signed: sign.is_some(), unit, hedged, bound, label }, taken))
}

/// Whether only brackets, commas and numbers stand between a number and the word before it.
fn label(list: &[Token<'_>], i: usize) -> Label {
    let mut at = i;
    let mut bracket = false;
    while let Some(token) = at.checked_sub(1).and_then(|p| list.get(p)) {
        match (token.kind, token.text) {
            (Kind::Mark, "(") => bracket = !token.spaced,
            (Kind::Mark, "," | "-") | (Kind::Number, _) => {}
            (Kind::Word, _) => {
                let whole = list.get(i).is_some_and(|t| t.text.bytes().all(|b| b.is_ascii_digit()));
                return match (bracket && whole, super::topic::is_topic(&token.lower())) {
                    (true, _) => Label::Yes,
                    (false, true) => Label::Perhaps,
                    (false, false) => Label::No,
                };
            }
            (Kind::Mark, _) => return Label::No,
        }
        at -= 1;
    }
    Label::No
}

/// `95,439.81`: the value and what one in its last digit is worth.
fn written(text: &str) -> Option<(f64, f64)> {
    let groups: Vec<&str> = text.split(',').collect();
    let grouped =
        groups.len() > 1 && groups.iter().skip(1).all(|g| g.split('.').next().is_some_and(|digits| digits.len() == 3));
    // `0,5` is the decimal comma of other languages.
    let plain = if groups.len() == 2 && !grouped { text.replace(',', ".") } else { text.replace(',', "") };
    if plain.matches('.').count() > 1 {
        return None;
    }
    let decimals = plain.split_once('.').map_or(0, |(_, d)| d.len());
    Some((plain.parse().ok()?, 0.1_f64.powi(i32::try_from(decimals).ok()?)))
}

/// `five percent`, `half a percent`: only before a unit or a scale, because `one` and `two` are so often no figures.
fn spelled(list: &[Token<'_>], i: usize) -> Option<(f64, f64)> {
    let word = list.get(i)?.lower();
    let value = small_number(&word)?;
    let next = list.get(i + 1)?.lower();
    let counted = matches!(next.as_str(), "percent" | "%" | "pct" | "basis" | "bps" | "points")
        || SCALES.iter().any(|(words, _)| next.len() > 2 && words.contains(&next.as_str()))
        || CURRENCIES.iter().any(|(words, _)| words.contains(&next.as_str()));
    counted.then_some((value, 1.0))
}

/// The unit behind a number of `taken` tokens, and how many tokens it takes.
fn unit(list: &[Token<'_>], i: usize, taken: usize) -> (Unit, usize) {
    let word = |n: usize| list.get(i + n).map(Token::lower).unwrap_or_default();
    let dash = usize::from(word(taken) == "-" && list.get(i + taken).is_some_and(|t| !t.spaced));
    let here = word(taken + dash);
    let here = here.as_str();
    if dash == 0 {
        match here {
            "%" | "percent" | "pct" | "pp" => return (Unit::Percent, 1),
            "per" if word(taken + 1) == "cent" => return (Unit::Percent, 2),
            "percentage" if word(taken + 1).starts_with("point") => return (Unit::Percent, 2),
            "bp" | "bps" => return (Unit::BasisPoints, 1),
            "basis" if word(taken + 1).starts_with("point") => return (Unit::BasisPoints, 2),
            _ => {}
        }
        if let Some((_, name)) = CURRENCIES.iter().find(|(words, _)| words.contains(&here)) {
            return (Unit::Currency(name), 1);
        }
    }
    if WINDOWS.iter().any(|w| *w == here || here.strip_prefix(w).is_some_and(|rest| rest.starts_with('-'))) {
        return (Unit::Window, dash + 1);
    }
    (Unit::None, 0)
}

/// Whether a sign stands before the number (true: minus), and the place of the first token that belongs to the number.
fn sign(list: &[Token<'_>], i: usize) -> (Option<bool>, usize) {
    let mut at = i;
    let before = |at: usize| at.checked_sub(1).and_then(|p| list.get(p));
    if before(at).is_some_and(|t| is_currency(t)) {
        at -= 1;
    }
    let Some(token) = before(at) else { return (None, at) };
    // In `60-65` and `A-5` the dash joins.
    let free = token.spaced || before(at - 1).is_some_and(|t| matches!(t.text, "(" | "[" | "=" | ":"));
    let adjacent = list.get(at).is_some_and(|t| !t.spaced);
    match token.text {
        "-" | "−" | "–" if free && adjacent => (Some(true), at - 1),
        "+" => (Some(false), at - 1),
        word if word.eq_ignore_ascii_case("minus") => (Some(true), at - 1),
        word if word.eq_ignore_ascii_case("plus") => (Some(false), at - 1),
        _ => (None, at),
    }
}

fn is_currency(token: &Token<'_>) -> bool {
    currency(token).is_some()
}

fn currency(token: &Token<'_>) -> Option<&'static str> {
    let word = token.lower();
    let word = word.strip_prefix("us").filter(|w| *w == "$").unwrap_or(&word);
    CURRENCIES.iter().find(|(words, _)| words.contains(&word)).map(|(_, name)| *name)
}

fn currency_before(list: &[Token<'_>], i: usize) -> Option<&'static str> {
    currency(i.checked_sub(1).and_then(|p| list.get(p))?)
}

/// What the words before a number say of it: a hedge, a border.
fn manner(list: &[Token<'_>], first: usize) -> (bool, Option<Bound>) {
    let word = |back: usize| first.checked_sub(back).and_then(|p| list.get(p)).map(Token::lower).unwrap_or_default();
    let (one, two, three) = (word(1), word(2), word(3));
    let pair = format!("{two} {one}");
    let bound = match pair.as_str() {
        "more than" | "greater than" | "higher than" | "at least" | "north of" => Some(Bound::Above),
        "less than" | "lower than" | "fewer than" | "at most" | "south of" | "short of" => Some(Bound::Below),
        _ if one == "between" => Some(Bound::Until(f64::NAN)),
        _ if ABOVE.contains(&one.as_str()) => Some(Bound::Above),
        _ if BELOW.contains(&one.as_str()) => Some(Bound::Below),
        _ if one == ">" => Some(Bound::Above),
        _ if one == "<" => Some(Bound::Below),
        // `above the 70 line`
        _ if one == "the" && ABOVE.contains(&two.as_str()) => Some(Bound::Above),
        _ if one == "the" && BELOW.contains(&two.as_str()) => Some(Bound::Below),
        _ if matches!(one.as_str(), "neutral" | "overbought" | "oversold") && ABOVE.contains(&three.as_str()) => {
            Some(Bound::Above)
        }
        _ if matches!(one.as_str(), "neutral" | "overbought" | "oversold") && BELOW.contains(&three.as_str()) => {
            Some(Bound::Below)
        }
        _ => None,
    };
    let hedged = one == "~"
        || HEDGES.contains(&one.as_str())
        || (matches!(one.as_str(), "to" | "at") && matches!(two.as_str(), "close" | "near" | "around"));
    (hedged, bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Quantity {
        let found = quantities(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found[0]
    }

    #[test]
    fn a_number_has_the_precision_it_is_written_to() {
        assert_eq!((only("at 95,439.81 USD").value, only("at 95,439.81 USD").step), (95_439.81, 0.1_f64.powi(2)));
        assert_eq!((only("4.59 billion").value, only("4.59 billion").step), (4.59e9, 0.1_f64.powi(2) * 1e9));
        assert_eq!((only("$95.4k").value, only("$95.4k").unit), (95_400.0, Unit::Currency("USD")));
        assert_eq!((only("0,5 %").value, only("five percent").value), (0.5, 5.0));
    }

    #[test]
    fn a_dash_is_a_sign_only_where_it_stands_free() {
        assert_eq!((only("moved -0.5%").value, only("(-0.5%)").value, only("minus 0.5 %").value), (-0.5, -0.5, -0.5));
        assert_eq!((only("+0.5").signed, only("0.5").signed), (true, false));
        assert_eq!(only("a range of 60-65").bound, Some(Bound::Until(65.0)));
        assert_eq!(only("between 60 and 65 %").unit, Unit::Percent);
    }

    #[test]
    fn windows_borders_and_places_are_told_from_figures() {
        assert_eq!((only("14-bar RSI").unit, only("over 12 bars").unit), (Unit::Window, Unit::Window));
        assert_eq!((only("above 70").bound, only("less than 30").bound), (Some(Bound::Above), Some(Bound::Below)));
        assert!(only("roughly 95,000").hedged && quantities("the 3rd day, F3, rsi_14, one side").is_empty());
    }
}
