use crate::model::Model;
use crate::questions::Question;
use crate::{Config, Error};
use artifacts::Progress;
use artifacts::rows::{Answer, Outcome, Sentiment};
use chat::prompts::parse_label;
use std::collections::BTreeMap;

/// What one model made of one question. Arrays are in the order of [`Sentiment::ALL`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    /// What it wrote.
    pub(crate) response: String,
    /// The label read from that, if it is one.
    pub(crate) predicted: Option<Sentiment>,
    /// The label that it wrote token by token and ended, if it did.
    pub(crate) greedy: Option<Sentiment>,
    /// log p of each label and the end of the turn.
    pub(crate) logs: [f64; 3],
    /// Tokens of each.
    pub(crate) tokens: [u32; 3],
    /// `logs` where there is no text at all to judge.
    pub(crate) prior: [f64; 3],
    pub(crate) prompt_tokens: usize,
}

impl Reply {
    /// log p of each label: what the model finds likely to be written.
    pub(crate) fn scores(&self) -> [f64; 3] {
        self.logs
    }

    /// What the text adds to a label's log p, a token: (log p(label | text) − log p(label | no text)) / tokens. Neither a
    /// label's length nor how the model likes its words counts (contextual calibration, Zhao et al., ICML 2021).
    pub(crate) fn calibrated(&self) -> [f64; 3] {
        std::array::from_fn(|k| {
            let at = |values: &[f64; 3]| values.get(k).copied().unwrap_or(0.0);
            (at(&self.logs) - at(&self.prior)) / f64::from(self.tokens.get(k).copied().unwrap_or(1).max(1))
        })
    }

    /// The row of `answers.parquet`.
    pub(crate) fn row(&self, subject: &str, form: &str, question: &Question) -> Answer {
        let ([ln, lu, lp], [tn, tu, tp], [pn, pu, pp]) = (self.logs, self.tokens, self.prior);
        Answer {
            example_id: question.id.clone(),
            subject: subject.to_owned(),
            form: form.to_owned(),
            language: question.language,
            source: question.source.clone(),
            label: question.label,
            prompt_tokens: self.prompt_tokens as u32,
            response: self.response.clone(),
            outcome: if self.predicted.is_some() { Outcome::Parsed } else { Outcome::Unparseable },
            predicted: self.predicted,
            log_negative: ln,
            log_neutral: lu,
            log_positive: lp,
            tokens_negative: tn,
            tokens_neutral: tu,
            tokens_positive: tp,
            prior_negative: pn,
            prior_neutral: pu,
            prior_positive: pp,
        }
    }
}

/// The likeliest label; the first of equals, so that a tie does not depend on anything else.
pub(crate) fn likeliest(scores: &[f64; 3]) -> Sentiment {
    let at = |label: Sentiment| scores.get(label as usize).copied().unwrap_or(f64::NEG_INFINITY);
    let mut best = Sentiment::Negative;
    for label in Sentiment::ALL {
        if at(*label) > at(best) {
            best = *label;
        }
    }
    best
}

/// What is counted while a model answers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Work {
    pub(crate) questions: u64,
    /// Tokens that the prompts have.
    pub(crate) prompt_tokens: u64,
    /// Tokens that went through the model, labels and what was written included.
    pub(crate) computed: u64,
}

/// Asks one model.
pub(crate) struct Asker<'a> {
    pub(crate) model: &'a Model,
    pub(crate) subject: &'a str,
    pub(crate) config: &'a Config,
    pub(crate) progress: &'a dyn Progress,
}

impl Asker<'_> {
    /// The replies in the order of the questions. The content-free questions run along, each distinct one once.
    ///
    /// # Errors
    /// The model fails.
    pub(crate) fn ask(
        &self,
        what: &str,
        asked: &[&Question],
        priors: &mut Priors,
        work: &mut Work,
    ) -> Result<Vec<Reply>, Error> {
        self.learn_priors(asked, priors)?;
        let questions: Vec<lm::Question<'_>> =
            asked.iter().map(|q| lm::Question { prompt: &q.prompt, continuations: &q.answers }).collect();
        let ticker = self.progress.start(&format!("{what} {}", self.subject), questions.len() as u64);
        let found = self.model.answer(
            self.subject,
            &questions,
            self.config.max_new_tokens,
            self.config.tokens_at_once,
            &mut |done| ticker.at(done as u64, ""),
        )?;
        work.questions += questions.len() as u64;
        work.prompt_tokens += asked.iter().map(|q| q.prompt.len() as u64).sum::<u64>();
        work.computed += found.tokens_computed;
        asked.iter().zip(&found.answers).map(|(q, answer)| self.reply(q, answer, priors)).collect()
    }

    fn reply(&self, question: &Question, answer: &lm::Answer, priors: &Priors) -> Result<Reply, Error> {
        let response = self
            .model
            .decode(&answer.tokens)
            .map_err(|source| Error::Provider(providers::Error::Chat(Box::new(source))))?;
        let all = |of: &dyn Fn(usize) -> f64| std::array::from_fn(of);
        // The end token is the last of a label's tokens; what ended the text is not kept.
        let wrote = |label: &Vec<u32>| answer.ended && label.split_last().is_some_and(|(_, l)| l == answer.tokens);
        let prior = priors.of(question);
        Ok(Reply {
            predicted: parse_label(&response).and_then(|label| label.parse().ok()),
            greedy: Sentiment::ALL.iter().zip(&question.answers).find(|(_, ids)| wrote(ids)).map(|(l, _)| *l),
            response,
            logs: all(&|k| answer.scores.get(k).copied().unwrap_or(f64::NEG_INFINITY)),
            tokens: std::array::from_fn(|k| question.answers.get(k).map_or(1, |a| a.len() as u32)),
            prior: all(&|k| prior.get(k).copied().unwrap_or(0.0)),
            prompt_tokens: question.prompt.len(),
        })
    }

    /// Scores the questions about nothing that are not scored yet.
    fn learn_priors(&self, asked: &[&Question], priors: &mut Priors) -> Result<(), Error> {
        let mut fresh: BTreeMap<String, &Question> = BTreeMap::new();
        for question in asked {
            let frame = Priors::key(question);
            if !priors.0.contains_key(&frame) {
                fresh.entry(frame).or_insert(question);
            }
        }
        for (frame, question) in fresh {
            let prompts: Vec<Vec<u32>> = self
                .config
                .content_free
                .iter()
                .filter_map(|text| self.model.prompt(&question.about(text)).ok())
                .collect();
            let questions: Vec<lm::Question<'_>> =
                prompts.iter().map(|prompt| lm::Question { prompt, continuations: &question.answers }).collect();
            let found = self.model.answer(self.subject, &questions, 0, self.config.tokens_at_once, &mut |_| ())?;
            let count = found.answers.len().max(1) as f64;
            let mean = |k: usize| found.answers.iter().filter_map(|a| a.scores.get(k)).sum::<f64>() / count;
            priors.0.insert(frame, std::array::from_fn(mean));
        }
        Ok(())
    }
}

/// What one model answers about nothing, by what is asked.
#[derive(Debug, Default)]
pub(crate) struct Priors(BTreeMap<String, [f64; 3]>);

impl Priors {
    /// Language and words of a question without its text.
    fn key(question: &Question) -> String {
        format!("{} {}", question.language, question.frame())
    }

    fn of(&self, question: &Question) -> [f64; 3] {
        self.0.get(&Self::key(question)).copied().unwrap_or_default()
    }

    /// Each question without its text, and what the model gives each label there.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &[f64; 3])> {
        self.0.iter().map(|(frame, prior)| (frame.as_str(), prior))
    }
}
