use crate::Error;
use artifacts::rows::{Formatted, Language, Sentiment};
use chat::Message;
use providers::LocalModel;
use std::path::Path;

/// One evaluation row as tokens: what the models read, and what they would have to say for each label.
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) language: Language,
    pub(crate) label: Sentiment,
    /// What the user asks, for the report.
    pub(crate) text: String,
    pub(crate) prompt: Vec<u32>,
    /// In the order of [`Sentiment::ALL`], each with its end token.
    pub(crate) answers: Vec<Vec<u32>>,
}

/// Turns the formatter's rows into questions. The prompt is the row's own tokens; the three answers come from the model's
/// tokenizer and template, and both must agree with what the formatter wrote: a model evaluated on another's tokens would
/// merely look bad.
///
/// # Errors
/// [`Error::OtherTokens`] where they do not, [`Error::Messages`] where a row's messages cannot be read.
pub(crate) fn questions(
    model: &LocalModel,
    rows: &[Formatted],
    path: &Path,
    date: &str,
) -> Result<Vec<Question>, Error> {
    rows.iter().enumerate().map(|(number, row)| question(model, row, number, path, date)).collect()
}

fn question(model: &LocalModel, row: &Formatted, number: usize, path: &Path, date: &str) -> Result<Question, Error> {
    let bad = |problem: String| Error::Messages { path: path.to_owned(), row: number, id: row.id.clone(), problem };
    let mut messages: Vec<Message> =
        serde_json::from_str(&row.messages).map_err(|e| bad(format!("not readable ({e})")))?;
    if messages.pop().is_none_or(|last| last.role != "assistant") {
        return Err(bad("without an answer at their end".into()));
    }
    let text = messages.iter().rfind(|m| m.role == "user").map(|m| m.content.clone()).unwrap_or_default();
    let split = row.prompt_tokens as usize;
    let (prompt, rest) = row.ids.split_at_checked(split).unwrap_or((&row.ids, &[]));
    let learned = row.supervised.iter().skip(split).take_while(|s| **s).count();
    let written = rest.get(..learned).unwrap_or(rest);

    let other = |what, at| Error::OtherTokens {
        path: path.to_owned(),
        row: number,
        id: row.id.clone(),
        what,
        at,
        date: date.to_owned(),
    };
    let mut answers = Vec::with_capacity(Sentiment::ALL.len());
    for label in Sentiment::ALL {
        let (before, answer) = model.answer_ids(&messages, label.as_str()).map_err(|source| Error::Row {
            path: path.to_owned(),
            row: number,
            id: row.id.clone(),
            source,
        })?;
        if before != prompt {
            return Err(other("prompt", parting(&before, prompt)));
        }
        if *label == row.label && answer != written {
            return Err(other("answer", split + parting(&answer, written)));
        }
        answers.push(answer);
    }
    Ok(Question {
        id: row.id.clone(),
        language: row.language,
        label: row.label,
        text,
        prompt: prompt.to_vec(),
        answers,
    })
}

/// Where two token lists first differ.
fn parting(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}
