//! Many prompts at once: how likely given continuations are, and what the model itself would write.

use crate::block::{Tree, Trunk};
use crate::gradients::Row;
use crate::packed::Packed;
use crate::prefix_groups::groups;
use crate::sampling::Sampler;
use crate::{Error, KvCache, Llama, Result, Sampling};
use candle_core::{DType, Tensor};

/// A prompt, and what may follow it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What the model reads.
    pub prompt: &'a [u32],
    /// What is to be scored, such as the tokens of each label with its end token.
    pub continuations: &'a [Vec<u32>],
}

/// How [`answer`] answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerOptions {
    /// Most tokens to write, each the likeliest; 0: only score.
    pub max_tokens: usize,
    /// Tokens that end what is written; not part of it.
    pub stop: Vec<u32>,
    /// About so many tokens are computed at once. More is faster up to a thousand or so, and takes more memory.
    pub tokens_at_once: usize,
}

impl Default for AnswerOptions {
    fn default() -> Self {
        Self { max_tokens: 0, stop: Vec::new(), tokens_at_once: 1024 }
    }
}

/// What came of one [`Question`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// log p(continuation | prompt) of each continuation, in nats: the sum over its tokens; 0 of an empty one.
    pub scores: Vec<f64>,
    /// What the model wrote, without the token that ended it.
    pub tokens: Vec<u32>,
    /// Whether a stop token ended it.
    pub ended: bool,
}

/// What came of all questions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// In the order of the questions.
    pub answers: Vec<Answer>,
    /// Tokens that went through the model.
    pub tokens_computed: u64,
}

/// Answers every question: the same scores as [`crate::score`] and the same text as greedy [`crate::generate`], up to rounding.
/// A prefix that several prompts share runs once, each prompt's rest once, and everything that may follow it, scored or
/// written, goes on from there; rows are computed in one batch. `done` hears how many questions are answered.
///
/// ```
/// use lm::{AnswerOptions, Question};
/// let model = lm::Llama::initialise(lm::Config::small(64, 16, 1), 42, &candle_core::Device::Cpu)?;
/// let labels = [vec![7, 2], vec![8, 9, 2]];
/// let prompts = [[1, 5, 6, 11], [1, 5, 6, 12]];
/// let questions = prompts.each_ref().map(|prompt| Question { prompt, continuations: &labels });
/// let found = lm::answer(&model, &questions, &AnswerOptions { max_tokens: 3, ..Default::default() }, &mut |_| ())?;
/// let alone = lm::score(&model, &prompts[1], &labels)?;
/// assert!((found.answers[1].scores[1] - alone[1]).abs() < 1e-4);
/// # Ok::<(), lm::Error>(())
/// ```
///
/// # Errors
/// A prompt without tokens, a row that the model cannot read, logits that are not finite.
pub fn answer(
    model: &Llama,
    questions: &[Question<'_>],
    options: &AnswerOptions,
    done: &mut dyn FnMut(usize),
) -> Result<Answers> {
    for (row, question) in questions.iter().enumerate() {
        check(model, row, question)?;
    }
    let rows: Vec<Row<'_>> = questions
        .iter()
        .map(|q| Row { ids: q.prompt, predictors: vec![q.prompt.len() - 1], targets: vec![0] })
        .collect();
    let mut found = Answers { answers: vec![Answer::default(); questions.len()], tokens_computed: 0 };
    let mut answered = 0;
    for group in groups(&rows) {
        let mut prefix = KvCache::new();
        let members: Vec<(usize, &Question<'_>)> =
            group.rows.iter().filter_map(|&row| Some((row, questions.get(row)?))).collect();
        let Some((_, first)) = members.first() else { continue };
        if let Some(shared) = first.prompt.get(..group.shared).filter(|s| !s.is_empty()) {
            model.hidden(&[shared], Some(&mut prefix))?;
            found.tokens_computed += shared.len() as u64;
        }
        let mut rest = members.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest, group.shared, options.tokens_at_once));
            let mut batch = Batch::new(model, now, &prefix, options);
            batch.run()?;
            found.tokens_computed += batch.computed;
            for ((row, _), answer) in now.iter().zip(batch.answers) {
                if let Some(place) = found.answers.get_mut(*row) {
                    *place = answer;
                }
            }
            answered += now.len();
            done(answered);
            rest = later;
        }
    }
    Ok(found)
}

