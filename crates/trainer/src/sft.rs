//! Supervised fine-tuning with LoRA: formatted rows and a model in, a PEFT adapter out.

use crate::train_loop::{Optimisation, Resume, TrainRow, train};
use crate::{Error, curve};
use artifacts::rows::{Formatted, Step};
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, read_all};
use candle_core::Device;
use lm::Llama;
use lora::LoraConfig;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Raised when the adapter changes for the same input.
const STAGE_VERSION: u32 = 1;
/// The folder of the adapter within the stage's folder.
pub const ADAPTER: &str = "adapter";

/// Settings of fine-tuning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// What is trained.
    pub lora: LoraConfig,
    /// How it is trained.
    pub optimisation: Optimisation,
    /// What the adapter says it belongs to: the base model's Hub id, never a path.
    pub base_model_name: String,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            lora: LoraConfig::default(),
            optimisation: Optimisation::default(),
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
}

/// Fine-tunes and writes `adapter/`, `steps.parquet` and `loss.svg`.
///
/// # Errors
/// The rows do not fit the model (foreign tokens, too long), or the run breaks ([`crate::train_loop::train`]).
pub fn run(config: &TrainConfig, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    let spec = StageSpec {
        name: "trainer",
        version: STAGE_VERSION,
        folder: out.into(),
        seed: options.seed,
        config: serde_json::to_value(config).unwrap_or_default(),
        inputs: vec![inputs.model.clone(), inputs.rows.clone()],
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let mut model = Llama::load(&inputs.model, &Device::Cpu)?;
    let formatted: Vec<Formatted> = read_all(&inputs.rows)?;
    let rows = fitting(&formatted, &inputs.rows, &model)?;
    model.attach_lora(&config.lora, open.seed("adapter").0)?;
    let trainable: usize = model.trainable().iter().map(|(_, v)| v.elem_count()).sum();
    tracing::info!("{} rows, {trainable} trainable parameters", rows.len());

    let checkpoint = open.folder().join("checkpoint.safetensors");
    let fingerprint = format!("{} {:?} {}", STAGE_VERSION, config, open.inputs_fingerprint());
    let resume = Resume { path: &checkpoint, fingerprint: &fingerprint };
    let seed = open.seed("training");
    let steps = train(&model, &rows, &config.optimisation, config.lora.dropout, seed, resume, options.progress)?;

    model.save_adapter(&open.folder().join(ADAPTER), &config.base_model_name)?;
    open.add_path(ADAPTER)?;
    record(&mut open, &steps, trainable)?;
    open.count(rows.len() as u64, rows.len() as u64);
    std::fs::remove_file(&checkpoint).ok();
    Ok(open.finish()?)
}

/// Writes the log and its picture, and notes the headline figures.
pub(crate) fn record(open: &mut artifacts::OpenStage, steps: &[Step], trainable: usize) -> Result<(), Error> {
    open.write_bytes("loss.svg", curve::loss(steps).as_bytes())?;
    let mean = |rows: &[Step]| rows.iter().map(|s| s.loss).sum::<f64>() / rows.len().max(1) as f64;
    let tail = steps.len().min(20);
    open.fact("updates", steps.len());
    open.fact("trainable_parameters", trainable);
    open.fact("first_loss", steps.first().map(|s| s.loss));
    open.fact("final_loss", mean(&steps[steps.len() - tail..]));
    open.fact("tokens", steps.iter().map(|s| s.tokens).sum::<u64>());
    open.write_rows("steps.parquet", steps.iter().cloned())?;
    Ok(())
}

fn fitting(formatted: &[Formatted], path: &Path, model: &Llama) -> Result<Vec<TrainRow>, Error> {
    let (vocabulary, context) = (model.config().vocab_size, model.config().max_position_embeddings);
    let check = |(row, f): (usize, &Formatted)| {
        if let Some(&token) = f.ids.iter().find(|&&t| t as usize >= vocabulary) {
            return Err(Error::ForeignToken { path: path.into(), row, id: f.id.clone(), token, vocabulary });
        }
        if f.ids.len() > context {
            let tokens = f.ids.len();
            return Err(Error::TooLong { path: path.into(), row, id: f.id.clone(), tokens, context });
        }
        Ok(TrainRow { ids: f.ids.clone(), supervised: f.supervised.clone() })
    };
    formatted.iter().enumerate().map(check).collect()
}
