//! What can be checked in a text: its moments, numbers, names, directions and measures.

pub(crate) mod direction;
pub(crate) mod moment;
pub(crate) mod name;
pub(crate) mod quantity;
pub(crate) mod token;
pub(crate) mod topic;

use direction::Direction;
use moment::Moment;
use name::Names;
use quantity::Quantity;
use std::collections::BTreeSet;
use token::Kind;

/// A text, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(crate) moments: Vec<Moment>,
    pub(crate) quantities: Vec<Quantity>,
    pub(crate) directions: Vec<Direction>,
    pub(crate) names: Names,
    pub(crate) topics: BTreeSet<&'static str>,
    /// The words that carry sense, in their common forms.
    pub(crate) content: BTreeSet<String>,
}

impl Reading {
    pub(crate) fn of(text: &str) -> Self {
        let (moments, rest) = moment::moments(text);
        Self {
            moments,
            quantities: quantity::quantities(&rest),
            directions: direction::directions(&rest),
            names: name::names(&rest),
            topics: topic::topics(&rest),
            content: content(&rest),
        }
    }

    /// Whether it states anything that a fact could confirm or deny.
    pub(crate) fn is_checkable(&self) -> bool {
        !(self.moments.is_empty()
            && self.quantities.is_empty()
            && self.directions.is_empty()
            && self.names.sure.is_empty()
            && self.topics.is_empty())
    }
}

/// The words that carry sense, in their common forms.
fn content(text: &str) -> BTreeSet<String> {
    let list = token::tokens(text);
    let words = list.iter().filter(|t| t.kind == Kind::Word).map(token::Token::lower);
    words.filter(|w| w.chars().count() > 2 && !text::is_stop_word(w)).map(|w| token::stem(&w)).collect()
}
