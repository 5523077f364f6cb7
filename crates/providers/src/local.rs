use crate::source::{check_adapter, check_model, find_model};
use crate::{Completion, Error, Provider, Reply};
use chat::{ChatTokenizer, Message};
use hub::HubConfig;
use std::path::Path;
use std::sync::OnceLock;

/// A Llama-family model on this machine with its tokenizer, its chat template and, if given, an adapter. Reading only: many
/// threads may ask at once.
pub struct LocalModel {
    name: String,
    model: lm::Llama,
    tokenizer: ChatTokenizer,
    line_breaks: OnceLock<Vec<u32>>,
}

impl LocalModel {
    /// Opens a folder in Hugging Face form, and a PEFT folder upon it. `date` is what a chat template prints as today's
    /// (`26 Jul 2024`): pinned, so that a prompt never depends on the clock.
    ///
    /// # Errors
    /// A file is missing or of another model; each error names the folder and what to put there.
    pub fn open(folder: &Path, adapter: Option<&Path>, date: &str) -> Result<Self, Error> {
        check_model(folder)?;
        let load = |source| Error::Load { path: folder.to_owned(), source: Box::new(source) };
        let tokenizer = ChatTokenizer::load(folder, date)
            .map_err(|source| Error::LoadTokenizer { path: folder.to_owned(), source: Box::new(source) })?;
        let mut model = lm::Llama::load(folder, &candle_core::Device::Cpu).map_err(load)?;
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
        Ok(Self { name, model, tokenizer, line_breaks: OnceLock::new() })
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
        self.check_length(prompt, 1)?;
        let max_tokens = options.max_tokens.min(self.context() - prompt.len());
        let mut stop = self.tokenizer.end_ids().to_vec();
        if options.stop_at_line_break {
            stop.extend_from_slice(self.line_breaks());
        }
        let options = lm::GenerateOptions { max_tokens, stop, sampling: options.sampling };
        let ids = lm::generate(&self.model, prompt, &options)?;
        let text = ids.split(|id| options.stop.contains(id)).next().unwrap_or_default();
        Ok(Reply { text: self.tokenizer.decode(text)?, finished: text.len() < max_tokens })
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
        let mut prompt: Vec<u32> = self.tokenizer.bos().map(|(_, id)| id).into_iter().collect();
        prompt.extend(self.tokenizer.encode(prefix)?);
        self.complete_ids(&prompt, options)
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
