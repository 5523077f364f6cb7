use super::Role;
use super::calibrate::Sample;
use super::config::AgentsConfig;
use super::risk::Account;
use crate::AgentConfig;
use crate::Error;
use crate::memory::{LongMemory, Pending};
use crate::mood::Readings;
use crate::tools::{Known, NewsWords};
use artifacts::Timestamp;
use retrieval::{Case, Embedder};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What one symbol's agents know of their past, as it stands in a checkpoint. Its size is bounded: by the news window, the
/// calibration's window, the memory's capacity, the horizons.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The account of the decisions so far.
    pub account: Account,
    /// What the tuned model said about the texts of the window.
    pub readings: Readings,
    /// Decisions whose outcome is not known yet.
    pub pending: VecDeque<Pending>,
    /// Decisions whose outcome is known, as far as the calibration looks back.
    pub samples: VecDeque<Sample>,
    /// What is remembered.
    pub memory: Vec<Case>,
    /// The supervisor's analysts when they were last asked.
    pub carried: BTreeMap<Role, Carried>,
}

/// An analyst's last view, for as long as nothing new comes in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// A hash of what it was asked about.
    pub seen: String,
    /// When.
    pub at: Timestamp,
    /// What others weigh.
    pub score: f64,
    /// How sure it was.
    pub confidence: f64,
}

/// The same at work.
pub struct State {
    /// What a checkpoint keeps; its `memory` is filled by [`State::save`].
    pub saved: Saved,
    /// The agents' own past decisions.
    pub memory: LongMemory,
    /// The words of the texts known so far; not kept, because they are soon read again.
    pub words: NewsWords,
}

impl State {
    /// Goes on from a checkpoint, or begins with an empty one.
    ///
    /// # Errors
    /// The embedder fails.
    pub fn restore(config: &AgentsConfig, mut saved: Saved, embedder: Arc<dyn Embedder>) -> Result<Self, Error> {
        let memory = LongMemory::restore(&config.memory, std::mem::take(&mut saved.memory), embedder)?;
        Ok(Self { saved, memory, words: NewsWords::default() })
    }

    /// What a checkpoint keeps.
    pub fn save(&self) -> Saved {
        Saved { memory: self.memory.cases(), ..self.saved.clone() }
    }

    /// A further bar has closed: marks the account, and turns decisions whose horizon has passed into outcomes.
    ///
    /// # Errors
    /// The embedder fails.
    pub fn settle(&mut self, config: &AgentConfig, known: &Known<'_>) -> Result<(), Error> {
        self.words.grow(&known.news);
        self.saved.readings.retain(known.news.within(config.news_window_seconds));
        let config = &config.agents;
        let Some(bar) = known.bars.latest() else { return Ok(()) };
        self.saved.account.mark(bar.close);
        for pending in &mut self.saved.pending {
            pending.age += 1;
            if pending.age == config.calibration.horizon_bars && pending.direction != 0.0 {
                let right = (bar.close - pending.close) * pending.direction > 0.0;
                self.saved.samples.push_back(Sample { confidence: pending.confidence, right });
            }
            if config.memory.on && pending.age == config.memory.horizon_bars {
                self.memory.remember(pending, bar.close, known.t())?;
            }
        }
        let longest = config.calibration.horizon_bars.max(config.memory.horizon_bars);
        self.saved.pending.retain(|p| p.age < longest);
        while self.saved.samples.len() > config.calibration.window {
            self.saved.samples.pop_front();
        }
        Ok(())
    }
}
