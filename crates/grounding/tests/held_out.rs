//! The verifier on phrasings that neither it nor the author were written with.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;
mod score;

use artifacts::rows::{Fact, FactKind};
use artifacts::{Seed, Timestamp};
use common::{Prompt, gold, made, prompts, shared, stock};
use grounding::{Answer, Claim};
use score::Score;

/// The ways in which one author words facts.
struct Phrasings {
    price: &'static [&'static str],
    movement: &'static [&'static str],
    level: &'static [&'static str],
    sided: &'static [&'static str],
    news: &'static [&'static str],
    mood: &'static [&'static str],
    case: &'static [&'static str],
    opinion: &'static [&'static str],
}

/// The first set: written before the verifier was first measured on it (precisions were then as low as 0.38 for `wrong-name`, since every
/// word of "Relative Strength Index" passed for a name, and 0.54 for `wrong-number`). The faults that it showed were mended in the
/// verifier, never by adding one of these phrases.
const FIRST: Phrasings = Phrasings {
    price: &[
        "Latest print for {a}: {v}",
        "{a} finished the interval valued at {v}",
        "{a} was bid up to a last price of {v}",
        "Buyers paid {v} per unit of {a} {t}",
        "Market price {t} was {v}",
        "Quotes for {a} ended at {v}",
        "one {a} cost {v} {t}",
        "closing level {v}, {t}",
        "{a} now costs {v}",
    ],
    movement: &[
        "{a} is {ud} {s}",
        "{a} {moved} by {s} on the {m} measure",
        "A {mv} of {s} is seen in {m}",
        "{m} came out {pn}, {v}",
        "{a} ended {hl}: {m} {v}",
        "Performance of {a} has been {pn} ({m} {v})",
        "The {m} figure shows a {s} {mv}",
        "{m} printed {v} {t}",
        "{a} edged {hl} by {s} according to {m}",
        "{m} leaves {a} {ud} {s}",
    ],
    level: &[
        "{m} hovers at {v}",
        "{m} prints {v} {t}",
        "There is a {m} of {v} behind {a}",
        "{v} is what {m} shows {t}",
        "Our {m} gauge for {a} points to {v}",
        "{m} has come to {v}",
        "I note {m} at {v} for {a}",
        "Looking at {m}, one finds {v}",
        "Measured {t}, {m} equals {v}",
    ],
    sided: &[
        "{m} sits on the {pn} side at {v}",
        "{m} gives a {pn} reading",
        "{m} flashes {pn} ({v})",
        "the {pn} {m} of {a}, {v}",
        "{a} carries a {pn} {m}",
        "{m} is in {pn} territory {t}",
        "{m}: {v}, i.e. {pn}",
    ],
    news: &[
        "Press coverage: {q}",
        "Journalists write that {q}",
        "{t} it became known that {q}",
        "{q} (press)",
        "Media {t}: {q}",
        "what we read is this: {q}",
        "from the wire, \"{q}\"",
        "An item {t} on {a}: {q}",
    ],
    mood: &[
        "{a} gets a {pn} text score ({v})",
        "The language model's score is {v}",
        "News flow scored {v} {t}",
        "Text tone for {a}: {pn}",
        "the reading of the news is {pn}, at {v}",
        "a {pn} verdict from the model",
        "tone at {v} {t}",
    ],
    case: &[
        "History: the match {t} led to {v}",
        "The comparable episode of {a} gave {v}",
        "after the matching episode {t} {a} went {ud} {s}",
        "an earlier look-alike made {v}",
        "the nearest neighbour {t} ended {ud} {s}",
        "what followed the earlier episode was {pn}",
    ],
    opinion: &[
        "Per the {g}, {a} is a {bb} story",
        "{v} is the number of the {g}",
        "The {g} takes the {bb} side",
        "the {g} puts {a} at {v}",
        "our {g} stays {bb}",
        "{g}: {v}",
    ],
};

