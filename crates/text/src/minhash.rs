/// The smallest hash of a set under each of many hash functions (Broder 1997): two signatures agree in about as many
/// places as the Jaccard similarity of their sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(pub Vec<u32>);

/// Makes [`Signature`]s. Equal seeds give equal signatures on every machine.
#[derive(Debug, Clone)]
pub struct MinHasher {
    multipliers: Vec<u32>,
    offsets: Vec<u32>,
}

impl MinHasher {
    /// `count` hash functions drawn from `seed` (SplitMix64).
    pub fn new(count: usize, seed: u64) -> Self {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state) as u32
        };
        // Odd multipliers are bijections modulo 2^32, so that distinct members never collide.
        let multipliers = (0..count).map(|_| draw() | 1).collect();
        Self { multipliers, offsets: (0..count).map(|_| draw()).collect() }
    }

    /// The signature of a set given as hashes of its members. An empty set has `u32::MAX` everywhere.
    ///
    /// Members are mixed once; after that x → ax + b modulo 2^32 orders them as good as at random, and the compiler does
    /// several functions at a time.
    pub fn signature(&self, members: &[u64]) -> Signature {
        let mut smallest = vec![u32::MAX; self.multipliers.len()];
        for &member in members {
            let mixed = mix(member) as u32;
            for ((least, a), b) in smallest.iter_mut().zip(&self.multipliers).zip(&self.offsets) {
                *least = (*least).min(mixed.wrapping_mul(*a).wrapping_add(*b));
            }
        }
        Signature(smallest)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Signature {
    /// The share of places in which two signatures agree: an estimate of the Jaccard similarity.
    pub fn similarity(&self, other: &Self) -> f64 {
        let same = self.0.iter().zip(&other.0).filter(|(a, b)| a == b).count();
        same as f64 / self.0.len().max(1) as f64
    }

    /// One hash for each band of `rows` places; two sets that share a band's hash are worth comparing exactly.
    pub fn bands(&self, rows: usize) -> impl Iterator<Item = u64> + '_ {
        self.0.chunks_exact(rows.max(1)).map(hash_of_band)
    }

    /// The hash of one band of `rows` places.
    pub fn band(&self, number: usize, rows: usize) -> Option<u64> {
        self.0.get(number * rows..(number + 1) * rows).map(hash_of_band)
    }
}

fn hash_of_band(band: &[u32]) -> u64 {
    band.iter().fold(0, |hash, &value| mix(hash ^ u64::from(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_estimates_the_jaccard_similarity() {
        let hasher = MinHasher::new(512, 7);
        let (a, b): (Vec<u64>, Vec<u64>) = ((0..900).collect(), (300..1200).collect());
        let estimate = hasher.signature(&a).similarity(&hasher.signature(&b));
        // 600 of 1200 shared; the standard error of 512 draws is 0.022.
        assert!((estimate - 0.5).abs() < 0.09, "{estimate}");
    }

    #[test]
    fn a_band_by_number_is_the_band_in_order() {
        let signature = MinHasher::new(12, 1).signature(&[1, 2, 3]);
        let in_order: Vec<u64> = signature.bands(4).collect();
        assert_eq!((0..3).map(|n| signature.band(n, 4).unwrap()).collect::<Vec<_>>(), in_order);
        assert_eq!(signature.band(3, 4), None);
    }
}
