use crate::{Dropout, Error, Llama, Result};
use candle_core::Tensor;
use lora::Pass;

impl Llama {
    /// Summed cross-entropy of the supervised tokens, with gradients recorded, and their number. `mask[t]` says that
    /// token t is a target; the logits at t−1 predict it. Divide by the supervised tokens of the whole optimizer step.
    ///
    /// Two exact savings: logits exist at supervised positions only, and what follows a row's last target is not run.
    /// `train` gives adapter dropout its masks; without it nothing is dropped.
    ///
    /// # Shapes
    /// Rows of ids with a mask of the same length → (scalar, count). Rows without a target count 0.
    pub fn loss(&self, rows: &[(&[u32], &[bool])], train: Option<&mut Dropout>) -> Result<(Tensor, usize)> {
        let mut inputs: Vec<&[u32]> = Vec::with_capacity(rows.len());
        let mut predictors = Vec::new();
        let mut targets = Vec::new();
        for (row, (ids, mask)) in rows.iter().enumerate() {
            if ids.len() != mask.len() {
                return Err(Error::MaskLength { row, ids: ids.len(), mask: mask.len() });
            }
            if mask.first() == Some(&true) {
                return Err(Error::FirstSupervised { row });
            }
            let Some(last) = mask.iter().rposition(|&m| m) else { continue };
            let number = inputs.len();
            inputs.push(ids.get(..last).unwrap_or_default());
            for (t, (&id, _)) in ids.iter().zip(*mask).enumerate().filter(|(_, (_, m))| **m) {
                predictors.push((number, t - 1));
                targets.push(id);
            }
        }
        if targets.is_empty() {
            return Ok((Tensor::zeros((), self.dtype(), self.device())?, 0));
        }
        let vocab_size = self.config().vocab_size;
        if let Some((i, &id)) = targets.iter().enumerate().find(|&(_, &id)| id as usize >= vocab_size) {
            let (row, position) = predictors.get(i).map_or((0, 0), |&(row, t)| (row, t + 1));
            return Err(Error::Token { row, position, id, vocab_size });
        }
        let mut pass = match train {
            Some(dropout) => Pass::training(dropout),
            None => Pass::gradients(),
        };
        let hidden = self.forward(&inputs, None, &mut pass)?;
        let (batch, time, width) = hidden.dims3()?;
        let places: Vec<u32> = predictors.iter().map(|&(row, t)| (row * time + t) as u32).collect();
        let supervised = kernels::gather_rows(&hidden.reshape((batch * time, width))?, &places)?;
        let logits = self.project(&supervised, &mut pass)?;
        Ok((kernels::cross_entropy_sum(&logits, &targets)?, targets.len()))
    }
}