/// The second set: written last. When the verifier was first measured on it, `wrong-name` had a precision of 0.92 on the made market
/// and 0.74 on gold.csv and the DJIA (it took the first word of "Word is that …" for a name), `wrong-number` 0.96 and 0.94, and all else
/// 0.95 or more with recalls of 0.92 or more. Two faults were mended after it: a first word of a quotation is no name, and
/// `negative 0.5` is a side and no sign. A third set would again show something: for phrasings nobody has tried, those first figures
/// are the ones to expect.
const SECOND: Phrasings = Phrasings {
    price: &[
        "As things stand one {a} goes for {v}",
        "{a} ticked to {v} {t}",
        "We mark {a} at {v}",
        "{v}: that is where {a} ended up {t}",
        "The tape shows {v} for {a}",
        "{a} spot quote {v}",
        "the session left {a} at {v}",
    ],
    movement: &[
        "{m} puts {a} {ud} {s}",
        "The {mv} in {a} measured {s} ({m})",
        "{a} has {moved} {s} {t}",
        "On {m}, {a} shows a {pn} {v}",
        "{v} is the {m} of {a}",
        "A {s} {mv} for {a}, says {m}",
        "{a} trades {hl} after a {mv} of {s}",
    ],
    level: &[
        "{m} was last seen at {v}",
        "We have {m} running at {v} {t}",
        "{a} shows {v} on {m}",
        "A look at {m}: {v}",
        "{m}, {v}, is part of the picture",
        "{m} amounts to {v}",
        "The desk notes {v} for {m} {t}",
    ],
    sided: &[
        "{m} tilts {pn} ({v})",
        "With {v}, {m} is {pn}",
        "{m} keeps a {pn} sign for {a}",
        "{pn} {m} on {a} {t}",
        "{m} speaks a {pn} language: {v}",
    ],
    news: &[
        "Word is that {q}",
        "the feed carried this {t}: {q}",
        "Among the stories: {q}",
        "{q}, as was reported",
        "Reporters noted that {q}",
        "one read {t} that {q}",
    ],
    mood: &[
        "The reader model hears a {pn} tone in it",
        "{v} on the sentiment scale {t}",
        "The sentiment reading is {pn}",
        "we get a sentiment value of {v} for {a}",
        "{pn} sentiment, {v}",
    ],
    case: &[
        "Last time it looked like this ({t}), {a} went {ud} {s}",
        "the archive holds a case that ended at {v}",
        "that case closed {ud} {s}",
        "A case from the past {t} yielded {v}",
        "in the precedent the next bars brought {v}",
    ],
    opinion: &[
        "{v}, says the {g}",
        "The {g} remains {bb}",
        "A {bb} stance from the {g}, {v}",
        "{a} scores {v} with the {g}",
        "to the {g} the outlook is {bb}",
    ],
};

struct Dice(Seed, u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.1 += 1;
        (self.0.derive(&self.1.to_string()).0 >> 11) as usize % bound.max(1)
    }

    fn one<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

fn when(at: Timestamp, dice: &mut Dice) -> String {
    let iso = at.to_string();
    let (year, month, day, clock) = (&iso[..4], &iso[5..7], &iso[8..10], &iso[11..16]);
    let names = [
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
    let name = names[month.parse::<usize>().unwrap() - 1];
    let day = day.trim_start_matches('0');
    match dice.below(6) {
        0 => format!("on the {day}{} of {name}", suffix(day)),
        1 => format!("({year}-{month}-{day:0>2})"),
        2 => format!("on {} {day}{}", &name[..3], suffix(day)),
        3 => format!("[{iso}]"),
        4 => format!("around {clock}"),
        _ => format!("on {day} {} {year}", &name[..3]),
    }
}

fn suffix(day: &str) -> &'static str {
    match day {
        "1" | "21" | "31" => "st",
        "2" | "22" => "nd",
        "3" | "23" => "rd",
        _ => "th",
    }
}

fn magnitude(value: f64, unit: &str, dice: &mut Dice) -> String {
    let v = value.abs();
    let digits = if v >= 1_000.0 {
        dice.below(3)
    } else if v >= 1.0 {
        1 + dice.below(2)
    } else {
        3 + dice.below(3)
    };
    let number =
        if v >= 1e7 { format!("{:.2} {}", v / 1e6, dice.one(&["million", "mn"])) } else { format!("{v:.digits$}") };
    match unit {
        "%" => format!("{number} {}", dice.one(&["%", "per cent", "percent", "pct"])),
        "USD" => dice.one(&["$#", "USD #", "# US dollars", "#"]).replace('#', &number),
        _ => number,
    }
}

fn measure(name: &str, dice: &mut Dice) -> String {
    let windows: Vec<&str> = name.split('_').filter(|p| p.bytes().all(|b| b.is_ascii_digit())).collect();
    let words: Vec<&str> = name.split('_').filter(|p| !p.bytes().all(|b| b.is_ascii_digit())).collect();
    let words = match words.join(" ").as_str() {
        "rsi" => dice.one(&["Relative Strength Index", "RSI"]).to_owned(),
        "sma" => dice.one(&["simple moving average", "SMA"]).to_owned(),
        "mvrv btc momentum" => dice.one(&["MVRV momentum", "momentum of MVRV"]).to_owned(),
        "spot volume daily sum" => dice.one(&["daily spot volume", "spot volume"]).to_owned(),
        "fear greed index" => dice.one(&["Fear & Greed index", "fear/greed index", "Fear and Greed Index"]).to_owned(),
        other => other.to_owned(),
    };
    match (windows.first(), dice.below(3)) {
        (Some(n), 0) => format!("{n}-period {words}"),
        (Some(n), 1) => format!("{words} over {n} bars"),
        _ => words,
    }
}

