mod draft;

pub use draft::Draft;

use crate::grammar::Grammars;
use crate::source::{check_adapter, check_model, find_model};
use crate::{Completion, Error, Prompt, Provider, Reply, Shape, Usage, Written};
use chat::{ChatTokenizer, Message};
use hub::HubConfig;
use lm::{Precision, Prefix};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A Llama-family model on this machine with its tokenizer, its chat template and, if given, an adapter. Reading only: many
/// threads may ask at once.
pub struct LocalModel {
    name: String,
    folder: PathBuf,
    model: lm::Llama,
    tokenizer: ChatTokenizer,
    line_breaks: OnceLock<Vec<u32>>,
    grammars: OnceLock<Result<Grammars, String>>,
    read: AtomicU64,
    written: AtomicU64,
}

impl LocalModel {
    /// Opens a folder in Hugging Face form, and a PEFT folder upon it. `date` is what a chat template prints as today's
    /// (`26 Jul 2024`): pinned, so that a prompt never depends on the clock. Weights that are stored in bf16 stay so.
    ///
    /// # Errors
    /// A file is missing or of another model; each error names the folder and what to put there.
    pub fn open(folder: &Path, adapter: Option<&Path>, date: &str) -> Result<Self, Error> {
        Self::open_in(folder, adapter, None, date)
    }

    /// [`LocalModel::open`] with weights of the given precision instead of the stored one.
    ///
    /// # Errors
    /// As [`LocalModel::open`].
    pub fn open_in(
        folder: &Path,
        adapter: Option<&Path>,
        precision: Option<Precision>,
        date: &str,
    ) -> Result<Self, Error> {
        check_model(folder)?;
        let load = |source| Error::Load { path: folder.to_owned(), source: Box::new(source) };
        let tokenizer = ChatTokenizer::load(folder, date)
            .map_err(|source| Error::LoadTokenizer { path: folder.to_owned(), source: Box::new(source) })?;
        let device = candle_core::Device::Cpu;
        let mut model = match precision {
            Some(precision) => lm::Llama::load_in(folder, precision, &device),
            None => lm::Llama::load_stored(folder, &device),
        }
        .map_err(load)?;
        let (tokens, vocabulary) = (tokenizer.vocab_size(), model.config().vocab_size);
        if tokens > vocabulary {
            return Err(Error::VocabularyTooSmall { path: folder.to_owned(), tokens, vocabulary });
        }
        let mut name = last_part(folder);
        if let Some(adapter) = adapter {
            check_adapter(adapter)?;
            model
                .load_adapter(adapter)
                .map_err(|source| Error::Load { path: adapter.to_owned(), source: Box::new(source) })?;
            name = format!("{name}+{}", last_part(adapter));
        }
        Ok(Self {
            name,
            folder: folder.to_owned(),
            model,
            tokenizer,
            line_breaks: OnceLock::new(),
            grammars: OnceLock::new(),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
        })
    }

    /// [`LocalModel::open`] of a folder or a Hub id; see [`find_model`].
    ///
    /// # Errors
    /// As both.
    pub fn open_source(source: &str, adapter: Option<&Path>, date: &str, hub: &HubConfig) -> Result<Self, Error> {
        Self::open(&find_model(source, hub)?, adapter, date)
    }

    /// The tokenizer and chat template.
    pub fn tokenizer(&self) -> &ChatTokenizer {
        &self.tokenizer
    }

    /// How many tokens the model can read, prompt and answer together.
    pub fn context(&self) -> usize {
        self.model.config().max_position_embeddings
    }

    /// Bytes of the model's weights, without the adapter.
    pub fn weight_bytes(&self) -> usize {
        self.model.weight_bytes()
    }

    /// The prompt of a conversation and what the model must say to give `answer`: its tokens and the end of the turn, the
    /// same that training supervises.
    ///
    /// # Errors
    /// [`Error::Refused`]: the messages cannot be trained on either (a control token inside the text, an empty answer).
    pub fn answer_ids(&self, messages: &[Message], answer: &str) -> Result<(Vec<u32>, Vec<u32>), Error> {
        let mut messages = messages.to_vec();
        messages.push(Message::assistant(answer));
        let whole = self.tokenizer.doctor(&messages, usize::MAX)?;
        let prompt = whole.ids.get(..whole.prompt_tokens).unwrap_or(&whole.ids).to_vec();
        let tail = whole.ids.iter().zip(&whole.mask).skip(prompt.len());
        let answer: Vec<u32> = tail.take_while(|(_, supervised)| **supervised).map(|(id, _)| *id).collect();
        if answer.is_empty() { Err(Error::NoAnswers) } else { Ok((prompt, answer)) }
    }

    /// Continues a prompt given as tokens.
    ///
    /// # Errors
    /// [`Error::EmptyPrompt`], [`Error::PromptTooLong`] where not even one token of answer fits, or the model fails.
    pub fn complete_ids(&self, prompt: &[u32], options: &Completion) -> Result<Reply, Error> {
        let (ids, finished) = self.generate(prompt, options, &Shape::default())?;
        Ok(Reply { text: self.tokenizer.decode(&ids)?, finished })
    }

