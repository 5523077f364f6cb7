use crate::raw::{floats, fusable, output, slice, tensor};
use crate::rows::{for_blocks, map_blocks};
use crate::simd::{exp_in_place, exp_sum, max, vectorised};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// Σ over rows of −log softmax(logits) at the row's target, as a stable log-sum-exp; rows are added in f64.
/// Divide by the number of supervised tokens of the whole optimizer step, not of this batch.
///
/// # Shapes
/// `logits` `[N, V]`, `targets` N classes below V → scalar.
pub fn cross_entropy_sum(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    if rows != targets.len() {
        let expected = format!("[{}, vocabulary], one row a target", targets.len());
        let found = logits.dims().into();
        return Err(Error::Shape { op: "cross_entropy_sum", what: "logits", found, expected }.into());
    }
    if let Some((row, &target)) = targets.iter().enumerate().find(|&(_, &t)| t as usize >= classes) {
        return Err(Error::Target { row, target, classes }.into());
    }
    if !fusable(&[logits]) {
        return reference::cross_entropy_sum(logits, targets);
    }
    logits.contiguous()?.apply_op1(CrossEntropySum { targets: targets.to_vec(), classes })
}

struct CrossEntropySum {
    targets: Vec<u32>,
    classes: usize,
}

impl CustomOp1 for CrossEntropySum {
    fn name(&self) -> &'static str {
        "cross_entropy_sum"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let logits = slice(logits, layout)?;
        let classes = self.classes;
        let partial = map_blocks(self.targets.len(), classes, |range| {
            let rows = logits[range.start * classes..range.end * classes].chunks_exact(classes);
            vectorised(
                #[inline(always)]
                || {
                    let mut sum = 0f64;
                    for (row, &target) in rows.zip(&self.targets[range]) {
                        let top = max(row);
                        let spread = exp_sum(row, top);
                        sum += f64::from(top) + f64::from(spread).ln() - f64::from(row[target as usize]);
                    }
                    sum
                },
            )
        });
        Ok(output(vec![partial.iter().sum::<f64>() as f32], &[]))
    }

    fn bwd(&self, logits: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.to_scalar::<f32>()?;
        let values = floats(logits)?;
        let classes = self.classes;
        let mut out = values.to_vec();
        for_blocks(&mut out, classes, |first, block| {
            vectorised(
                #[inline(always)]
                || {
                    for (row, &target) in block.chunks_exact_mut(classes).zip(&self.targets[first..]) {
                        let top = max(row);
                        let scale = grad / exp_in_place(row, top);
                        for value in row.iter_mut() {
                            *value *= scale;
                        }
                        row[target as usize] -= grad;
                    }
                },
            );
        });
        Ok(Some(tensor(out, logits.dims())?))
    }
}
