use crate::{ChatTokenizer, Message, Refusal, python};

/// A conversation whose last turn is the answer to learn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervised {
    /// The conversation after the template.
    pub text: String,
    /// Its tokens.
    pub ids: Vec<u32>,
    /// For each token, whether it is learned: the answer and the token that ends its turn.
    pub mask: Vec<bool>,
    /// How many tokens come before the answer.
    pub prompt_tokens: usize,
}

impl Supervised {
    /// How many tokens are learned.
    pub fn learned(&self) -> usize {
        self.mask.iter().filter(|&&m| m).count()
    }
}

impl ChatTokenizer {
    /// The tokens of a conversation that the model is to continue.
    ///
    /// # Errors
    /// A message contains a control token; the template fails; not exactly one begin-of-text.
    pub fn prompt(&self, messages: &[Message]) -> Result<Vec<u32>, Refusal> {
        self.refuse_smuggling(messages)?;
        let ids = self.encode(&self.render(messages, true)?)?;
        self.one_bos(&ids)?;
        Ok(ids)
    }

    /// Tokens and supervision mask of a conversation that ends with the answer to learn. What the template writes
    /// after the end of the turn is not learned.
    ///
    /// # Errors
    /// There is no answer; the prompt is not a prefix of prompt and answer, as text and as tokens; the template
    /// alters the answer; no end token follows it.
    pub fn supervise(&self, messages: &[Message]) -> Result<Supervised, Refusal> {
        let Some((answer, before)) = messages.split_last().filter(|(last, _)| last.role == "assistant") else {
            let found = messages.last().map_or_else(|| "missing".to_owned(), |m| format!("of role `{}`", m.role));
            return Err(Refusal::NoAnswer { found });
        };
        let prompt = self.render(before, true)?;
        let text = self.render(messages, false)?;
        let Some(written) = text.strip_prefix(prompt.as_str()) else {
            let at = prompt.chars().zip(text.chars()).take_while(|(a, b)| a == b).count();
            return Err(Refusal::PromptNotTextPrefix { at });
        };
        if !python::strip(written).starts_with(python::strip(&answer.content)) {
            let short = |text: &str| text.chars().take(60).collect();
            return Err(Refusal::AnswerAltered { answer: short(&answer.content), written: short(written) });
        }
        let (prompt_ids, ids) = (self.encode(&prompt)?, self.encode(&text)?);
        let same = prompt_ids.iter().zip(&ids).take_while(|(a, b)| a == b).count();
        if same < prompt_ids.len() {
            let token = |ids: &[u32]| ids.get(same).map_or_else(|| "nothing".into(), |id| self.tokens(&[*id]).concat());
            return Err(Refusal::PromptNotTokenPrefix { at: same, prompt: token(&prompt_ids), full: token(&ids) });
        }
        let prompt_tokens = prompt_ids.len();
        let Some(learned) = ids.iter().skip(prompt_tokens).position(|id| self.is_end(*id)) else {
            return Err(Refusal::UnsupervisedEnd { ends: self.tokens(self.end_ids()).join(", ") });
        };
        let mask = (0..ids.len()).map(|i| (prompt_tokens..=prompt_tokens + learned).contains(&i)).collect();
        Ok(Supervised { text, ids, mask, prompt_tokens })
    }

    /// [`ChatTokenizer::supervise`] after the preflight: everything that would spoil a training run unnoticed is
    /// refused. `max_tokens` is the length of the longest row the model takes; nothing is ever cut.
    ///
    /// # Errors
    /// Besides those of `supervise`: an empty answer, a control token inside a message, more or fewer than one
    /// begin-of-text (where the model has one), too many tokens.
    pub fn doctor(&self, messages: &[Message], max_tokens: usize) -> Result<Supervised, Refusal> {
        self.refuse_smuggling(messages)?;
        if messages.last().is_some_and(|m| m.role == "assistant" && python::strip(&m.content).is_empty()) {
            return Err(Refusal::EmptyAnswer);
        }
        let row = self.supervise(messages)?;
        self.one_bos(&row.ids)?;
        if row.ids.len() > max_tokens {
            return Err(Refusal::TooLong { tokens: row.ids.len(), limit: max_tokens });
        }
        Ok(row)
    }

    fn refuse_smuggling(&self, messages: &[Message]) -> Result<(), Refusal> {
        for message in messages {
            if let Some(token) = self.smuggled(&message.content) {
                return Err(Refusal::Smuggled { role: message.role.clone(), token: token.to_owned() });
            }
        }
        Ok(())
    }

    fn one_bos(&self, ids: &[u32]) -> Result<(), Refusal> {
        let Some((token, bos)) = self.bos() else { return Ok(()) };
        let found = ids.iter().filter(|id| **id == bos).count();
        // Where begin and end of text are one token (GPT-2), it also ends turns: only its place can be checked.
        let also_ends_turns = self.eos() == Some(bos);
        if ids.first() == Some(&bos) && (found == 1 || also_ends_turns) {
            return Ok(());
        }
        Err(Refusal::BosCount { token: token.to_owned(), found })
    }
}
