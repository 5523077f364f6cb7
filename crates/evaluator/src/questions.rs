use crate::Error;
use crate::model::Model;
use artifacts::rows::{Example, Formatted, Language, Sentiment};
use chat::Message;
use std::collections::BTreeMap;
use std::path::Path;

/// One row as tokens: what the models read, and what they would have to say for each label.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) language: Language,
    pub(crate) label: Sentiment,
    /// The data set; empty where it is not known.
    pub(crate) source: String,
    /// The text in question, without what is asked about it.
    pub(crate) text: String,
    /// The conversation up to the answer.
    pub(crate) messages: Vec<Message>,
    pub(crate) prompt: Vec<u32>,
    /// In the order of [`Sentiment::ALL`], each with its end token.
    pub(crate) answers: Vec<Vec<u32>>,
}

impl Question {
    /// The conversation about another text, in the same words.
    pub(crate) fn about(&self, text: &str) -> Vec<Message> {
        let mut messages = self.messages.clone();
        if let Some(last) = messages.iter_mut().rfind(|m| m.role == "user") {
            last.content = self.frame().replace(HOLE, text);
        }
        messages
    }

    /// The first words of what is asked, `…` where the text is.
    pub(crate) fn template(&self) -> String {
        self.frame().replace(HOLE, "…").split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect()
    }

    /// What the user says, with a mark where the text is.
    pub(crate) fn frame(&self) -> String {
        let said = self.messages.iter().rfind(|m| m.role == "user").map_or("", |m| m.content.as_str());
        match said.rfind(&self.text).filter(|_| !self.text.is_empty()) {
            Some(at) => {
                let (before, after) = (said.get(..at).unwrap_or(""), said.get(at + self.text.len()..).unwrap_or(""));
                format!("{before}{HOLE}{after}")
            }
            None => HOLE.to_owned(),
        }
    }
}

/// A character that no cleaned text holds.
const HOLE: &str = "\u{fffc}";

/// Turns the formatter's rows into questions. The prompt is the row's own tokens; the three answers come from the model's
/// tokenizer and template, and both must agree with what the formatter wrote: a model evaluated on another's tokens would
/// merely look bad. `examples` tell a row's text and source.
///
/// # Errors
/// [`Error::OtherTokens`] where they do not agree, [`Error::Messages`] where a row's messages cannot be read,
/// [`Error::TooLong`] where the model cannot read a row.
pub(crate) fn questions(
    model: &Model,
    rows: &[Formatted],
    examples: &BTreeMap<String, Example>,
    path: &Path,
    date: &str,
) -> Result<Vec<Question>, Error> {
    rows.iter()
        .enumerate()
        .map(|(number, row)| question(model, row, examples.get(&row.id), (number, path, date)))
        .collect()
}

fn question(
    model: &Model,
    row: &Formatted,
    example: Option<&Example>,
    (number, path, date): (usize, &Path, &str),
) -> Result<Question, Error> {
    let (path, id) = (path.to_owned(), row.id.clone());
    let bad = |problem: String| Error::Messages { path: path.clone(), row: number, id: id.clone(), problem };
    let mut messages: Vec<Message> =
        serde_json::from_str(&row.messages).map_err(|e| bad(format!("not readable ({e})")))?;
    if messages.pop().is_none_or(|last| last.role != "assistant") {
        return Err(bad("without an answer at their end".into()));
    }
    let split = row.prompt_tokens as usize;
    let (prompt, rest) = row.ids.split_at_checked(split).unwrap_or((&row.ids, &[]));
    let learned = row.supervised.iter().skip(split).take_while(|s| **s).count();
    let written = rest.get(..learned).unwrap_or(rest);

    let other = |what, at| Error::OtherTokens {
        path: path.clone(),
        row: number,
        id: id.clone(),
        what,
        at,
        date: date.to_owned(),
    };
    let mut answers = Vec::with_capacity(Sentiment::ALL.len());
    for label in Sentiment::ALL {
        let (before, answer) = model.answer_ids(&messages, label.as_str()).map_err(|source| Error::Row {
            path: path.clone(),
            row: number,
            id: id.clone(),
            source: Box::new(source),
        })?;
        if before != prompt {
            return Err(other("prompt", parting(&before, prompt)));
        }
        if *label == row.label && answer != written {
            return Err(other("answer", split + parting(&answer, written)));
        }
        answers.push(answer);
    }
    let tokens = prompt.len() + answers.iter().map(Vec::len).max().unwrap_or(0);
    if tokens > model.context() {
        return Err(Error::TooLong { path, row: number, id, tokens, limit: model.context() });
    }
    let text = example.map_or_else(|| below_the_instruction(&messages), |e| e.text.clone());
    Ok(Question {
        id,
        language: row.language,
        label: row.label,
        source: example.map_or_else(String::new, |e| e.source.clone()),
        text,
        messages,
        prompt: prompt.to_vec(),
        answers,
    })
}

/// The text where no example tells it: what follows the first line of what the user says, or all of it.
fn below_the_instruction(messages: &[Message]) -> String {
    let said = messages.iter().rfind(|m| m.role == "user").map_or("", |m| m.content.as_str());
    said.split_once('\n').map_or(said, |(_, text)| text).to_owned()
}

/// Where two token lists first differ.
fn parting(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}
