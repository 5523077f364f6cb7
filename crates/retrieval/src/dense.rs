/// Vectors of length 1 in one block, so that a scan runs through memory once.
#[derive(Debug, Clone)]
pub(crate) struct Vectors {
    dimensions: usize,
    numbers: Vec<f32>,
}

impl Vectors {
    pub(crate) fn new(dimensions: usize) -> Self {
        Self { dimensions, numbers: Vec::new() }
    }

    /// `vector` has the dimensions that were given: [`unit_vectors`](crate::embedder::unit_vectors) saw to it.
    pub(crate) fn push(&mut self, vector: &[f32]) {
        debug_assert_eq!(vector.len(), self.dimensions, "checked where vectors enter");
        self.numbers.extend_from_slice(vector);
    }

    pub(crate) fn get(&self, i: usize) -> &[f32] {
        &self.numbers[i * self.dimensions..(i + 1) * self.dimensions]
    }

    pub(crate) fn cosine(&self, i: usize, query: &[f32]) -> f32 {
        dot(self.get(i), query)
    }
}

/// A cosine below this is an error of rounding around 0: the texts have nothing in common.
const NOTHING: f32 = 1e-6;

/// A cosine to rank by.
pub(crate) fn likeness(cosine: f32) -> f64 {
    if cosine < NOTHING { 0.0 } else { f64::from(cosine) }
}

/// The scalar product in eight running sums: a fixed order of additions, whatever the machine, and one that fills its
/// vector registers.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (x, y) in a8.iter().zip(b8) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    let [s0, s1, s2, s3, s4, s5, s6, s7] = sums;
    ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7)) + rest
}

#[cfg(test)]
mod tests {
    use super::dot;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_fast_product_is_the_plain_one(pairs in proptest::collection::vec((-1.0f32..1.0, -1.0f32..1.0), 0..100)) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let plain: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            prop_assert!((f64::from(dot(&a, &b)) - plain).abs() < 1e-5);
        }
    }
}
