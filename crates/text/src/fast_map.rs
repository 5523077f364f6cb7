use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map for counting words and pairs of words: several times as quick as the standard one, because its hash is a multiplication
/// for every eight bytes. Not for keys that somebody could choose to make it slow at a cost to others.
pub type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<FastHasher>>;

/// The hash of a [`FastMap`]: each eight bytes are mixed in by a multiplication to 128 bits whose halves are added.
#[derive(Debug, Clone, Copy, Default)]
pub struct FastHasher(u64);

impl FastHasher {
    fn mix(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value ^ 0x9e37_79b9_7f4a_7c15) * u128::from(0xd6e8_feb8_6659_fd93_u64);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hasher for FastHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            self.mix(u64::from_le_bytes(*chunk));
        }
        // Overlapping halves hold all bytes; the number of them is mixed in where they could be those of another.
        let last = match (rest, rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
            ([], ..) => return,
            ([a], ..) => u64::from(*a),
            ([a, b], ..) => u64::from(*a) | u64::from(*b) << 8,
            ([a, b, c], ..) => u64::from(*a) | u64::from(*b) << 8 | u64::from(*c) << 16,
            (_, Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
            }
            _ => return,
        };
        self.mix(last ^ (rest.len() as u64) << 56);
    }

    fn write_u8(&mut self, value: u8) {
        // The end of a string: it need not be mixed, only told from none.
        self.0 = self.0.rotate_left(5) ^ u64::from(value);
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    fn finish(&self) -> u64 {
        // The table uses the lowest and the highest bits.
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hash;

    fn hash(value: impl Hash) -> u64 {
        let mut hasher = FastHasher::default();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn words_and_pairs_of_numbers_spread_over_the_places_and_over_the_tags() {
        let hashes: Vec<u64> = (0..200_u32)
            .flat_map(|i| (0..100_u32).map(move |j| (i, j)))
            .flat_map(|(i, j)| [hash((i, j)), hash(format!("word {i} {j}"))])
            .collect();
        for shift in [0, 48] {
            let mut places = vec![0_u32; 1 << 16];
            for hash in &hashes {
                places[(hash >> shift) as usize & 0xffff] += 1;
            }
            // 40,000 in 65,536 places at random: 45.7 % of the places are taken.
            let taken = places.iter().filter(|n| **n > 0).count() as f64 / 65_536.0;
            assert!((taken - 0.457).abs() < 0.02, "{taken}");
        }
        assert_ne!(hash("a"), hash("a\0"));
    }
}
