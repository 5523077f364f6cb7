//! Full-parameter training of a tiny Llama and its tokenizer from plain text: how the fixture model is made.

use crate::train_loop::{Decay, Job, Optimisation, Resume, TrainRow, train};
use crate::{Error, TrainConfig, sft, tokenizer};
use artifacts::rows::Example;
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, read_all};
use candle_core::Device;
use lm::Llama;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Raised when the model changes for the same input.
const STAGE_VERSION: u32 = 3;

/// Shape of the model and settings of its training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PretrainConfig {
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
    /// Width of the model.
    pub hidden_size: usize,
    /// Width of the feed-forward layers.
    pub intermediate_size: usize,
    /// Blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub key_value_heads: usize,
    /// Longest text the finished model takes.
    pub context: usize,
    /// Tokens of one training row: documents are laid end to end and cut into rows.
    pub row_tokens: usize,
    /// How it is trained.
    pub optimisation: Optimisation,
}

impl Default for PretrainConfig {
    fn default() -> Self {
        Self {
            vocabulary: 2048,
            hidden_size: 128,
            intermediate_size: 352,
            layers: 4,
            heads: 4,
            key_value_heads: 2,
            context: 512,
            row_tokens: 128,
            optimisation: Optimisation {
                epochs: 1,
                rows_per_step: 8,
                learning_rate: 3e-3,
                warmup_share: 0.03,
                decay: Decay::Cosine,
                betas: (0.9, 0.95),
                weight_decay: 0.1,
                checkpoint_every: 200,
                ..Optimisation::default()
            },
        }
    }
}

/// Learns the tokenizer, then the model, from text files with one document per line, or Parquet files of
/// [`artifacts::rows::Example`], whose labels are not looked at; writes a folder in Hugging Face form.
///
/// # Errors
/// Too little text for one update; otherwise as [`train`].
pub fn run(
    config: &PretrainConfig,
    texts: &[PathBuf],
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    let spec = StageSpec {
        name: "pretrain",
        version: STAGE_VERSION,
        folder: out.into(),
        seed: options.seed,
        config: serde_json::to_value(config).unwrap_or_default(),
        inputs: texts.to_vec(),
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let mut content = Vec::new();
    for path in texts {
        content.extend(read(path)?);
    }
    let mut documents: Vec<&str> = content.iter().map(String::as_str).collect();
    let tokenizer = tokenizer::learn(documents.iter().copied(), config.vocabulary)?;
    documents.shuffle(&mut open.seed("documents").rng());
    let rows = pack(&documents, &tokenizer, config, texts.first().map_or(Path::new(""), PathBuf::as_path))?;

    let shape = lm::Config {
        intermediate_size: config.intermediate_size,
        num_attention_heads: config.heads,
        num_key_value_heads: config.key_value_heads,
        head_dim: config.hidden_size / config.heads.max(1),
        max_position_embeddings: config.context,
        bos_token_id: tokenizer.token_to_id(tokenizer::BEGIN),
        eos_token_ids: tokenizer.token_to_id(tokenizer::END).into_iter().collect(),
        ..lm::Config::small(tokenizer.get_vocab_size(true), config.hidden_size, config.layers)
    };
    let model = Llama::initialise(shape.clone(), open.seed("parameters").0, &Device::Cpu)?;
    let trainable: usize = model.trainable().iter().map(|(_, v)| v.elem_count()).sum();
    tracing::info!(
        "{} documents, {} rows of {} tokens, {trainable} parameters",
        documents.len(),
        rows.len(),
        config.row_tokens
    );
    let checkpoint = open.folder().join("checkpoint.safetensors");
    let fingerprint = format!("{} {:?} {}", STAGE_VERSION, config, open.inputs_fingerprint());
    let resume = Resume { path: &checkpoint, fingerprint: &fingerprint };
    let as_training = TrainConfig { full: true, optimisation: config.optimisation.clone(), ..TrainConfig::default() };
    let plan = sft::planned(&as_training, &shape, trainable, config.row_tokens)?;
    let job = Job {
        settings: &config.optimisation,
        step: plan.options,
        dropout: 0.0,
        judge: None,
        seed: open.seed("training"),
        resume,
        progress: options.progress,
    };
    let trained = train(&model, &rows, &job)?;

    model.save(open.folder())?;
    tokenizer::save(&tokenizer, open.folder(), config.context)?;
    for file in
        ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json"]
    {
        open.add_path(file)?;
    }
    sft::record(&mut open, &trained, trainable, &plan)?;
    open.count(documents.len() as u64, documents.len() as u64);
    std::fs::remove_file(&checkpoint).ok();
    Ok(open.finish()?)
}

/// The documents of one file.
fn read(path: &Path) -> Result<Vec<String>, Error> {
    if path.extension().is_some_and(|extension| extension == "parquet") {
        let rows: Vec<Example> = read_all(path)?;
        // A document is a line everywhere else too.
        return Ok(rows.into_iter().map(|row| row.text.replace(['\n', '\r'], " ")).collect());
    }
    let io = |source| artifacts::Error::Io { path: path.into(), action: "read as UTF-8", source };
    let content = std::fs::read_to_string(path).map_err(io)?;
    Ok(content.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect())
}

fn pack(
    documents: &[&str],
    tokenizer: &tokenizers::Tokenizer,
    config: &PretrainConfig,
    path: &Path,
) -> Result<Vec<TrainRow>, Error> {
    let special = |name: &str| tokenizer.token_to_id(name).ok_or_else(|| Error::Tokenizer(format!("no token {name}")));
    let (begin, end) = (special(tokenizer::BEGIN)?, special(tokenizer::END)?);
    let mut stream = Vec::new();
    for document in documents {
        let encoding = tokenizer.encode(*document, false).map_err(|e| Error::Tokenizer(e.to_string()))?;
        stream.push(begin);
        stream.extend_from_slice(encoding.get_ids());
        stream.push(end);
    }
    let rows: Vec<TrainRow> = stream
        .chunks_exact(config.row_tokens.max(2))
        .enumerate()
        .map(|(i, ids)| TrainRow {
            id: i.to_string(),
            ids: ids.to_vec(),
            supervised: (0..ids.len()).map(|i| i > 0).collect(),
        })
        .collect();
    if rows.len() < config.optimisation.rows_per_step {
        return Err(Error::TooLittleText {
            path: path.into(),
            documents: documents.len(),
            tokens: stream.len(),
            needed: config.row_tokens * config.optimisation.rows_per_step,
        });
    }
    Ok(rows)
}
