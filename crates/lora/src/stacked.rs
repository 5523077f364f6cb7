//! Layers over the same input as one product, forward and backward by hand.

use crate::{Dropout, Linear, Result};
use candle_core::{Tensor, TensorId, Var};
use kernels::{Branch, Weight};
use std::collections::HashMap;
use std::ops::Range;

/// Linear layers that read the same input, such as q, k and v: their frozen weights lie in one matrix, so that they are one
/// product forward and one backward, with the low-rank branches inside it. One layer alone is a stack too.
///
/// There is no tape: the caller keeps the input and what [`Stacked::forward`] returns, and hands both to
/// [`Stacked::backward`].
#[derive(Debug, Clone)]
pub struct Stacked {
    layers: Vec<Linear>,
    /// None where the layers are trained themselves.
    weight: Option<Weight>,
}

/// What a forward pass computed and its backward pass needs, beside the input.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// x·Aᵀ of all branches, `[N, Σr]`.
    branches: Option<Tensor>,
}

/// Gradients summed over the parts of a batch.
#[derive(Debug, Default)]
pub struct GradientSum(HashMap<TensorId, Tensor>);

impl GradientSum {
    /// Adds the gradient of `var`.
    pub fn add(&mut self, var: &Var, gradient: Tensor) -> Result<()> {
        let id = var.as_tensor().id();
        let sum = match self.0.remove(&id) {
            Some(sum) => (sum + gradient)?,
            None => gradient,
        };
        self.0.insert(id, sum);
        Ok(())
    }

    /// The sum for `var`, if it received any.
    pub fn get(&self, var: &Var) -> Option<&Tensor> {
        self.0.get(&var.as_tensor().id())
    }
}

/// The tensors of a branch for one pass.
struct Parts {
    a: Tensor,
    b: Tensor,
    mask: Option<Tensor>,
}

impl Stacked {
    /// A stack of layers with the same input width: either all frozen (adapted or not) or all trainable. Frozen weights
    /// move into one matrix, of which the layers then hold views.
    pub fn new(layers: Vec<Linear>) -> Result<Self> {
        let mut stack = Self { layers, weight: None };
        stack.restack()?;
        Ok(stack)
    }

