//! What a fact says, ready to be held against a claim.

use crate::read::direction::Way;
use crate::read::quantity::{Bound, Label, Quantity, Unit};
use crate::read::{Reading, name, token, topic};
use artifacts::rows::{Fact, FactKind};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

/// A fact with what was read in it.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) fact: &'a Fact,
    content: Arc<Content>,
}

/// What can be read in a fact without its value or its moments: the same for every fact of this kind, name, symbol and text.
#[derive(Debug)]
pub(crate) struct Content {
    /// What its text states.
    pub(crate) reading: Reading,
    /// The measures it is about.
    pub(crate) topics: BTreeSet<&'static str>,
    /// Windows and other parameters of its measure.
    parameters: Vec<f64>,
    words: BTreeSet<String>,
    stems: BTreeSet<String>,
}

impl Deref for Evidence<'_> {
    type Target = Content;

    fn deref(&self) -> &Content {
        &self.content
    }
}

impl Content {
    pub(crate) fn of(fact: &Fact) -> Self {
        let reading = Reading::of(&fact.text);
        let mut topics = topic::topics_of_name(&fact.name);
        match fact.kind {
            FactKind::Price => {
                topics.insert("price");
            }
            FactKind::Sentiment => {
                topics.insert("sentiment");
            }
            FactKind::PastCase => {
                topics.insert("case");
            }
            FactKind::News | FactKind::Observation | FactKind::Opinion => {}
        }
        // A measure's own text may call it by other names; a text about something may mention any measure.
        topics.extend(reading.topics.iter().copied());
        let words = name::vocabulary(&[&fact.text, &fact.name], &fact.symbol);
        let stems = words.iter().map(|w| token::stem(w)).collect();
        let mut parameters = topic::parameters(&fact.name);
        parameters.extend(
            reading.quantities.iter().filter(|q| q.unit == Unit::Window || q.label == Label::Yes).map(|q| q.value),
        );
        Self { reading, topics, parameters, words, stems }
    }
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(fact: &'a Fact, content: Arc<Content>) -> Self {
        Self { fact, content }
    }

    /// Whether it is a figure, and not a text.
    pub(crate) fn is_figure(&self) -> bool {
        matches!(self.fact.kind, FactKind::Price | FactKind::Observation)
    }

    /// The share of a claim's words that it has.
    pub(crate) fn share(&self, claim: &Reading) -> f64 {
        let common = claim.content.iter().filter(|w| self.stems.contains(*w)).count();
        common as f64 / claim.content.len().max(1) as f64
    }

