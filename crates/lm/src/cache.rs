use crate::Result;
use candle_core::Tensor;

/// Keys and values of the tokens so far, one entry a block. Grown by [`crate::Llama::hidden`], read by
/// [`crate::Llama::hidden_after`].
#[derive(Debug, Default)]
pub struct KvCache {
    blocks: Vec<Room>,
    length: usize,
}

/// Room for tokens to come, so that adding one copies one.
#[derive(Debug)]
struct Room {
    /// `[capacity, KV, D]` each.
    keys: Tensor,
    values: Tensor,
}

impl KvCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens held.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Keys and values of block `block`, `[tokens, KV, D]` each.
    pub(crate) fn block(&self, block: usize) -> Result<Option<(Tensor, Tensor)>> {
        match self.blocks.get(block) {
            Some(room) if self.length > 0 => Ok(Some(room.first(self.length)?)),
            _ => Ok(None),
        }
    }

    /// Appends keys and values of block `block`, which follow what [`KvCache::advance`] last counted, and returns all.
    pub(crate) fn extend(&mut self, block: usize, keys: &Tensor, values: &Tensor) -> Result<(Tensor, Tensor)> {
        let (tokens, heads, width) = keys.dims3()?;
        let needed = self.length + tokens;
        let capacity = self.blocks.get(block).map_or(Ok(0), |room| room.keys.dim(0))?;
        if capacity < needed {
            let shape = (needed.max(2 * capacity).next_multiple_of(64), heads, width);
            let grown = Room {
                keys: Tensor::zeros(shape, keys.dtype(), keys.device())?,
                values: Tensor::zeros(shape, keys.dtype(), keys.device())?,
            };
            if let Some((old_keys, old_values)) = self.block(block)? {
                grown.keys.slice_set(&old_keys, 0, 0)?;
                grown.values.slice_set(&old_values, 0, 0)?;
            }
            match self.blocks.get_mut(block) {
                Some(room) => *room = grown,
                None => self.blocks.push(grown),
            }
        }
        let Some(room) = self.blocks.get(block) else { return Ok((keys.clone(), values.clone())) };
        room.keys.slice_set(&keys.contiguous()?, 0, self.length)?;
        room.values.slice_set(&values.contiguous()?, 0, self.length)?;
        room.first(needed)
    }

    /// Notes that `tokens` went through all blocks.
    pub(crate) fn advance(&mut self, tokens: usize) {
        self.length += tokens;
    }
}

impl Room {
    fn first(&self, tokens: usize) -> Result<(Tensor, Tensor)> {
        Ok((self.keys.narrow(0, 0, tokens)?, self.values.narrow(0, 0, tokens)?))
    }
}
