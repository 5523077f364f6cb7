use crate::forms::{Form, formed};
use crate::model::Model;
use crate::questions::{Question, questions};
use crate::replies::{Asker, Priors, Reply, Work};
use crate::stage::Inputs;
use crate::{Config, Error};
use artifacts::rows::{Example, Formatted};
use artifacts::runtime::Stopwatch;
use artifacts::{Progress, Seed, read_all};
use std::collections::BTreeMap;

/// What one model answered.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// One a question.
    pub(crate) replies: Vec<Reply>,
    /// One a held-out question.
    pub(crate) dev: Vec<Reply>,
    pub(crate) priors: Priors,
    pub(crate) forms: Vec<FormReplies>,
    pub(crate) work: Work,
    pub(crate) seconds: f64,
}

/// What a model answered to rows in another form.
pub(crate) struct FormReplies {
    pub(crate) form: Form,
    /// Number of the row, the question as it was put, the answer.
    pub(crate) replies: Vec<(usize, Question, Reply)>,
    pub(crate) changed: usize,
    pub(crate) left_out: usize,
}

/// Every question and every answer.
pub(crate) struct Answered {
    pub(crate) questions: Vec<Question>,
    pub(crate) dev: Vec<Question>,
    /// The base model and, where there is an adapter, the tuned one.
    pub(crate) subjects: Vec<Subject>,
}

/// Puts every question to the base model and, with an adapter, to the tuned one. The last of them is asked in other forms too.
///
/// # Errors
/// An input that cannot be read or was written for another tokenizer, or a model that fails.
pub(crate) fn answered(
    config: &Config,
    inputs: &Inputs,
    examples: &BTreeMap<String, Example>,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Answered, Error> {
    let rows: Vec<Formatted> = read_all(&inputs.eval)?;
    let mut asked: Option<(Vec<Question>, Vec<Question>)> = None;
    let mut subjects = Vec::new();
    let models = std::iter::once(("base", None)).chain(inputs.adapter.as_deref().map(|a| ("tuned", Some(a))));
    for (name, adapter) in models {
        let model = Model::open(&inputs.model, adapter, config.precision, &config.date)?;
        if asked.is_none() {
            let eval = questions(&model, &rows, examples, &inputs.eval, &config.date)?;
            let dev = match &inputs.dev {
                Some(path) => held_out(&model, path, config, seed)?,
                None => Vec::new(),
            };
            asked = Some((eval, dev));
        }
        let Some((eval, dev)) = &asked else { continue };
        let last = adapter.is_some() || inputs.adapter.is_none();
        let asker = Asker { model: &model, subject: name, config, progress };
        subjects.push(subject(name, &asker, (eval, dev), last, seed)?);
    }
    let (questions, dev) = asked.unwrap_or_default();
    Ok(Answered { questions, dev, subjects })
}

fn held_out(model: &Model, path: &std::path::Path, config: &Config, seed: Seed) -> Result<Vec<Question>, Error> {
    let rows: Vec<Formatted> = read_all(path)?;
    let kept = crate::forms::drawn(rows.len(), config.dev_rows, seed.derive("dev"));
    let rows: Vec<Formatted> = kept.into_iter().filter_map(|row| rows.get(row).cloned()).collect();
    questions(model, &rows, &BTreeMap::new(), path, &config.date)
}

fn subject(
    name: &'static str,
    asker: &Asker<'_>,
    (eval, dev): (&[Question], &[Question]),
    in_forms: bool,
    seed: Seed,
) -> Result<Subject, Error> {
    let (mut priors, mut work, mut other) = (Priors::default(), Work::default(), Work::default());
    let clock = Stopwatch::start();
    let replies = asker.ask("evaluating", &eval.iter().collect::<Vec<_>>(), &mut priors, &mut work)?;
    let seconds = clock.seconds();
    let dev = asker.ask("calibrating", &dev.iter().collect::<Vec<_>>(), &mut priors, &mut other)?;
    let mut forms = Vec::new();
    if in_forms {
        for formed in formed(asker.model, eval, &asker.config.robustness, seed.derive("robustness")) {
            let (rows, put): (Vec<usize>, Vec<Question>) = formed.questions.into_iter().unzip();
            // A row that the form leaves as it is has its answer already.
            let same = |row: &usize, question: &Question| eval.get(*row).is_some_and(|q| q.prompt == question.prompt);
            let fresh: Vec<&Question> =
                rows.iter().zip(&put).filter(|(row, q)| !same(row, q)).map(|(_, q)| q).collect();
            let mut answers = asker.ask(formed.form.name(), &fresh, &mut priors, &mut other)?.into_iter();
            let mut found = Vec::with_capacity(rows.len());
            for (row, question) in rows.into_iter().zip(put) {
                let known = if same(&row, &question) { replies.get(row).cloned() } else { answers.next() };
                if let Some(reply) = known {
                    found.push((row, question, reply));
                }
            }
            forms.push(FormReplies {
                form: formed.form,
                replies: found,
                changed: formed.changed,
                left_out: formed.left_out,
            });
        }
    }
    Ok(Subject { name, replies, dev, priors, forms, work, seconds })
}
