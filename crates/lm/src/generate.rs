use crate::sampling::Sampler;
use crate::{Error, KvCache, Llama, Result, Sampling};
use candle_core::DType;
use lora::Pass;

/// When generation ends and how tokens are chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    /// Most tokens to generate.
    pub max_tokens: usize,
    /// Tokens that end the text; not part of the result.
    pub stop: Vec<u32>,
    /// How the next token is chosen.
    pub sampling: Sampling,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self { max_tokens: 64, stop: Vec::new(), sampling: Sampling::Greedy }
    }
}

/// Continues `prompt` and returns the new tokens, without the stop token. Ends early when the model's positions are
/// used up.
pub fn generate(model: &Llama, prompt: &[u32], options: &GenerateOptions) -> Result<Vec<u32>> {
    if prompt.is_empty() {
        return Err(Error::EmptyPrompt);
    }
    let mut sampler = Sampler::new(options.sampling)?;
    let mut cache = KvCache::new();
    let mut tokens = Vec::new();
    let mut next = prompt.to_vec();
    while tokens.len() < options.max_tokens {
        let token = sampler.next(&last_logits(model, &next, &mut cache)?)?;
        if options.stop.contains(&token) {
            break;
        }
        tokens.push(token);
        if cache.len() == model.config().max_position_embeddings {
            break;
        }
        next = vec![token];
    }
    Ok(tokens)
}

/// Logits after the last of `ids`, which follow what the cache holds.
pub(crate) fn last_logits(model: &Llama, ids: &[u32], cache: &mut KvCache) -> Result<Vec<f32>> {
    let hidden = model.hidden(&[ids], Some(cache))?;
    let (_, time, width) = hidden.dims3()?;
    let last = hidden.narrow(1, time - 1, 1)?.reshape((1, width))?;
    let logits = model.project(&last, &mut Pass::inference())?;
    Ok(logits.squeeze(0)?.to_dtype(DType::F32)?.to_vec1()?)
}
