use crate::Error;

/// Turns texts into vectors whose cosine says how alike the texts are.
///
/// A vector may depend on its own text only: neither on the other texts of the call nor on a corpus. Otherwise what is
/// found at `t` would depend on cases that came later.
pub trait Embedder: Send + Sync {
    /// Which embedder this is, for manifests.
    fn name(&self) -> &str;

    /// How long its vectors are.
    fn dimensions(&self) -> usize;

    /// One vector for each text, in the same order.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error>;
}

/// Embeds, checks what came back, and scales each vector to length 1 (a zero vector stays zero).
pub(crate) fn unit_vectors(embedder: &dyn Embedder, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
    let bad = |text: usize, message: String| Error::BadEmbedding {
        embedder: embedder.name().to_owned(),
        text,
        texts: texts.len(),
        message,
    };
    let mut vectors = embedder.embed(texts)?;
    if vectors.len() != texts.len() {
        return Err(bad(vectors.len().min(texts.len()), format!("it gave {} vectors", vectors.len())));
    }
    for (i, vector) in vectors.iter_mut().enumerate() {
        if vector.len() != embedder.dimensions() {
            return Err(bad(i, format!("{} numbers instead of {}", vector.len(), embedder.dimensions())));
        }
        if let Some(v) = vector.iter().find(|v| !v.is_finite()) {
            return Err(bad(i, format!("a vector with {v} in it")));
        }
        normalise(vector);
    }
    Ok(vectors)
}

pub(crate) fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
    if length > 1e-12 {
        for v in vector {
            *v = (f64::from(*v) / length) as f32;
        }
    }
}