fn sentence(words: &Phrasings, fact: &Fact, dice: &mut Dice) -> Option<String> {
    let value = fact.value.unwrap_or(0.0);
    let (up, sided) = (value > 0.0, value != 0.0);
    let contains = |words: &[&str]| words.iter().any(|w| fact.name.contains(w));
    let templates: &[&str] = match fact.kind {
        FactKind::News => words.news,
        FactKind::Sentiment if sided => words.mood,
        FactKind::PastCase if sided => words.case,
        FactKind::Opinion if sided => words.opinion,
        FactKind::Price if fact.name == "close" => words.price,
        FactKind::Price if sided => words.movement,
        FactKind::Observation if contains(&["momentum"]) && sided => words.sided,
        FactKind::Observation => words.level,
        _ => return None,
    };
    let mut text = dice.one(templates).to_owned();
    for _ in 0..text.matches('{').count() {
        let from = text.find('{')?;
        let to = from + text[from..].find('}')?;
        let side = |dice: &mut Dice, ups: &[&'static str], downs: &[&'static str]| {
            dice.one(if up { ups } else { downs }).to_owned()
        };
        let filled = match &text[from + 1..to] {
            "a" => fact.symbol.clone(),
            "v" => format!("{}{}", if value < 0.0 { "-" } else { "" }, magnitude(value, &fact.unit, dice)),
            "s" => magnitude(value, &fact.unit, dice),
            "m" => measure(&fact.name, dice),
            "t" => when(fact.event_at, dice),
            "g" => fact.name.replace('_', " "),
            "pn" => side(dice, &["positive"], &["negative"]),
            "bb" => side(dice, &["bullish", "positive"], &["bearish", "negative"]),
            "ud" => side(dice, &["up"], &["down"]),
            "hl" => side(dice, &["higher"], &["lower"]),
            "mv" => side(dice, &["gain", "rise", "increase"], &["loss", "drop", "decrease"]),
            "moved" => side(
                dice,
                &["appreciated", "went up", "advanced", "rallied"],
                &["depreciated", "went down", "slid", "slumped"],
            ),
            "q" => {
                let words: Vec<&str> = fact.text.split_whitespace().collect();
                let from = if words.len() > 30 { dice.below(words.len() - 20) } else { 0 };
                let mut cut = &words[from..(from + 14 + dice.below(6)).min(words.len())];
                // `$1.5` cut off before its `billion` would be another number, and rightly refused.
                while let [rest @ .., last] = cut
                    && last.contains(|c: char| c.is_ascii_digit())
                    && from + cut.len() < words.len()
                {
                    cut = rest;
                }
                cut.join(" ").trim_matches(['"', ',', '.']).to_owned()
            }
            other => panic!("no slot {other}"),
        };
        text.replace_range(from..=to, &filled);
    }
    Some(text)
}

fn write(words: &Phrasings, facts: &[(String, &Fact)], seed: u64) -> Answer {
    let mut dice = Dice(Seed(seed).derive("held out"), 0);
    let mut claims = Vec::new();
    while claims.len() < 4 {
        let (number, fact) = &facts[dice.below(facts.len())];
        claims.extend(sentence(words, fact, &mut dice).map(|text| Claim { text, fact: number.clone() }));
    }
    Answer { score: 0.1, confidence: 0.5, claims, rationale: "so it is".into() }
}

fn measured(words: &Phrasings, prompts: &[Prompt], seeds: u64) -> Score {
    let mut score = Score::default();
    for seed in 0..seeds {
        score.add(&Score::of(prompts, 100 + seed, |facts, seed| write(words, facts, seed)));
    }
    score
}

fn on_the_made_market(name: &str, words: &Phrasings) {
    measured(words, &prompts("FXT", 3_600, &made()), 2).demand(&format!("held out, {name}, made market"), 5_000);
}

fn on_gold_and_the_djia(name: &str, words: &Phrasings) {
    let Some(data) = shared() else { return };
    let mut score = measured(words, &prompts("BTC", 600, &gold(&data)), 6);
    for symbol in ["AAPL", "BA", "JPM", "MSFT", "KO", "CVX"] {
        score.add(&measured(words, &prompts(symbol, 86_400, &stock(&data, symbol)), 1));
    }
    score.demand(&format!("held out, {name}, gold.csv and DJIA"), 5_000);
}

#[test]
fn the_first_held_out_phrasings_on_the_made_market_are_judged_as_well() {
    on_the_made_market("first", &FIRST);
}

#[test]
fn the_first_held_out_phrasings_on_gold_and_the_djia_are_judged_as_well() {
    on_gold_and_the_djia("first", &FIRST);
}

#[test]
fn the_second_held_out_phrasings_on_the_made_market_are_judged_as_well() {
    on_the_made_market("second", &SECOND);
}

#[test]
fn the_second_held_out_phrasings_on_gold_and_the_djia_are_judged_as_well() {
    on_gold_and_the_djia("second", &SECOND);
}
