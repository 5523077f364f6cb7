//! One decoder block by hand: attention and MLP, each behind a norm and added to the stream.

mod backward;
mod branches;

pub(crate) use backward::{BlockGradients, Flow};
pub(crate) use branches::{Tree, Trunk};

use crate::parameter::Parameter;
use crate::{Config, Recompute, Result};
use candle_core::Tensor;
use kernels::PackedRows;
use lora::{Dropout, Kept, Linear, Stacked};
use std::ops::Range;

#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) input_norm: Parameter,
    /// q, k and v.
    pub(crate) qkv: Stacked,
    pub(crate) o: Stacked,
    pub(crate) post_norm: Parameter,
    pub(crate) gate_up: Stacked,
    pub(crate) down: Stacked,
}

const Q: Range<usize> = 0..1;
const KV: Range<usize> = 1..3;
const QKV: Range<usize> = 0..3;
const GATE_UP: Range<usize> = 0..2;
const ONE: Range<usize> = 0..1;

/// What all blocks of one pass share.
pub(crate) struct Stream<'a> {
    pub(crate) config: &'a Config,
    pub(crate) cos: &'a Tensor,
    pub(crate) sin: &'a Tensor,
    /// Of each token.
    pub(crate) positions: &'a [u32],
    /// Lengths of the rows, without the tokens before them.
    pub(crate) lengths: &'a [usize],
    pub(crate) dropout: Option<Dropout>,
}

/// Keys and values, `[tokens, KV, D]` each.
pub(crate) type KeyValue = (Tensor, Tensor);

/// The keys and values that all rows see before their own.
pub(crate) enum Before<'a, 'b> {
    Nothing,
    Shared(KeyValue),
    /// A cache's, which the tokens of this pass join.
    Growing(usize, &'a mut crate::KvCache),
    /// Each row, of one token, has a cache of its own, which it joins.
    Each(usize, &'a mut [&'b mut crate::KvCache]),
}

/// What a forward pass leaves for its backward pass. Whatever is absent is computed again from what is there.
pub(crate) struct Saved {
    x: Tensor,
    /// The tokens that ask in this block; None is all.
    asking: Option<Vec<u32>>,
    attention: Option<Attention>,
    /// The stream between attention and MLP.
    middle: Option<Tensor>,
    mlp: Option<Mlp>,
}

struct Attention {
    q: Tensor,
    k: Tensor,
    v: Tensor,
    kept: Vec<Kept>,
    mixed: Tensor,
    kept_o: Kept,
}

struct Mlp {
    gate_up: Tensor,
    kept: Kept,
    kept_down: Kept,
}

