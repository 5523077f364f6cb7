//! A block over the new tokens of a tree: each token sees the tokens on its own way from the root, and every token is computed
//! once, however many ways lead through it.

use super::{Block, KeyValue, ONE, QKV, Stream, at};
use crate::Result;
use candle_core::Tensor;
use kernels::PackedRows;

/// Keys and values of the tree's tokens so far, one entry a block.
#[derive(Debug, Default)]
pub(crate) struct Trunk {
    past: Vec<KeyValue>,
}

impl Trunk {
    /// Of the first `tokens` tokens only.
    pub(crate) fn first(&self, tokens: usize) -> Result<Self> {
        let first = |(k, v): &KeyValue| Ok((k.narrow(0, 0, tokens)?, v.narrow(0, 0, tokens)?));
        Ok(Self { past: self.past.iter().map(first).collect::<Result<_>>()? })
    }

    /// Appends to block `number`, and returns all.
    fn extend(&mut self, number: usize, k: &Tensor, v: &Tensor) -> Result<KeyValue> {
        let Some(past) = self.past.get_mut(number) else {
            let all = (k.contiguous()?, v.contiguous()?);
            self.past.push(all.clone());
            return Ok(all);
        };
        *past = (Tensor::cat(&[&past.0, k], 0)?, Tensor::cat(&[&past.1, v], 0)?);
        Ok(past.clone())
    }
}

/// The new tokens of one pass, which join the trunk.
pub(crate) struct Tree<'a> {
    pub(crate) trunk: &'a mut Trunk,
    /// The tokens of the trunk, the new ones included, in the order in which `ways` sees them: some stand on several ways.
    pub(crate) seen: &'a [u32],
    /// The ways from the root to the ends of what is new; the new tokens ask, each once.
    pub(crate) ways: &'a PackedRows,
    /// The new tokens whose output is wanted.
    pub(crate) read: &'a [u32],
    /// `ways`, where only those ask.
    pub(crate) read_ways: &'a PackedRows,
}

impl Block {
    /// The output of block `number` at all new tokens; with `last`, at those of [`Tree::read`] only.
    ///
    /// # Shapes
    /// `x` `[new, hidden]` → the same, or `[read, hidden]`.
    pub(crate) fn forward_tree(
        &self,
        number: usize,
        x: &Tensor,
        stream: &Stream<'_>,
        tree: &mut Tree<'_>,
        last: bool,
    ) -> Result<Tensor> {
        let config = stream.config;
        let (heads, kv_heads, width) = (config.num_attention_heads, config.num_key_value_heads, config.head_dim);
        let tokens = x.dim(0)?;
        let norm = kernels::rms_norm(x, &self.input_norm.value(), config.rms_norm_eps)?;
        let (y, _) = self.qkv.forward(QKV, &norm, None, None)?;
        let y = y.reshape((tokens, heads + 2 * kv_heads, width))?;
        let y = kernels::rope(&y, stream.cos, stream.sin, stream.positions, heads + kv_heads)?;
        let part = |from, count| y.narrow(1, from, count);
        let (keys, values) = tree.trunk.extend(number, &part(heads, kv_heads)?, &part(heads + kv_heads, kv_heads)?)?;
        let seen = |all: Tensor| picked(&all, tree.seen, kv_heads, width);
        let (keys, values) = (seen(keys)?, seen(values)?);
        let q = part(0, heads)?;
        let (q, ways) = if last { (picked(&q, tree.read, heads, width)?, tree.read_ways) } else { (q, tree.ways) };
        let mixed = kernels::attention(&q, &keys, &values, ways)?;
        let mixed = mixed.reshape((mixed.dim(0)?, heads * width))?;
        let (middle, _) = self.o.forward(ONE, &mixed, Some(&at(x, last.then_some(tree.read))?), None)?;
        let (_, activated) = self.expand(&middle, stream)?;
        Ok(self.down.forward(ONE, &activated, Some(&middle), None)?.0)
    }
}

/// Tokens by number, of `[tokens, heads, width]`.
fn picked(all: &Tensor, tokens: &[u32], heads: usize, width: usize) -> Result<Tensor> {
    let flat = all.contiguous()?.reshape((all.dim(0)?, heads * width))?;
    Ok(kernels::gather_rows(&flat, tokens)?.reshape((tokens.len(), heads, width))?)
}
