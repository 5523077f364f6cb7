use crate::parameter::Parameter;
use crate::{Config, KvCache, Result};
use candle_core::Tensor;
use lora::{Linear, Pass};

/// One decoder block: attention and MLP, each behind a norm and added to the stream.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) input_norm: Parameter,
    pub(crate) q: Linear,
    pub(crate) k: Linear,
    pub(crate) v: Linear,
    pub(crate) o: Linear,
    pub(crate) post_norm: Parameter,
    pub(crate) gate: Linear,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
}

/// What all blocks of one forward pass share.
pub(crate) struct Stream<'a> {
    pub(crate) config: &'a Config,
    pub(crate) cos: Tensor,
    pub(crate) sin: Tensor,
    /// Tokens before this batch, in the cache.
    pub(crate) offset: usize,
    /// Real tokens of each row.
    pub(crate) lengths: Vec<usize>,
}

impl Block {
    /// # Shapes
    /// `[B, T, hidden]` → `[B, T, hidden]`; `number` is this block's place in the cache.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        stream: &Stream<'_>,
        cache: Option<(usize, &mut KvCache)>,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor> {
        let config = stream.config;
        let (batch, time, _) = x.dims3()?;
        let norm = kernels::rms_norm(x, &self.input_norm.get(pass), config.rms_norm_eps)?;
        let heads = |y: Tensor, heads: usize| y.reshape((batch, time, heads, config.head_dim));
        let (n, kv) = (config.num_attention_heads, config.num_key_value_heads);
        let q = heads(self.q.forward(&norm, pass)?, n)?;
        let k = heads(self.k.forward(&norm, pass)?, kv)?;
        let v = heads(self.v.forward(&norm, pass)?, kv)?;
        let q = kernels::rope(&q, &stream.cos, &stream.sin, stream.offset)?;
        let k = kernels::rope(&k, &stream.cos, &stream.sin, stream.offset)?;
        let (k, v) = match cache {
            Some((number, cache)) => cache.extend(number, &k, &v)?,
            None => (k, v),
        };
        let mixed = kernels::attention(&q, &k, &v, &stream.lengths)?;
        let mixed = self.o.forward(&mixed.reshape((batch, time, n * config.head_dim))?, pass)?;
        let x = (x + mixed)?;
        let norm = kernels::rms_norm(&x, &self.post_norm.get(pass), config.rms_norm_eps)?;
        let gated = kernels::swiglu(&self.gate.forward(&norm, pass)?, &self.up.forward(&norm, pass)?)?;
        Ok((x + self.down.forward(&gated, pass)?)?)
    }

    /// The linear layers with their names inside the block.
    pub(crate) fn linears(&self) -> [(&'static str, &Linear); 7] {
        [
            ("self_attn.q_proj", &self.q),
            ("self_attn.k_proj", &self.k),
            ("self_attn.v_proj", &self.v),
            ("self_attn.o_proj", &self.o),
            ("mlp.gate_proj", &self.gate),
            ("mlp.up_proj", &self.up),
            ("mlp.down_proj", &self.down),
        ]
    }

    /// The same, to replace them.
    pub(crate) fn linears_mut(&mut self) -> [(&'static str, &mut Linear); 7] {
        [
            ("self_attn.q_proj", &mut self.q),
            ("self_attn.k_proj", &mut self.k),
            ("self_attn.v_proj", &mut self.v),
            ("self_attn.o_proj", &mut self.o),
            ("mlp.gate_proj", &mut self.gate),
            ("mlp.up_proj", &mut self.up),
            ("mlp.down_proj", &mut self.down),
        ]
    }
}
