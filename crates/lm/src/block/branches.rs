//! A block over rows after a common prefix and over branches that each go on from one row: keys and values of prefix and row
//! are computed once, however many ways on there are.

use super::{Block, KeyValue, ONE, QKV, Stream, at};
use crate::Result;
use candle_core::Tensor;
use kernels::PackedRows;

/// Keys and values of everything that comes before a row's branches, one entry a block.
#[derive(Debug, Default)]
pub(crate) struct Trunk {
    past: Vec<KeyValue>,
}

/// The tokens of one pass: first the rows (`Stream::lengths`), then the branches of each trunk in turn.
pub(crate) struct Tree<'a> {
    pub(crate) trunks: &'a mut [Trunk],
    /// Lengths of the branches of each trunk.
    pub(crate) branches: &'a [Vec<usize>],
    /// Whether the rows of this pass become their trunks' past.
    pub(crate) keep_rows: bool,
    /// Whether the (one) branch of each trunk becomes its past.
    pub(crate) keep_branches: bool,
}

impl Tree<'_> {
    /// The last token of each row and every token of the branches.
    pub(crate) fn asking(&self, lengths: &[usize]) -> Vec<u32> {
        let rows: usize = lengths.iter().sum();
        let branched: usize = self.branches.iter().flatten().sum();
        ends(lengths).into_iter().chain(rows..rows + branched).map(|i| i as u32).collect()
    }
}

fn ends(lengths: &[usize]) -> Vec<usize> {
    let mut end = 0;
    lengths
        .iter()
        .map(|length| {
            end += length;
            end - 1
        })
        .collect()
}

fn joined((keys, values): &KeyValue, k: &Tensor, v: &Tensor) -> Result<KeyValue> {
    Ok((Tensor::cat(&[keys, k], 0)?, Tensor::cat(&[values, v], 0)?))
}

impl Block {
    /// The output of block `number`; with `last`, at the tokens of [`Tree::asking`] only.
    ///
    /// # Shapes
    /// `x` `[rows and branches, hidden]` → the same, or `[asking, hidden]`.
    pub(crate) fn forward_tree(
        &self,
        number: usize,
        x: &Tensor,
        stream: &Stream<'_>,
        prefix: Option<&KeyValue>,
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
        let (q, k, v) = (part(0, heads)?, part(heads, kv_heads)?, part(heads + kv_heads, kv_heads)?);

        let mut mixed = Vec::new();
        let in_rows: usize = stream.lengths.iter().sum();
        if in_rows > 0 {
            let (k, v) = (k.narrow(0, 0, in_rows)?, v.narrow(0, 0, in_rows)?);
            let (keys, values) = prefix.map_or_else(|| Ok((k.clone(), v.clone())), |p| joined(p, &k, &v))?;
            let rows = PackedRows::new(stream.lengths.to_vec()).after(keys.dim(0)? - in_rows);
            let q = q.narrow(0, 0, in_rows)?;
            mixed.push(if last {
                let ends = ends(stream.lengths);
                let index = Tensor::from_vec(ends.iter().map(|&i| i as u32).collect(), ends.len(), x.device())?;
                kernels::attention(&q.contiguous()?.index_select(&index, 0)?, &keys, &values, &rows.only(ends))?
            } else {
                kernels::attention(&q, &keys, &values, &rows)?
            });
            if tree.keep_rows {
                let mut start = 0;
                for (trunk, &length) in tree.trunks.iter_mut().zip(stream.lengths) {
                    let (k, v) = (k.narrow(0, start, length)?, v.narrow(0, start, length)?);
                    trunk.past.push(match prefix {
                        Some(prefix) => joined(prefix, &k, &v)?,
                        None => (k.contiguous()?, v.contiguous()?),
                    });
                    start += length;
                }
            }
        }
        let mut start = in_rows;
        for (trunk, branches) in tree.trunks.iter_mut().zip(tree.branches) {
            let count: usize = branches.iter().sum();
            let Some(past) = trunk.past.get_mut(number).filter(|_| count > 0) else { continue };
            let before = past.0.dim(0)?;
            let (k, v) = (k.narrow(0, start, count)?, v.narrow(0, start, count)?);
            let (keys, values) = joined(past, &k, &v)?;
            let rows = PackedRows::new(branches.clone()).after(before);
            mixed.push(kernels::attention(&q.narrow(0, start, count)?, &keys, &values, &rows)?);
            if tree.keep_branches {
                *past = (keys, values);
            }
            start += count;
        }
        let mixed = match mixed.as_slice() {
            [one] => one.clone(),
            several => Tensor::cat(several, 0)?,
        };
        let mixed = mixed.reshape((mixed.dim(0)?, heads * width))?;
        let asking = last.then(|| tree.asking(stream.lengths));
        let (middle, _) = self.o.forward(ONE, &mixed, Some(&at(x, asking.as_deref())?), None)?;
        let (_, activated) = self.expand(&middle, stream)?;
        Ok(self.down.forward(ONE, &activated, Some(&middle), None)?.0)
    }
}
