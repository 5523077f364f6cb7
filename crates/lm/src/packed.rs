use crate::{Error, Llama, Result};

/// Rows of token ids laid one after another, without padding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Packed {
    pub(crate) ids: Vec<u32>,
    pub(crate) positions: Vec<u32>,
    pub(crate) lengths: Vec<usize>,
}

impl Packed {
    /// `offset` tokens stand before each row.
    pub(crate) fn new(rows: &[&[u32]], offset: usize) -> Self {
        let mut packed = Self::default();
        for row in rows {
            packed.push(row, offset);
        }
        packed
    }

    pub(crate) fn push(&mut self, row: &[u32], offset: usize) {
        self.ids.extend_from_slice(row);
        self.positions.extend((offset..offset + row.len()).map(|p| p as u32));
        self.lengths.push(row.len());
    }

    pub(crate) fn tokens(&self) -> usize {
        self.ids.len()
    }
}

impl Llama {
    /// Refuses rows that the model cannot read after `offset` tokens.
    pub(crate) fn check_rows<'a>(&self, rows: impl Iterator<Item = &'a [u32]>, offset: usize) -> Result<()> {
        let (vocab_size, limit) = (self.config().vocab_size, self.config().max_position_embeddings);
        let mut empty = true;
        for (row, ids) in rows.enumerate() {
            empty = false;
            if ids.is_empty() {
                return Err(Error::EmptyRow { row });
            }
            if offset + ids.len() > limit {
                return Err(Error::TooLong { row, tokens: offset + ids.len(), limit });
            }
            if let Some((position, &id)) = ids.iter().enumerate().find(|&(_, &id)| id as usize >= vocab_size) {
                return Err(Error::Token { row, position, id, vocab_size });
            }
        }
        if empty { Err(Error::EmptyBatch) } else { Ok(()) }
    }
}
