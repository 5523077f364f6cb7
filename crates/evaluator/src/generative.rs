//! Tasks whose answer is free text: extraction, question answering, summarisation.

mod measure;
mod page;

use crate::Error;
use crate::model::Model;
use artifacts::rows::{FormattedTask, Generation, TaskKind};
use artifacts::runtime::Stopwatch;
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, read_all};
use chat::Message;
use lm::Precision;
use measure::{Figure, figures};
use page::page;
use providers::{Completion, Provider};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 2;

/// Settings for free answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenerativeConfig {
    /// What the chat template prints as today's date; the same as the formatter's.
    pub date: String,
    /// What the model's weights are kept in.
    pub precision: Precision,
    /// About so many tokens are computed at once.
    pub tokens_at_once: usize,
    /// Tokens a model may write.
    pub max_new_tokens: usize,
    /// Resamples of the bootstrap.
    pub resamples: usize,
    /// Confidence of all intervals.
    pub confidence: f64,
    /// How many answers the report shows.
    pub shown: usize,
    /// What the judge is asked; `{question}`, `{reference}` and `{answer}` are filled in.
    pub judge_prompt: String,
}

impl Default for GenerativeConfig {
    fn default() -> Self {
        Self {
            date: "26 Jul 2024".into(),
            precision: Precision::F32,
            tokens_at_once: 1024,
            max_new_tokens: 128,
            resamples: 2000,
            confidence: 0.95,
            shown: 20,
            judge_prompt: "You grade an answer against a reference answer.\n\nTask:\n{question}\n\nReference answer:\n{reference}\n\nAnswer to grade:\n{answer}\n\nHow well does the answer say what the reference says? 1: not at all. 2: a little. 3: half. 4: almost. 5: fully. Reply with one digit from 1 to 5 and nothing else.".into(),
        }
    }
}

/// What is read.
#[derive(Debug, Clone, Default)]
pub struct GenerativeInputs {
    /// The base model's folder.
    pub model: PathBuf,
    /// The adapter of the tuned model.
    pub adapter: Option<PathBuf>,
    /// Rows as `formatter` writes them for tasks with free answers.
    pub rows: PathBuf,
}

