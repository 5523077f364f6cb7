use crate::block::Before;
use crate::packed::Packed;
use crate::sampling::Sampler;
use crate::{Constraint, Error, FORBIDDEN, KvCache, Llama, Result, Sampling};
use candle_core::{DType, Tensor};

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
    let mut writing = Writing::new(prompt, options)?;
    while writing.step(model, constraint)?.is_some() {}
    Ok(writing.tokens)
}

/// A text while it is written, a token at a time: for whoever shows it as it grows, or writes several in turn.
///
/// ```
/// use lm::{Constraint, GenerateOptions, Writing};
/// let model = lm::Llama::initialise(lm::Config::small(64, 16, 1), 42, &candle_core::Device::Cpu)?;
/// let options = GenerateOptions { max_tokens: 3, ..GenerateOptions::default() };
/// let mut free: [Box<dyn Constraint>; 0] = [];
/// let mut writing = Writing::new(&[1, 2], &options)?;
/// while let Some(token) = writing.step(&model, free.as_mut_slice())? {
///     assert_eq!(writing.tokens().last(), Some(&token));
/// }
/// assert_eq!(writing.tokens(), lm::generate(&model, &[1, 2], &options)?);
/// # Ok::<(), lm::Error>(())
/// ```
#[derive(Debug)]
pub struct Writing {
    max_tokens: usize,
    stop: Vec<u32>,
    sampler: Sampler,
    cache: KvCache,
    /// What the model has not read yet; empty once the text has ended.
    unread: Vec<u32>,
    tokens: Vec<u32>,
    logits: Vec<f32>,
}

impl Writing {
    /// Nothing is computed yet.
    ///
    /// # Errors
    /// An empty prompt, or senseless sampling.
    pub fn new(prompt: &[u32], options: &GenerateOptions) -> Result<Self> {
        if prompt.is_empty() {
            return Err(Error::EmptyPrompt);
        }
        Ok(Self {
            max_tokens: options.max_tokens,
            stop: options.stop.clone(),
            sampler: Sampler::new(options.sampling)?,
            cache: KvCache::new(),
            unread: prompt.to_vec(),
            tokens: Vec::new(),
            logits: Vec::new(),
        })
    }

    /// The next token, or none where the text has ended.
    ///
    /// # Errors
    /// The model fails, or [`Error::DeadEnd`]: the constraint forbids every token.
    pub fn step<C: Constraint + ?Sized>(&mut self, model: &Llama, constraint: &mut C) -> Result<Option<u32>> {
        if self.ended() {
            return Ok(None);
        }
        self.logits = next_logits(model, &std::mem::take(&mut self.unread), &mut self.cache)?;
        self.choose(model, constraint)
    }

    /// [`Writing::step`] of several texts. Those that wait for one token only, which is all but the first time, go through the model
    /// together: the weights are read once for all of them.
    ///
    /// # Errors
    /// The model fails; what concerns one text only is in its place.
    pub fn step_together<C: Constraint + ?Sized>(
        model: &Llama,
        texts: &mut [(&mut Self, &mut C)],
    ) -> Result<Vec<Result<Option<u32>>>> {
        let ended: Vec<bool> = texts.iter().map(|(text, _)| text.ended()).collect();
        let mut tokens = Vec::new();
        let mut caches = Vec::new();
        for (text, _) in texts.iter_mut().filter(|(text, _)| !text.ended()) {
            match *text.unread {
                [token] => {
                    tokens.push(token);
                    caches.push(&mut text.cache);
                }
                _ => text.logits = next_logits(model, &text.unread, &mut text.cache)?,
            }
        }
        let mut rows = next_logits_of_each(model, &tokens, &mut caches)?.into_iter();
        let next = texts.iter_mut().zip(ended).map(|((text, constraint), ended)| {
            if ended {
                return Ok(None);
            }
            if text.unread.len() == 1 {
                text.logits = rows.next().unwrap_or_default();
            }
            text.unread.clear();
            text.choose(model, *constraint)
        });
        Ok(next.collect())
    }

