use crate::grammar::Grammars;
use crate::source::{check_adapter, check_model, find_model};
use crate::{Completion, Error, Prompt, Provider, Reply, Shape, Usage, Written};
use chat::{ChatTokenizer, Message};
use hub::HubConfig;
use lm::{Constraint, GreedyAfter, MinP};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
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
        check_model(folder)?;
        let load = |source| Error::Load { path: folder.to_owned(), source: Box::new(source) };
        let tokenizer = ChatTokenizer::load(folder, date)
            .map_err(|source| Error::LoadTokenizer { path: folder.to_owned(), source: Box::new(source) })?;
        let mut model = lm::Llama::load_stored(folder, &candle_core::Device::Cpu).map_err(load)?;
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

    /// The tokens of an answer, and whether the model ended it.
    fn generate(&self, prompt: &[u32], options: &Completion, shape: &Shape) -> Result<(Vec<u32>, bool), Error> {
        self.check_length(prompt, 1)?;
        let max_tokens = options.max_tokens.min(self.context() - prompt.len());
        let mut stop = self.tokenizer.end_ids().to_vec();
        if options.stop_at_line_break {
            stop.extend_from_slice(self.line_breaks());
        }
        let options = lm::GenerateOptions { max_tokens, stop, sampling: options.sampling };
        // The grammar first: what is likely is then judged among what is allowed.
        let mut constraints: Vec<Box<dyn Constraint>> = Vec::new();
        if let Some(form) = &shape.form {
            constraints.push(Box::new(self.grammars()?.constraint(form)?));
        }
        if let Some(min_p) = shape.min_p {
            constraints.push(Box::new(MinP(min_p)));
        }
        if let Some(free) = shape.greedy_after {
            constraints.push(Box::new(GreedyAfter::new(free)));
        }
        let begun = Rc::new(Cell::new(false));
        if shape.one_sentence {
            let tokenizer = &self.tokenizer;
            constraints.push(Box::new(OneSentence { tokenizer, ids: Vec::new(), begun: begun.clone() }));
        }
        let mut ids = lm::generate_constrained(&self.model, prompt, &options, constraints.as_mut_slice())?;
        self.read.fetch_add(prompt.len() as u64, Ordering::Relaxed);
        self.written.fetch_add(ids.len() as u64, Ordering::Relaxed);
        let finished = ids.len() < max_tokens && !begun.get();
        // Only tokens before a stop come back; a constraint that ends the text leaves none behind it either.
        ids.truncate(ids.iter().position(|id| options.stop.contains(id)).unwrap_or(ids.len()));
        Ok((ids, finished))
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
        let ids = match prompt {
            Prompt::Chat(messages) => self.tokenizer.prompt(messages)?,
            Prompt::Raw(prefix) => self.raw(prefix)?,
        };
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
        let mut prompt = Vec::new();
        let mut continuations = Vec::with_capacity(answers.len());
        for answer in answers {
            let (before, after) = self.answer_ids(messages, answer)?;
            prompt = before;
            continuations.push(after);
        }
        if answers.is_empty() {
            return Err(Error::NoAnswers);
        }
        self.score_ids(&prompt, &continuations)
    }
}

/// Ends a text once a further sentence has begun.
struct OneSentence<'a> {
    tokenizer: &'a ChatTokenizer,
    ids: Vec<u32>,
    begun: Rc<Cell<bool>>,
}

impl Constraint for OneSentence<'_> {
    fn restrict(&mut self, _logits: &mut [f32]) -> lm::Result<bool> {
        Ok(!self.begun.get())
    }

    fn accept(&mut self, token: u32) -> lm::Result<()> {
        self.ids.push(token);
        // Half a character decodes to a replacement mark, which begins nothing.
        self.begun.set(self.tokenizer.decode(&self.ids).is_ok_and(|text| begins_another(&text)));
        Ok(())
    }
}

/// Whether a mark that ends sentences is followed, after a space, by a capital letter. Names such as `Acme Inc. Borealis`
/// stop too early now and then: the text is then cut off and no more.
fn begins_another(text: &str) -> bool {
    let closed = |before: &str| before.trim_end_matches(['"', '”', '’', ')']).ends_with(['.', '!', '?', '…']);
    let mut words = text.trim_start().split(' ');
    let Some(mut before) = words.next() else { return false };
    for word in words {
        if closed(before) && word.starts_with(char::is_uppercase) {
            return true;
        }
        before = word;
    }
    false
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
    use super::{begins_another, softmax};

    #[test]
    fn a_second_sentence_has_begun_with_a_capital_after_a_mark_and_a_space() {
        assert!(begins_another(" Profit rose 3.2% in May. S"));
        assert!(begins_another("\"We won.\" The mill"));
        for one in ["Profit rose 3.2% in May.", "Sales of Acme Inc. in May", "U.S. sales", "Profit rose."] {
            assert!(!begins_another(one), "{one}");
        }
    }

    #[test]
    fn very_small_probabilities_still_sum_to_one() {
        let p = softmax(&[-2000.0, -2001.0, -5000.0]);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((p[0] / p[1] - 1f64.exp()).abs() < 1e-9);
    }
}
