//! Supervised fine-tuning: formatted rows and a model in, a PEFT adapter (or a whole model) out.

use crate::judge::{DevConfig, Judge};
use crate::memory::{self, MemoryBudget};
use crate::preflight::Preflight;
use crate::train_loop::{Job, Optimisation, Resume, TrainRow, Trained, train};
use crate::{Error, Lesson, curve, model_files};
use artifacts::{Manifest, OpenStage, Outcome, RunOptions, StageSpec};
use candle_core::DType;
use chat::ChatTokenizer;
use lm::{Llama, MemoryPlan, Precision, Savings};
use lora::LoraConfig;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Raised when the adapter changes for the same input.
const STAGE_VERSION: u32 = 4;
/// The folder of the adapter within the stage's folder.
pub const ADAPTER: &str = "adapter";
/// The folder of the model within the stage's folder, where all parameters are trained.
pub const MODEL: &str = "model";
/// The date in templates that print one: only control tokens are asked for here, and they do not depend on it.
const DATE: &str = "26 Jul 2024";

/// Settings of fine-tuning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Train every parameter instead of an adapter: for tiny models.
    pub full: bool,
    /// What the frozen weights are kept in: `f32`, `bf16`, `int8`, `w8a8` or `nf4`.
    pub precision: Precision,
    /// Where it is trained: `cpu`, `cuda` or `cuda:1` (`--features cuda`).
    pub device: String,
    /// What a step does not compute because nobody needs it: `all`, `none`, or some of `logits,packing,prefix,last-block`.
    pub savings: Savings,
    /// The most memory that the training may take, such as `4GiB`, or `none`.
    pub memory: MemoryBudget,
    /// What is trained.
    pub lora: LoraConfig,
    /// How it is trained.
    pub optimisation: Optimisation,
    /// How held-out rows are judged, where there are any.
    pub dev: DevConfig,
    /// What the adapter says it belongs to: the base model's Hub id, never a path.
    pub base_model_name: String,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            full: false,
            precision: Precision::F32,
            device: "cpu".into(),
            savings: Savings::ALL,
            memory: MemoryBudget::default(),
            lora: LoraConfig::default(),
            optimisation: Optimisation::default(),
            dev: DevConfig::default(),
            base_model_name: "seafin/fixture-tiny-llama".into(),
        }
    }
}

/// What training reads.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The base model's folder (Hugging Face form).
    pub model: PathBuf,
    /// Rows written by `formatter` with this model's tokenizer.
    pub rows: PathBuf,
    /// Held-out rows of the same kind, to choose the best update by.
    pub dev: Option<PathBuf>,
}

