use super::tree::TokenTree;
use super::{Answer, AnswerOptions, Question};
use crate::block::{Tree, Trunk};
use crate::packed::Packed;
use crate::sampling::Sampler;
use crate::{Error, Llama, Result, Sampling};
use candle_core::{DType, Tensor};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Questions that are answered together, and the tree of everything that is read for them.
pub(super) struct Wave<'a> {
    model: &'a Llama,
    questions: Vec<&'a Question<'a>>,
    options: &'a AnswerOptions,
    tree: TokenTree,
    trunk: Trunk,
    /// The tokens after which something is asked, and what.
    asked: BTreeMap<usize, Vec<Target>>,
    /// The likeliest id after each of them.
    likeliest: BTreeMap<usize, u32>,
    pub(super) answers: Vec<Answer>,
    pub(super) computed: u64,
}

/// An id whose log-probability counts to a score.
struct Target {
    question: usize,
    continuation: usize,
    id: u32,
}

/// A question whose answer is being written.
struct Writer {
    question: usize,
    /// The last token that the answer follows.
    token: usize,
}

impl<'a> Wave<'a> {
    /// `trunk` holds the tokens of `prefix`, with which every prompt begins.
    pub(super) fn new(
        model: &'a Llama,
        questions: Vec<&'a Question<'a>>,
        options: &'a AnswerOptions,
        prefix: &[u32],
        trunk: Trunk,
    ) -> Self {
        let scores = |q: &&Question<'_>| Answer { scores: vec![0.0; q.continuations.len()], ..Answer::default() };
        Self {
            answers: questions.iter().map(scores).collect(),
            model,
            questions,
            options,
            tree: TokenTree::after(prefix),
            trunk,
            asked: BTreeMap::new(),
            likeliest: BTreeMap::new(),
            computed: 0,
        }
    }

    pub(super) fn run(&mut self) -> Result<()> {
        let mut writers = self.plant();
        loop {
            let new = self.tree.take_new();
            let mut rest = new.as_slice();
            while !rest.is_empty() {
                let mut tokens = 0;
                let fits = rest.iter().take_while(|chain| {
                    tokens += chain.len();
                    tokens <= self.options.tokens_at_once
                });
                let (now, later) = rest.split_at(fits.count().max(1));
                self.pass(now)?;
                rest = later;
            }
            writers.retain_mut(|writer| self.write(writer));
            if writers.is_empty() {
                return Ok(());
            }
        }
    }

    /// Puts every prompt and what may follow it into the tree.
    fn plant(&mut self) -> Vec<Writer> {
        let shared = self.tree.root().map_or(0, |last| last + 1);
        let mut writers = Vec::new();
        for (question, asked) in self.questions.iter().enumerate() {
            let scored = asked.continuations.iter().any(|c| !c.is_empty());
            if !scored && self.options.max_tokens == 0 {
                continue;
            }
            let rest = asked.prompt.get(shared..).unwrap_or_default();
            let Some(&end) = self.tree.add(self.tree.root(), rest).last() else { continue };
            self.asked.entry(end).or_default();
            for (continuation, ids) in asked.continuations.iter().enumerate() {
                let Some((_, read)) = ids.split_last() else { continue };
                let own = self.tree.add(Some(end), read);
                for (token, &id) in std::iter::once(end).chain(own).zip(ids) {
                    self.asked.entry(token).or_default().push(Target { question, continuation, id });
                }
            }
            if self.options.max_tokens > 0 {
                writers.push(Writer { question, token: end });
            }
        }
        writers
    }

    /// Writes as far as is known; whether it goes on after the next pass, which computes what is not.
    fn write(&mut self, writer: &mut Writer) -> bool {
        let Some(answer) = self.answers.get_mut(writer.question) else { return false };
        let prompt = self.questions.get(writer.question).map_or(0, |q| q.prompt.len());
        while let Some(&id) = self.likeliest.get(&writer.token) {
            if self.options.stop.contains(&id) {
                answer.ended = true;
                return false;
            }
            answer.tokens.push(id);
            // What would have to be read next has no position left.
            let full = prompt + answer.tokens.len() > self.model.config().max_position_embeddings;
            if answer.tokens.len() >= self.options.max_tokens || full {
                return false;
            }
            // One that another prompt leads through may be there without having been asked.
            let there = self.tree.next(writer.token, id).filter(|token| self.asked.contains_key(token));
            writer.token = there.unwrap_or_else(|| self.tree.push(Some(writer.token), id));
            self.asked.entry(writer.token).or_default();
        }
        true
    }

