//! The training loop: one function from top to bottom, the same for LoRA and for pretraining.

use crate::Error;
use crate::adamw::{AdamW, clip_gradients};
use crate::checkpoint::Checkpoint;
use crate::order::epoch_steps;
use crate::schedule::Schedule;
use artifacts::rows::Step;
use artifacts::{Progress, Seed};
use candle_core::{Device, Tensor, Var};
use lm::{Dropout, Llama};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// One row: token ids, and for each token whether it is to be predicted.
#[derive(Debug, Clone)]
pub struct TrainRow {
    /// The tokens.
    pub ids: Vec<u32>,
    /// `true`: the loss counts how well the tokens before predict this one.
    pub supervised: Vec<bool>,
}

/// How the learning rate moves after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// It stays.
    Constant,
    /// It falls to 0 in a straight line.
    Linear,
    /// It falls to 0 along half a cosine.
    Cosine,
}

/// Settings of the optimisation; the same words as in PEFT and transformers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Optimisation {
    /// Passes over the data.
    pub epochs: u64,
    /// Rows of one update.
    pub rows_per_step: usize,
    /// Rows computed at once; an update sums over as many such parts as it needs. Changes memory, not the result.
    pub rows_at_once: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Share of all updates in which the rate rises from 0.
    pub warmup_share: f64,
    /// What it does then.
    pub decay: Decay,
    /// AdamW's averaging of gradients and their squares.
    pub betas: (f64, f64),
    /// AdamW's guard against division by 0.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Longest gradient; longer ones are scaled down to it.
    pub clip: f64,
    /// Updates between checkpoints; a killed run loses at most these.
    pub checkpoint_every: u64,
}

impl Default for Optimisation {
    fn default() -> Self {
        Self {
            epochs: 3,
            rows_per_step: 16,
            rows_at_once: 16,
            learning_rate: 2e-4,
            warmup_share: 0.05,
            decay: Decay::Cosine,
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            weight_decay: 0.01,
            clip: 1.0,
            checkpoint_every: 50,
        }
    }
}

