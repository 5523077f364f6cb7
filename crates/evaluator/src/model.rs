use crate::Error;
use chat::{ChatTokenizer, Message, Refusal};
use lm::{AnswerOptions, Answers, Llama, Precision, Question};
use std::path::Path;

/// A model with its tokenizer and, if given, an adapter.
pub(crate) struct Model {
    llama: Llama,
    tokenizer: ChatTokenizer,
}

impl Model {
    /// Opens a folder in Hugging Face form, and a PEFT folder upon it.
    pub(crate) fn open(folder: &Path, adapter: Option<&Path>, precision: Precision, date: &str) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Model { path, source: Box::new(source) }
        };
        let tokenizer = ChatTokenizer::load(folder, date)
            .map_err(|source| Error::Tokenizer { path: folder.to_owned(), source: Box::new(source) })?;
        let mut llama = Llama::load_in(folder, precision, &candle_core::Device::Cpu).map_err(failed(folder))?;
        let (tokens, vocabulary) = (tokenizer.vocab_size(), llama.config().vocab_size);
        if tokens > vocabulary {
            return Err(Error::Vocabulary { path: folder.to_owned(), tokens, vocabulary });
        }
        if let Some(adapter) = adapter {
            llama.load_adapter(adapter).map_err(failed(adapter))?;
        }
        Ok(Self { llama, tokenizer })
    }

    /// How many tokens the model can read, prompt and answer together.
    pub(crate) fn context(&self) -> usize {
        self.llama.config().max_position_embeddings
    }

    /// The text of generated tokens.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, chat::Error> {
        self.tokenizer.decode(ids)
    }

    /// The prompt of a conversation.
    pub(crate) fn prompt(&self, messages: &[Message]) -> Result<Vec<u32>, Refusal> {
        self.tokenizer.prompt(messages)
    }

    /// The prompt of a conversation and what the model must say to give `answer`: its tokens and the end of the turn, the
    /// same that training supervises.
    pub(crate) fn answer_ids(&self, messages: &[Message], answer: &str) -> Result<(Vec<u32>, Vec<u32>), Refusal> {
        let mut messages = messages.to_vec();
        messages.push(Message::assistant(answer));
        let whole = self.tokenizer.doctor(&messages, usize::MAX)?;
        let prompt = whole.ids.get(..whole.prompt_tokens).unwrap_or(&whole.ids).to_vec();
        let tail = whole.ids.iter().zip(&whole.mask).skip(prompt.len());
        Ok((prompt, tail.take_while(|(_, supervised)| **supervised).map(|(id, _)| *id).collect()))
    }

    /// Scores and greedy text of many prompts; see [`lm::answer`].
    pub(crate) fn answer(
        &self,
        subject: &str,
        questions: &[Question<'_>],
        max_tokens: usize,
        tokens_at_once: usize,
        done: &mut dyn FnMut(usize),
    ) -> Result<Answers, Error> {
        let options = AnswerOptions { max_tokens, stop: self.tokenizer.end_ids().to_vec(), tokens_at_once };
        lm::answer(&self.llama, questions, &options, done)
            .map_err(|source| Error::Answer { subject: subject.to_owned(), source: Box::new(source) })
    }
}