    /// Computes new tokens, and reads what is asked after them.
    fn pass(&mut self, new: &[Range<usize>]) -> Result<()> {
        let layout = self.tree.layout(new);
        self.computed += layout.ids.len() as u64;
        let numbers: Vec<usize> = new.iter().cloned().flatten().collect();
        let (read, tokens): (Vec<u32>, Vec<usize>) = numbers
            .iter()
            .enumerate()
            .filter(|(_, token)| self.asked.contains_key(token))
            .map(|(place, &token)| (place as u32, token))
            .unzip();
        let ways = layout.ways(0..layout.ids.len());
        let read_ways = layout.ways(read.iter().map(|&place| place as usize));
        let mut tree =
            Tree { trunk: &mut self.trunk, seen: &layout.seen, ways: &ways, read: &read, read_ways: &read_ways };
        let packed = Packed { ids: layout.ids, positions: layout.positions, lengths: layout.lengths };
        let hidden = self.model.grow(&packed, &mut tree)?;
        self.read(&hidden, &tokens)
    }

    /// Adds what is asked after `tokens` to the scores, and notes what is likeliest there.
    fn read(&mut self, hidden: &Tensor, tokens: &[usize]) -> Result<()> {
        /// Rows of logits at once: 160 of a vocabulary of 128,000 are 80 MiB.
        const AT_ONCE: usize = 160;
        let vocabulary = self.model.config().vocab_size;
        for (part, tokens) in tokens.chunks(AT_ONCE).enumerate() {
            let logits = self.model.logits(&hidden.narrow(0, part * AT_ONCE, tokens.len())?)?;
            let logits = logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
            let found: Vec<(f64, u32)> = logits
                .par_chunks_exact(vocabulary)
                .map(|logits| Ok((log_sum_exp(logits)?, Sampler::new(Sampling::Greedy)?.next(logits)?)))
                .collect::<Result<_>>()?;
            for ((token, logits), (all, likeliest)) in tokens.iter().zip(logits.chunks_exact(vocabulary)).zip(found) {
                for target in self.asked.get(token).map(Vec::as_slice).unwrap_or_default() {
                    let score =
                        self.answers.get_mut(target.question).and_then(|a| a.scores.get_mut(target.continuation));
                    if let (Some(score), Some(&logit)) = (score, logits.get(target.id as usize)) {
                        *score += f64::from(logit) - all;
                    }
                }
                self.likeliest.insert(*token, likeliest);
            }
        }
        Ok(())
    }
}

impl Llama {
    /// The last hidden states, final norm applied, at the tokens that the tree wants read.
    pub(super) fn grow(&self, new: &Packed, tree: &mut Tree<'_>) -> Result<Tensor> {
        let longest = new.positions.iter().max().map_or(0, |&p| p as usize + 1);
        let tables = self.rotary.tables(longest)?;
        let stream = self.stream(new, &tables, None);
        let mut x = self.embed(&new.ids)?;
        for (number, block) in self.blocks.iter().enumerate() {
            x = block.forward_tree(number, &x, &stream, tree, number + 1 == self.blocks.len())?;
        }
        Ok(kernels::rms_norm(&x, &self.norm.value(), self.config().rms_norm_eps)?)
    }
}

fn log_sum_exp(logits: &[f32]) -> Result<f64> {
    if let Some(&value) = logits.iter().find(|v| !v.is_finite()) {
        return Err(Error::NotFinite { value });
    }
    let top = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    Ok(top + logits.iter().map(|&l| (f64::from(l) - top).exp()).sum::<f64>().ln())
}