impl Optimisation {
    fn check(&self) -> Result<(), Error> {
        let bad = |name, value: String, allowed| Err(Error::Setting { name, value, allowed });
        match self {
            s if s.epochs == 0 => bad("epochs", "0".into(), "1 or more"),
            s if s.rows_per_step == 0 => bad("rows_per_step", "0".into(), "1 or more"),
            s if s.rows_at_once == 0 => bad("rows_at_once", "0".into(), "1 or more"),
            s if s.checkpoint_every == 0 => bad("checkpoint_every", "0".into(), "1 or more"),
            s if !(s.learning_rate > 0.0 && s.learning_rate < 1.0) => {
                bad("learning_rate", s.learning_rate.to_string(), "above 0 and below 1")
            }
            s if !(0.0..1.0).contains(&s.warmup_share) => {
                bad("warmup_share", s.warmup_share.to_string(), "from 0 to below 1")
            }
            _ => Ok(()),
        }
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

/// Trains what is trainable in `model` on `rows` and returns the log. Continues from the checkpoint if there is one:
/// the result is the same, bit for bit, as without the interruption.
///
/// # Errors
/// A setting without meaning; a parameter without gradient at the first update; a loss or gradient that is not finite.
pub fn train(
    model: &Llama,
    rows: &[TrainRow],
    settings: &Optimisation,
    dropout: f64,
    seed: Seed,
    resume: Resume<'_>,
    progress: &dyn Progress,
) -> Result<Vec<Step>, Error> {
    settings.check()?;
    let lengths: Vec<usize> = rows.iter().map(|r| r.ids.len()).collect();
    let steps_per_epoch = rows.len().div_ceil(settings.rows_per_step) as u64;
    let total = steps_per_epoch * settings.epochs;
    let schedule = Schedule::new(settings.decay, (settings.warmup_share * total as f64).round() as u64, total);
    let variables = model.trainable();
    let mut adamw = AdamW::new(settings.betas, settings.epsilon, settings.weight_decay);

    let mut log = Vec::new();
    if let Some(checkpoint) = Checkpoint::load(resume.path, resume.fingerprint, &Device::Cpu)? {
        for (name, variable) in &variables {
            let saved = checkpoint.parameters.get(name).ok_or_else(|| Error::BadCheckpoint {
                path: resume.path.into(),
                message: format!("{name} is missing"),
            })?;
            variable.set(saved)?;
        }
        adamw.restore(checkpoint.steps.len() as u64, checkpoint.optimizer);
        log = checkpoint.steps;
        tracing::info!("resumes after update {} of {total}", log.len());
    }

    let ticker = progress.start("training", total);
    let mut plan: (u64, Vec<Vec<usize>>) = (u64::MAX, Vec::new());
    for done in log.len() as u64..total {
        let (step, epoch) = (done + 1, done / steps_per_epoch);
        if plan.0 != epoch {
            plan = (epoch, epoch_steps(&lengths, settings.rows_per_step, seed, epoch));
        }
        let chosen = &plan.1[(done % steps_per_epoch) as usize];
        let named = || chosen.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");

        let mut dropout = Dropout::new(dropout, seed.derive(&format!("dropout/{step}")).0);
        let mut sum = Sum::default();
        for part in chosen.chunks(settings.rows_at_once) {
            sum.add(model, &variables, part.iter().map(|&r| &rows[r]), &mut dropout)?;
        }
        if step == 1
            && let Some((name, _)) = variables.iter().find(|(name, _)| !sum.gradients.contains_key(name))
        {
            return Err(Error::NoGradient { step, name: name.clone() });
        }
        let mut gradients = sum.mean()?;
        let loss = sum.loss / sum.supervised.max(1) as f64;
        let gradient_norm = clip_gradients(&mut gradients, settings.clip)?;
        for (what, value) in [("loss", loss), ("gradient", gradient_norm)] {
            if !value.is_finite() {
                return Err(Error::NotFinite { step, what, rows: named() });
            }
        }
        let learning_rate = settings.learning_rate * schedule.factor(step);
        adamw.step(&variables, &gradients, learning_rate)?;

        let tokens = chosen.iter().map(|&r| lengths[r] as u64).sum();
        let epoch = step as f64 / steps_per_epoch as f64;
        log.push(Step { step, epoch, loss, learning_rate, gradient_norm, tokens, supervised_tokens: sum.supervised });
        ticker.at(step, &format!("loss {loss:.3}"));
        if step % settings.checkpoint_every == 0 && step < total {
            let parameters = variables.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
            let checkpoint = Checkpoint { parameters, optimizer: adamw.state(), steps: log.clone() };
            checkpoint.save(resume.path, resume.fingerprint)?;
        }
    }
    Ok(log)
}

/// Sums over the parts of one update.
#[derive(Default)]
struct Sum {
    gradients: BTreeMap<String, Tensor>,
    loss: f64,
    supervised: u64,
}

impl Sum {
    fn add<'a>(
        &mut self,
        model: &Llama,
        variables: &[(String, Var)],
        rows: impl Iterator<Item = &'a TrainRow>,
        dropout: &mut Dropout,
    ) -> Result<(), Error> {
        let rows: Vec<(&[u32], &[bool])> = rows.map(|r| (r.ids.as_slice(), r.supervised.as_slice())).collect();
        let (loss, supervised) = model.loss(&rows, Some(dropout))?;
        let store = loss.backward()?;
        for (name, variable) in variables {
            if let Some(gradient) = store.get(variable.as_tensor()) {
                let sum = match self.gradients.remove(name) {
                    Some(before) => (before + gradient)?,
                    None => gradient.clone(),
                };
                self.gradients.insert(name.clone(), sum.detach());
            }
        }
        self.loss += f64::from(loss.to_scalar::<f32>()?);
        self.supervised += supervised as u64;
        Ok(())
    }

    /// Normalised by all supervised tokens of the update, not part by part.
    fn mean(&self) -> Result<BTreeMap<String, Tensor>, Error> {
        let scale = 1.0 / self.supervised.max(1) as f64;
        self.gradients.iter().map(|(name, g)| Ok((name.clone(), g.affine(scale, 0.0)?))).collect()
    }
}
