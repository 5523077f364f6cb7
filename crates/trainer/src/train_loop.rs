//! The training loop: one function from top to bottom, the same for LoRA and for all parameters.

pub use crate::settings::{Decay, Optimisation};

use crate::Error;
use crate::Lesson;
use crate::adamw::{AdamW, clip_gradients, first_not_finite, refuse_missing};
use crate::checkpoint::Checkpoint;
use crate::judge::{Judge, best};
use crate::order::epoch_steps;
use crate::schedule::Schedule;
use artifacts::rows::Step;
use artifacts::runtime::Stopwatch;
use artifacts::{Progress, Seed};
use candle_core::{Device, Tensor, Var};
use lm::{Dropout, Llama, StepOptions};
use std::collections::BTreeMap;
use std::path::Path;

/// One row: token ids, and for each token whether it is to be predicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainRow {
    /// What messages call it.
    pub id: String,
    /// The tokens.
    pub ids: Vec<u32>,
    /// `true`: the loss counts how well the tokens before predict this one.
    pub supervised: Vec<bool>,
}

impl TrainRow {
    /// The row as a model takes it.
    pub fn parts(&self) -> (&[u32], &[bool]) {
        (&self.ids, &self.supervised)
    }
}

impl From<&Lesson> for TrainRow {
    fn from(row: &Lesson) -> Self {
        Self { id: row.id.clone(), ids: row.ids.clone(), supervised: row.supervised.clone() }
    }
}

/// Where a run keeps its checkpoint, and which run it is.
#[derive(Debug, Clone, Copy)]
pub struct Resume<'a> {
    /// The checkpoint's file.
    pub path: &'a Path,
    /// Equal for equal inputs, settings and seed.
    pub fingerprint: &'a str,
}

/// Everything that decides what a training does, besides model and rows.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// How it is optimised.
    pub settings: &'a Optimisation,
    /// How a step is computed.
    pub step: StepOptions,
    /// The probability that an input of an adapter's branch is dropped.
    pub dropout: f64,
    /// Whom to ask about held-out rows.
    pub judge: Option<&'a Judge>,
    /// What order and masks are drawn from.
    pub seed: Seed,
    /// Where to continue.
    pub resume: Resume<'a>,
    /// Whom to tell.
    pub progress: &'a dyn Progress,
}

/// What a training did.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// One row per update.
    pub steps: Vec<Step>,
    /// The update whose parameters the model has now, where held-out rows were judged; else it has the last one's.
    pub best: Option<u64>,
    /// Whether it ended early, because held-out rows got no better.
    pub stopped: bool,
    /// Tokens of the rows that this process read in a second; differs from run to run.
    pub tokens_per_second: f64,
}