fn check(model: &Llama, row: usize, question: &Question<'_>) -> Result<()> {
    // The error counts from this one row.
    let named = |e| match e {
        Error::Token { position, id, vocab_size, .. } => Error::Token { row, position, id, vocab_size },
        Error::TooLong { tokens, limit, .. } => Error::TooLong { row, tokens, limit },
        other => other,
    };
    if question.prompt.is_empty() {
        return Err(Error::EmptyPrompt);
    }
    model.check_rows(std::iter::once(question.prompt), 0).map_err(named)?;
    for continuation in question.continuations.iter().filter(|c| !c.is_empty()) {
        // The last token is only scored, never read.
        model
            .check_rows(std::iter::once(continuation.as_slice()), question.prompt.len().saturating_sub(1))
            .map_err(named)?;
    }
    Ok(())
}

/// How many of the next questions fit: at least one.
fn fitting(questions: &[(usize, &Question<'_>)], shared: usize, tokens_at_once: usize) -> usize {
    let mut tokens = 0;
    let fits = questions.iter().take_while(|(_, question)| {
        tokens += question.prompt.len() - shared;
        tokens += question.continuations.iter().map(|c| c.len().saturating_sub(1)).sum::<usize>();
        tokens <= tokens_at_once
    });
    fits.count().max(1)
}

/// Questions computed together.
struct Batch<'a> {
    model: &'a Llama,
    questions: &'a [(usize, &'a Question<'a>)],
    prefix: &'a KvCache,
    options: &'a AnswerOptions,
    trunks: Vec<Trunk>,
    answers: Vec<Answer>,
    computed: u64,
}

/// What is read off the logits at one token: (continuation, id) of each target.
struct Wanted {
    question: usize,
    targets: Vec<(usize, u32)>,
    /// Whether what the model writes goes on here.
    writes: bool,
}

impl<'a> Batch<'a> {
    fn new(
        model: &'a Llama,
        questions: &'a [(usize, &'a Question<'a>)],
        prefix: &'a KvCache,
        options: &'a AnswerOptions,
    ) -> Self {
        let trunks = questions.iter().map(|_| Trunk::default()).collect();
        let answers = questions
            .iter()
            .map(|(_, q)| Answer { scores: vec![0.0; q.continuations.len()], ..Answer::default() })
            .collect();
        Self { model, questions, prefix, options, trunks, answers, computed: 0 }
    }

    fn run(&mut self) -> Result<()> {
        let mut rows = Packed::default();
        let mut branches = Packed::default();
        let mut lengths = Vec::with_capacity(self.questions.len());
        let (mut wanted, mut after) = (Vec::new(), Vec::new());
        for (question, (_, asked)) in self.questions.iter().enumerate() {
            let (shared, prompt) = (self.prefix.len(), asked.prompt.len());
            rows.push(asked.prompt.get(shared..).unwrap_or_default(), shared);
            let firsts = asked.continuations.iter().enumerate().filter_map(|(i, c)| Some((i, *c.first()?)));
            wanted.push(Wanted { question, targets: firsts.collect(), writes: true });
            let mut own = Vec::new();
            for (number, continuation) in asked.continuations.iter().enumerate() {
                let Some((_, read)) = continuation.split_last().filter(|(_, read)| !read.is_empty()) else { continue };
                branches.push(read, prompt);
                own.push(read.len());
                let next = continuation.iter().skip(1);
                after.extend(next.map(|&id| Wanted { question, targets: vec![(number, id)], writes: false }));
            }
            lengths.push(own);
        }
        wanted.extend(after);
        let row_lengths = std::mem::take(&mut rows.lengths);
        rows.ids.append(&mut branches.ids);
        rows.positions.append(&mut branches.positions);
        rows.lengths = row_lengths;
        let keep_rows = self.options.max_tokens > 1 || lengths.iter().any(|own| !own.is_empty());
        let hidden = self.pass(&rows, &lengths, keep_rows, false)?;
        let mut next = self.read(&hidden, &wanted)?;
        for written in 1..self.options.max_tokens {
            // What has ended, or used up the model's positions, writes no more.
            let limit = self.model.config().max_position_embeddings;
            let fits =
                |question: usize| self.questions.get(question).is_some_and(|(_, q)| q.prompt.len() + written <= limit);
            next.retain(|(question, _)| fits(*question));
            if next.is_empty() {
                break;
            }
            let mut step = Packed::default();
            let mut lengths = vec![Vec::new(); self.questions.len()];
            for (question, token) in &next {
                let position = self.questions.get(*question).map_or(0, |(_, q)| q.prompt.len()) + written - 1;
                step.ids.push(*token);
                step.positions.push(position as u32);
                if let Some(own) = lengths.get_mut(*question) {
                    own.push(1);
                }
            }
            let wanted: Vec<Wanted> = next
                .iter()
                .map(|(question, _)| Wanted { question: *question, targets: Vec::new(), writes: true })
                .collect();
            let hidden = self.pass(&step, &lengths, false, true)?;
            next = self.read(&hidden, &wanted)?;
        }
        Ok(())
    }

    /// The last hidden states at the last token of each row and at each token of the branches.
    fn pass(
        &mut self,
        tokens: &Packed,
        branches: &[Vec<usize>],
        keep_rows: bool,
        keep_branches: bool,
    ) -> Result<Tensor> {
        self.computed += tokens.tokens() as u64;
        let longest = tokens.positions.iter().max().map_or(0, |&p| p as usize + 1);
        let tables = self.model.rotary.tables(longest)?;
        let stream = self.model.stream(tokens, &tables, None);
        let mut x = self.model.embed(&tokens.ids)?;
        let blocks = self.model.blocks.len();
        let mut tree = Tree { trunks: &mut self.trunks, branches, keep_rows, keep_branches };
        for (number, block) in self.model.blocks.iter().enumerate() {
            let prefix = self.prefix.block(number)?;
            x = block.forward_tree(number, &x, &stream, prefix.as_ref(), &mut tree, number + 1 == blocks)?;
        }
        Ok(kernels::rms_norm(&x, &self.model.norm.value(), self.model.config().rms_norm_eps)?)
    }

    /// Adds what is wanted to the answers, and returns the tokens that what is written goes on with.
    fn read(&mut self, hidden: &Tensor, wanted: &[Wanted]) -> Result<Vec<(usize, u32)>> {
        /// Rows of logits at once: 64 of a vocabulary of 128,000 are 32 MiB.
        const AT_ONCE: usize = 64;
        let mut sampler = Sampler::new(Sampling::Greedy)?;
        let mut next = Vec::new();
        for (part, wanted) in wanted.chunks(AT_ONCE).enumerate() {
            let logits = self.model.logits(&hidden.narrow(0, part * AT_ONCE, wanted.len())?)?;
            let logits = logits.to_dtype(DType::F32)?.to_vec2::<f32>()?;
            for (want, logits) in wanted.iter().zip(&logits) {
                let Some(answer) = self.answers.get_mut(want.question) else { continue };
                if !want.targets.is_empty() {
                    let all = log_sum_exp(logits)?;
                    for (continuation, id) in &want.targets {
                        if let (Some(score), Some(&logit)) =
                            (answer.scores.get_mut(*continuation), logits.get(*id as usize))
                        {
                            *score += f64::from(logit) - all;
                        }
                    }
                }
                if want.writes && self.options.max_tokens > 0 {
                    let token = sampler.next(logits)?;
                    if self.options.stop.contains(&token) {
                        answer.ended = true;
                    } else {
                        answer.tokens.push(token);
                        next.push((want.question, token));
                    }
                }
            }
        }
        Ok(next)
    }
}

fn log_sum_exp(logits: &[f32]) -> Result<f64> {
    if let Some(&value) = logits.iter().find(|v| !v.is_finite()) {
        return Err(Error::NotFinite { value });
    }
    let top = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    Ok(top + logits.iter().map(|&l| (f64::from(l) - top).exp()).sum::<f64>().ln())
}
