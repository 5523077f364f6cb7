/// The smallest hash of a set under each of many hash functions (Broder 1997): two signatures agree in about as many
/// places as the Jaccard similarity of their sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(pub Vec<u32>);

/// Makes [`Signature`]s. Equal seeds give equal signatures on every machine.
#[derive(Debug, Clone)]
pub struct MinHasher {
    multipliers: Vec<u32>,
    /// Each with its highest bit turned over: see [`MinHasher::signature`].
    offsets: Vec<u32>,
}

/// Functions done together: their smallest hashes stay in registers.
const BLOCK: usize = 8;
const HIGHEST: u32 = 1 << 31;

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
        Self { multipliers, offsets: (0..count).map(|_| draw() ^ HIGHEST).collect() }
    }

    /// The signature of a set given as hashes of its members. An empty set has `u32::MAX` everywhere.
    ///
    /// Members are mixed once; after that x → ax + b modulo 2^32 orders them as good as at random, and the compiler does
    /// several functions at a time. With the highest bit turned over, numbers with a sign are in the order of those without;
    /// they alone can be compared several at a time on every processor.
    pub fn signature(&self, members: &[u64]) -> Signature {
        let mixed: Vec<u32> = members.iter().map(|member| mix(*member) as u32).collect();
        let mut smallest = Vec::with_capacity(self.multipliers.len());
        let (blocks, rest) = self.multipliers.as_chunks::<BLOCK>();
        let (offsets, rest_of_offsets) = self.offsets.as_chunks::<BLOCK>();
        for (multipliers, offsets) in blocks.iter().zip(offsets) {
            let mut least = [i32::MAX; BLOCK];
            for &x in &mixed {
                for ((least, a), b) in least.iter_mut().zip(multipliers).zip(offsets) {
                    *least = (*least).min(x.wrapping_mul(*a).wrapping_add(*b).cast_signed());
                }
            }
            smallest.extend(least);
        }
        for (a, b) in rest.iter().zip(rest_of_offsets) {
            let hashes = mixed.iter().map(|x| x.wrapping_mul(*a).wrapping_add(*b).cast_signed());
            smallest.push(hashes.min().unwrap_or(i32::MAX));
        }
        Signature(smallest.into_iter().map(|least| least.cast_unsigned() ^ HIGHEST).collect())
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
    fn a_signature_is_the_smallest_hash_of_each_function_as_defined() {
        for (count, members) in [(80, 110_u64), (13, 3), (5, 1), (8, 0)] {
            let members: Vec<u64> = (0..members).map(|m| mix(m * 7)).collect();
            let mut state = 99_u64;
            let mut draw = || {
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                mix(state) as u32
            };
            let multipliers: Vec<u32> = (0..count).map(|_| draw() | 1).collect();
            let offsets: Vec<u32> = (0..count).map(|_| draw()).collect();
            let of = |(a, b): (&u32, &u32)| {
                let hashes = members.iter().map(|m| (mix(*m) as u32).wrapping_mul(*a).wrapping_add(*b));
                hashes.min().unwrap_or(u32::MAX)
            };
            let defined: Vec<u32> = multipliers.iter().zip(&offsets).map(of).collect();
            assert_eq!(MinHasher::new(count, 99).signature(&members).0, defined);
        }
    }
}
