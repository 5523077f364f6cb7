use super::Market;
use artifacts::rows::{Bar, News, Observation};
use artifacts::{Seed, Timestamp};
use rand::Rng;
use rand::seq::IndexedRandom;
use std::collections::BTreeSet;
use std::fmt;

/// A part of a market that can be poisoned by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// One column of `bars.parquet`.
    Bars(&'static str),
    /// One column of the news of one source.
    News(&'static str, String),
    /// The values of one name.
    Observations(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bars(column) => write!(f, "bars.parquet: {column}"),
            Self::News(column, source) => write!(f, "news.parquet: {column} (source {source})"),
            Self::Observations(name) => write!(f, "observations.parquet: value (name {name})"),
        }
    }
}

impl Part {
    /// All parts of a market.
    pub(super) fn all(market: &Market) -> Vec<Self> {
        let has = |f: fn(&Bar) -> Option<f64>| market.bars.iter().any(|b| f(b).is_some());
        let columns = [
            ("open", has(|b| b.open)),
            ("high", has(|b| b.high)),
            ("low", has(|b| b.low)),
            ("close", true),
            ("volume", has(|b| b.volume)),
        ];
        let sources: BTreeSet<&String> = market.news.iter().map(|n| &n.source).collect();
        let names: BTreeSet<&String> = market.observations.iter().map(|o| &o.name).collect();
        let bars = columns.into_iter().filter(|(_, there)| *there).map(|(name, _)| Self::Bars(name));
        let news = sources.into_iter().flat_map(|s| ["text", "id"].map(|column| Self::News(column, s.clone())));
        bars.chain(news).chain(names.into_iter().cloned().map(Self::Observations)).collect()
    }

    pub(super) fn in_bars(&self) -> bool {
        matches!(self, Self::Bars(_))
    }

    pub(super) fn in_news(&self, news: &News) -> bool {
        matches!(self, Self::News(_, source) if *source == news.source)
    }

    pub(super) fn in_observations(&self, observation: &Observation) -> bool {
        matches!(self, Self::Observations(name) if *name == observation.name)
    }
}

/// Words that a reader of moods reacts to, so that poison is tasted.
const LOADED: [&str; 12] = [
    "surges", "record", "gains", "beats", "optimism", "rally", "plunges", "fraud", "losses", "misses", "panic",
    "collapse",
];

/// Replaces the values known only after `t` by garbage that is still a valid market.
pub(super) fn spoil(market: &mut Market, t: Timestamp, part: Option<&Part>, seed: Seed) {
    let mut rng = seed.derive("audit/bars").rng();
    for bar in market.bars.iter_mut().filter(|b| b.available_at > t) {
        match part {
            None => everything(bar, &mut rng),
            Some(Part::Bars(column)) => one_column(bar, column, &mut rng),
            Some(_) => {}
        }
    }
    // Words of the whole market: counts of words are poisoned with them.
    let words: Vec<String> = {
        let texts = market.news.iter().flat_map(|n| n.text.split_whitespace());
        texts.chain(LOADED).map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let mut rng = seed.derive("audit/news").rng();
    for (i, news) in market.news.iter_mut().enumerate().filter(|(_, n)| n.available_at > t) {
        let wanted = |column: &str| match part {
            None => true,
            Some(Part::News(c, source)) => *c == column && *source == news.source,
            Some(_) => false,
        };
        let (text, id) = (wanted("text"), wanted("id"));
        if text {
            let mut words: Vec<&str> = (0..12).filter_map(|_| words.choose(&mut rng)).map(String::as_str).collect();
            words.extend(LOADED.choose_multiple(&mut rng, 2));
            news.text = words.join(" ");
        }
        if id {
            news.id = format!("poison-{i}-{:08x}", rng.random::<u32>());
        }
    }
    let key = |n: &News| (n.symbol.clone(), n.available_at, n.event_at, n.id.clone());
    market.news.sort_by_key(key);
    let scale = scales(&market.observations);
    let mut rng = seed.derive("audit/observations").rng();
    for observation in market.observations.iter_mut().filter(|o| o.available_at > t) {
        if part.is_none_or(|p| p.in_observations(observation)) {
            let reach = scale.get(&observation.name).copied().unwrap_or(1.0);
            observation.value += reach * rng.random_range(0.5..3.0) * if rng.random_bool(0.5) { 1.0 } else { -1.0 };
        }
    }
}

/// The largest size of each name's values: garbage of another order would be clamped away.
fn scales(observations: &[Observation]) -> std::collections::BTreeMap<String, f64> {
    let mut scales = std::collections::BTreeMap::new();
    for o in observations {
        let scale: &mut f64 = scales.entry(o.name.clone()).or_insert(1e-6);
        *scale = scale.max(o.value.abs());
    }
    scales
}

/// The whole candle moves, up or down by up to a half.
fn everything(bar: &mut Bar, rng: &mut impl Rng) {
    let factor = rng.random_range(-0.7..0.7_f64).exp();
    for price in [&mut bar.open, &mut bar.high, &mut bar.low].into_iter().flatten() {
        *price *= factor;
    }
    bar.close *= factor;
    // Within the candle too, so that what looks at its form is fooled as well.
    for column in ["open", "close", "volume"] {
        one_column(bar, column, rng);
    }
}

/// One column within what the others allow.
fn one_column(bar: &mut Bar, column: &str, rng: &mut impl Rng) {
    let share = rng.random_range(0.02..0.98);
    let free = |x: f64| x * f64::exp(share - 0.5);
    let inside = match (bar.low, bar.high) {
        (Some(low), Some(high)) => Some((low + share * (high - low)).clamp(low, high)),
        _ => None,
    };
    match column {
        "open" => bar.open = bar.open.map(|x| inside.unwrap_or_else(|| free(x))),
        "close" => {
            bar.close = inside.unwrap_or_else(|| match (bar.low, bar.high) {
                (Some(low), None) => low * (1.0 + share),
                (None, Some(high)) => high * (1.0 - share * 0.5),
                _ => free(bar.close),
            });
        }
        "high" => {
            let top = bar.close.max(bar.open.unwrap_or(bar.close));
            bar.high = bar.high.map(|x| x.max(top) * (1.0 + share * 0.2));
        }
        "low" => {
            let bottom = bar.close.min(bar.open.unwrap_or(bar.close));
            bar.low = bar.low.map(|x| x.min(bottom) * (1.0 - share * 0.2));
        }
        _ => bar.volume = bar.volume.map(|x| (x + 1.0) * f64::exp(4.0 * (share - 0.5))),
    }
}
