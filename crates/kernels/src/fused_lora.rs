//! The linear layer and its branches on the CPU. Each big product takes its branches along as short terms; the thin ones of
//! branches that read the same input are computed together.

use crate::Result;
use crate::lora::{Branch, LoraGradients, rank};
use crate::product::{Floats, Left, Matrix, Output, Right, Term, multiply, product};
use crate::raw::{floats, tensor};
use crate::rows::{add_assign, new_rows};
use crate::storage::{Held, readable};
use crate::weight::Weight;
use candle_core::Tensor;

/// Rows of f32 that begin `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a> View<'a> {
    pub(crate) fn dense(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { values, rows, columns, stride: columns }
    }

    fn of(held: &'a Held<'_>, rows: usize, columns: usize) -> Self {
        let (values, stride) = held.floats();
        Self { values, rows, columns, stride }
    }

    /// `count` columns from `first` on.
    fn columns(self, first: usize, count: usize) -> Self {
        // An empty matrix has no first column to begin at.
        Self { values: self.values.get(first..).unwrap_or_default(), columns: count, ..self }
    }

    /// As a left operand, times `scale`.
    pub(crate) fn left(self, scale: f32) -> Left<'a> {
        Left {
            values: self.values,
            stride: self.stride,
            transposed: false,
            rows: self.rows,
            depth: self.columns,
            scale,
        }
    }

    /// Its transpose as a left operand, times `scale`.
    fn left_transposed(self, scale: f32) -> Left<'a> {
        Left { transposed: true, rows: self.columns, depth: self.rows, ..self.left(scale) }
    }

    pub(crate) fn matrix(self) -> Matrix<'a> {
        Matrix::Floats(Floats { values: self.values, columns: self.columns, stride: self.stride })
    }
}