/// Lets the base and, with an adapter, the tuned model write every answer; measures exact match, token F1, ROUGE-L and for
/// extraction entity F1 against the reference, and asks the judge, if there is one, for a grade.
///
/// # Errors
/// An input that cannot be read, a row that the model cannot read, a model or a judge that fails.
pub fn run(
    config: &GenerativeConfig,
    inputs: &GenerativeInputs,
    judge: Option<&dyn Provider>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    let mut files = vec![inputs.rows.clone(), inputs.model.clone()];
    files.extend(inputs.adapter.clone());
    let mut settings = serde_json::to_value(config).unwrap_or_default();
    if let (Some(judge), Some(settings)) = (judge, settings.as_object_mut()) {
        settings.insert("judge".into(), judge.name().into());
    }
    let spec = StageSpec {
        name: "evaluator-generative",
        version: STAGE_VERSION,
        folder: out.into(),
        seed: options.seed,
        config: settings,
        inputs: files,
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let rows: Vec<FormattedTask> = read_all(&inputs.rows)?;
    let mut generations = Vec::new();
    let models = std::iter::once(("base", None)).chain(inputs.adapter.as_deref().map(|a| ("tuned", Some(a))));
    for (subject, adapter) in models {
        let model = Model::open(&inputs.model, adapter, config.precision, &config.date)?;
        let clock = Stopwatch::start();
        generations.extend(written(&model, subject, &rows, config, inputs, options)?);
        open.measured(&format!("{subject}_rows_per_second"), rows.len() as f64 / clock.seconds().max(1e-9));
    }
    if let Some(judge) = judge {
        grade(judge, &rows, &mut generations, &config.judge_prompt)?;
    }
    let figures = figures(&generations, config, open.seed("bootstrap"))?;
    let document = page(&rows, &generations, &figures, config, judge.map(Provider::name));
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    open.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    open.count(rows.len() as u64, rows.len() as u64);
    for figure in figures.iter().filter(|f| f.slice == "all") {
        if let Some(interval) = figure.interval {
            open.fact(&format!("{}_{}", figure.subject, figure.name), interval.estimate);
        }
    }
    open.write_rows("metrics.parquet", figures.iter().flat_map(Figure::metrics))?;
    open.write_rows("generations.parquet", generations)?;
    Ok(open.finish()?)
}

/// What one model writes, measured.
fn written(
    model: &Model,
    subject: &str,
    rows: &[FormattedTask],
    config: &GenerativeConfig,
    inputs: &GenerativeInputs,
    options: &RunOptions<'_>,
) -> Result<Vec<Generation>, Error> {
    let prompts: Vec<&[u32]> =
        rows.iter().map(|row| row.ids.get(..row.prompt_tokens as usize).unwrap_or(&row.ids)).collect();
    for (number, (row, prompt)) in rows.iter().zip(&prompts).enumerate() {
        let messages =
            conversation(row).map_err(|problem| Error::Task { path: inputs.rows.clone(), row: number, problem })?;
        let own = model.prompt(&messages).map_err(|source| Error::Row {
            path: inputs.rows.clone(),
            row: number,
            id: row.id.clone(),
            source: Box::new(source),
        })?;
        if own != *prompt {
            let at = own.iter().zip(*prompt).take_while(|(a, b)| a == b).count();
            return Err(Error::OtherTokens {
                path: inputs.rows.clone(),
                row: number,
                id: row.id.clone(),
                what: "prompt",
                at,
                date: config.date.clone(),
            });
        }
    }
    let questions: Vec<lm::Question<'_>> =
        prompts.iter().map(|prompt| lm::Question { prompt, continuations: &[] }).collect();
    let ticker = options.progress.start(&format!("writing {subject}"), questions.len() as u64);
    let found = model.answer(subject, &questions, config.max_new_tokens, config.tokens_at_once, &mut |done| {
        ticker.at(done as u64, "");
    })?;
    let measure = |(row, answer): (&FormattedTask, &lm::Answer)| {
        let response =
            model.decode(&answer.tokens).map_err(|source| Error::Provider(providers::Error::Chat(Box::new(source))))?;
        Ok(measured(row, subject, response.trim(), answer.ended))
    };
    rows.iter().zip(&found.answers).map(measure).collect()
}

/// One answer against its reference.
fn measured(row: &FormattedTask, subject: &str, response: &str, finished: bool) -> Generation {
    let language = row.language.as_str();
    Generation {
        id: row.id.clone(),
        subject: subject.to_owned(),
        task: row.task,
        template: row.template.clone(),
        language: row.language,
        reference: row.answer.clone(),
        response: response.to_owned(),
        finished,
        exact_match: text::exact_match(response, &row.answer, language),
        token_f1: text::token_f1(response, &row.answer, language),
        rouge_l: text::rouge_l(response, &row.answer),
        entity_f1: (row.task == TaskKind::Extraction).then(|| text::entity_f1(response, &row.answer)),
        judged: None,
    }
}

/// The conversation up to the answer.
fn conversation(row: &FormattedTask) -> Result<Vec<Message>, String> {
    let mut messages: Vec<Message> =
        serde_json::from_str(&row.messages).map_err(|e| format!("its messages are not readable ({e})"))?;
    match messages.pop() {
        Some(last) if last.role == "assistant" => Ok(messages),
        _ => Err("its messages have no answer at their end; run `formatter` again".into()),
    }
}

/// Asks the judge about every answer. A reply that is not one digit from 1 to 5 is no grade.
fn grade(
    judge: &dyn Provider,
    rows: &[FormattedTask],
    generations: &mut [Generation],
    prompt: &str,
) -> Result<(), Error> {
    let asked: BTreeMap<&str, String> =
        rows.iter().filter_map(|row| Some((row.id.as_str(), conversation(row).ok()?.pop()?.content))).collect();
    let options = Completion { max_tokens: 4, ..Completion::default() };
    for generation in generations {
        let question = asked.get(generation.id.as_str()).map_or("", String::as_str);
        let filled = filled(
            prompt,
            &[("{question}", question), ("{reference}", &generation.reference), ("{answer}", &generation.response)],
        );
        let reply = judge.complete(&[Message::user(&filled)], &options)?;
        generation.judged = parse_grade(&reply.text);
    }
    Ok(())
}

/// Fills each slot once, from left to right: what stands in braces inside a text is text.
fn filled(prompt: &str, slots: &[(&str, &str)]) -> String {
    let (mut out, mut rest) = (String::new(), prompt);
    while let Some((at, slot, text)) =
        slots.iter().filter_map(|(slot, text)| Some((rest.find(slot)?, slot, text))).min()
    {
        out.push_str(rest.get(..at).unwrap_or_default());
        out.push_str(text);
        rest = rest.get(at + slot.len()..).unwrap_or_default();
    }
    out + rest
}

/// 1 to 5 as 0 to 1.
fn parse_grade(reply: &str) -> Option<f64> {
    let reply = reply.trim();
    let reply = reply.strip_suffix('.').unwrap_or(reply);
    let grade: u8 = reply.parse().ok()?;
    (1..=5).contains(&grade).then(|| f64::from(grade - 1) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_digit_from_1_to_5_is_a_grade() {
        assert_eq!([parse_grade("5"), parse_grade(" 1.\n"), parse_grade("3")], [Some(1.0), Some(0.0), Some(0.5)]);
        for reply in ["", "0", "6", "4 of 5", "good", "-1", "45"] {
            assert_eq!(parse_grade(reply), None, "{reply}");
        }
    }

    #[test]
    fn braces_in_an_answer_are_text() {
        let slots = [("{a}", "x {b} y"), ("{b}", "z")];
        assert_eq!(filled("1 {a} 2 {b} 3", &slots), "1 x {b} y 2 z 3");
    }
}
