use crate::sampling::Sampler;
use crate::{Constraint, Error, FORBIDDEN, KvCache, Llama, Result, Sampling};
use candle_core::DType;

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
    let mut free: [Box<dyn Constraint>; 0] = [];
    generate_constrained(model, prompt, options, free.as_mut_slice())
}

/// [`generate`], where each token must be one that `constraint` allows. Ends also where the constraint says that the text is
/// whole.
///
/// # Errors
/// As [`generate`], or [`Error::DeadEnd`]: the constraint forbids every token.
pub fn generate_constrained<C: Constraint + ?Sized>(
    model: &Llama,
    prompt: &[u32],
    options: &GenerateOptions,
    constraint: &mut C,
) -> Result<Vec<u32>> {
    if prompt.is_empty() {
        return Err(Error::EmptyPrompt);
    }
    let mut sampler = Sampler::new(options.sampling)?;
    let mut cache = KvCache::new();
    let mut tokens = Vec::new();
    let mut next = prompt.to_vec();
    while tokens.len() < options.max_tokens {
        let mut logits = last_logits(model, &next, &mut cache)?;
        if !constraint.restrict(&mut logits)? {
            break;
        }
        let token = allowed(sampler.next(&logits)?, &logits).ok_or(Error::DeadEnd { tokens: tokens.len() })?;
        if options.stop.contains(&token) {
            break;
        }
        constraint.accept(token)?;
        tokens.push(token);
        if cache.len() == model.config().max_position_embeddings {
            break;
        }
        next = vec![token];
    }
    Ok(tokens)
}

/// The drawn token, or the likeliest one where rounding in the draw has picked a forbidden one; none where all are forbidden.
fn allowed(drawn: u32, logits: &[f32]) -> Option<u32> {
    let may = |logit: f32| logit > FORBIDDEN;
    if logits.get(drawn as usize).is_some_and(|logit| may(*logit)) {
        return Some(drawn);
    }
    let left = logits.iter().enumerate().filter(|(_, logit)| may(**logit));
    left.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0))).map(|(id, _)| id as u32)
}

/// Logits after the last of `ids`, which follow what the cache holds.
pub(crate) fn last_logits(model: &Llama, ids: &[u32], cache: &mut KvCache) -> Result<Vec<f32>> {
    let hidden = model.hidden(&[ids], Some(cache))?;
    let last = hidden.narrow(0, hidden.dim(0)? - 1, 1)?;
    let logits = model.logits(&last)?;
    Ok(logits.squeeze(0)?.to_dtype(DType::F32)?.to_vec1()?)
}