impl Block {
    /// The output at the `asking` tokens (all if None), and what the backward pass needs. Without any asking token only
    /// keys and values are computed.
    ///
    /// # Shapes
    /// `x` `[N, hidden]` → `[asking, hidden]`.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        stream: &Stream<'_>,
        before: Before<'_, '_>,
        asking: Option<&[u32]>,
        keep: Option<Recompute>,
    ) -> Result<(Option<Tensor>, Saved)> {
        let mut saved =
            Saved { x: x.clone(), asking: asking.map(<[u32]>::to_vec), attention: None, middle: None, mlp: None };
        let attention = self.attend(x, stream, before, asking)?;
        if asking.is_some_and(<[u32]>::is_empty) {
            saved.attention = Some(attention);
            return Ok((None, saved));
        }
        let (middle, kept_o) = self.o.forward(ONE, &attention.mixed, Some(&at(x, asking)?), stream.dropout)?;
        let (mlp, activated) = self.expand(&middle, stream)?;
        let (out, kept_down) = self.down.forward(ONE, &activated, Some(&middle), stream.dropout)?;
        match keep {
            Some(Recompute::None) => {
                saved.attention = Some(Attention { kept_o, ..attention });
                saved.mlp = Some(Mlp { kept_down, ..mlp });
                saved.middle = Some(middle);
            }
            Some(Recompute::Attention) => {
                saved.mlp = Some(Mlp { kept_down, ..mlp });
                saved.middle = Some(middle);
            }
            Some(Recompute::Block) | None => {}
        }
        Ok((Some(out), saved))
    }

    /// Keys and values of this block's own tokens, for rows of other passes.
    pub(crate) fn own_keys(saved: &Saved, tokens: usize) -> Result<Option<KeyValue>> {
        let Some(attention) = &saved.attention else { return Ok(None) };
        let first = attention.k.dim(0)? - tokens;
        Ok(Some((attention.k.narrow(0, first, tokens)?, attention.v.narrow(0, first, tokens)?)))
    }

    /// Attention up to the output projection, without it.
    fn attend(
        &self,
        x: &Tensor,
        stream: &Stream<'_>,
        before: Before<'_, '_>,
        asking: Option<&[u32]>,
    ) -> Result<Attention> {
        let config = stream.config;
        let (heads, kv_heads, width) = (config.num_attention_heads, config.num_key_value_heads, config.head_dim);
        let tokens = x.dim(0)?;
        let rope =
            |y: &Tensor, positions: &[u32], rotated| kernels::rope(y, stream.cos, stream.sin, positions, rotated);
        let norm = kernels::rms_norm(x, &self.input_norm.value(), config.rms_norm_eps)?;
        let (q, k, v, kept) = match asking {
            None => {
                let (y, kept) = self.qkv.forward(QKV, &norm, None, stream.dropout)?;
                let y = y.reshape((tokens, heads + 2 * kv_heads, width))?;
                let y = rope(&y, stream.positions, heads + kv_heads)?;
                let part = |from, count| y.narrow(1, from, count);
                (part(0, heads)?, part(heads, kv_heads)?, part(heads + kv_heads, kv_heads)?, vec![kept])
            }
            Some(asking) => {
                let (y, kept) = self.qkv.forward(KV, &norm, None, stream.dropout)?;
                let y = rope(&y.reshape((tokens, 2 * kv_heads, width))?, stream.positions, kv_heads)?;
                let (k, v) = (y.narrow(1, 0, kv_heads)?, y.narrow(1, kv_heads, kv_heads)?);
                if asking.is_empty() {
                    let nothing = Tensor::zeros((0, heads, width), x.dtype(), x.device())?;
                    (nothing, k, v, vec![kept])
                } else {
                    let norm = kernels::gather_rows(&norm, asking)?;
                    let (q, kept_q) = self.qkv.forward(Q, &norm, None, stream.dropout)?;
                    let q = q.reshape((asking.len(), heads, width))?;
                    (rope(&q, &positions_at(stream.positions, asking), heads)?, k, v, vec![kept, kept_q])
                }
            }
        };
        let (k, v) = match before {
            Before::Nothing => (k, v),
            Before::Shared((keys, values)) => (Tensor::cat(&[keys, k], 0)?, Tensor::cat(&[values, v], 0)?),
            Before::Growing(block, cache) => cache.extend(block, &k, &v)?,
            Before::Each(block, caches) => {
                let mixed = mix_each(block, caches, (&q, &k, &v))?.reshape((tokens, heads * width))?;
                return Ok(Attention { q, k, v, kept, mixed, kept_o: Kept::default() });
            }
        };
        let mixed = if q.dim(0)? == 0 {
            q.reshape((0, heads * width))?
        } else {
            let mixed = kernels::attention(&q, &k, &v, &rows(stream, k.dim(0)? - tokens, asking))?;
            mixed.reshape((q.dim(0)?, heads * width))?
        };
        Ok(Attention { q, k, v, kept, mixed, kept_o: Kept::default() })
    }

    /// The MLP up to the down projection, without it, and that one's input.
    fn expand(&self, middle: &Tensor, stream: &Stream<'_>) -> Result<(Mlp, Tensor)> {
        let norm = kernels::rms_norm(middle, &self.post_norm.value(), stream.config.rms_norm_eps)?;
        let (gate_up, kept) = self.gate_up.forward(GATE_UP, &norm, None, stream.dropout)?;
        let activated = kernels::swiglu(&gate_up)?;
        Ok((Mlp { gate_up, kept, kept_down: Kept::default() }, activated))
    }

    /// The linear layers with their names inside the block.
    pub(crate) fn linears(&self) -> impl Iterator<Item = (&'static str, &Linear)> {
        let stacks = [&self.qkv, &self.o, &self.gate_up, &self.down];
        NAMES.into_iter().zip(stacks.into_iter().flat_map(Stacked::layers))
    }

    /// The same, to replace them.
    pub(crate) fn linears_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Linear)> {
        let stacks = [&mut self.qkv, &mut self.o, &mut self.gate_up, &mut self.down];
        NAMES.into_iter().zip(stacks.into_iter().flat_map(Stacked::layers_mut))
    }

    /// Stacks weights that were replaced.
    pub(crate) fn restack(&mut self) -> lora::Result<()> {
        for stack in [&mut self.qkv, &mut self.o, &mut self.gate_up, &mut self.down] {
            stack.restack()?;
        }
        Ok(())
    }

    /// Whether training changes anything here.
    pub(crate) fn is_trainable(&self) -> bool {
        let norms = [&self.input_norm, &self.post_norm].into_iter().any(|n| n.var().is_some());
        norms || [&self.qkv, &self.o, &self.gate_up, &self.down].into_iter().any(Stacked::is_trainable)
    }
}

const NAMES: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

/// Attention of single tokens, each over the cache that it joins.
fn mix_each(
    block: usize,
    caches: &mut [&mut crate::KvCache],
    (q, k, v): (&Tensor, &Tensor, &Tensor),
) -> Result<Tensor> {
    let mut mixed = Vec::with_capacity(caches.len());
    for (row, cache) in caches.iter_mut().enumerate() {
        let (keys, values) = cache.extend(block, &k.narrow(0, row, 1)?, &v.narrow(0, row, 1)?)?;
        let before = keys.dim(0)? - 1;
        mixed.push(kernels::attention(&q.narrow(0, row, 1)?, &keys, &values, &PackedRows::new(vec![1]).after(before))?);
    }
    Ok(Tensor::cat(&mixed, 0)?)
}

fn at(x: &Tensor, asking: Option<&[u32]>) -> Result<Tensor> {
    asking.map_or(Ok(x.clone()), |asking| Ok(kernels::gather_rows(x, asking)?))
}

fn positions_at(positions: &[u32], asking: &[u32]) -> Vec<u32> {
    asking.iter().filter_map(|&i| positions.get(i as usize).copied()).collect()
}

fn rows(stream: &Stream<'_>, shared: usize, asking: Option<&[u32]>) -> PackedRows {
    let rows = PackedRows::new(stream.lengths.to_vec()).after(shared);
    match asking {
        Some(asking) => rows.only(asking.iter().map(|&i| i as usize).collect()),
        None => rows,
    }
}
