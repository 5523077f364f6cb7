//! A team of agents that decides on each bar: analysts report, bull and bear debate, the trader proposes, the critic checks, the
//! risk manager limits.
//!
//! Everything that an agent is told is a [`artifacts::rows::Fact`] with the time from which it could be known, found by a
//! [tool](crate::tools) that sees one moment only. Every answer is a [`grounding::Answer`] whose claims are held against the
//! facts that they cite. Whatever happens is a row of `traces.parquet`.

pub mod calibrate;
mod config;
mod context;
pub mod critic;
mod desk;
mod grammar;
pub mod journal;
mod ledger;
mod message;
mod pace;
mod reasoner;
pub mod risk;
mod role;
mod simulated;
mod stance;
mod state;
mod supervisor;
mod team;

pub(crate) use config::LONGEST;
pub use config::{
    AgentsConfig, CalibrationConfig, CalibrationMethod, Chooser, Coordination, FilterConfig, MemoryConfig,
    ReasonerKind, RecallConfig, RiskConfig, SimulationConfig, Sources, Strategy,
};
pub use desk::{Call, Desk, StepRows};
pub use ledger::{Estimate, Ledger};
pub use message::{CitedClaim, Limited, Message, View};
pub(crate) use pace::Pace;
pub use reasoner::{Question, Reasoner, Voice};
pub use role::Role;
pub use simulated::Simulated;
pub use state::{Carried, Saved, State};
pub use team::Team;
