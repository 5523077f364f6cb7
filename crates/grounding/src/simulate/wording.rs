//! The honest author's sentences. `{asset}`, `{measure}`, `{value}`, `{size}`, `{when}`, `{way}`, `{side}`, `{quote}` are filled in.

use super::draw::Draws;
use super::form::{asset, capitalised, magnitude, measure, signed, when};
use artifacts::rows::{Fact, FactKind};

const LEVELS: [&str; 16] = [
    "{measure} stands at {value}",
    "{measure} is {value} {when}",
    "{asset}'s {measure} reads {value}",
    "For {asset}, {measure} comes in at {value}",
    "{measure} of {asset} was {value} {when}",
    "with {measure} at {value}, the picture for {asset} is clear",
    "We see {measure} at {value}",
    "{asset}: {measure} {value}",
    "A reading of {value} for {measure} {when}",
    "{when}, {measure} printed {value}",
    "{measure} currently equals {value}",
    "the latest {measure} ({value}) for {asset}",
    "{measure} has reached {value} for {asset} {when}",
    "Note that {measure} sits at {value}",
    "{measure} = {value}",
    "At {value}, {measure} of {asset} deserves attention",
];
const PRICES: [&str; 14] = [
    "{asset} closed at {value} {when}",
    "the last close was {value}",
    "{asset} trades at {value}",
    "The price of {asset} is {value} {when}",
    "{asset}'s close of {value}",
    "closing price {value} for {asset}",
    "{when}, {asset} changed hands at a price of {value}",
    "a close at {value} {when}",
    "{asset} is priced at {value}",
    "{asset} last traded at {value} {when}",
    "the bar closed at {value}",
    "The closing price stood at {value} {when}",
    "with {asset} at a price of {value}",
    "{asset} settled at {value} {when}",
];
const MOVES: [&str; 14] = [
    "{asset} {way} {size} as {measure} shows",
    "{measure} was {value} {when}",
    "{asset} has {gone} {size}, by {measure}",
    "{measure} of {asset}: {value}",
    "a {side} {measure} of {value} for {asset}",
    "{measure} stands at {value}",
    "{asset} {way} by {size} ({measure})",
    "{measure} is {side} at {value}",
    "{when}, {measure} of {asset} was {side}",
    "{measure} came to {value}",
    "with {measure} at {value}, {asset} {way}",
    "{asset}'s {measure} is {side}",
    "by {measure} {asset} {way} {size} {when}",
    "{measure} shows that {asset} {way} {size}",
];
const SIDES: [&str; 13] = [
    "{measure} is {side} at {value}",
    "{measure} stands at {value}",
    "{asset}'s {measure} is {side}",
    "a {side} {measure} of {value}",
    "{measure} reads {value} {when}",
    "{measure} of {asset} is {value}, which is {side}",
    "{when}, {measure} was {side}",
    "{side} {measure} ({value}) for {asset}",
    "For {asset}, {measure} has turned {side}: {value}",
    "{measure} remains {side} for {asset}",
    "We read {measure} as {side}: {value}",
    "{measure} = {value}",
    "{measure} came in {side} at {value} {when}",
];
const NEWS: [&str; 15] = [
    "{quote}",
    "News: {quote}",
    "It is reported that {quote}",
    "According to the news, {quote}",
    "{when}: {quote}",
    "the article says \"{quote}\"",
    "A report {when} says {quote}",
    "Headline: {quote}",
    "the summary states that {quote}",
    "as the news has it, {quote}",
    "{asset} news: {quote}",
    "One item reads: {quote}",
    "Coverage of {asset}: {quote}",
    "we learn that {quote}",
    "News published {when} reports: {quote}",
];
const MOODS: [&str; 12] = [
    "the sentiment is {side} ({value})",
    "sentiment of {value}",
    "The model reads the news on {asset} as {side}",
    "a {side} sentiment score of {value}",
    "News sentiment stands at {value} {when}",
    "{asset}'s sentiment is {side}",
    "The tone is {side} at {value}",
    "the mood for {asset} scores {value}",
    "sentiment came out {side} {when}",
    "{side} tone, {value}",
    "We score the sentiment at {value}",
    "The text about {asset} is {side}: {value}",
];
const CASES: [&str; 12] = [
    "a similar case {when} was followed by {value}",
    "the past case of {asset} ended {side} at {value}",
    "in a similar case {asset} {way} {size}",
    "The precedent {when} returned {value}",
    "a past case brought {value}",
    "one similar case had an outcome of {value}",
    "{asset} {way} {size} after a similar case",
    "the outcome of the similar case was {side}",
    "The similar case {when} gave {value}",
    "A precedent for {asset} shows {value}",
    "past case: {value} afterwards",
    "the analogue {when} ended {side}",
];
const OPINIONS: [&str; 12] = [
    "the {agent} is {bias} with a score of {value}",
    "The {agent} gives {value}",
    "the {agent} leans {bias}",
    "A score of {value} from the {agent}",
    "{asset} looks {bias} to the {agent}",
    "the {agent} says: {quote}",
    "The {agent} scores {asset} at {value}",
    "as the {agent} puts it, {quote}",
    "the {agent} has a {bias} view ({value})",
    "the {agent} argues that {quote}",
    "By the {agent}: {value}",
    "{bias} is how the {agent} sees {asset}",
];

