use crate::engine::{End, Order, Piece};
use crate::error::Refused;
use providers::{Draft, LocalModel, Prompt};
use tokio::sync::mpsc;

/// One answer while it is written, and who waits for it.
pub(crate) struct Writer<'a> {
    model: &'a LocalModel,
    draft: Draft<'a>,
    stop: Vec<String>,
    alternatives: Option<usize>,
    pieces: mpsc::UnboundedSender<Result<Piece, Refused>>,
    /// Bytes of the text that were sent.
    sent: usize,
    /// What is told of tokens that were not sent yet.
    told: Vec<Vec<(String, f64)>>,
}

impl<'a> Writer<'a> {
    /// Nothing where the order cannot be begun: who waits is told why.
    pub(crate) fn begin(model: &'a LocalModel, order: Order) -> Option<Self> {
        let Order { messages, options, shape, stop, alternatives, pieces } = order;
        match model.draft(Prompt::Chat(&messages), &options, &shape) {
            Ok(draft) => Some(Self { model, draft, stop, alternatives, pieces, sent: 0, told: Vec::new() }),
            Err(error) => {
                pieces.send(Err(error.into())).ok();
                None
            }
        }
    }

    /// Tokens written so far.
    pub(crate) fn tokens(&self) -> usize {
        self.draft.tokens().len()
    }

    /// Whether somebody still waits for it.
    pub(crate) fn wanted(&self) -> bool {
        !self.pieces.is_closed()
    }

    pub(crate) fn draft(&mut self) -> &mut Draft<'a> {
        &mut self.draft
    }

    /// Sends what came with the next token. False: the answer has ended.
    pub(crate) fn take(&mut self, token: Result<Option<u32>, providers::Error>) -> bool {
        token.and_then(|token| self.tell(token)).unwrap_or_else(|error| {
            self.fail(error.into());
            false
        })
    }

    /// Tells who waits why there is no answer.
    pub(crate) fn fail(&self, why: Refused) {
        self.pieces.send(Err(why)).ok();
    }

    fn tell(&mut self, token: Option<u32>) -> Result<bool, providers::Error> {
        if let (Some(count), Some(_)) = (self.alternatives, token) {
            let named = |(id, log): (u32, f64)| Ok((self.model.tokenizer().decode(&[id])?, log));
            let told: Result<Vec<_>, providers::Error> = self.draft.likeliest(count).into_iter().map(named).collect();
            self.told.push(told?);
        }
        let text = self.draft.text()?;
        let (shown, stopped) = shown(&text, &self.stop, token.is_none());
        let ended = stopped || token.is_none();
        let new = text.get(self.sent..shown).unwrap_or_default();
        if ended || !new.is_empty() {
            let end = ended.then(|| End {
                finished: stopped || self.draft.finished(),
                prompt_tokens: self.draft.prompt_tokens(),
                answer_tokens: self.tokens(),
            });
            let piece = Piece { text: new.to_owned(), tokens: std::mem::take(&mut self.told), end };
            self.sent = shown.max(self.sent);
            self.pieces.send(Ok(piece)).ok();
        }
        Ok(!ended)
    }
}

/// How many bytes of a text may be shown, and whether one of the `stop` strings ends it there. While the text goes on, half a
/// character and what may become a stop string are held back.
fn shown(text: &str, stop: &[String], whole: bool) -> (usize, bool) {
    let stop = || stop.iter().filter(|s| !s.is_empty());
    if let Some(at) = stop().filter_map(|s| text.find(s.as_str())).min() {
        return (at, true);
    }
    if whole {
        return (text.len(), false);
    }
    let sure = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
    let begins = |tail: &str| stop().any(|s| s.starts_with(tail));
    let held = sure.char_indices().map(|(at, _)| at).find(|at| sure.get(*at..).is_some_and(begins));
    (held.unwrap_or(sure.len()), false)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_may_become_a_stop_string_or_a_character_is_held_back() {
        let stop = ["\n\n".to_owned(), "END".to_owned()];
        assert_eq!(shown("a\n", &stop, false), (1, false));
        assert_eq!(shown("a\nb", &stop, false), (3, false));
        assert_eq!(shown("a\n\nb", &stop, false), (1, true));
        assert_eq!(shown("one E", &stop, false), (4, false));
        assert_eq!(shown("one E", &stop, true), (5, false));
        assert_eq!(shown("one EXIT END", &stop, true), (9, true));
        assert_eq!(shown("caf\u{fffd}", &[], false), (3, false));
        assert_eq!(shown("caf\u{fffd}", &[], true), (6, false));
    }
}
