use super::LocalModel;
use crate::{Completion, Error, Reply, Shape};
use chat::ChatTokenizer;
use lm::{Constraint, GreedyAfter, MinP, Writing};
use std::cell::Cell;
use std::rc::Rc;

/// An answer while a [`LocalModel`] writes it: for whoever shows it as it grows, or has several written in turn.
pub struct Draft<'a> {
    model: &'a LocalModel,
    writing: Writing,
    /// The grammar first: what is likely is then judged among what is allowed.
    constraints: Vec<Box<dyn Constraint + 'a>>,
    stop: Vec<u32>,
    max_tokens: usize,
    begun: Rc<Cell<bool>>,
    prompt_tokens: usize,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        model: &'a LocalModel,
        prompt: &[u32],
        options: &Completion,
        shape: &Shape,
    ) -> Result<Self, Error> {
        model.check_length(prompt, 1)?;
        let max_tokens = options.max_tokens.min(model.context() - prompt.len());
        let mut stop = model.tokenizer.end_ids().to_vec();
        if options.stop_at_line_break {
            stop.extend_from_slice(model.line_breaks());
        }
        let mut constraints: Vec<Box<dyn Constraint + 'a>> = Vec::new();
        if let Some(form) = &shape.form {
            constraints.push(Box::new(model.grammars()?.constraint(form)?));
        }
        if let Some(min_p) = shape.min_p {
            constraints.push(Box::new(MinP(min_p)));
        }
        if let Some(free) = shape.greedy_after {
            constraints.push(Box::new(GreedyAfter::new(free)));
        }
        let begun = Rc::new(Cell::new(false));
        if shape.one_sentence {
            let tokenizer = &model.tokenizer;
            constraints.push(Box::new(OneSentence { tokenizer, ids: Vec::new(), begun: begun.clone() }));
        }
        let options = lm::GenerateOptions { max_tokens, stop: stop.clone(), sampling: options.sampling };
        let writing = Writing::new(prompt, &options)?;
        Ok(Self { model, writing, constraints, stop, max_tokens, begun, prompt_tokens: prompt.len() })
    }

    /// Writes one more token; none where the answer has ended.
    ///
    /// # Errors
    /// The model fails, or a grammar leaves no token.
    pub fn step(&mut self) -> Result<Option<u32>, Error> {
        Ok(self.writing.step(&self.model.model, self.constraints.as_mut_slice())?)
    }

    /// [`Draft::step`] of several answers of one model, in one pass over its weights. What is written beside it changes an answer's
    /// logits no more than rounding does.
    ///
    /// # Errors
    /// The model fails; what concerns one answer only is in its place.
    pub fn step_together(drafts: &mut [&mut Self]) -> Result<Vec<Result<Option<u32>, Error>>, Error> {
        let Some(model) = drafts.first().map(|draft| draft.model) else { return Ok(Vec::new()) };
        let mut texts: Vec<_> =
            drafts.iter_mut().map(|draft| (&mut draft.writing, draft.constraints.as_mut_slice())).collect();
        let next = Writing::step_together(&model.model, &mut texts)?;
        Ok(next.into_iter().map(|token| Ok(token?)).collect())
    }

    /// The tokens so far, without one that ended the answer.
    pub fn tokens(&self) -> &[u32] {
        // Only tokens before a stop come back; a constraint that ends the text leaves none behind it either.
        let ids = self.writing.tokens();
        ids.split(|id| self.stop.contains(id)).next().unwrap_or_default()
    }

    /// How many tokens the prompt has.
    pub fn prompt_tokens(&self) -> usize {
        self.prompt_tokens
    }

    /// The text so far. A character of which only some bytes are written shows as a replacement mark at the end.
    ///
    /// # Errors
    /// The tokenizer's decoder fails.
    pub fn text(&self) -> Result<String, Error> {
        Ok(self.model.tokenizer.decode(self.tokens())?)
    }

    /// Each of the `count` likeliest tokens of the last step, and the one that was taken first of all, with its log-probability before
    /// any constraint, in nats.
    pub fn likeliest(&self, count: usize) -> Vec<(u32, f64)> {
        let logits = self.writing.logits();
        let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = logits.iter().map(|l| f64::from(l - top).exp()).sum();
        let log =
            |id: u32| logits.get(id as usize).map_or(f64::NEG_INFINITY, |l| f64::from(*l) - f64::from(top) - sum.ln());
        let mut ranked: Vec<u32> = (0..logits.len() as u32).collect();
        let at = |id: &u32| logits.get(*id as usize).copied().unwrap_or(f32::NEG_INFINITY);
        ranked.sort_by(|a, b| at(b).total_cmp(&at(a)).then(a.cmp(b)));
        let taken = self.writing.tokens().last().copied();
        taken.into_iter().chain(ranked.into_iter().take(count)).map(|id| (id, log(id))).collect()
    }

    /// The answer, once [`Draft::step`] has said that it ended (or as far as it is wanted).
    ///
    /// # Errors
    /// As [`Draft::text`].
    pub fn reply(&self) -> Result<Reply, Error> {
        Ok(Reply { text: self.text()?, finished: self.finished() })
    }

    /// Whether the model itself ended the answer.
    pub fn finished(&self) -> bool {
        self.writing.tokens().len() < self.max_tokens && !self.begun.get()
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

#[cfg(test)]
mod tests {
    use super::begins_another;

    #[test]
    fn a_second_sentence_has_begun_with_a_capital_after_a_mark_and_a_space() {
        assert!(begins_another(" Profit rose 3.2% in May. S"));
        assert!(begins_another("\"We won.\" The mill"));
        for one in ["Profit rose 3.2% in May.", "Sales of Acme Inc. in May", "U.S. sales", "Profit rose."] {
            assert!(!begins_another(one), "{one}");
        }
    }
}
