use crate::definition::Definition;
use crate::running::Running;
use crate::{Context, Error, STAGE_VERSION};
use artifacts::Timestamp;
use artifacts::rows::{Bar, News, Observation};
use serde::{Deserialize, Serialize};

/// What can happen, in the order in which it could be known. At the same moment texts and observations come before the bar.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A bar has closed: features have values.
    Bar(&'a Bar),
    /// A text could be read.
    News(&'a News),
    /// A number could be read.
    Observation(&'a Observation),
}

/// The fold `(state, event) -> values` of a set of definitions. It holds nothing of any series: that is in the [`State`].
#[derive(Debug, Clone)]
pub struct Fold {
    definitions: Vec<Definition>,
    hash: String,
}

/// Everything that one symbol's features remember. Small, and the same after a journey through JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    symbol: String,
    /// Of the last bar: when it began and when it could be known.
    last: Option<(Timestamp, Timestamp)>,
    features: Vec<Running>,
}

impl State {
    /// The symbol it belongs to.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// Up to when it knows everything: when the last bar could be known.
    pub fn known_at(&self) -> Option<Timestamp> {
        self.last.map(|(_, known_at)| known_at)
    }
}

impl Fold {
    /// A fold over these definitions.
    ///
    /// # Errors
    /// No definition, a name that is there twice, or parameters without meaning.
    pub fn new(definitions: &[Definition]) -> Result<Self, Error> {
        if definitions.is_empty() {
            return Err(Error::NoDefinitions);
        }
        let mut definitions = definitions.to_vec();
        // The order in which rows of one bar must lie in a file.
        definitions.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(w) = definitions.windows(2).find(|w| w[0].name == w[1].name) {
            return Err(Error::Twice { name: w[0].name.clone() });
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&STAGE_VERSION.to_le_bytes());
        for definition in &definitions {
            if definition.name.trim().is_empty() {
                let message = "a feature needs a name".to_owned();
                return Err(Error::Definition { name: definition.name.clone(), message });
            }
            Running::new(definition)?;
            hasher.update(definition.hash().as_bytes());
        }
        Ok(Self { definitions, hash: hasher.finalize().to_hex().to_string() })
    }

    /// The definitions, by name.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// blake3 of all definitions and of the version of the code: a state belongs to one hash.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The state before the first event of a symbol.
    ///
    /// # Errors
    /// None that [`Fold::new`] has not found.
    pub fn start(&self, symbol: &str) -> Result<State, Error> {
        let features = self.definitions.iter().map(Running::new).collect::<Result<_, _>>()?;
        Ok(State { symbol: symbol.to_owned(), last: None, features })
    }

    /// Takes one event in; at a bar the values are added to `out`, by name.
    ///
    /// # Errors
    /// A bar that does not come after the last one, in its time or in when it could be known.
    pub fn update(&self, state: &mut State, event: Event<'_>, out: &mut Vec<Observation>) -> Result<(), Error> {
        let Event::Bar(bar) = event else {
            for (definition, feature) in self.definitions.iter().zip(&mut state.features) {
                feature.update(definition, event);
            }
            return Ok(());
        };
        if let Some((began, known_at)) = state.last
            && (bar.event_at <= began || bar.available_at < known_at)
        {
            let Bar { symbol, event_at, available_at, .. } = bar.clone();
            return Err(Error::OutOfOrder { symbol, event_at, available_at, known_at });
        }
        state.last = Some((bar.event_at, bar.available_at));
        for (definition, feature) in self.definitions.iter().zip(&mut state.features) {
            let Some(value) = feature.update(definition, event) else { continue };
            out.push(Observation {
                symbol: state.symbol.clone(),
                name: definition.name.clone(),
                event_at: bar.event_at,
                available_at: bar.available_at,
                value,
            });
        }
        Ok(())
    }

    /// A bar, after everything of `context` that could be known by then: the step that file and stream share.
    ///
    /// # Errors
    /// As [`Fold::update`].
    pub fn step(
        &self,
        state: &mut State,
        context: &Context,
        bar: &Bar,
        out: &mut Vec<Observation>,
    ) -> Result<(), Error> {
        for observation in context.new_observations(state.known_at(), bar.available_at) {
            self.update(state, Event::Observation(observation), out)?;
        }
        for news in context.new_news(state.known_at(), bar.available_at) {
            self.update(state, Event::News(news), out)?;
        }
        self.update(state, Event::Bar(bar), out)
    }
}