    /// Begins an answer: nothing is computed before its first [`Draft::step`].
    ///
    /// # Errors
    /// As [`Provider::write`].
    pub fn draft(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Draft<'_>, Error> {
        Draft::new(self, &self.prompt_ids(prompt)?, options, shape)
    }

    /// The tokens of an answer, and whether the model ended it.
    fn generate(&self, prompt: &[u32], options: &Completion, shape: &Shape) -> Result<(Vec<u32>, bool), Error> {
        let mut draft = Draft::new(self, prompt, options, shape)?;
        while draft.step()?.is_some() {}
        let ids = draft.tokens().to_vec();
        self.read.fetch_add(prompt.len() as u64, Ordering::Relaxed);
        self.written.fetch_add(ids.len() as u64, Ordering::Relaxed);
        Ok((ids, draft.finished()))
    }

    fn grammars(&self) -> Result<&Grammars, Error> {
        let made = self
            .grammars
            .get_or_init(|| Grammars::new(&self.folder, self.model.config().vocab_size, self.tokenizer.end_ids()));
        let bad =
            |message: &String| Error::BadGrammar { grammar: format!("for {}", self.name), message: message.clone() };
        made.as_ref().map_err(bad)
    }

    /// Whether the tokenizer itself would split the text into these tokens, after the prompt that it follows.
    fn is_canonical(&self, prompt: Prompt<'_>, ids: &[u32], text: &str) -> Result<bool, Error> {
        let Prompt::Raw(prefix) = prompt else {
            return Ok(self.tokenizer.encode(text)? == ids);
        };
        let mut whole = self.tokenizer.encode(prefix)?;
        whole.extend_from_slice(ids);
        Ok(self.tokenizer.encode(&format!("{prefix}{text}"))? == whole)
    }

    /// The probability of each continuation of a prompt, all given as tokens (end token included), if nothing else could
    /// follow: see [`Provider::score`].
    ///
    /// # Errors
    /// [`Error::NoAnswers`], [`Error::EmptyPrompt`], [`Error::PromptTooLong`], or the model fails.
    pub fn score_ids(&self, prompt: &[u32], answers: &[Vec<u32>]) -> Result<Vec<f64>, Error> {
        if answers.is_empty() || answers.iter().any(Vec::is_empty) {
            return Err(Error::NoAnswers);
        }
        self.check_length(prompt, answers.iter().map(Vec::len).max().unwrap_or(1))?;
        let logs = lm::score(&self.model, prompt, answers)?;
        Ok(softmax(&logs))
    }

    /// What the prompts of these conversations begin with, read once and kept for [`LocalModel::score_each`]. None where they begin
    /// with nothing in common.
    ///
    /// # Errors
    /// A conversation cannot be put to the model, or the model fails.
    pub fn remember(&self, alike: &[Vec<Message>]) -> Result<Option<Prefix>, Error> {
        let prompts: Vec<Vec<u32>> =
            alike.iter().map(|messages| self.tokenizer.prompt(messages)).collect::<Result<_, _>>()?;
        let Some((first, others)) = prompts.split_first() else { return Ok(None) };
        let same = |at: &usize| others.iter().all(|other| other.get(*at) == first.get(*at));
        let shared = (0..first.len()).take_while(same).count();
        let ids = first.get(..shared).filter(|ids| !ids.is_empty());
        Ok(ids.map(|ids| Prefix::read(&self.model, ids)).transpose()?)
    }

    /// [`Provider::score`] of many conversations at once: what they share is computed once, and what `known` holds not at all. One
    /// that cannot be put to the model has its own error in its place, and spoils no other. Up to rounding, a score does not
    /// depend on its neighbours.
    ///
    /// # Errors
    /// The model fails.
    #[expect(clippy::type_complexity, reason = "a result for each inside one for all")]
    pub fn score_each(
        &self,
        conversations: &[Vec<Message>],
        answers: &[&str],
        known: &[Prefix],
    ) -> Result<Vec<Result<Vec<f64>, Error>>, Error> {
        let asked: Vec<Result<(Vec<u32>, Vec<Vec<u32>>), Error>> =
            conversations.iter().map(|messages| self.question(messages, answers)).collect();
        let questions: Vec<lm::Question<'_>> =
            asked.iter().flatten().map(|(prompt, continuations)| lm::Question { prompt, continuations }).collect();
        let options = lm::AnswerOptions::default();
        let found = lm::answer_after(&self.model, known, &questions, &options, &mut |_| ())?;
        self.read.fetch_add(found.tokens_computed, Ordering::Relaxed);
        let mut scores = found.answers.into_iter();
        let each = asked.into_iter().map(|question| {
            question?;
            Ok(softmax(&scores.next().ok_or(Error::NoAnswers)?.scores))
        });
        Ok(each.collect())
    }

