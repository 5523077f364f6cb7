//! What agents tell each other.

use super::Role;
use serde::{Deserialize, Serialize};

/// A statement with the id of the fact that it cites; empty where it cites none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitedClaim {
    /// In the agent's words.
    pub text: String,
    /// The id of an [`artifacts::rows::Fact`].
    pub fact: String,
}

/// One agent's view of one bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Whose.
    pub from: Role,
    /// From -1 (sell) to 1 (buy), as the agent gave it.
    pub score: f64,
    /// How sure, from 0 to 1, as the agent gave it.
    pub confidence: f64,
    /// What it rests on; where the filter runs, only what its facts support.
    pub claims: Vec<CitedClaim>,
    /// In words.
    pub rationale: String,
    /// What it counts, from 0 (no readable answer) to 1.
    pub weight: f64,
}

impl View {
    /// No view: what an agent is taken to say where its answer cannot be read.
    pub fn neutral(from: Role, why: &str) -> Self {
        Self { from, score: 0.0, confidence: 0.0, claims: Vec::new(), rationale: why.to_owned(), weight: 0.0 }
    }

    /// The score that others weigh.
    pub fn weighted(&self) -> f64 {
        self.score * self.weight
    }
}

/// A limit that changed a position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limited {
    /// Which limit, such as `max-change`.
    pub limit: String,
    /// The position before it.
    pub from: f64,
    /// The position after it.
    pub to: f64,
}

/// What one agent tells another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case")]
pub enum Message {
    /// An analyst's view.
    Report {
        /// The view.
        view: View,
    },
    /// A turn of the debate.
    Argument {
        /// Which round, from 1.
        round: u32,
        /// The view.
        view: View,
    },
    /// What the trader wants.
    Proposal {
        /// The view behind it.
        view: View,
        /// The position before limits.
        position: f64,
    },
    /// What the critic found.
    Objection {
        /// One sentence each.
        reasons: Vec<String>,
    },
    /// What is done.
    Order {
        /// The position after limits.
        position: f64,
        /// The limits that changed it.
        limits: Vec<Limited>,
    },
    /// Who works next.
    Turn {
        /// The role.
        next: Role,
        /// Why.
        why: String,
    },
}
