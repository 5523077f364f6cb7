use crate::raw::{floats, fusable, output, slice, tensor};
use crate::rows::{map_blocks, new_rows_and};
use crate::simd::{exp_in_place, exp_sum, max, vectorised};
use crate::{Error, Result, reference};
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};

/// Σ over rows of −log softmax(logits) at the row's target, as a stable log-sum-exp; rows are added in f64.
/// Divide by the number of supervised tokens of the whole optimizer step, not of this batch.
///
/// # Shapes
/// `logits` `[S, V]`, `targets` S classes below V → scalar.
pub fn cross_entropy_sum(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    check("cross_entropy_sum", logits, targets)?;
    if !fusable(&[logits]) {
        return reference::cross_entropy_sum(logits, targets);
    }
    logits.contiguous()?.apply_op1(CrossEntropySum { targets: targets.into() })
}

/// [`cross_entropy_sum`] (nats, in f64) and its gradient, softmax(logits) − onehot(target), of the logits' shape and dtype,
/// with one reading of the logits.
///
/// # Shapes
/// `logits` `[S, V]`, `targets` S classes below V → scalar and `[S, V]`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "logits are the largest tensor of a step: whoever calls this is done with them"
)]
pub fn cross_entropy(logits: Tensor, targets: &[u32]) -> Result<(f64, Tensor)> {
    check("cross_entropy", &logits, targets)?;
    if !fusable(&[&logits]) {
        let (one, sum) =
            (Tensor::ones((), DType::F64, logits.device())?, reference::cross_entropy_sum(&logits, targets)?);
        let mut gradients = reference::vjp(&[&logits], &one, |t| reference::cross_entropy_sum(&t[0], targets))?;
        return Ok((sum.to_dtype(DType::F64)?.to_scalar()?, gradients.swap_remove(0)));
    }
    let logits = logits.contiguous()?;
    let (sum, gradient) = with_gradient(&floats(&logits)?, targets, 1.0);
    Ok((sum, tensor(gradient, logits.dims())?))
}

fn check(op: &'static str, logits: &Tensor, targets: &[u32]) -> Result<()> {
    let (rows, classes) = logits.dims2()?;
    if rows != targets.len() {
        let expected = format!("[{}, vocabulary], one row a target", targets.len());
        return Err(Error::Shape { op, what: "logits", found: logits.dims().into(), expected }.into());
    }
    match targets.iter().enumerate().find(|&(_, &t)| t as usize >= classes) {
        Some((row, &target)) => Err(Error::Target { row, target, classes }.into()),
        None => Ok(()),
    }
}

/// −log softmax at the target, of a row with this maximum and this Σ exp(value − maximum).
#[inline(always)]
fn loss(row: &[f32], target: u32, top: f32, spread: f32) -> f64 {
    f64::from(top) + f64::from(spread).ln() - f64::from(row[target as usize])
}

/// The sum of the losses, and `scale` times its gradient.
fn with_gradient(logits: &[f32], targets: &[u32], scale: f32) -> (f64, Vec<f32>) {
    let classes = logits.len() / targets.len().max(1);
    let (gradient, partial) = new_rows_and(targets.len(), classes, |first, block| {
        let logits = &logits[first * classes..][..block.len()];
        vectorised(
            #[inline(always)]
            || {
                let mut sum = 0f64;
                let rows = logits.chunks_exact(classes).zip(block.chunks_exact_mut(classes));
                for ((row, out), &target) in rows.zip(&targets[first..]) {
                    let top = max(row);
                    out.copy_from_slice(row);
                    let spread = exp_in_place(out, top);
                    sum += loss(row, target, top, spread);
                    let factor = scale / spread;
                    for value in out.iter_mut() {
                        *value *= factor;
                    }
                    out[target as usize] -= scale;
                }
                sum
            },
        )
    });
    (partial.iter().sum(), gradient)
}

struct CrossEntropySum {
    targets: Box<[u32]>,
}

impl CustomOp1 for CrossEntropySum {
    fn name(&self) -> &'static str {
        "cross_entropy_sum"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let logits = slice(logits, layout)?;
        let classes = logits.len() / self.targets.len().max(1);
        let partial = map_blocks(self.targets.len(), classes, |range| {
            let rows = logits[range.start * classes..range.end * classes].chunks_exact(classes);
            vectorised(
                #[inline(always)]
                || {
                    let mut sum = 0f64;
                    for (row, &target) in rows.zip(&self.targets[range]) {
                        let top = max(row);
                        sum += loss(row, target, top, exp_sum(row, top));
                    }
                    sum
                },
            )
        });
        Ok(output(vec![partial.iter().sum::<f64>() as f32], &[]))
    }

    fn bwd(&self, logits: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, gradient) = with_gradient(&floats(logits)?, &self.targets, grad.to_scalar()?);
        Ok(Some(tensor(gradient, logits.dims())?))
    }
}