    /// A prompt, and the tokens of each answer.
    fn question(&self, messages: &[Message], answers: &[&str]) -> Result<(Vec<u32>, Vec<Vec<u32>>), Error> {
        let mut prompt = Vec::new();
        let mut continuations = Vec::with_capacity(answers.len());
        for answer in answers {
            let (before, after) = self.answer_ids(messages, answer)?;
            prompt = before;
            continuations.push(after);
        }
        self.check_length(&prompt, continuations.iter().map(Vec::len).max().ok_or(Error::NoAnswers)?)?;
        Ok((prompt, continuations))
    }

    fn prompt_ids(&self, prompt: Prompt<'_>) -> Result<Vec<u32>, Error> {
        match prompt {
            Prompt::Chat(messages) => Ok(self.tokenizer.prompt(messages)?),
            Prompt::Raw(prefix) => self.raw(prefix),
        }
    }

    /// The tokens of raw text, after the token that begins every text.
    fn raw(&self, prefix: &str) -> Result<Vec<u32>, Error> {
        let mut prompt: Vec<u32> = self.tokenizer.bos().map(|(_, id)| id).into_iter().collect();
        prompt.extend(self.tokenizer.encode(prefix)?);
        Ok(prompt)
    }

    fn check_length(&self, prompt: &[u32], answer: usize) -> Result<(), Error> {
        let context = self.context();
        if prompt.is_empty() {
            Err(Error::EmptyPrompt)
        } else if prompt.len() + answer > context {
            Err(Error::PromptTooLong { prompt: prompt.len(), answer, context })
        } else {
            Ok(())
        }
    }

    /// The tokens whose text holds a line break. Found once: it reads the whole vocabulary.
    fn line_breaks(&self) -> &[u32] {
        self.line_breaks.get_or_init(|| {
            let all = 0..self.tokenizer.vocab_size() as u32;
            all.filter(|id| self.tokenizer.decode(&[*id]).is_ok_and(|text| text.contains('\n'))).collect()
        })
    }
}

impl Provider for LocalModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error> {
        let prompt = self.tokenizer.prompt(messages)?;
        self.complete_ids(&prompt, options)
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
        self.complete_ids(&self.raw(prefix)?, options)
    }

    fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, Error> {
        let ids = self.prompt_ids(prompt)?;
        let (answer, finished) = self.generate(&ids, options, shape)?;
        let text = self.tokenizer.decode(&answer)?;
        let canonical = self.is_canonical(prompt, &answer, &text)?;
        let usage = Usage { prompt_tokens: ids.len() as u64, answer_tokens: answer.len() as u64 };
        Ok(Written { reply: Reply { text, finished }, canonical, usage })
    }

    fn score_text(&self, prefix: &str, continuations: &[&str]) -> Result<Vec<f64>, Error> {
        let bos = self.tokenizer.bos().map(|(_, id)| id);
        let mut whole = Vec::with_capacity(continuations.len());
        for continuation in continuations {
            let mut ids: Vec<u32> = bos.into_iter().collect();
            ids.extend(self.tokenizer.encode(&format!("{prefix}{continuation}"))?);
            whole.push(ids);
        }
        // Tokens may straddle the seam, so the common beginning of all is the prompt, and at least one token is left to score.
        let Some(first) = whole.first() else { return Err(Error::NoAnswers) };
        let same = |n: usize| whole.iter().all(|ids| ids.len() > n + 1 && ids.get(n) == first.get(n));
        let shared = (0..first.len()).take_while(|n| same(*n)).count().min(self.raw(prefix)?.len());
        let prompt = first.get(..shared).unwrap_or_default();
        let rest: Vec<Vec<u32>> = whole.iter().map(|ids| ids.get(shared..).unwrap_or_default().to_vec()).collect();
        self.check_length(prompt, rest.iter().map(Vec::len).max().unwrap_or(1))?;
        self.read.fetch_add((shared + rest.iter().map(Vec::len).sum::<usize>()) as u64, Ordering::Relaxed);
        Ok(lm::score(&self.model, prompt, &rest)?)
    }

    fn usage(&self) -> Usage {
        Usage { prompt_tokens: self.read.load(Ordering::Relaxed), answer_tokens: self.written.load(Ordering::Relaxed) }
    }

    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
        let (prompt, continuations) = self.question(messages, answers)?;
        self.score_ids(&prompt, &continuations)
    }
}

/// exp(l_i) / sum_j exp(l_j), shifted by the largest so that nothing underflows to 0/0.
fn softmax(logs: &[f64]) -> Vec<f64> {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exp: Vec<f64> = logs.iter().map(|l| (l - largest).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.iter().map(|e| e / sum).collect()
}

/// The folder's own name: reports and files must not depend on where a run lies.
fn last_part(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::softmax;

    #[test]
    fn very_small_probabilities_still_sum_to_one() {
        let p = softmax(&[-2000.0, -2001.0, -5000.0]);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((p[0] / p[1] - 1f64.exp()).abs() < 1e-9);
    }
}
