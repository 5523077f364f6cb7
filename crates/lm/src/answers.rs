//! Many prompts at once: how likely given continuations are, and what the model itself would write.

mod tree;
mod wave;

use crate::block::{Tree, Trunk};
use crate::gradients::Row;
use crate::packed::Packed;
use crate::prefix_groups::groups;
use crate::{Error, Llama, Result};
use tree::TokenTree;
use wave::Wave;

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
    /// About so many tokens are computed at once. More is faster up to two thousand or so, and takes more memory: where more
    /// than one token is to be written, keys and values of four times as many are held.
    pub tokens_at_once: usize,
}

impl Default for AnswerOptions {
    fn default() -> Self {
        Self { max_tokens: 0, stop: Vec::new(), tokens_at_once: 2048 }
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
/// Prompts, what may follow them and what is written after them stand in one tree, of which every token is computed once: a
/// beginning that prompts share, a prompt asked twice, a label that is scored and written too. `done` hears how many questions
/// are answered.
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
    answer_after(model, &[], questions, options, done)
}

/// What prompts begin with, read once by a model and kept: for whoever asks that model again and again, such as a service.
#[derive(Debug)]
pub struct Prefix {
    ids: Vec<u32>,
    trunk: Trunk,
}

impl Prefix {
    /// Reads `ids`.
    ///
    /// # Errors
    /// No tokens, or some that the model cannot read.
    pub fn read(model: &Llama, ids: &[u32]) -> Result<Self> {
        model.check_rows(std::iter::once(ids), 0)?;
        Ok(Self { ids: ids.to_vec(), trunk: trunk(model, ids)? })
    }

    /// The tokens.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Whether a prompt begins with it and goes on.
    fn begins(&self, prompt: &[u32]) -> bool {
        prompt.len() > self.ids.len() && prompt.starts_with(&self.ids)
    }
}

/// [`answer`], where the longest of `known` with which a prompt begins is not computed again.
///
/// # Errors
/// As [`answer`].
pub fn answer_after(
    model: &Llama,
    known: &[Prefix],
    questions: &[Question<'_>],
    options: &AnswerOptions,
    done: &mut dyn FnMut(usize),
) -> Result<Answers> {
    for (row, question) in questions.iter().enumerate() {
        check(model, row, question)?;
    }
    let numbered = || questions.iter().enumerate();
    let of = |question: &Question<'_>| {
        let begin = known.iter().enumerate().filter(|(_, prefix)| prefix.begins(question.prompt));
        begin.max_by_key(|(_, prefix)| prefix.ids.len()).map(|(number, _)| number)
    };
    let mut work = Work { model, options, done, answered: 0, found: Answers::default() };
    work.found.answers = vec![Answer::default(); questions.len()];
    for (number, prefix) in known.iter().enumerate() {
        work.group(&prefix.ids, &prefix.trunk, numbered().filter(|(_, q)| of(q) == Some(number)).collect())?;
    }
    let others: Vec<(usize, &Question<'_>)> = numbered().filter(|(_, q)| of(q).is_none()).collect();
    let rows: Vec<Row<'_>> = others
        .iter()
        .map(|(_, q)| Row { ids: q.prompt, predictors: vec![q.prompt.len() - 1], targets: vec![0] })
        .collect();
    for group in groups(&rows) {
        let members: Vec<_> = group.rows.iter().filter_map(|&row| others.get(row).copied()).collect();
        let prefix = members.first().and_then(|(_, q)| q.prompt.get(..group.shared)).unwrap_or_default();
        work.found.tokens_computed += prefix.len() as u64;
        work.group(prefix, &trunk(model, prefix)?, members)?;
    }
    Ok(work.found)
}

/// Questions on their way to answers.
struct Work<'a> {
    model: &'a Llama,
    options: &'a AnswerOptions,
    done: &'a mut dyn FnMut(usize),
    answered: usize,
    found: Answers,
}

impl Work<'_> {
    /// Answers numbered questions that all begin with `prefix`, of which `trunk` holds keys and values.
    fn group(&mut self, prefix: &[u32], trunk: &Trunk, mut members: Vec<(usize, &Question<'_>)>) -> Result<()> {
        // Neighbours have most in common.
        members.sort_by_key(|(_, question)| question.prompt);
        let mut rest = members.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest, prefix.len(), self.options));
            let asked = now.iter().map(|(_, question)| *question).collect();
            let mut wave = Wave::new(self.model, asked, self.options, prefix, trunk.first(prefix.len())?);
            wave.run()?;
            self.found.tokens_computed += wave.computed;
            for ((row, _), answer) in now.iter().zip(wave.answers) {
                if let Some(place) = self.found.answers.get_mut(*row) {
                    *place = answer;
                }
            }
            self.answered += now.len();
            (self.done)(self.answered);
            rest = later;
        }
        Ok(())
    }
}

/// Keys and values of what all prompts of a group begin with.
fn trunk(model: &Llama, prefix: &[u32]) -> Result<Trunk> {
    let mut trunk = Trunk::default();
    if prefix.is_empty() {
        return Ok(trunk);
    }
    let mut tree = TokenTree::default();
    tree.add(None, prefix);
    let new = tree.take_new();
    let layout = tree.layout(&new);
    // Only keys and values are wanted, but the last block reads one token at least.
    let (ways, read_ways) = (layout.ways(0..prefix.len()), layout.ways(0..1));
    let mut whole = Tree { trunk: &mut trunk, seen: &layout.seen, ways: &ways, read: &[0], read_ways: &read_ways };
    model.grow(&Packed::new(&[prefix], 0), &mut whole)?;
    Ok(trunk)
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

/// How many of the next questions are answered together: at least one.
fn fitting(questions: &[(usize, &Question<'_>)], shared: usize, options: &AnswerOptions) -> usize {
    /// Writing goes token by token through the whole model, so that many should write together.
    const PASSES: usize = 4;
    let most = options.tokens_at_once.saturating_mul(if options.max_tokens > 1 { PASSES } else { 1 });
    let mut tokens = 0;
    let fits = questions.iter().take_while(|(_, question)| {
        tokens += question.prompt.len() - shared;
        tokens += question.continuations.iter().map(|c| c.len().saturating_sub(1)).sum::<usize>();
        tokens <= most
    });
    fits.count().max(1)
}