    fn ended(&self) -> bool {
        self.unread.is_empty() || self.tokens.len() >= self.max_tokens
    }

    /// Takes the next token from the logits.
    fn choose<C: Constraint + ?Sized>(&mut self, model: &Llama, constraint: &mut C) -> Result<Option<u32>> {
        let mut left = self.logits.clone();
        if !constraint.restrict(&mut left)? {
            return Ok(None);
        }
        let token = allowed(self.sampler.next(&left)?, &left).ok_or(Error::DeadEnd { tokens: self.tokens.len() })?;
        if self.stop.contains(&token) {
            return Ok(None);
        }
        constraint.accept(token)?;
        self.tokens.push(token);
        if self.cache.len() < model.config().max_position_embeddings {
            self.unread.push(token);
        }
        Ok(Some(token))
    }

    /// What is written so far, without the prompt and the token that ended it.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// The logits of the last step, before any constraint; empty before the first.
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }
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

/// The logits of the token after the last of `ids`, which follow what the cache holds; the cache grows. All that the last
/// block computes for the other tokens are their keys and values.
///
/// # Errors
/// As [`Llama::hidden`].
pub fn next_logits(model: &Llama, ids: &[u32], cache: &mut KvCache) -> Result<Vec<f32>> {
    // One visit to the workers a token, instead of one a product.
    kernels::on_workers(|| {
        let logits = model.logits(&last_hidden(model, ids, cache)?)?;
        Ok(logits.squeeze(0)?.to_dtype(DType::F32)?.to_vec1()?)
    })
}

/// [`next_logits`] of several texts, one token and one cache each.
fn next_logits_of_each(model: &Llama, tokens: &[u32], caches: &mut [&mut KvCache]) -> Result<Vec<Vec<f32>>> {
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    kernels::on_workers(|| {
        let mut packed = Packed::default();
        for (token, cache) in tokens.iter().zip(caches.iter()) {
            model.check_rows(std::iter::once([*token].as_slice()), cache.len())?;
            packed.push(&[*token], cache.len());
        }
        let longest = caches.iter().map(|cache| cache.len()).max().unwrap_or(0);
        let tables = model.rotary.tables(longest + 1)?;
        let stream = model.stream(&packed, &tables, None);
        let mut x = model.embed(&packed.ids)?;
        for (number, block) in model.blocks.iter().enumerate() {
            if let (Some(out), _) = block.forward(&x, &stream, Before::Each(number, caches), None, None)? {
                x = out;
            }
        }
        for cache in caches.iter_mut() {
            cache.advance(1);
        }
        let hidden = kernels::rms_norm(&x, &model.norm.value(), model.config().rms_norm_eps)?;
        Ok(model.logits(&hidden)?.to_dtype(DType::F32)?.to_vec2()?)
    })
}

/// The last hidden state, `[1, hidden]`.
fn last_hidden(model: &Llama, ids: &[u32], cache: &mut KvCache) -> Result<Tensor> {
    model.check_rows(std::iter::once(ids), cache.len())?;
    let packed = Packed::new(&[ids], cache.len());
    let tables = model.rotary.tables(cache.len() + ids.len())?;
    let stream = model.stream(&packed, &tables, None);
    let last = [(ids.len() - 1) as u32];
    let mut x = model.embed(&packed.ids)?;
    for (number, block) in model.blocks.iter().enumerate() {
        let is_last = number + 1 == model.blocks.len();
        // With a single token nothing is saved, and q, k and v are one product.
        let asking = (is_last && ids.len() > 1).then_some(last.as_slice());
        if let (Some(out), _) = block.forward(&x, &stream, Before::Growing(number, cache), asking, None)? {
            x = out;
        }
    }
    cache.advance(ids.len());
    let last = x.narrow(0, x.dim(0)? - 1, 1)?;
    Ok(kernels::rms_norm(&last, &model.norm.value(), model.config().rms_norm_eps)?)
}
