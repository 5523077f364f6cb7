use crate::embedder::normalise;
use crate::{Embedder, Error};

/// Vectors without a model: words, pairs of words and pieces of words, each hashed to a place and a sign (feature
/// hashing), weighted 1 + ln(count). There are no document frequencies in it: those would leak what came later.
///
/// ```
/// use retrieval::{Embedder, HashedEmbedder};
/// let embedder = HashedEmbedder::default();
/// let v = embedder.embed(&["profit rose", "profits rising", "a quiet day"])?;
/// let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
/// assert!(cosine(&v[0], &v[1]) > cosine(&v[0], &v[2]));
/// # Ok::<(), retrieval::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct HashedEmbedder {
    name: String,
    dimensions: usize,
}

impl HashedEmbedder {
    /// Vectors of this length (at least 1): shorter ones confuse more n-grams with each other.
    pub fn new(dimensions: usize) -> Self {
        let dimensions = dimensions.max(1);
        Self { name: format!("hashed-{dimensions}"), dimensions }
    }
}

impl Default for HashedEmbedder {
    fn default() -> Self {
        Self::new(512)
    }
}

impl Embedder for HashedEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
        Ok(texts.iter().map(|text| embed(text, self.dimensions)).collect())
    }
}

fn embed(text: &str, dimensions: usize) -> Vec<f32> {
    let words: Vec<String> = text::words(text).map(|w| text::nfc(&w)).filter(|w| !text::is_stop_word(w)).collect();
    let mut grams: Vec<u64> = Vec::new();
    for word in &words {
        grams.push(hash(b"w", word));
        let padded = format!(" {word} ");
        grams.extend(text::ngram_hashes(&padded, 4).into_iter().map(|h| mix(h ^ 0x70)));
    }
    grams.extend(words.windows(2).map(|pair| hash(b"p", &pair.join(" "))));
    grams.sort_unstable();
    let mut vector = vec![0.0; dimensions];
    for run in grams.chunk_by(|a, b| a == b) {
        let Some(h) = run.first() else { continue };
        let sign = if h >> 63 == 0 { 1.0 } else { -1.0 };
        vector[(h % dimensions as u64) as usize] += sign * (1.0 + (run.len() as f32).ln());
    }
    normalise(&mut vector);
    vector
}

/// FNV-1a, then mixed: its low bits alone would fill the places unevenly.
fn hash(kind: &[u8], text: &str) -> u64 {
    let bytes = kind.iter().chain(text.as_bytes());
    mix(bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3)))
}

/// The finaliser of MurmurHash3.
fn mix(mut h: u64) -> u64 {
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}
