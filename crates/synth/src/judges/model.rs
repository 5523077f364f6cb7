use super::Shares;
use super::calibration::{Calibration, means, softmax};
use super::wordings::{WORDINGS, order, question, remarks};
use crate::{Ask, Config};
use artifacts::Seed;
use artifacts::rows::{Example, Sentiment};
use chat::Message;
use chat::prompts::{Instruction, LABELS, parse_label, sentiment_messages};
use providers::{Completion, Prompt, Provider, Sampling, Shape};
use rand::Rng;
use rayon::prelude::*;

/// Tokens of a sampled answer at most.
const ANSWER_TOKENS: usize = 8;

/// The language model as two judges: its calibrated score of the labels, and the vote of its sampled answers.
pub(crate) struct ModelJudges<'a> {
    config: &'a Config,
    provider: &'a dyn Provider,
    score: Calibration,
    /// For each wording of the vote, how likely each remark is whatever the text.
    votes: [Shares; WORDINGS],
}

/// Log-probabilities of the answers in the ways of asking of the score, and of the remarks in the wordings of the vote.
struct Logs {
    score: Vec<Shares>,
    votes: Option<[Shares; WORDINGS]>,
}

impl<'a> ModelJudges<'a> {
    pub(crate) fn calibrate(
        config: &'a Config,
        provider: &'a dyn Provider,
        rows: &[&Example],
    ) -> Result<Self, providers::Error> {
        let mut judges = Self { config, provider, score: Calibration::fit(&[], &[]), votes: [[0.0; 3]; WORDINGS] };
        let logs: Result<Vec<Option<Logs>>, providers::Error> =
            rows.par_iter().map(|row| judges.logs(&row.text)).collect();
        let known: Vec<(Logs, Sentiment)> =
            logs?.into_iter().zip(rows).filter_map(|(logs, row)| Some((logs?, row.label))).collect();
        let scores: Vec<Vec<Shares>> = known.iter().map(|(logs, _)| logs.score.clone()).collect();
        let labels: Vec<Sentiment> = known.iter().map(|(_, label)| *label).collect();
        judges.score = Calibration::fit(&scores, &labels);
        for (wording, liking) in judges.votes.iter_mut().enumerate() {
            *liking = means(known.iter().filter_map(|(logs, _)| logs.votes.as_ref()?.get(wording)));
        }
        Ok(judges)
    }

    /// The score and the vote; none where the model cannot be asked about this text.
    pub(crate) fn judge(&self, text: &str, seed: Seed) -> Result<(Option<Shares>, Option<Shares>), providers::Error> {
        let logs = self.logs(text)?;
        let score = logs.as_ref().map(|logs| self.score.probabilities(&logs.score));
        let vote = match self.config.judges.ask {
            Ask::Remark => logs.and_then(|logs| logs.votes).map(|votes| self.draw_remarks(&votes, seed)),
            Ask::Question => self.ask_votes(text, seed)?,
        };
        Ok((score, vote))
    }

    fn logs(&self, text: &str) -> Result<Option<Logs>, providers::Error> {
        let language = self.config.language;
        let logs = match self.config.judges.ask {
            Ask::Question => {
                let messages = sentiment_messages(text, language.as_str(), Instruction::Brief);
                self.provider.score(&messages, &LABELS).map(|p| Logs {
                    score: vec![std::array::from_fn(|i| p.get(i).copied().unwrap_or(0.0).max(1e-9).ln())],
                    votes: None,
                })
            }
            Ask::Remark => self.remark_logs(text),
        };
        match logs {
            Ok(logs) => Ok(Some(logs)),
            // Too long for its context, one of its control tokens spelt out, or no probabilities: this judge says nothing.
            Err(
                providers::Error::PromptTooLong { .. }
                | providers::Error::Refused(_)
                | providers::Error::CannotScore { .. },
            ) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// How likely the model is to go on after the text with each remark, all in one pass over the text.
    fn remark_logs(&self, text: &str) -> Result<Logs, providers::Error> {
        let language = self.config.language;
        let remarks: Vec<String> = remarks(language).iter().flatten().map(|r| format!(" {r}")).collect();
        let remarks: Vec<&str> = remarks.iter().map(String::as_str).collect();
        let logs = self.provider.score_text(text, &remarks)?;
        let of = |set: usize| std::array::from_fn(|label| logs.get(3 * set + label).copied().unwrap_or(0.0));
        Ok(Logs {
            score: (0..=WORDINGS).map(of).collect(),
            votes: Some(std::array::from_fn(|wording| of(wording + 1))),
        })
    }

    /// Draws remarks as the model would make them if it could make only these three, less its liking for each whatever
    /// the text. There is no order of labels to change: each remark stands alone after the text.
    fn draw_remarks(&self, votes: &[Shares; WORDINGS], seed: Seed) -> Shares {
        let mut rng = seed.derive("votes").rng();
        let mut counts = [0.0; 3];
        let wordings = votes.iter().zip(&self.votes).cycle().take(self.config.judges.votes);
        for (logs, means) in wordings {
            let temperature = self.config.judges.vote_temperature;
            let apart: Shares =
                std::array::from_fn(|i| logs.get(i).zip(means.get(i)).map_or(0.0, |(l, m)| (l - m) / temperature));
            let mut left: f64 = rng.random();
            let drawn = softmax(&apart).iter().position(|p| {
                left -= p;
                left < 0.0
            });
            if let Some(count) = counts.get_mut(drawn.unwrap_or(2)) {
                *count += 1.0;
            }
        }
        counts.map(|c: f64| c / self.config.judges.votes as f64)
    }

    /// Asks and lets the model answer, each time in another wording and with the labels in another order. What is no label
    /// is no vote for any, and counts among the votes.
    fn ask_votes(&self, text: &str, seed: Seed) -> Result<Option<Shares>, providers::Error> {
        let mut counts = [0.0; 3];
        for sample in 0..self.config.judges.votes {
            let order = order(sample);
            let messages = [Message::user(&question(self.config.language, sample % WORDINGS, order, text))];
            let sampling = Sampling::Sample {
                temperature: self.config.judges.vote_temperature,
                top_k: None,
                top_p: None,
                seed: seed.derive(&format!("vote/{sample}")).0,
            };
            let options = Completion { max_tokens: ANSWER_TOKENS, sampling, stop_at_line_break: true };
            let prompt = Prompt::Chat(&messages);
            let written = match self.provider.write(prompt, &options, &Shape::choice(order)) {
                Err(providers::Error::CannotShape { .. }) => self.provider.write(prompt, &options, &Shape::default()),
                written => written,
            };
            let text = match written {
                Ok(written) => written.reply.text,
                Err(providers::Error::BadResponse { .. }) => continue,
                Err(providers::Error::PromptTooLong { .. } | providers::Error::Refused(_)) => return Ok(None),
                Err(other) => return Err(other),
            };
            let label = parse_label(&text).and_then(|label| LABELS.iter().position(|l| *l == label));
            if let Some(count) = label.and_then(|label| counts.get_mut(label)) {
                *count += 1.0;
            }
        }
        Ok(Some(counts.map(|c: f64| c / self.config.judges.votes as f64)))
    }
}
