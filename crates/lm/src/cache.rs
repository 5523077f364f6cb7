use crate::{Error, Result};
use candle_core::Tensor;

/// Keys and values of the tokens so far, one entry a block. Grown by [`crate::Llama::hidden`].
#[derive(Debug, Clone, Default)]
pub struct KvCache {
    /// `[B, S, KV, D]` each.
    blocks: Vec<(Tensor, Tensor)>,
    rows: usize,
    length: usize,
    ragged: bool,
}

impl KvCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens held of each row.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The same single row for `rows` continuations.
    pub fn repeat(&self, rows: usize) -> Result<Self> {
        if self.rows != 1 {
            return Err(Error::CacheRows { cached: self.rows, rows: 1 });
        }
        let spread = |t: &Tensor| {
            let (_, length, heads, width) = t.dims4()?;
            t.broadcast_as((rows, length, heads, width))?.contiguous()
        };
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for (k, v) in &self.blocks {
            blocks.push((spread(k)?, spread(v)?));
        }
        Ok(Self { blocks, rows, length: self.length, ragged: false })
    }

    /// Refuses a batch that cannot follow what is held.
    pub(crate) fn accept(&self, rows: usize) -> Result<()> {
        if self.ragged {
            return Err(Error::RaggedCache);
        }
        if !self.is_empty() && self.rows != rows {
            return Err(Error::CacheRows { cached: self.rows, rows });
        }
        Ok(())
    }

    /// Appends keys and values of block `block` and returns all of them.
    pub(crate) fn extend(&mut self, block: usize, k: &Tensor, v: &Tensor) -> Result<(Tensor, Tensor)> {
        let both = match self.blocks.get(block) {
            Some((old_k, old_v)) => (Tensor::cat(&[old_k, k], 1)?, Tensor::cat(&[old_v, v], 1)?),
            None => (k.clone(), v.clone()),
        };
        match self.blocks.get_mut(block) {
            Some(slot) => *slot = both.clone(),
            None => self.blocks.push(both.clone()),
        }
        Ok(both)
    }

    /// Notes that a batch went through all blocks.
    pub(crate) fn advance(&mut self, lengths: &[usize]) {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        self.rows = lengths.len();
        self.length += longest;
        self.ragged = lengths.iter().any(|&l| l != longest);
    }
}