/// Trains what is trainable in `model` on `rows`. Continues from the checkpoint if there is one: the result is the same,
/// bit for bit, as without the interruption. With held-out rows the model ends with the best judged parameters.
///
/// # Errors
/// A setting without meaning; a parameter without gradient at the first update; a loss or gradient that is not finite.
pub fn train(model: &Llama, rows: &[TrainRow], job: &Job<'_>) -> Result<Trained, Error> {
    let Job { settings, seed, resume, .. } = *job;
    settings.check()?;
    let lengths: Vec<usize> = rows.iter().map(|r| r.ids.len()).collect();
    let steps_per_epoch = rows.len().div_ceil(settings.rows_per_step) as u64;
    let total = steps_per_epoch * settings.epochs;
    let schedule = Schedule::new(settings.decay, (settings.warmup_share * total as f64).round() as u64, total);
    let variables = model.trainable();
    let mut adamw = AdamW::new(settings.betas, settings.epsilon, settings.weight_decay);

    let (mut log, mut kept) = (Vec::new(), BTreeMap::new());
    if let Some(checkpoint) = Checkpoint::load(resume.path, resume.fingerprint, &Device::Cpu)? {
        put_back(&variables, &checkpoint.parameters, resume)?;
        adamw.restore(checkpoint.steps.len() as u64, checkpoint.optimizer);
        (log, kept) = (checkpoint.steps, checkpoint.best);
        tracing::info!("resumes after update {} of {total}", log.len());
    }

    let ticker = job.progress.start("training", total);
    let (clock, mut tokens_read) = (Stopwatch::start(), 0_u64);
    let mut plan: (u64, Vec<Vec<usize>>) = (u64::MAX, Vec::new());
    let mut stopped = job.judge.is_some_and(|judge| judge.gives_up(&log));
    for done in log.len() as u64..total {
        if stopped {
            break;
        }
        let (step, epoch) = (done + 1, done / steps_per_epoch);
        if plan.0 != epoch {
            plan = (epoch, epoch_steps(&lengths, settings.rows_per_step, seed, epoch));
        }
        let chosen: Vec<&TrainRow> =
            plan.1[(done % steps_per_epoch) as usize].iter().filter_map(|&r| rows.get(r)).collect();
        let parts: Vec<_> = chosen.iter().map(|row| row.parts()).collect();

        let dropout = Dropout::new(job.dropout, seed.derive(&format!("dropout/{step}")).0);
        let sum = model.gradients(&parts, &job.step, Some(&dropout))?;
        if step == 1 {
            refuse_missing(step, &variables, &sum.tensors)?;
        }
        // Normalised by all supervised tokens of the update, however it was computed.
        let scale = 1.0 / sum.supervised.max(1) as f64;
        let loss = sum.loss * scale;
        let scaled = |(name, g): (String, Tensor)| Ok((name, g.affine(scale, 0.0)?));
        let mut gradients = sum.tensors.into_iter().map(scaled).collect::<Result<BTreeMap<_, _>, Error>>()?;
        guard(step, loss, &gradients, &chosen)?;
        let gradient_norm = clip_gradients(&mut gradients, settings.clip)?;
        let learning_rate = settings.learning_rate * schedule.factor(step);
        adamw.step(&variables, &gradients, |name| settings.rate_of(name, learning_rate))?;

        let tokens = chosen.iter().map(|r| r.ids.len() as u64).sum();
        tokens_read += tokens;
        let verdict = match job.judge {
            Some(judge) if judge.is_due(step, steps_per_epoch, total) => Some(judge.judge(model)?),
            _ => None,
        };
        log.push(Step {
            step,
            epoch: step as f64 / steps_per_epoch as f64,
            loss,
            learning_rate,
            gradient_norm,
            tokens,
            supervised_tokens: sum.supervised as u64,
            computed_tokens: sum.tokens_computed as u64,
            dev_loss: verdict.map(|v| v.loss),
            dev_macro_f1: verdict.and_then(|v| v.macro_f1),
        });
        if verdict.is_some() && best(&log).is_some_and(|b| b.step == step) {
            kept = copies(&variables)?;
        }
        stopped = job.judge.is_some_and(|judge| judge.gives_up(&log));
        let rate = tokens_read as f64 / clock.seconds().max(1e-9);
        ticker.at(step, &note(loss, rate, log.last()));
        if step % settings.checkpoint_every == 0 && step < total {
            let checkpoint = Checkpoint {
                parameters: copies(&variables)?,
                best: kept.clone(),
                optimizer: adamw.state(),
                steps: log.clone(),
            };
            checkpoint.save(resume.path, resume.fingerprint)?;
        }
    }
    let best = best(&log).map(|b| b.step);
    if best.is_some() {
        put_back(&variables, &kept, resume)?;
    }
    let tokens_per_second = tokens_read as f64 / clock.seconds().max(1e-9);
    Ok(Trained { stopped: stopped && (log.len() as u64) < total, steps: log, best, tokens_per_second })
}

/// Fails if a number is none, naming it, the update and the rows.
fn guard(step: u64, loss: f64, gradients: &BTreeMap<String, Tensor>, rows: &[&TrainRow]) -> Result<(), Error> {
    let what = if loss.is_finite() {
        first_not_finite(gradients)?.map(|name| format!("the gradient of {name}"))
    } else {
        Some("the loss".to_owned())
    };
    let Some(what) = what else { return Ok(()) };
    let rows = rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>().join(", ");
    Err(Error::NotFinite { step, what, rows })
}

/// Copies: the variables themselves are changed in place.
fn copies(variables: &[(String, Var)]) -> Result<BTreeMap<String, Tensor>, Error> {
    variables.iter().map(|(name, variable)| Ok((name.clone(), variable.as_detached_tensor().copy()?))).collect()
}

fn put_back(variables: &[(String, Var)], saved: &BTreeMap<String, Tensor>, resume: Resume<'_>) -> Result<(), Error> {
    for (name, variable) in variables {
        let saved = saved
            .get(name)
            .ok_or_else(|| Error::BadCheckpoint { path: resume.path.into(), message: format!("{name} is missing") })?;
        variable.set(&saved.to_device(variable.device())?)?;
    }
    Ok(())
}

fn note(loss: f64, tokens_per_second: f64, last: Option<&Step>) -> String {
    let dev = |name: &str, value: Option<f64>| value.map_or_else(String::new, |v| format!(", dev {name} {v:.3}"));
    let dev_loss = dev("loss", last.and_then(|s| s.dev_loss));
    let dev_f1 = dev("macro-F1", last.and_then(|s| s.dev_macro_f1));
    format!("loss {loss:.3}, {tokens_per_second:.0} tokens/s{dev_loss}{dev_f1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_named_with_the_update_and_its_rows() {
        let row = |id: &str| TrainRow { id: id.into(), ids: vec![0, 1], supervised: vec![false, true] };
        let (a, b) = (row("r7"), row("r9"));
        let gradients =
            |v: f32| BTreeMap::from([("x.lora_A".to_owned(), Tensor::new(&[1f32, v], &Device::Cpu).unwrap())]);
        let message = |loss, v| guard(3, loss, &gradients(v), &[&a, &b]).map_err(|e| e.to_string());
        assert_eq!(message(0.5, 2.0), Ok(()));
        let error = message(0.5, f32::INFINITY).unwrap_err();
        assert!(error.contains("update 3: the gradient of x.lora_A is not finite (rows r7, r9)"), "{error}");
        assert!(message(f64::NAN, 2.0).unwrap_err().contains("the loss is not finite"));
    }
}
