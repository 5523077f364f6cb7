//! One optimizer step's loss and gradients: all rows at once, in parts that fit, common prefixes once.

use crate::block::{Before, Block, BlockGradients, Flow, KeyValue, Saved, Stream};
use crate::packed::Packed;
use crate::prefix_groups::{Group, groups};
use crate::{Error, Llama, Recompute, Result, StepOptions};
use candle_core::Tensor;
use lora::{Dropout, GradientSum};
use std::collections::BTreeMap;

/// Sums over the rows of a step. Divide by `supervised` for the mean.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// Summed cross-entropy of the supervised tokens, in nats.
    pub loss: f64,
    /// Supervised tokens.
    pub supervised: usize,
    /// Tokens that went through the blocks; fewer than the rows have where a prefix is shared, more where rows are padded.
    pub tokens_computed: usize,
    /// The gradient of each trained tensor by its name in the file; absent where none reached it.
    pub tensors: BTreeMap<String, Tensor>,
}

/// A row with what it is to predict. Token ids and mask as given to [`Llama::gradients`].
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// Up to the last token that predicts something.
    pub(crate) ids: &'a [u32],
    /// Places whose next token is supervised.
    pub(crate) predictors: Vec<usize>,
    pub(crate) targets: Vec<u32>,
}

/// Rows computed at once.
struct Part {
    packed: Packed,
    /// Where each target is predicted, among the packed tokens.
    predictors: Vec<u32>,
    targets: Vec<u32>,
}

/// The common prefix of some rows, run once, and what the rows' backward passes owe it.
struct Prefix {
    packed: Packed,
    saved: Vec<Saved>,
    keys: Vec<KeyValue>,
    owed: Vec<Option<KeyValue>>,
}

impl Llama {
    /// Loss and gradients of a whole optimizer step. `mask[t]` says that token t is a target; the logits at t−1 predict it.
    /// What follows a row's last target is not run; rows without a target count 0.
    ///
    /// # Errors
    /// Rows that the model cannot read or that have nothing to predict from.
    pub fn gradients(
        &self,
        rows: &[(&[u32], &[bool])],
        options: &StepOptions,
        dropout: Option<&Dropout>,
    ) -> Result<Gradients> {
        let mut sum = GradientSum::default();
        let (loss, supervised, tokens_computed) = self.step(rows, options, dropout.copied(), Some(&mut sum))?;
        let mut tensors = BTreeMap::new();
        for (name, var) in self.trainable() {
            if let Some(gradient) = sum.get(&var) {
                tensors.insert(name, gradient.clone());
            }
        }
        Ok(Gradients { loss, supervised, tokens_computed, tensors })
    }

    /// As [`Llama::gradients`] without gradients and dropout: (summed loss, supervised tokens).
    pub fn loss(&self, rows: &[(&[u32], &[bool])], options: &StepOptions) -> Result<(f64, usize)> {
        let (loss, supervised, _) = self.step(rows, options, None, None)?;
        Ok((loss, supervised))
    }

    fn step(
        &self,
        rows: &[(&[u32], &[bool])],
        options: &StepOptions,
        dropout: Option<Dropout>,
        mut sum: Option<&mut GradientSum>,
    ) -> Result<(f64, usize, usize)> {
        let rows = self.rows(rows)?;
        let dropout = dropout.filter(Dropout::is_active);
        let (mut loss, mut supervised, mut tokens) = (0.0, 0, 0);
        let groups = if options.savings.shared_prefix && dropout.is_none() {
            groups(&rows)
        } else {
            vec![Group { shared: 0, rows: (0..rows.len()).collect() }]
        };
        for Group { shared, rows: members } in groups {
            let members: Vec<&Row<'_>> = members.iter().filter_map(|&i| rows.get(i)).collect();
            let parts = parts(&members, shared, options);
            supervised += parts.iter().map(|p| p.targets.len()).sum::<usize>();
            tokens += shared + parts.iter().map(|p| p.packed.tokens()).sum::<usize>();
            let common = members.first().and_then(|row| row.ids.get(..shared)).filter(|ids| !ids.is_empty());
            let mut prefix = common.map(|ids| self.prefix(ids)).transpose()?;
            for (number, part) in parts.iter().enumerate() {
                let dropout = dropout.map(|d| d.part(number));
                loss += self.part(part, options, dropout, prefix.as_mut(), sum.as_deref_mut())?;
            }
            if let (Some(prefix), Some(sum)) = (prefix, sum.as_deref_mut()) {
                self.prefix_backward(prefix, sum)?;
            }
        }
        Ok((loss, supervised, tokens))
    }

