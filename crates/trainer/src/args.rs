use anyhow::Context;
use artifacts::Seed;
use lm::{GgufDtype, Precision, Savings};
use std::path::PathBuf;
use trainer::memory::MemoryBudget;
use trainer::{Inputs, Lesson, TrainConfig, export, merge, push};

/// What `trainer train` is told. Each flag is also a setting (`--print-config` shows them); the flag wins.
#[derive(Debug, clap::Args)]
pub(crate) struct Train {
    /// The base model's folder (Hugging Face form)
    #[arg(long)]
    model: PathBuf,
    /// Rows written by `formatter` with this model's tokenizer
    #[arg(long)]
    rows: PathBuf,
    /// Held-out rows: the update that does best on them is kept
    #[arg(long)]
    dev: Option<PathBuf>,
    /// Where to write
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Train every parameter instead of an adapter: for tiny models
    #[arg(long)]
    full: bool,
    /// What the frozen weights are kept in: f32, bf16, int8, w8a8, nf4
    #[arg(long)]
    precision: Option<Precision>,
    /// As --precision, in the field's words
    #[arg(long, conflicts_with = "precision", value_parser = quantisation)]
    quantize: Option<Precision>,
    /// The most memory the training may take, such as 4GiB; the plan is printed before it starts, and kept
    #[arg(long)]
    memory: Option<MemoryBudget>,
    /// Where to train: cpu, cuda, cuda:1 (cards need a build with `--features cuda`)
    #[arg(long)]
    device: Option<String>,
    /// What a step need not compute: all, none, or some of logits,packing,prefix,last-block
    #[arg(long)]
    savings: Option<Savings>,
}

fn quantisation(text: &str) -> Result<Precision, String> {
    match text.parse() {
        Ok(precision @ (Precision::Int8 | Precision::W8a8 | Precision::Nf4)) => Ok(precision),
        _ => Err("known are int8, w8a8, nf4".into()),
    }
}

impl Train {
    /// Defaults, then the file, then `--set`, then the flags. Nothing if only the settings were asked for.
    pub(crate) fn config(&self, common: &cli::Common) -> anyhow::Result<Option<TrainConfig>> {
        let mut common = common.clone();
        common.set.extend(self.full.then(|| "full=true".to_owned()));
        let precision = self.precision.or(self.quantize);
        common.set.extend(precision.map(|p| format!("precision=\"{p}\"")));
        common.set.extend(self.device.as_ref().map(|d| format!("device=\"{d}\"")));
        common.set.extend(self.memory.map(|m| format!("memory=\"{m}\"")));
        common.set.extend(self.savings.map(|s| format!("savings=\"{s}\"")));
        common.load()
    }

    pub(crate) fn inputs(&self) -> Inputs {
        Inputs { model: self.model.clone(), rows: self.rows.clone(), dev: self.dev.clone() }
    }
}

/// What `trainer merge` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// The base model's folder
    #[arg(long)]
    model: PathBuf,
    /// The adapter's folder (PEFT form)
    #[arg(long)]
    adapter: PathBuf,
    /// Where to write the merged model
    #[arg(long)]
    out: PathBuf,
    /// Store weights as the base model does (bf16 for most), instead of in full precision (f32)
    #[arg(long)]
    as_base: bool,
    /// Formatted rows to compare logits on [default: random tokens]
    #[arg(long)]
    rows: Option<PathBuf>,
}

/// Rows compared by `--rows`: enough to see a difference, few enough to wait for.
const COMPARED: usize = 16;

impl Merge {
    pub(crate) fn run(&self, seed: Seed) -> anyhow::Result<String> {
        let rows: Vec<Vec<u32>> = match &self.rows {
            Some(path) => Lesson::read_all(path)?.into_iter().take(COMPARED).map(|r| r.ids).collect(),
            None => Vec::new(),
        };
        let stored = if self.as_base { merge::Stored::AsBase } else { merge::Stored::Full };
        let report = merge::run(&self.model, &self.adapter, &self.out, stored, &rows, seed)?;
        Ok(format!("{}: {report}", self.out.display()))
    }
}

/// How `trainer export-gguf` stores matrices.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Dtype {
    F32,
    F16,
    #[value(name = "q8_0")]
    Q8_0,
}

/// What `trainer export-gguf` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportGguf {
    /// The model's folder, its tokenizer in it
    #[arg(long)]
    model: PathBuf,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
    /// How matrices are stored
    #[arg(long, value_enum, default_value = "f16")]
    dtype: Dtype,
    /// The name that readers show [default: the folder's]
    #[arg(long)]
    name: Option<String>,
    /// llama.cpp's name of the pre-tokenizer, where it is not recognised
    #[arg(long)]
    pre: Option<String>,
}

impl ExportGguf {
    pub(crate) fn run(&self) -> anyhow::Result<String> {
        let stored = match self.dtype {
            Dtype::F32 => GgufDtype::F32,
            Dtype::F16 => GgufDtype::F16,
            Dtype::Q8_0 => GgufDtype::Q8_0,
        };
        let folder = self.model.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let name = self.name.clone().unwrap_or(folder);
        let bytes = export::run(&self.model, &self.out, stored, &name, self.pre.as_deref())?;
        Ok(format!("{}: {:.1} MB", self.out.display(), bytes as f64 / 1e6))
    }
}

/// What `trainer push` is told. The Hub's address and the token come from HF_ENDPOINT and HF_TOKEN.
#[derive(Debug, clap::Args)]
pub(crate) struct Push {
    /// The adapter folder of a finished training
    #[arg(long)]
    adapter: PathBuf,
    /// The repository, ORG/NAME; made where it does not exist
    #[arg(long)]
    repo: String,
    /// Make a new repository private
    #[arg(long)]
    private: bool,
    /// What the commit says
    #[arg(long, default_value = "Adapter trained with seafin")]
    message: String,
}

impl Push {
    pub(crate) fn run(&self) -> anyhow::Result<String> {
        #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
        let config = hub::HubConfig::from_environment(|name| std::env::var(name).ok());
        let hub = hub::Hub::new(config)?;
        let commit = push::run(&hub, &self.adapter, &self.repo, self.private, &self.message)
            .with_context(|| format!("cannot push to {}", self.repo))?;
        Ok(commit.unwrap_or_else(|| self.repo.clone()))
    }
}