/// Fine-tunes and writes `adapter/` (or `model/`), `steps.parquet`, `loss.svg` and `preflight.txt`.
///
/// # Errors
/// The rows do not fit the model ([`Preflight::check`]), the memory does not suffice, or the run breaks ([`train`]).
pub fn run(config: &TrainConfig, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    let spec = StageSpec {
        name: "trainer",
        version: STAGE_VERSION,
        folder: out.into(),
        seed: options.seed,
        config: serde_json::to_value(config).unwrap_or_default(),
        inputs: [&inputs.model, &inputs.rows].into_iter().chain(&inputs.dev).cloned().collect(),
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let formatted = Lesson::read_all(&inputs.rows)?;
    let held_out = held_out(config, inputs, &formatted, &open)?;
    let shape = lm::Config::load(&inputs.model)?;
    let tokenizer = beside(&inputs.model);
    let doctor = Preflight { config: &shape, tokenizer: tokenizer.as_ref() };
    doctor.check(&formatted, &inputs.rows)?;
    if let Some(dev) = &inputs.dev {
        doctor.check(&held_out, dev)?;
    }
    let shown = doctor.show(&formatted);
    tracing::info!("{} rows pass the preflight; what is learned stands in [[ ]]:\n{shown}", formatted.len());
    open.write_bytes("preflight.txt", shown.as_bytes())?;

    let model = load(config, &inputs.model, open.seed("adapter").0)?;
    let trainable: usize = model.trainable().iter().map(|(_, v)| v.elem_count()).sum();
    let longest = formatted.iter().chain(&held_out).map(|r| r.ids.len()).max().unwrap_or(0);
    let plan = planned(config, &shape, trainable, longest)?;
    let examples: Vec<Lesson> = if held_out.is_empty() { Vec::new() } else { formatted.clone() };
    let judge = (!held_out.is_empty()).then(|| Judge::new(&held_out, &examples, plan.options, &config.dev));
    drop(examples);
    let rows: Vec<TrainRow> = formatted.iter().map(TrainRow::from).collect();
    tracing::info!("{} rows, {} held out, {trainable} trainable parameters", rows.len(), held_out.len());
    drop((formatted, held_out));

    let checkpoint = open.folder().join("checkpoint.safetensors");
    let fingerprint = format!("{} {:?} {}", STAGE_VERSION, config, open.inputs_fingerprint());
    let job = Job {
        settings: &config.optimisation,
        step: plan.options,
        dropout: if config.full { 0.0 } else { config.lora.dropout },
        judge: judge.as_ref(),
        seed: open.seed("training"),
        resume: Resume { path: &checkpoint, fingerprint: &fingerprint },
        progress: options.progress,
    };
    let trained = train(&model, &rows, &job)?;

    if config.full {
        let folder = open.folder().join(MODEL);
        model.save(&folder)?;
        model_files::copy(&inputs.model, &folder)?;
        open.add_path(MODEL)?;
    } else {
        model.save_adapter(&open.folder().join(ADAPTER), &config.base_model_name)?;
        open.add_path(ADAPTER)?;
    }
    record(&mut open, &trained, trainable, &plan)?;
    open.count(rows.len() as u64, rows.len() as u64);
    std::fs::remove_file(&checkpoint).ok();
    Ok(open.finish()?)
}

/// The held-out rows that are judged: all, or as many as asked for, drawn by the seed, in their order.
fn held_out(config: &TrainConfig, inputs: &Inputs, train: &[Lesson], open: &OpenStage) -> Result<Vec<Lesson>, Error> {
    let Some(dev) = &inputs.dev else { return Ok(Vec::new()) };
    let rows = Lesson::read_all(dev)?;
    let known: BTreeSet<&str> = train.iter().map(|r| r.id.as_str()).collect();
    if let Some((row, r)) = rows.iter().enumerate().find(|(_, r)| known.contains(r.id.as_str())) {
        let (dev, train, id) = (dev.clone(), inputs.rows.clone(), r.id.clone());
        return Err(Error::DevInTrain { dev, train, row, id });
    }
    if config.dev.rows == 0 || rows.len() <= config.dev.rows {
        return Ok(rows);
    }
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.shuffle(&mut open.seed("dev").rng());
    let chosen: BTreeSet<usize> = places.into_iter().take(config.dev.rows).collect();
    Ok(rows.into_iter().enumerate().filter(|(i, _)| chosen.contains(i)).map(|(_, r)| r).collect())
}

/// The tokenizer beside the model. Training needs none, so a missing or unreadable one is only told.
fn beside(model: &Path) -> Option<ChatTokenizer> {
    match ChatTokenizer::load(model, DATE) {
        Ok(tokenizer) => Some(tokenizer),
        Err(error) => {
            tracing::warn!("rows are checked without the model's tokenizer: {error}");
            None
        }
    }
}

fn load(config: &TrainConfig, folder: &Path, seed: u64) -> Result<Llama, Error> {
    let device = lm::device(&config.device)?;
    if config.full {
        if config.precision != Precision::F32 {
            let value = config.precision.to_string();
            return Err(Error::Setting { name: "precision", value, allowed: "f32 where all parameters are trained" });
        }
        return Ok(Llama::load_trainable(folder, DType::F32, &device)?);
    }
    let mut model = Llama::load_in(folder, config.precision, &device)?;
    model.attach_lora(&config.lora, seed)?;
    Ok(model)
}

/// The memory plan: told before the first step, and kept.
pub(crate) fn planned(
    config: &TrainConfig,
    shape: &lm::Config,
    trainable: usize,
    longest: usize,
) -> Result<MemoryPlan, Error> {
    let rows = config.optimisation.rows_per_step;
    let plan = lm::plan(shape, config.precision, trainable, config.memory.bytes(), longest, rows, config.savings)?;
    let available = memory::available_bytes();
    let free = available.map_or_else(String::new, |bytes| format!("; the machine has {} MiB to give", bytes >> 20));
    tracing::info!("memory: {plan}{free}");
    tracing::info!("products by {}", kernels::cpu());
    if config.savings.shared_prefix && config.lora.dropout > 0.0 && !config.full {
        tracing::info!("the common prefix is not shared: with dropout every row draws its own mask for it");
    }
    memory::refuse_beyond(available, &plan)?;
    Ok(plan)
}

/// Writes the log and its picture, and notes the headline figures.
pub(crate) fn record(
    open: &mut OpenStage,
    trained: &Trained,
    trainable: usize,
    plan: &MemoryPlan,
) -> Result<(), Error> {
    let steps = &trained.steps;
    open.write_bytes("loss.svg", curve::loss(steps).as_bytes())?;
    let tail = steps.get(steps.len().saturating_sub(20)..).unwrap_or_default();
    open.fact("updates", steps.len());
    open.fact("trainable_parameters", trainable);
    open.fact("first_loss", steps.first().map(|s| s.loss));
    open.fact("final_loss", tail.iter().map(|s| s.loss).sum::<f64>() / tail.len().max(1) as f64);
    open.fact("tokens", steps.iter().map(|s| s.tokens).sum::<u64>());
    open.fact("computed_tokens", steps.iter().map(|s| s.computed_tokens).sum::<u64>());
    open.fact("memory_plan", plan.to_string());
    if let Some(best) = trained.best.and_then(|best| steps.iter().find(|s| s.step == best)) {
        open.fact("best_update", best.step);
        open.fact("best_dev_loss", best.dev_loss);
        open.fact("best_dev_macro_f1", best.dev_macro_f1);
        open.fact("stopped_early", trained.stopped);
    }
    open.measured("tokens_per_second", trained.tokens_per_second);
    open.measured("planned_memory_bytes", plan.total as f64);
    if let Some(peak) = artifacts::runtime::peak_memory_bytes() {
        let (rate, mib) = (trained.tokens_per_second, |bytes: u64| bytes >> 20);
        tracing::info!("{rate:.0} tokens/s; {} MiB at the peak, planned {} MiB", mib(peak), mib(plan.total));
    }
    open.write_rows("steps.parquet", steps.iter().cloned())?;
    Ok(())
}