    /// Checks rows and finds what they predict.
    fn rows<'a>(&self, rows: &[(&'a [u32], &'a [bool])]) -> Result<Vec<Row<'a>>> {
        let mut kept = Vec::with_capacity(rows.len());
        for (row, &(ids, mask)) in rows.iter().enumerate() {
            if ids.len() != mask.len() {
                return Err(Error::MaskLength { row, ids: ids.len(), mask: mask.len() });
            }
            if mask.first() == Some(&true) {
                return Err(Error::FirstSupervised { row });
            }
        }
        self.check_rows(rows.iter().map(|(ids, _)| *ids), 0)?;
        for &(ids, mask) in rows {
            let places: Vec<usize> = mask.iter().enumerate().filter(|(_, m)| **m).map(|(t, _)| t).collect();
            let Some(&last) = places.last() else { continue };
            kept.push(Row {
                ids: ids.get(..last).unwrap_or_default(),
                predictors: places.iter().map(|t| t - 1).collect(),
                targets: places.iter().filter_map(|&t| ids.get(t).copied()).collect(),
            });
        }
        Ok(kept)
    }

    pub(crate) fn stream<'a>(
        &'a self,
        packed: &'a Packed,
        tables: &'a (Tensor, Tensor),
        dropout: Option<Dropout>,
    ) -> Stream<'a> {
        Stream {
            config: self.config(),
            cos: &tables.0,
            sin: &tables.1,
            positions: &packed.positions,
            lengths: &packed.lengths,
            dropout,
        }
    }

    /// The first block in which anything is trained; no gradient flows below it.
    fn first_trained(&self) -> usize {
        if self.embedding.var().is_some() {
            return 0;
        }
        self.blocks.iter().position(Block::is_trainable).unwrap_or(self.blocks.len())
    }

    fn prefix(&self, ids: &[u32]) -> Result<Prefix> {
        let packed = Packed::new(&[ids], 0);
        let tables = self.rotary.tables(ids.len())?;
        let stream = self.stream(&packed, &tables, None);
        let mut x = Some(self.embed(&packed.ids)?);
        let (mut saved, mut keys) = (Vec::new(), Vec::new());
        let last = self.blocks.len() - 1;
        for (number, block) in self.blocks.iter().enumerate() {
            let Some(input) = x.take() else { break };
            // Only keys and values of the last block are of use to anyone.
            let asking: Option<&[u32]> = (number == last).then_some(&[]);
            let (out, left) = block.forward(&input, &stream, Before::Nothing, asking, Some(Recompute::None))?;
            keys.extend(Block::own_keys(&left, packed.tokens())?);
            saved.push(left);
            x = out;
        }
        let owed = keys.iter().map(|_| None).collect();
        Ok(Prefix { packed, saved, keys, owed })
    }

    fn prefix_backward(&self, prefix: Prefix, sum: &mut GradientSum) -> Result<()> {
        let tables = self.rotary.tables(prefix.packed.tokens())?;
        let stream = self.stream(&prefix.packed, &tables, None);
        let first = self.first_trained();
        let mut d_out = None;
        let layers = self.blocks.iter().zip(prefix.saved).zip(prefix.owed).enumerate().rev();
        for (number, ((block, saved), d_own)) in layers.take_while(|(number, _)| *number >= first) {
            let input_gradient = number > first || self.embedding.var().is_some();
            let flow = Flow { d_out, d_own, input_gradient, sum };
            d_out = block.backward(saved, &stream, None, flow)?.x;
        }
        self.embed_backward(&prefix.packed.ids, d_out, sum)
    }

    fn part(
        &self,
        part: &Part,
        options: &StepOptions,
        dropout: Option<Dropout>,
        mut prefix: Option<&mut Prefix>,
        mut sum: Option<&mut GradientSum>,
    ) -> Result<f64> {
        let longest = part.packed.positions.iter().max().map_or(0, |&p| p as usize + 1);
        let tables = self.rotary.tables(longest)?;
        let stream = self.stream(&part.packed, &tables, dropout);
        let last = self.blocks.len() - 1;
        let keep = sum.is_some().then_some(options.recompute);
        let pruned = options.savings.last_block;
        let mut saved = Vec::with_capacity(self.blocks.len());
        let mut x = self.embed(&part.packed.ids)?;
        for (number, block) in self.blocks.iter().enumerate() {
            let before = prefix.as_ref().and_then(|p| p.keys.get(number)).cloned();
            let before = before.map_or(Before::Nothing, Before::Shared);
            let asking = (pruned && number == last).then_some(part.predictors.as_slice());
            let (out, left) = block.forward(&x, &stream, before, asking, keep)?;
            if sum.is_some() {
                saved.push(left);
            }
            let Some(out) = out else { return Ok(0.0) };
            x = out;
        }
        let (loss, d_out) = self.predict(part, &x, options, sum.as_deref_mut())?;
        drop(x);
        let Some((sum, d_out)) = sum.zip(d_out) else { return Ok(loss) };
        let first = self.first_trained();
        let mut d_out = Some(d_out);
        let layers = self.blocks.iter().zip(saved).enumerate().rev();
        for (number, (block, saved)) in layers.take_while(|(number, _)| *number >= first) {
            // Keys and values of the shared prefix carry gradients to it even where no input gradient is wanted.
            let input_gradient = number > first || self.embedding.var().is_some();
            let shared = prefix.as_ref().and_then(|p| p.keys.get(number)).cloned();
            let flow = Flow { d_out, d_own: None, input_gradient, sum };
            let BlockGradients { x, shared } = block.backward(saved, &stream, shared.as_ref(), flow)?;
            if let (Some((d_k, d_v)), Some(prefix)) = (shared, prefix.as_deref_mut())
                && let Some(owed) = prefix.owed.get_mut(number)
            {
                *owed = Some(match owed.take() {
                    Some((k, v)) => ((k + d_k)?, (v + d_v)?),
                    None => (d_k.copy()?, d_v.copy()?),
                });
            }
            d_out = x;
        }
        self.embed_backward(&part.packed.ids, d_out, sum)?;
        Ok(loss)
    }

    /// Final norm, head and cross-entropy: the summed loss, and the gradient of `x` where there is a sum to add to.
    fn predict(
        &self,
        part: &Part,
        x: &Tensor,
        options: &StepOptions,
        sum: Option<&mut GradientSum>,
    ) -> Result<(f64, Option<Tensor>)> {
        let (tokens, eps) = (part.packed.tokens(), self.config().rms_norm_eps);
        let everywhere = !options.savings.supervised_logits && !options.savings.last_block;
        let gathered = options.savings.supervised_logits && !options.savings.last_block;
        let x = if gathered { kernels::gather_rows(x, &part.predictors)? } else { x.clone() };
        let weight = self.norm.value();
        let norm = kernels::rms_norm(&x, &weight, eps)?;
        let (mut logits, kept) = self.head.forward(0..1, &norm, None, None)?;
        if everywhere {
            logits = kernels::gather_rows(&logits, &part.predictors)?;
        }
        let (loss, mut d_logits) = kernels::cross_entropy(logits, &part.targets)?;
        let Some(sum) = sum else { return Ok((loss, None)) };
        if everywhere {
            d_logits = kernels::gather_rows_backward(&d_logits, &part.predictors, tokens)?;
        }
        let d_norm = self.head.backward(0..1, &norm, &kept, &d_logits, true, None, sum)?;
        let Some(d_norm) = d_norm else { return Ok((loss, None)) };
        let var = self.norm.var();
        let (mut d_x, d_weight) = kernels::rms_norm_backward(&x, &weight, eps, &d_norm, None, var.is_some())?;
        if let (Some(var), Some(d_weight)) = (var, d_weight) {
            sum.add(var, d_weight)?;
        }
        if gathered {
            d_x = kernels::gather_rows_backward(&d_x, &part.predictors, tokens)?;
        }
        Ok((loss, Some(d_x)))
    }

    fn embed_backward(&self, ids: &[u32], d_x: Option<Tensor>, sum: &mut GradientSum) -> Result<()> {
        if let (Some(var), Some(d_x)) = (self.embedding.var(), d_x) {
            sum.add(var, kernels::gather_rows_backward(&d_x, ids, self.config().vocab_size)?)?;
        }
        Ok(())
    }
}

