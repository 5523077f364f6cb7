use super::poison::{self, Part};
use artifacts::rows::{Bar, News, Observation};
use artifacts::{Seed, Timed, Timestamp, read_all, write_all};
use std::collections::BTreeMap;
use std::path::Path;

/// When each bar could be known, by symbol and stamp.
pub(super) type Closes = BTreeMap<(String, Timestamp), Timestamp>;

/// The content of a market folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Market {
    /// Prices.
    pub bars: Vec<Bar>,
    /// Texts.
    pub news: Vec<News>,
    /// Other numbers.
    pub observations: Vec<Observation>,
}

impl Market {
    /// Reads a folder; texts and observations may be missing.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let there = |name: &str| Some(folder.join(name)).filter(|p| p.exists());
        Ok(Self {
            bars: read_all(&folder.join("bars.parquet"))?,
            news: there("news.parquet").map(|p| read_all(&p)).transpose()?.unwrap_or_default(),
            observations: there("observations.parquet").map(|p| read_all(&p)).transpose()?.unwrap_or_default(),
        })
    }

    /// Writes the three files.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        write_all(&folder.join("bars.parquet"), &self.bars)?;
        write_all(&folder.join("news.parquet"), &self.news)?;
        write_all(&folder.join("observations.parquet"), &self.observations)?;
        Ok(())
    }

    /// Without the rows (of `part` only, where one is given) that could be known only after `t`.
    pub(super) fn truncated(&self, t: Timestamp, part: Option<&Part>) -> Self {
        fn cut<T: Timed + Clone>(rows: &[T], t: Timestamp, within: impl Fn(&T) -> bool) -> Vec<T> {
            rows.iter().filter(|r| r.available_at() <= t || !within(r)).cloned().collect()
        }
        Self {
            bars: cut(&self.bars, t, |_| part.is_none_or(Part::in_bars)),
            news: cut(&self.news, t, |n| part.is_none_or(|p| p.in_news(n))),
            observations: cut(&self.observations, t, |o| part.is_none_or(|p| p.in_observations(o))),
        }
    }

    /// With garbage for the values (of `part` only, where one is given) that could be known only after `t`. Times stay.
    pub(super) fn poisoned(&self, t: Timestamp, part: Option<&Part>, seed: Seed) -> Self {
        let mut twin = self.clone();
        poison::spoil(&mut twin, t, part, seed);
        twin
    }

    /// The parts that can be poisoned one at a time.
    pub(super) fn parts(&self) -> Vec<Part> {
        Part::all(self)
    }

    pub(super) fn closes(&self) -> Closes {
        self.bars.iter().map(|b| ((b.symbol.clone(), b.event_at), b.available_at)).collect()
    }

    /// Every moment at which something could be known first, in order.
    pub(super) fn clock(&self) -> Vec<Timestamp> {
        let bars = self.bars.iter().map(|b| b.available_at);
        let news = self.news.iter().map(|n| n.available_at);
        let mut times: Vec<_> = bars.chain(news).chain(self.observations.iter().map(|o| o.available_at)).collect();
        times.sort_unstable();
        times.dedup();
        times
    }
}
