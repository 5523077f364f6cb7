use crate::{Completion, Error, Form, Prompt, Provider, Reply, Sampling, Shape, Usage, Written};
use chat::Message;

type Truth = dyn Fn(&str, &[&str]) -> Option<usize> + Send + Sync;
type Author = dyn Fn(&str, u64) -> String + Send + Sync;

/// Probability that a simulated judge gives the answer it has settled on.
const SURE: f64 = 0.9;

/// A provider without a model, for tests and for planning a run. It knows the right answer to each question and gives a wrong one
/// to a known share of them, always the same ones for a seed: what a stage finds can be compared with what was put in.
pub struct Simulation {
    seed: u64,
    error_rate: f64,
    truth: Box<Truth>,
    author: Box<Author>,
}

impl Simulation {
    /// `truth` gives, for a question and its possible answers, the index of the right one; none where there is none. A share
    /// of `error_rate` of the questions is answered wrongly.
    pub fn new(
        seed: u64,
        error_rate: f64,
        truth: impl Fn(&str, &[&str]) -> Option<usize> + Send + Sync + 'static,
    ) -> Self {
        Self { seed, error_rate, truth: Box::new(truth), author: Box::new(|_, _| String::new()) }
    }

    /// Writes with a function of the prompt and the call's seed.
    #[must_use]
    pub fn writing(mut self, author: impl Fn(&str, u64) -> String + Send + Sync + 'static) -> Self {
        self.author = Box::new(author);
        self
    }

    /// Whether the simulation errs on this question.
    pub fn errs(&self, question: &str) -> bool {
        self.draw(question, "errs") < self.error_rate
    }

    /// A number in [0, 1) that is always the same for a seed, a question and a purpose.
    fn draw(&self, question: &str, purpose: &str) -> f64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(purpose.as_bytes()).update(b"\0").update(question.as_bytes());
        let mut bytes = [0; 8];
        hasher.finalize_xof().fill(&mut bytes);
        (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn probabilities(&self, question: &str, answers: &[&str]) -> Result<Vec<f64>, Error> {
        let n = answers.len();
        let Some(right) = (self.truth)(question, answers).filter(|right| *right < n) else {
            return if n == 0 { Err(Error::NoAnswers) } else { Ok(vec![1.0 / n as f64; n]) };
        };
        let mut chosen = right;
        if self.errs(question) && n > 1 {
            let step = 1 + (self.draw(question, "which") * (n - 1) as f64) as usize;
            chosen = (right + step.min(n - 1)) % n;
        }
        let rest = if n > 1 { (1.0 - SURE) / (n - 1) as f64 } else { 0.0 };
        Ok((0..n).map(|i| if i == chosen { 1.0 - rest * (n - 1) as f64 } else { rest }).collect())
    }
}

impl Provider for Simulation {
    #[expect(clippy::unnecessary_literal_bound, reason = "the trait's signature")]
    fn name(&self) -> &str {
        "simulation"
    }

    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Chat(messages), options, &Shape::default())?.reply)
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Raw(prefix), options, &Shape::default())?.reply)
    }

    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
        self.probabilities(messages.last().map_or("", |m| &m.content), answers)
    }

    fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, Error> {
        let question = match prompt {
            Prompt::Chat(messages) => messages.last().map_or("", |m| m.content.as_str()),
            Prompt::Raw(prefix) => prefix,
        };
        let seed = match options.sampling {
            Sampling::Greedy => 0,
            Sampling::Sample { seed, .. } => seed,
        };
        let text = match &shape.form {
            None => (self.author)(question, seed),
            Some(Form::Choice(answers)) => {
                let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
                let p = self.probabilities(question, &answers)?;
                let mut left = self.draw(question, &format!("draw {seed}"));
                let drawn = p.iter().position(|p| {
                    left -= p;
                    left < 0.0
                });
                answers.get(drawn.unwrap_or(answers.len().saturating_sub(1))).copied().unwrap_or_default().to_owned()
            }
            Some(form) => {
                return Err(Error::CannotShape { provider: self.name().into(), shape: format!("{form:?}") });
            }
        };
        let words = |text: &str| text.split_whitespace().count() as u64;
        let usage = Usage { prompt_tokens: words(question), answer_tokens: words(&text) };
        Ok(Written { reply: Reply { text, finished: true }, canonical: true, usage })
    }

    fn score_text(&self, prefix: &str, continuations: &[&str]) -> Result<Vec<f64>, Error> {
        Ok(self.probabilities(prefix, continuations)?.iter().map(|p| p.ln()).collect())
    }
}
