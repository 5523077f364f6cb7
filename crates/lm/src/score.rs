use crate::{Error, KvCache, Llama, Result, next_logits};
use candle_core::DType;

/// log p(continuation | prompt) of each continuation, in nats: the sum over its tokens. The prompt runs once, all
/// continuations follow in one batch. An empty continuation scores 0.
pub fn score(model: &Llama, prompt: &[u32], continuations: &[Vec<u32>]) -> Result<Vec<f64>> {
    if prompt.is_empty() {
        return Err(Error::EmptyPrompt);
    }
    let mut cache = KvCache::new();
    let first = log_softmax(&next_logits(model, prompt, &mut cache)?)?;
    let mut scores = Vec::with_capacity(continuations.len());
    for (row, continuation) in continuations.iter().enumerate() {
        scores.push(continuation.first().map_or(Ok(0.0), |&id| pick(model, &first, row, prompt.len(), id))?);
    }
    // Inputs are all but the last token of the continuations that have more than one.
    let longer: Vec<(usize, &[u32])> = continuations
        .iter()
        .enumerate()
        .filter_map(|(row, c)| c.split_last().map(|(_, head)| (row, head)))
        .filter(|(_, head)| !head.is_empty())
        .collect();
    if longer.is_empty() {
        return Ok(scores);
    }
    let inputs: Vec<&[u32]> = longer.iter().map(|&(_, head)| head).collect();
    let hidden = model.hidden_after(&inputs, &cache)?;
    let logits = model.logits(&hidden)?.to_dtype(DType::F32)?.to_vec2::<f32>()?;
    let mut logits = logits.into_iter();
    for (row, _) in longer {
        let following = continuations.get(row).map(Vec::as_slice).unwrap_or_default().iter().enumerate().skip(1);
        for ((t, &id), logits) in following.zip(logits.by_ref()) {
            if let Some(score) = scores.get_mut(row) {
                *score += pick(model, &log_softmax(&logits)?, row, prompt.len() + t, id)?;
            }
        }
    }
    Ok(scores)
}

fn pick(model: &Llama, log_probabilities: &[f64], row: usize, position: usize, id: u32) -> Result<f64> {
    let vocab_size = model.config().vocab_size;
    log_probabilities.get(id as usize).copied().ok_or(Error::Token { row, position, id, vocab_size })
}

fn log_softmax(logits: &[f32]) -> Result<Vec<f64>> {
    if let Some(&value) = logits.iter().find(|v| !v.is_finite()) {
        return Err(Error::NotFinite { value });
    }
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let top = f64::from(top);
    let sum: f64 = logits.iter().map(|&l| (f64::from(l) - top).exp()).sum();
    Ok(logits.iter().map(|&l| f64::from(l) - top - sum.ln()).collect())
}
