//! Every figure of a run's reasoning, and its rows in `metrics.parquet`.

use super::claims::{AgainstReasons, AgentClaims, Rate, VerifierScore, against_reasons, by_agent, verifier_scores};
use super::consistency::{Consistency, consistency};
use super::outcome::Outcome;
use super::proposals::{Proposal, proposals};
use super::record::Record;
use super::signal::{Signal, signal};
use super::sureness::{Sureness, sureness};
use super::{Error, ReasoningConfig};
use artifacts::Seed;
use artifacts::rows::{Decision, Metric};
use grounding::Verdict;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) horizon: usize,
    pub(crate) claims: Vec<AgentClaims>,
    pub(crate) against: AgainstReasons,
    pub(crate) verifier: Option<Vec<VerifierScore>>,
    pub(crate) sureness: Vec<Sureness>,
    pub(crate) consistency: Option<Consistency>,
    pub(crate) signal: Signal,
    pub(crate) proposals: Vec<Proposal>,
}

impl Figures {
    pub(crate) fn of(
        config: &ReasoningConfig,
        agent: &Path,
        record: &Record,
        outcomes: &[Outcome<'_>],
        others: &[(PathBuf, Vec<Decision>)],
        seed: Seed,
    ) -> Result<Self, Error> {
        let level = config.confidence;
        let mut figures = Self {
            horizon: config.horizon,
            claims: by_agent(record, level),
            against: against_reasons(record, level),
            verifier: verifier_scores(record, level),
            sureness: sureness(config, record, outcomes)?,
            consistency: consistency((agent, &record.decisions), others, level)?,
            signal: signal(config, record, outcomes, seed)?,
            proposals: Vec::new(),
        };
        figures.proposals = proposals(&figures, &config.limits);
        Ok(figures)
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut rows = Rows::default();
        for a in &self.claims {
            rows.rate(&a.agent, "all", "hallucination_rate", &a.hallucinated);
            rows.rate(&a.agent, "all", "contradiction_rate", &a.contradictions);
            for (kind, rate) in Verdict::ALL.iter().zip(&a.verdicts) {
                rows.rate(&a.agent, kind.as_str(), "verdict_share", rate);
            }
        }
        rows.rate("decision", "all", "against_trader_rate", &self.against.trader);
        rows.rate("decision", "all", "contradiction_rate", &self.against.rationale);
        for s in self.verifier.iter().flatten() {
            rows.rate("verifier", s.kind.as_str(), "precision", &s.precision);
            rows.rate("verifier", s.kind.as_str(), "recall", &s.recall);
        }
        for s in &self.sureness {
            rows.push(&s.who, "all", "calibration_error", s.error, s.calls);
            rows.push(&s.who, "all", "brier", s.brier, s.calls);
            rows.push(&s.who, "all", "mean_confidence", s.confidence, s.calls);
            rows.push(&s.who, "all", "right", s.right, s.calls);
        }
        if let Some(c) = &self.consistency {
            rows.rate("decision", "seeds", "unanimous", &c.unanimous);
            rows.rate("decision", "seeds", "agreement", &c.agreement);
            rows.push("decision", "seeds", "position_sd", c.spread, c.bars);
        }
        for i in self.signal.decay.iter().chain(&self.signal.agents) {
            let slice = format!("{} bars", i.horizon);
            let v = i.interval;
            rows.push(&i.who, &slice, "information_coefficient", v.map(|v| v.estimate), i.pairs);
            rows.push(&i.who, &slice, "information_coefficient_low", v.map(|v| v.low), i.pairs);
            rows.push(&i.who, &slice, "information_coefficient_high", v.map(|v| v.high), i.pairs);
        }
        for h in &self.signal.hits {
            rows.rate("decision", &format!("{}/{}", h.by, h.slice), "hit_rate", &h.rate);
        }
        rows.push("decision", "all", "turnover", self.signal.turnover, 0);
        rows.push("decision", "all", "active", self.signal.active, 0);
        rows.0
    }
}

/// Rows of `metrics.parquet` in the making.
#[derive(Default)]
pub(crate) struct Rows(pub(crate) Vec<Metric>);

impl Rows {
    pub(crate) fn push(&mut self, subject: &str, slice: &str, metric: &str, value: Option<f64>, n: u64) {
        let value = value.filter(|v| v.is_finite());
        self.0.push(Metric { subject: subject.into(), slice: slice.into(), metric: metric.into(), value, n });
    }

    pub(crate) fn rate(&mut self, subject: &str, slice: &str, metric: &str, rate: &Rate) {
        self.push(subject, slice, metric, rate.value(), rate.of);
        self.push(subject, slice, &format!("{metric}_low"), rate.interval.map(|i| i.0), rate.of);
        self.push(subject, slice, &format!("{metric}_high"), rate.interval.map(|i| i.1), rate.of);
    }
}
