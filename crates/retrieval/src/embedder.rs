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

    /// Whether only the beginning of this text is read, because it is longer than the embedder's window.
    ///
    /// # Errors
    /// As for [`Embedder::embed`].
    fn cuts(&self, text: &str) -> Result<bool, Error> {
        let _ = text;
        Ok(false)
    }
}

/// Embeds, checks what came back, and scales each vector to length 1 (a zero vector stays zero). A text without any
/// letter, digit or sign gets a zero vector, which resembles nothing: a model would give it some direction or other.
pub(crate) fn unit_vectors(embedder: &dyn Embedder, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
    let blank = |text: &str| text.trim().is_empty();
    let worded: Vec<&str> = texts.iter().copied().filter(|text| !blank(text)).collect();
    let vectors = if worded.is_empty() { Vec::new() } else { embedder.embed(&worded)? };
    check(embedder, &vectors, worded.len())?;
    let mut vectors = vectors.into_iter();
    let vector = |text: &&str| {
        let found = if blank(text) { None } else { vectors.next() };
        let mut vector = found.unwrap_or_else(|| vec![0.0; embedder.dimensions()]);
        normalise(&mut vector);
        vector
    };
    Ok(texts.iter().map(vector).collect())
}

/// Refuses what no text may be compared by: too few vectors, of another length, or with a number that is none.
pub(crate) fn check(embedder: &dyn Embedder, vectors: &[Vec<f32>], texts: usize) -> Result<(), Error> {
    let bad = |text: usize, message: String| {
        Err(Error::BadEmbedding { embedder: embedder.name().to_owned(), text, texts, message })
    };
    if vectors.len() != texts {
        return bad(vectors.len().min(texts), format!("it gave {} vectors", vectors.len()));
    }
    for (i, vector) in vectors.iter().enumerate() {
        if vector.len() != embedder.dimensions() {
            return bad(i, format!("{} numbers instead of {}", vector.len(), embedder.dimensions()));
        }
        if let Some(v) = vector.iter().find(|v| !v.is_finite()) {
            return bad(i, format!("a vector with {v} in it"));
        }
    }
    Ok(())
}

pub(crate) fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
    if length > 1e-12 {
        for v in vector {
            *v = (f64::from(*v) / length) as f32;
        }
    }
}