/// One true sentence about a fact.
pub(super) fn sentence(fact: &Fact, draws: &mut Draws) -> String {
    let value = fact.value;
    let sided = value.is_some_and(|v| v != 0.0);
    let templates: &[&str] = match fact.kind {
        FactKind::News => &NEWS,
        FactKind::Sentiment if sided => &MOODS,
        FactKind::PastCase if sided => &CASES,
        FactKind::Opinion if sided => &OPINIONS,
        FactKind::Price | FactKind::Observation if value.is_some() => {
            if is_move(fact) && sided {
                &MOVES
            } else if fact.kind == FactKind::Price && matches!(fact.name.as_str(), "close" | "price") {
                &PRICES
            } else if is_sided(fact) && sided {
                &SIDES
            } else {
                &LEVELS
            }
        }
        _ => &["{quote}"],
    };
    let template = draws.one(templates);
    capitalised(fill(template, fact, draws).trim())
}

fn is_move(fact: &Fact) -> bool {
    ["return", "change"].iter().any(|w| fact.name.contains(w))
}

fn is_sided(fact: &Fact) -> bool {
    ["momentum", "macd", "_z", "zscore", "mvrv"].iter().any(|w| fact.name.contains(w))
}

fn fill(template: &str, fact: &Fact, draws: &mut Draws) -> String {
    let value = fact.value.unwrap_or_default();
    let up = value > 0.0;
    let pick =
        |draws: &mut Draws, ups: [&'static str; 4], downs: [&'static str; 4]| draws.one(if up { &ups } else { &downs });
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (slot, after) = after.split_once('}').unwrap_or((after, ""));
        let text = match slot {
            "asset" => asset(&fact.symbol, draws),
            "measure" => measure(&fact.name, draws),
            "value" => signed(value, &fact.unit, draws),
            "size" => magnitude(value, &fact.unit, draws),
            "when" => when(fact.event_at, draws),
            "way" => {
                pick(draws, ["rose", "gained", "climbed", "advanced"], ["fell", "lost", "dropped", "declined"]).into()
            }
            "gone" => {
                pick(draws, ["risen", "gained", "climbed", "gone up"], ["fallen", "lost", "dropped", "gone down"])
                    .into()
            }
            "side" => pick(
                draws,
                ["positive", "positive", "bullish", "positive"],
                ["negative", "negative", "bearish", "negative"],
            )
            .into(),
            "bias" => pick(
                draws,
                ["bullish", "positive", "optimistic", "bullish"],
                ["bearish", "negative", "pessimistic", "bearish"],
            )
            .into(),
            "agent" => fact.name.replace(['_', '-'], " "),
            "quote" => quote(&fact.text, draws),
            _ => String::new(),
        };
        out.push_str(&text);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A sentence of a text, or its beginning up to a comma.
fn quote(text: &str, draws: &mut Draws) -> String {
    let sentences: Vec<&str> = text.split(". ").map(str::trim).filter(|s| s.split_whitespace().count() >= 4).collect();
    let chosen = if sentences.is_empty() { text.trim() } else { draws.one(&sentences) };
    let clause = chosen.split(", ").next().filter(|c| c.split_whitespace().count() >= 6 && draws.below(2) == 0);
    let words: Vec<&str> = clause.unwrap_or(chosen).trim_end_matches('.').split_whitespace().collect();
    words.get(..words.len().min(28)).unwrap_or_default().join(" ").replace(['"', '\\'], "'")
}