    /// Whether a name of a claim is one of its names.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        name::is_among(name, &self.words, &self.stems)
    }

    /// Whether it has a word as it is.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Whether a role of an agent is that of the agent it quotes.
    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.fact.kind != FactKind::Opinion || self.words.contains(role)
    }

    /// The side of its value, where a value has one.
    pub(crate) fn side(&self) -> Option<Way> {
        let sided = ["return", "momentum", "macd", "z-score", "mvrv", "sentiment", "case", "funding"];
        let by_topic = self.is_figure() && sided.iter().any(|t| topic::topics_of_name(&self.fact.name).contains(t));
        let by_kind = matches!(self.fact.kind, FactKind::Sentiment | FactKind::PastCase | FactKind::Opinion);
        self.fact.value.filter(|_| by_topic || by_kind).map(Way::of)
    }

    /// Whether its value is a movement, so that `rose` speaks of its sign.
    pub(crate) fn is_movement(&self) -> bool {
        self.fact.kind == FactKind::PastCase || topic::topics_of_name(&self.fact.name).contains("return")
    }

    /// Whether it gives a label (`positive`, `Fear`), so that `neutral` is another one.
    pub(crate) fn is_label(&self) -> bool {
        matches!(self.fact.kind, FactKind::Sentiment | FactKind::Opinion) || self.topics.contains("fear-greed")
    }

    /// Whether it has a number of a claim. `directed`: the claim says in words which way, so that its number needs no sign.
    pub(crate) fn has_number(&self, claimed: &Quantity, directed: bool) -> bool {
        let parameter = self.parameters.contains(&claimed.value);
        match claimed.label {
            Label::Yes if self.is_figure() => return parameter,
            Label::Yes | Label::Perhaps if parameter => return true,
            _ if claimed.unit == Unit::Window && parameter => return true,
            _ => {}
        }
        let by_value =
            claimed.unit != Unit::Window && self.in_unit(claimed.unit).iter().any(|v| meets(claimed, *v, directed));
        by_value || self.in_text(claimed, directed) || self.is_year(claimed)
    }

    /// Its value in the unit of a claim: several readings where the fact has no unit.
    fn in_unit(&self, unit: Unit) -> Vec<f64> {
        let Some(value) = self.fact.value else { return Vec::new() };
        let own = self.fact.unit.trim().to_ascii_lowercase();
        let own = own.as_str();
        match unit {
            Unit::Percent => match own {
                "%" | "percent" => vec![value],
                "bps" | "bp" => vec![value / 100.0],
                "" => vec![value * 100.0, value],
                _ => Vec::new(),
            },
            Unit::BasisPoints => match own {
                "%" | "percent" => vec![value * 100.0],
                "bps" | "bp" => vec![value],
                "" => vec![value * 1e4],
                _ => Vec::new(),
            },
            Unit::Currency(name) => match own {
                "%" | "percent" | "bps" | "bp" => Vec::new(),
                "eur" | "€" if name != "EUR" => Vec::new(),
                "usd" | "$" | "usdt" if name != "USD" => Vec::new(),
                _ => vec![value],
            },
            Unit::None | Unit::Window => match own {
                "%" | "percent" => vec![value, value / 100.0],
                _ => vec![value],
            },
        }
    }

    fn in_text(&self, claimed: &Quantity, directed: bool) -> bool {
        let is_parameter = |q: &Quantity| q.unit == Unit::Window || (q.label == Label::Yes && self.is_figure());
        self.reading.quantities.iter().filter(|own| claimed.unit == Unit::Window || !is_parameter(own)).any(|own| {
            let units = own.unit == claimed.unit || own.unit == Unit::None || claimed.unit == Unit::None;
            // A border that the text gives is quoted as a border.
            let same = Quantity { bound: None, ..*claimed };
            // `between 60 and 65` states both.
            let upper = matches!(own.bound, Some(Bound::Until(upper)) if meets(&same, upper, directed));
            units
                && (upper || meets(&same, own.value, directed) || (!own.signed && meets(claimed, own.value, directed)))
        })
    }

    fn is_year(&self, claimed: &Quantity) -> bool {
        let plain = claimed.unit == Unit::None && !claimed.signed && (1900.0..2100.0).contains(&claimed.value);
        plain && self.fact.event_at.to_string().get(..4) == Some(claimed.value.to_string().as_str())
    }

    /// Its number, as a reader would write it.
    pub(crate) fn figure(&self) -> String {
        let text = || self.reading.quantities.first().map(|q| q.value.to_string());
        match self.fact.value {
            Some(value) => format!("{value} {}", self.fact.unit).trim_end().to_owned(),
            None => text().unwrap_or_else(|| "no such number".into()),
        }
    }
}

/// Whether a value is what a claim's number says, to the precision it is written to.
fn meets(claimed: &Quantity, value: f64, directed: bool) -> bool {
    let within = tolerance(claimed);
    match claimed.bound {
        Some(Bound::Above) => return value >= claimed.value - within,
        Some(Bound::Below) => return value <= claimed.value + within,
        Some(Bound::Until(upper)) => return value >= claimed.value - within && value <= upper + within,
        None => {}
    }
    // `0 billion` is not any number below half a billion.
    let nothing = claimed.value == 0.0 && claimed.step > 1.0;
    let near = |v: f64| (claimed.value - v).abs() <= within && !(nothing && v != 0.0);
    near(value) || (directed && !claimed.signed && near(value.abs()))
}

/// Half of what one more in the last written digit would be; with `about`, one of the last digit that is not 0.
fn tolerance(claimed: &Quantity) -> f64 {
    let half = claimed.step / 2.0;
    let wide = if claimed.hedged {
        let mut digit = claimed.step;
        let mut count = (claimed.value.abs() / claimed.step).round();
        while count >= 10.0 && count % 10.0 == 0.0 {
            (digit, count) = (digit * 10.0, count / 10.0);
        }
        digit.min(0.025 * claimed.value.abs()).max(half)
    } else {
        half
    };
    // The written decimal and the value are rounded to binary separately.
    wide * (1.0 + 1e-9) + 1e-12 * claimed.value.abs()
}
