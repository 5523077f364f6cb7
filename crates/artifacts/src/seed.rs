use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The one number everything random in a run comes from. Each use derives its own seed by name, so that adding a step
/// shifts nobody else's draws.
///
/// ```
/// use artifacts::Seed;
/// let run = Seed(42);
/// assert_eq!(run.derive("synth/prompts"), Seed(42).derive("synth/prompts"));
/// assert_ne!(run.derive("synth/prompts"), run.derive("ingest/split"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Default for Seed {
    fn default() -> Self {
        Self(42)
    }
}

impl Seed {
    /// The seed of the use called `name`.
    #[must_use]
    pub fn derive(self, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0.to_le_bytes());
        hasher.update(name.as_bytes());
        let mut bytes = [0; 8];
        hasher.finalize_xof().fill(&mut bytes);
        Self(u64::from_le_bytes(bytes))
    }

    /// A generator whose stream never changes between releases (ChaCha8).
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }
}