    /// Moves the layers' present weights into one matrix.
    pub fn restack(&mut self) -> Result<()> {
        self.weight = None;
        if self.layers.iter().any(|l| matches!(l, Linear::Trainable(_))) {
            return Ok(());
        }
        let parts: Vec<Weight> = self.layers.iter().map(Linear::weight).collect();
        let whole = match parts.as_slice() {
            [one] => one.clone(),
            _ => Weight::stack(&parts)?,
        };
        let mut start = 0;
        for layer in &mut self.layers {
            let (outputs, _) = layer.weight().dims();
            layer.set_weight(whole.rows(start, outputs)?);
            start += outputs;
        }
        self.weight = Some(whole);
        Ok(())
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[Linear] {
        &self.layers
    }

    /// The layers, to put adapters on them.
    pub fn layers_mut(&mut self) -> &mut [Linear] {
        &mut self.layers
    }

    /// Whether training changes anything here.
    pub fn is_trainable(&self) -> bool {
        self.layers.iter().any(Linear::is_trainable)
    }

    /// The outputs of the layers `which`, side by side, plus `residual`.
    ///
    /// # Shapes
    /// `x` `[N, in]` → `[N, Σ out]`, as `residual`.
    pub fn forward(
        &self,
        which: Range<usize>,
        x: &Tensor,
        residual: Option<&Tensor>,
        dropout: Option<Dropout>,
    ) -> Result<(Tensor, Kept)> {
        let (layers, weight) = self.select(which)?;
        let parts = parts(layers, x, dropout)?;
        let branches = branches(layers, &parts);
        let Some(factors) = factors(layers)? else {
            let (y, h) = kernels::lora_forward(x, &weight, &branches, residual)?;
            return Ok((y, Kept { branches: h }));
        };
        let (y, h) = kernels::lora_forward(x, &weight, &branches, None)?;
        let y = y.broadcast_mul(&factors.to_dtype(y.dtype())?)?;
        let y = residual.map_or(Ok(y.clone()), |r| y + r)?;
        Ok((y, Kept { branches: h }))
    }

    /// Adds the gradients of what is trained in the layers `which` to `sum`, and returns that of the input if it is asked
    /// for. `x`, `kept` and `dropout` are those of the forward pass.
    ///
    /// # Shapes
    /// `x` `[N, in]`, `d_y` `[N, Σ out]` → `[N, in]`.
    #[expect(clippy::too_many_arguments, reason = "the forward pass's arguments and what comes back")]
    pub fn backward(
        &self,
        which: Range<usize>,
        x: &Tensor,
        kept: &Kept,
        d_y: &Tensor,
        input_gradient: bool,
        dropout: Option<Dropout>,
        sum: &mut GradientSum,
    ) -> Result<Option<Tensor>> {
        let (layers, weight) = self.select(which)?;
        let parts = parts(layers, x, dropout)?;
        let branches = branches(layers, &parts);
        let mut d_y = d_y.clone();
        if let Some(factors) = factors(layers)? {
            // dm = Σ dy·y₀/n, where y₀ is the product before the magnitudes.
            let (before, _) = kernels::lora_forward(x, &weight, &branches, None)?;
            let along = (&d_y * before)?.sum(0)?;
            for (layer, columns) in spans(layers) {
                if let Linear::Lora(layer) = layer
                    && let Some(magnitude) = &layer.magnitude
                {
                    let along = along.narrow(0, columns.start, columns.len())?.to_dtype(magnitude.dtype())?;
                    sum.add(magnitude, (along / layer.norms()?)?)?;
                }
            }
            d_y = d_y.broadcast_mul(&factors.to_dtype(d_y.dtype())?)?;
        }
        let gradients = kernels::lora_backward(x, kept.branches.as_ref(), &d_y, &weight, &branches, input_gradient)?;
        let mut of_branches = gradients.branches.into_iter();
        for (layer, columns) in spans(layers) {
            match layer {
                Linear::Frozen(_) => {}
                Linear::Trainable(var) => {
                    sum.add(var, kernels::weight_gradient(x, &d_y.narrow(1, columns.start, columns.len())?)?)?;
                }
                Linear::Lora(layer) => {
                    if let Some((d_a, d_b)) = of_branches.next() {
                        sum.add(&layer.a, d_a)?;
                        sum.add(&layer.b, d_b)?;
                    }
                }
            }
        }
        Ok(gradients.input)
    }

    /// What [`Stacked::forward`] keeps, without the product itself: for a backward pass that begins from the input alone.
    ///
    /// # Shapes
    /// `x` `[N, in]`.
    pub fn branches(&self, which: Range<usize>, x: &Tensor, dropout: Option<Dropout>) -> Result<Kept> {
        let parts = parts(self.layers.get(which).unwrap_or_default(), x, dropout)?;
        if parts.is_empty() {
            return Ok(Kept::default());
        }
        let mut columns = Vec::with_capacity(parts.len());
        for part in &parts {
            let x = part.mask.as_ref().map_or(Ok(x.clone()), |mask| kernels::scale_by(x, mask))?;
            columns.push(kernels::frozen_linear(&x, &part.a.to_dtype(x.dtype())?)?);
        }
        Ok(Kept { branches: Some(Tensor::cat(&columns, 1)?) })
    }

    fn select(&self, which: Range<usize>) -> Result<(&[Linear], Weight)> {
        let layers = self.layers.get(which.clone()).unwrap_or_default();
        let outputs = |layers: &[Linear]| layers.iter().map(|l| l.weight().dims().0).sum::<usize>();
        let weight = match &self.weight {
            Some(whole) => whole.rows(outputs(self.layers.get(..which.start).unwrap_or_default()), outputs(layers))?,
            None => Weight::stack(&layers.iter().map(Linear::weight).collect::<Vec<_>>())?,
        };
        Ok((layers, weight))
    }
}

/// Each layer with its columns of the output.
fn spans(layers: &[Linear]) -> impl Iterator<Item = (&Linear, Range<usize>)> {
    layers.iter().scan(0, |start, layer| {
        let columns = *start..*start + layer.weight().dims().0;
        *start = columns.end;
        Some((layer, columns))
    })
}

fn parts(layers: &[Linear], x: &Tensor, dropout: Option<Dropout>) -> Result<Vec<Parts>> {
    let mut parts = Vec::new();
    for layer in layers {
        if let Linear::Lora(layer) = layer {
            let (a, b) = (layer.a.as_detached_tensor(), layer.b.as_detached_tensor());
            let mask = dropout.filter(Dropout::is_active);
            let mask = mask.map(|d| d.mask(layer.stream(), x.dims(), x.dtype(), x.device())).transpose()?;
            parts.push(Parts { a, b, mask });
        }
    }
    Ok(parts)
}

fn branches<'a>(layers: &[Linear], parts: &'a [Parts]) -> Vec<Branch<'a>> {
    let adapted = spans(layers).filter_map(|(layer, columns)| match layer {
        Linear::Lora(layer) => Some((layer, columns)),
        _ => None,
    });
    adapted.zip(parts).map(|((layer, columns), p)| layer.branch((&p.a, &p.b), columns, p.mask.as_ref())).collect()
}

/// m/n of every output (DoRA), 1 where there is no magnitude; None without any.
fn factors(layers: &[Linear]) -> Result<Option<Tensor>> {
    let has = |l: &Linear| matches!(l, Linear::Lora(l) if l.magnitude.is_some());
    if !layers.iter().any(has) {
        return Ok(None);
    }
    let mut all = Vec::with_capacity(layers.len());
    for layer in layers {
        all.push(match layer {
            Linear::Lora(layer) if let Some(magnitude) = &layer.magnitude => {
                (magnitude.as_detached_tensor() / layer.norms()?)?
            }
            other => {
                let weight = other.weight();
                let dtype = crate::lora_linear::adapter_dtype(&weight);
                Tensor::ones(weight.dims().0, dtype, &weight.device())?
            }
        });
    }
    Ok(Some(Tensor::cat(&all, 0)?))
}