/// The rows after their first `shared` tokens, packed into parts of at most `tokens_at_once` tokens: as few as will do, of
/// nearly equal size, so that they need no more memory than one of them and each can use what the one before leaves.
fn parts(rows: &[&Row<'_>], shared: usize, options: &StepOptions) -> Vec<Part> {
    let longest = rows.iter().map(|r| r.ids.len() - shared).max().unwrap_or(0);
    let length = |row: &Row<'_>| if options.savings.packing { row.ids.len() - shared } else { longest };
    let total: usize = rows.iter().map(|row| length(row)).sum();
    let even = total.div_ceil(total.div_ceil(options.tokens_at_once.max(1)).max(1));
    let mut parts: Vec<Part> = Vec::new();
    let mut before = 0;
    for row in rows {
        let mut ids = row.ids.get(shared..).unwrap_or_default().to_vec();
        ids.resize(length(row), 0);
        let fits = |part: &&mut Part| part.packed.tokens() + ids.len() <= options.tokens_at_once;
        let full = before + ids.len() / 2 > even * parts.len();
        if full || parts.last_mut().as_ref().is_none_or(|part| !fits(part)) {
            parts.push(Part { packed: Packed::default(), predictors: Vec::new(), targets: Vec::new() });
        }
        before += ids.len();
        let Some(part) = parts.last_mut() else { continue };
        let start = part.packed.tokens();
        part.predictors.extend(row.predictors.iter().map(|&t| (start + t - shared) as u32));
        part.targets.extend_from_slice(&row.targets);
        part.packed.push(&ids, shared);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_few_as_fit_hold_every_row_in_order_and_are_nearly_equal() {
        let ids: Vec<u32> = (0..100).collect();
        let rows: Vec<Row<'_>> = (0..32)
            .map(|i| Row { ids: &ids[..60 + 25 + i * 37 % 15], predictors: vec![70], targets: vec![i as u32] })
            .collect();
        let rows: Vec<&Row<'_>> = rows.iter().collect();
        let total: usize = rows.iter().map(|r| r.ids.len() - 60).sum();
        for (tokens_at_once, expected) in
            [(10_000, 1), (total, 1), (total - 1, 2), (total / 2 + 40, 2), (300, 4), (1, 32)]
        {
            let options = StepOptions { tokens_at_once, ..StepOptions::default() };
            let parts = parts(&rows, 60, &options);
            let sizes: Vec<usize> = parts.iter().map(|p| p.packed.tokens()).collect();
            assert_eq!(parts.len(), expected, "{tokens_at_once}: {sizes:?}");
            assert_eq!(sizes.iter().sum::<usize>(), total);
            assert!(parts.iter().flat_map(|p| &p.targets).copied().eq(0..32));
            if let (Some(least), Some(most)) = (sizes.iter().min(), sizes.iter().max())
                && tokens_at_once > 40
            {
                assert!(*most <= tokens_at_once && most - least <= 40, "{tokens_at_once}: {sizes:?}");
            }
        }
    }
}
