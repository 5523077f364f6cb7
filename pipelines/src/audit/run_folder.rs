use super::Subject;
use anyhow::{Context, bail};
use artifacts::{Manifest, NoProgress, RunOptions, Seed};
use chat::Message;
use providers::{Completion, LocalModel, Prompt, Provider, Reply, Shape, Written};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use trading_agent::AgentConfig;

/// The agent of a run folder, run again under the settings and with the model of its manifest; with the features stage before it where the
/// run has one.
pub struct RunFolder {
    folder: PathBuf,
    agent: AgentConfig,
    features: Option<features::FeaturesConfig>,
    model: PathBuf,
    adapter: Option<PathBuf>,
    embedder: Option<PathBuf>,
    date: String,
    seed: Seed,
    provider: Mutex<Option<Arc<dyn Provider>>>,
}

fn manifest(folder: &Path) -> anyhow::Result<Manifest> {
    Manifest::read(folder)?
        .with_context(|| format!("{}: no manifest.json; give the folder of a finished run", folder.display()))
}

fn settings<C: serde::de::DeserializeOwned>(manifest: Manifest, folder: &Path) -> anyhow::Result<C> {
    serde_json::from_value(manifest.config)
        .with_context(|| format!("{}: its settings are those of another version; run it again", folder.display()))
}

impl RunFolder {
    /// The agent in `folder/trading-agent`.
    ///
    /// # Errors
    /// No manifest there, or one that names no model folder that is still there.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let stage = folder.join("trading-agent");
        let recorded = manifest(&stage)?;
        let found = |path: &str| path.strip_prefix("../").map_or_else(|| PathBuf::from(path), |p| folder.join(p));
        let models: Vec<PathBuf> = recorded
            .inputs
            .iter()
            .map(|i| found(&i.path))
            .filter(|p| p.extension().is_none_or(|e| e != "parquet"))
            .collect();
        let (adapters, bases): (Vec<_>, Vec<_>) =
            models.into_iter().partition(|p| p.join("adapter_config.json").is_file());
        // The model stands before the embedder, which may not be there.
        let mut bases = bases.into_iter().filter(|p| p.join("config.json").is_file());
        let Some(model) = bases.next() else {
            bail!(
                "{}: the model of its manifest is not there; call from the folder that the run was called from",
                stage.display()
            );
        };
        let formatter = Manifest::read(&folder.join("formatter"))?;
        let date = formatter
            .map(|m| settings::<formatter::Config>(m, &folder.join("formatter")))
            .transpose()?
            .unwrap_or_default()
            .date;
        let features = Manifest::read(&folder.join("features"))?;
        let features = features.map(|m| settings(m, &folder.join("features"))).transpose()?;
        let (seed, agent) = (recorded.seed, settings(recorded, &stage)?);
        let (folder, adapter, provider) = (folder.to_owned(), adapters.into_iter().next(), Mutex::new(None));
        Ok(Self { folder, agent, features, model, adapter, embedder: bases.next(), date, seed, provider })
    }

    /// The market that the run read.
    pub fn market(&self) -> PathBuf {
        self.folder.join("ingest-market")
    }

    /// One model for all runs of the audit.
    fn model(&self) -> Result<Box<dyn Provider>, providers::Error> {
        let mut held = self.provider.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(provider) = held.as_ref() {
            return Ok(Box::new(provider.clone()));
        }
        let inner = LocalModel::open(&self.model, self.adapter.as_deref(), &self.date)?;
        let provider: Arc<dyn Provider> = Arc::new(Remembering { inner, scores: Mutex::default() });
        *held = Some(provider.clone());
        Ok(Box::new(provider))
    }
}

impl Subject for RunFolder {
    fn run(&self, market: &Path, out: &Path) -> anyhow::Result<()> {
        let options = RunOptions { seed: self.seed, force: true, progress: &NoProgress };
        let embedder = self.embedder.clone();
        let mut inputs = trading_agent::Inputs { embedder, ..trading_agent::Inputs::of(market) };
        if let Some(config) = &self.features {
            let folder = out.join("features");
            features::run(config, &features::Inputs::of_folder(market), &folder, &options)?;
            inputs.features = Some(folder.join(features::FEATURES));
        }
        trading_agent::run(&self.agent, &inputs, || self.model(), &out.join("trading-agent"), &options)?;
        Ok(())
    }
}

/// A model that does not work out the same score twice. What it says depends on the prompt alone, and an audit asks for most texts in every
/// run; the prompts themselves are compared as outputs.
struct Remembering {
    inner: LocalModel,
    scores: Mutex<BTreeMap<String, Vec<f64>>>,
}

impl Provider for Remembering {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, providers::Error> {
        self.inner.complete(messages, options)
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, providers::Error> {
        self.inner.continue_text(prefix, options)
    }

    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, providers::Error> {
        let key = format!("{messages:?} {answers:?}");
        let held = || self.scores.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(scores) = held().get(&key) {
            return Ok(scores.clone());
        }
        let scores = self.inner.score(messages, answers)?;
        held().insert(key, scores.clone());
        Ok(scores)
    }

    fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, providers::Error> {
        self.inner.write(prompt, options, shape)
    }

    fn score_text(&self, prefix: &str, continuations: &[&str]) -> Result<Vec<f64>, providers::Error> {
        self.inner.score_text(prefix, continuations)
    }
}
