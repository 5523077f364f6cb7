//! Which claims of the agents were heard by the others, and how many of those are wrong.

use artifacts::read_all;
use artifacts::rows::{CheckedClaim, Opinion};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The claims of one arm, over all its runs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Heard {
    /// Claims that were made.
    pub(super) made: u64,
    /// Claims that are left in the opinions: what the others heard.
    pub(super) left: u64,
    /// Of those heard, how many are wrong.
    pub(super) wrong: u64,
    /// Whether `wrong` counts the errors that the simulation is known to have put in; else those that the verifier found, which
    /// after a filter by the same verifier says nothing.
    pub(super) known: bool,
}

impl Heard {
    /// The runs in these folders; none where no agent was asked.
    pub(super) fn read(folders: &[PathBuf]) -> anyhow::Result<Option<Self>> {
        let mut all = Self { known: true, ..Self::default() };
        for folder in folders {
            let opinions: Vec<Opinion> = rows(&folder.join("opinions.parquet"))?;
            let checked: Vec<CheckedClaim> = rows(&folder.join("checked_claims.parquet"))?;
            let injected: Vec<CheckedClaim> = rows(&folder.join("injected.parquet"))?;
            all.known &= !injected.is_empty();
            all.made += checked.len() as u64;
            let found: Vec<&CheckedClaim> = checked.iter().filter(|c| c.verdict != "supported").collect();
            let wrong = if injected.is_empty() { found } else { injected.iter().collect() };
            let wrong: BTreeSet<_> = wrong.into_iter().map(|c| (&c.symbol, c.bar_at, &c.agent, &c.text)).collect();
            for opinion in &opinions {
                all.left += opinion.claims.len() as u64;
                let is_wrong =
                    |text: &&String| wrong.contains(&(&opinion.symbol, opinion.bar_at, &opinion.agent, *text));
                all.wrong += opinion.claims.iter().filter(is_wrong).count() as u64;
            }
        }
        Ok((all.made > 0).then_some(all))
    }

    /// The share of the claims heard that are wrong.
    pub(super) fn share(&self) -> Option<f64> {
        (self.left > 0).then(|| self.wrong as f64 / self.left as f64)
    }
}

fn rows<R: artifacts::Row + Clone>(path: &Path) -> anyhow::Result<Vec<R>> {
    if path.exists() { Ok(read_all(path)?) } else { Ok(Vec::new()) }
}
