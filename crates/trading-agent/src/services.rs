//! Who answers: opened only when there is work, and recorded or replayed where there is a cassette.

use crate::Error;
use crate::agents::{AgentsConfig, ReasonerKind, Simulated, Voice};
use crate::tools::WebSearch;
use artifacts::Seed;
use providers::{Cassette, CassetteMode, Provider};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Opens a provider when it is first needed.
pub type Open<'a> = Box<dyn FnOnce() -> Result<Box<dyn Provider>, providers::Error> + 'a>;

/// A folder of cassettes, and what to do with them.
#[derive(Debug, Clone)]
pub struct Tape {
    /// Holds `sentiment.parquet` and `reasoner.parquet`.
    pub folder: PathBuf,
    /// Record, replay, or strict.
    pub mode: CassetteMode,
}

/// Everyone whom a run may ask.
pub struct Services<'a> {
    /// The tuned model that reads texts.
    pub sentiment: Open<'a>,
    /// Its name in traces and in the price table.
    pub sentiment_name: String,
    /// Who reasons, with its name; none: the simulation, or for `reasoner = "local"` the model that reads texts.
    pub reasoner: Option<(String, Open<'a>)>,
    /// A search engine, if there is one.
    pub web: Option<Box<dyn WebSearch>>,
    /// Where calls are kept, if anywhere.
    pub tape: Option<Tape>,
}

impl<'a> Services<'a> {
    /// The model that reads texts and nobody else; its name is that of its files.
    pub fn new(
        model_files: &[PathBuf],
        sentiment: impl FnOnce() -> Result<Box<dyn Provider>, providers::Error> + 'a,
    ) -> Self {
        let names: Vec<String> = model_files.iter().filter_map(|p| last_part(p)).collect();
        let sentiment_name = if names.is_empty() { "model".to_owned() } else { names.join("+") };
        Self { sentiment: Box::new(sentiment), sentiment_name, reasoner: None, web: None, tape: None }
    }

    /// The same with a cassette.
    #[must_use]
    pub fn taped(mut self, folder: &Path, mode: CassetteMode) -> Self {
        self.tape = Some(Tape { folder: folder.to_owned(), mode });
        self
    }
}

fn last_part(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// The cassettes of a run.
pub(crate) struct Tapes {
    tape: Option<Tape>,
    /// A hash of the model's files: what another model said is not replayed for this one.
    model: String,
    open: Vec<Arc<Cassette>>,
}

impl Tapes {
    pub(crate) fn new(tape: Option<Tape>, model_files: &[PathBuf]) -> Result<Self, Error> {
        let mut model = String::new();
        if tape.is_some() {
            for file in model_files {
                model.push_str(&artifacts::hash_path(file)?);
            }
            let hash = blake3::hash(model.as_bytes()).to_hex();
            hash.get(..8).unwrap_or_default().clone_into(&mut model);
        }
        Ok(Self { tape, model, open: Vec::new() })
    }

    /// The name under which calls to a model on this machine are kept.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{name} {}", self.model).trim_end().to_owned()
    }

    /// The provider behind a cassette of its own, or itself where there is none. `name` must hold all that its answers depend on
    /// beside the call.
    pub(crate) fn wrap(&mut self, file: &str, name: &str, open: Open<'_>) -> Result<Box<dyn Provider>, Error> {
        let Some(tape) = &self.tape else { return Ok(open()?) };
        let path = tape.folder.join(file);
        if tape.mode == CassetteMode::Strict && !path.is_file() {
            let call = "there is no such cassette".to_owned();
            return Err(providers::Error::NotOnCassette { path, call }.into());
        }
        let inner = if tape.mode == CassetteMode::Strict { None } else { Some(open()?) };
        let cassette = Arc::new(Cassette::open(&path, name, tape.mode, inner)?.journaled()?);
        self.open.push(cassette.clone());
        Ok(Box::new(cassette))
    }

    /// Keeps what was asked. Returns the calls asked and those replayed.
    pub(crate) fn save(&self) -> Result<(u64, u64), Error> {
        for cassette in self.open.iter().filter(|cassette| cassette.unsaved() > 0) {
            cassette.save()?;
        }
        let sum = |count: fn(&Cassette) -> u64| self.open.iter().map(|c| count(c)).sum();
        Ok((sum(Cassette::asked), sum(Cassette::replayed)))
    }
}

/// The voices of a run.
pub(crate) struct Voices {
    pub(crate) reasoner: Voice,
    pub(crate) simulation: Option<Arc<Simulated>>,
    pub(crate) sentiment: Option<Voice>,
}

/// Opens who is needed: `reads` says whether any text is read.
pub(crate) fn open(
    config: &AgentsConfig,
    services: (Open<'_>, String, Option<(String, Open<'_>)>),
    tapes: &mut Tapes,
    reads: bool,
    seed: Seed,
) -> Result<Voices, Error> {
    let (sentiment, sentiment_name, reasoner) = services;
    if config.reasoner == ReasonerKind::Local && reasoner.is_none() {
        // One model in memory serves both.
        let replayed_only = tapes.tape.as_ref().is_some_and(|tape| tape.mode == CassetteMode::Strict);
        let shared: Option<Arc<dyn Provider>> = if replayed_only { None } else { Some(Arc::from(sentiment()?)) };
        let again = || -> Open<'_> {
            let shared = shared.clone();
            Box::new(move || match shared {
                Some(model) => Ok(Box::new(model) as Box<dyn Provider>),
                None => Err(providers::Error::EmptyPrompt),
            })
        };
        let name = tapes.key(&sentiment_name);
        let reasoner = tapes.wrap("reasoner.parquet", &name, again())?;
        let sentiment = if reads { Some(tapes.wrap("sentiment.parquet", &name, again())?) } else { None };
        return Ok(Voices {
            reasoner: Voice { provider: reasoner, name: sentiment_name.clone() },
            simulation: None,
            sentiment: sentiment.map(|provider| Voice { provider, name: sentiment_name }),
        });
    }
    let sentiment = if reads {
        let key = tapes.key(&sentiment_name);
        let provider = tapes.wrap("sentiment.parquet", &key, sentiment)?;
        Some(Voice { provider, name: sentiment_name })
    } else {
        None
    };
    let mut simulation = None;
    let (name, key, opened): (String, String, Open<'_>) = match (config.reasoner, reasoner) {
        (ReasonerKind::Simulation, _) => {
            let seed = seed.derive("simulation");
            let simulated = Arc::new(Simulated::new(seed, &config.simulation));
            simulation = Some(simulated.clone());
            let rates = &config.simulation;
            let key = format!("simulation {} {} {}", seed.0, rates.error_rate, rates.malformed_rate);
            ("simulation".into(), key, Box::new(move || Ok(Box::new(simulated) as Box<dyn Provider>)))
        }
        (ReasonerKind::Local, Some((name, opened))) => (name.clone(), tapes.key(&name), opened),
        (ReasonerKind::Endpoint, Some((name, opened))) => (name.clone(), name, opened),
        (ReasonerKind::Local | ReasonerKind::Endpoint, None) => {
            return Err(Error::NoReasoner {
                kind: "endpoint",
                missing: "an address: give --endpoint and --endpoint-model",
            });
        }
    };
    let provider = tapes.wrap("reasoner.parquet", &key, opened)?;
    Ok(Voices { reasoner: Voice { provider, name }, simulation, sentiment })
}