/// The A matrices of all branches, one after another.
fn stacked_a(branches: &[Branch<'_>]) -> Result<Vec<f32>> {
    let mut all = Vec::new();
    for branch in branches {
        all.extend_from_slice(&floats(&branch.a.contiguous()?)?);
    }
    Ok(all)
}

fn ranks(branches: &[Branch<'_>]) -> usize {
    branches.iter().map(rank).sum()
}

fn undropped(branches: &[Branch<'_>]) -> bool {
    branches.iter().all(|branch| branch.mask.is_none())
}

/// x ∘ mask, contiguous.
fn masked(x: View<'_>, mask: Option<&Tensor>) -> Result<Vec<f32>> {
    let mask = mask.map(Tensor::contiguous).transpose()?;
    let mask = mask.as_ref().map(floats).transpose()?;
    let mask = mask.as_deref();
    Ok(new_rows(x.rows, x.columns, |first, block| {
        for (row, target) in (first..).zip(block.chunks_exact_mut(x.columns)) {
            let source = &x.values[row * x.stride..][..x.columns];
            target.copy_from_slice(source);
            if let Some(mask) = mask {
                for (value, factor) in target.iter_mut().zip(&mask[row * x.columns..]) {
                    *value *= factor;
                }
            }
        }
    }))
}

/// h = x·[A…]ᵀ.
fn hidden(x: View<'_>, branches: &[Branch<'_>]) -> Result<Vec<f32>> {
    let total = ranks(branches);
    let a = stacked_a(branches)?;
    if undropped(branches) {
        let a = View::dense(&a, total, x.columns).matrix();
        let term = Term { left: x.left(1.0), right: Right::Transposed(a, 0, total) };
        return Ok(product(x.rows, total, &[term]));
    }
    let mut h = vec![0.0; x.rows * total];
    let mut first = 0;
    for branch in branches {
        let rank = rank(branch);
        let input = masked(x, branch.mask)?;
        let a = View::dense(&a[first * x.columns..], rank, x.columns).matrix();
        let left = View::dense(&input, x.rows, x.columns).left(1.0);
        let mut output = Output::new(h.get_mut(first..).unwrap_or_default(), x.rows, rank, total);
        multiply(&mut output, &[Term { left, right: Right::Transposed(a, 0, rank) }], false);
        first += rank;
    }
    Ok(h)
}

pub(crate) fn forward(
    x: &Tensor,
    weight: &Weight,
    branches: &[Branch<'_>],
    residual: Option<&Tensor>,
) -> Result<(Tensor, Option<Tensor>)> {
    let (rows, inputs) = x.dims2()?;
    let (outputs, _) = weight.dims();
    let x = readable(x)?;
    let weight = readable_weight(weight)?;
    let (x_held, weight) = (Held::tensor(&x)?, Held::weight(&weight)?);
    let x = View::of(&x_held, rows, inputs);
    let h = hidden(x, branches)?;
    let total = ranks(branches);
    let h_view = View::dense(&h, rows, total);
    let b: Vec<Tensor> = branches.iter().map(|branch| branch.b.contiguous()).collect::<Result<_>>()?;
    let b = b.iter().map(floats).collect::<Result<Vec<_>>>()?;
    let mut terms = vec![Term { left: x.left(1.0), right: Right::Transposed(weight.matrix(), 0, outputs) }];
    let mut first = 0;
    for (branch, b) in branches.iter().zip(&b) {
        let (rank, count) = (rank(branch), branch.columns.len());
        let b = View::dense(b, count, rank).matrix();
        let left = h_view.columns(first, rank).left(branch.scale as f32);
        terms.push(Term { left, right: Right::Transposed(b, branch.columns.start, count) });
        first += rank;
    }
    let y = match residual {
        Some(residual) => {
            let residual = residual.contiguous()?;
            let residual = floats(&residual)?;
            let residual: &[f32] = &residual;
            let mut y = new_rows(rows, outputs, |first, block| {
                block.copy_from_slice(&residual[first * outputs..][..block.len()]);
            });
            multiply(&mut Output::new(&mut y, rows, outputs, outputs), &terms, true);
            y
        }
        None => product(rows, outputs, &terms),
    };
    let h = if branches.is_empty() { None } else { Some(tensor(h, &[rows, total])?) };
    Ok((tensor(y, &[rows, outputs])?, h))
}

pub(crate) fn backward(
    x: &Tensor,
    h: Option<&Tensor>,
    d_y: &Tensor,
    weight: &Weight,
    branches: &[Branch<'_>],
    input_gradient: bool,
) -> Result<LoraGradients> {
    let (rows, inputs) = x.dims2()?;
    let (outputs, _) = weight.dims();
    let (x, d_y, weight) = (readable(x)?, readable(d_y)?, readable_weight(weight)?);
    let (x_held, d_y_held, weight) = (Held::tensor(&x)?, Held::tensor(&d_y)?, Held::weight(&weight)?);
    let (x, d_y) = (View::of(&x_held, rows, inputs), View::of(&d_y_held, rows, outputs));
    let total = ranks(branches);

    // u = scale · dy[:, columns]·b, side by side.
    let mut u = vec![0.0; rows * total];
    let mut first = 0;
    for branch in branches {
        let (rank, count) = (rank(branch), branch.columns.len());
        let b = branch.b.contiguous()?;
        let b = floats(&b)?;
        let left = d_y.columns(branch.columns.start, count).left(branch.scale as f32);
        let right = Right::Plain(View::dense(&b, count, rank).matrix());
        let mut output = Output::new(u.get_mut(first..).unwrap_or_default(), rows, rank, total);
        multiply(&mut output, &[Term { left, right }], false);
        first += rank;
    }
    let u = View::dense(&u, rows, total);
    let a = stacked_a(branches)?;
    let undropped = undropped(branches);

    let input = if input_gradient {
        let mut terms = vec![Term { left: d_y.left(1.0), right: Right::Plain(weight.matrix()) }];
        if undropped && total > 0 {
            let a = View::dense(&a, total, inputs).matrix();
            terms.push(Term { left: u.left(1.0), right: Right::Plain(a) });
        }
        let mut dx = product(rows, inputs, &terms);
        if !undropped {
            add_masked(&mut dx, u, &a, branches, inputs)?;
        }
        Some(tensor(dx, &[rows, inputs])?)
    } else {
        None
    };

    let mut gradients = Vec::with_capacity(branches.len());
    let together = if undropped {
        product(total, inputs, &[Term { left: u.left_transposed(1.0), right: Right::Plain(x.matrix()) }])
    } else {
        Vec::new()
    };
    let h = h.map(Tensor::contiguous).transpose()?;
    let h = h.as_ref().map(floats).transpose()?;
    let h = View::dense(h.as_deref().unwrap_or_default(), rows, total);
    let mut first = 0;
    for branch in branches {
        let (rank, count) = (rank(branch), branch.columns.len());
        let da = if undropped {
            together[first * inputs..(first + rank) * inputs].to_vec()
        } else {
            let input = masked(x, branch.mask)?;
            let right = Right::Plain(View::dense(&input, rows, inputs).matrix());
            product(rank, inputs, &[Term { left: u.columns(first, rank).left_transposed(1.0), right }])
        };
        let left = h.columns(first, rank).left_transposed(branch.scale as f32);
        let right = Right::Plain(d_y.columns(branch.columns.start, count).matrix());
        let db = transpose(&product(rank, count, &[Term { left, right }]), rank, count);
        gradients.push((tensor(da, &[rank, inputs])?, tensor(db, &[count, rank])?));
        first += rank;
    }
    Ok(LoraGradients { input, branches: gradients })
}

/// dx += (u·a) ∘ mask, branch by branch.
fn add_masked(dx: &mut [f32], u: View<'_>, a: &[f32], branches: &[Branch<'_>], inputs: usize) -> Result<()> {
    let mut first = 0;
    for branch in branches {
        let rank = rank(branch);
        let right = Right::Plain(View::dense(&a[first * inputs..], rank, inputs).matrix());
        let part = product(u.rows, inputs, &[Term { left: u.columns(first, rank).left(1.0), right }]);
        let part = masked(View::dense(&part, u.rows, inputs), branch.mask)?;
        add_assign(dx, &part);
        first += rank;
    }
    Ok(())
}

/// A rows × columns matrix, the other way round.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    new_rows(columns, rows, |first, block| {
        for (column, target) in (first..).zip(block.chunks_exact_mut(rows)) {
            for (row, target) in target.iter_mut().enumerate() {
                *target = values[row * columns + column];
            }
        }
    })
}

pub(crate) fn weight_gradient(x: &Tensor, d_y: &Tensor) -> Result<Tensor> {
    let ((rows, inputs), (_, outputs)) = (x.dims2()?, d_y.dims2()?);
    let (x, d_y) = (readable(x)?, readable(d_y)?);
    let (x, d_y) = (Held::tensor(&x)?, Held::tensor(&d_y)?);
    let left = View::of(&d_y, rows, outputs).left_transposed(1.0);
    let right = Right::Plain(View::of(&x, rows, inputs).matrix());
    tensor(product(outputs, inputs, &[Term { left, right }]), &[outputs, inputs])
}

fn readable_weight(weight: &Weight) -> Result<Weight> {
    Ok(match weight {
        Weight::Dense(matrix) => Weight::Dense(readable(matrix)?),
        Weight::Quantised(_) => weight.clone(),
    })
}
