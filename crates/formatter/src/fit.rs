use crate::config::TooLong;
use crate::exercise::{Exercise, Split, Wordings};
use artifacts::rows::Shortened;
use chat::{ChatTokenizer, Message, Refusal, Supervised};

/// What tells the model, and the reader, that words are missing.
const ELLIPSIS: &str = " …";

/// A row that passed the preflight.
pub(crate) struct Fitted<F> {
    pub(crate) row: F,
    /// Where its input had to be shortened, by how much.
    pub(crate) shortened: Option<Shortened>,
}

/// One row through the template and the preflight, and, where the settings allow it, shortened until it fits. The
/// answer is never cut: where it does not fit with a single word of input, the row is refused.
pub(crate) fn fit<E: Exercise>(
    tokenizer: &ChatTokenizer,
    exercise: &E,
    wordings: &Wordings<'_>,
    split: Split,
    limit: usize,
) -> Result<Fitted<E::Formatted>, Refusal> {
    let through = |input: &str| -> Result<(Vec<Message>, Supervised), Refusal> {
        let mut messages = wordings.prompt(exercise, input, split);
        messages.push(Message::assistant(exercise.answer()));
        let row = tokenizer.doctor(&messages, limit)?;
        Ok((messages, row))
    };
    let wording = wordings.name(exercise, split);
    let whole = exercise.input();
    let (found, shortened) = match through(whole) {
        Err(Refusal::TooLong { tokens, limit }) if wordings.config.too_long == TooLong::ShortenInput => {
            let Some((kept, found)) = longest(whole, through) else {
                return Err(Refusal::TooLong { tokens, limit });
            };
            let shortened = Shortened {
                id: exercise.id().to_owned(),
                split: split.name().to_owned(),
                tokens_before: tokens as u64,
                tokens_after: found.1.ids.len() as u64,
                characters_before: whole.chars().count() as u64,
                characters_after: kept.chars().count() as u64,
            };
            (found, Some(shortened))
        }
        other => (other?, None),
    };
    let (messages, row) = found;
    let messages: Vec<_> = messages.iter().map(|m| serde_json::json!({"role": m.role, "content": m.content})).collect();
    let messages = serde_json::Value::Array(messages).to_string();
    Ok(Fitted { row: exercise.formatted(messages, row, wording), shortened })
}

/// The most leading words of a text that get through, found by halving.
fn longest<T>(text: &str, through: impl Fn(&str) -> Result<T, Refusal>) -> Option<(&str, T)> {
    let ends: Vec<usize> = word_ends(text);
    let (mut low, mut high) = (0, ends.len());
    let mut best = None;
    while low < high {
        let middle = usize::midpoint(low, high);
        let kept = text.get(..*ends.get(middle)?)?;
        match through(&format!("{kept}{ELLIPSIS}")) {
            Ok(row) => {
                best = Some((kept, row));
                low = middle + 1;
            }
            Err(Refusal::TooLong { .. }) => high = middle,
            Err(_) => return None,
        }
    }
    best
}

/// Where words end.
fn word_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut inside = false;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() && inside {
            ends.push(at);
        }
        inside = !c.is_whitespace();
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_words_stay_as_fit() {
        let limit = 12;
        let through = |text: &str| {
            let tokens = text.chars().count();
            if tokens <= limit { Ok(tokens) } else { Err(Refusal::TooLong { tokens, limit }) }
        };
        assert_eq!(longest("one two three four", through), Some(("one two", 9)));
        assert_eq!(longest("uninterrupted words", through), None);
        assert_eq!(word_ends(" a  bc d"), [2, 6]);
    }
}
