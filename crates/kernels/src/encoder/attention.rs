use super::same_size;
use crate::Result;
use crate::product::{Floats, Left, Matrix, Output, Right, Term, multiply};
use crate::simd::{exp_in_place, max, vectorised};
use rayon::prelude::*;

/// Attention of each text over itself, in both directions: softmax(q·kᵀ/√(D/heads))·v.
///
/// # Shapes
/// `qkv` `[Σ lengths, 3D]`: each row holds the heads of q, then those of k, then those of v. `out` `[Σ lengths, D]`.
///
/// # Errors
/// Sizes that do not fit, with their values.
pub fn self_attention(out: &mut [f32], qkv: &[f32], lengths: &[usize], heads: usize) -> Result<()> {
    let op = "encoder::self_attention";
    let tokens: usize = lengths.iter().sum();
    let width = out.len() / (tokens * heads).max(1);
    same_size(op, "out", out.len(), tokens * heads * width)?;
    same_size(op, "qkv", qkv.len(), 3 * out.len())?;
    let (mut texts, mut out, mut qkv) = (Vec::with_capacity(lengths.len()), out, qkv);
    for &length in lengths.iter().filter(|length| **length > 0) {
        let (own, later) = out.split_at_mut(length * heads * width);
        let (from, rest) = qkv.split_at(3 * own.len());
        texts.push((own, from, length));
        (out, qkv) = (later, rest);
    }
    texts.into_par_iter().for_each_init(Vec::new, |scores, (out, qkv, length)| {
        scores.resize(length * length, 0.0);
        for head in 0..heads {
            one_head(out, scores, qkv, length, (head, heads, width));
        }
    });
    Ok(())
}

fn one_head(
    out: &mut [f32],
    scores: &mut [f32],
    qkv: &[f32],
    length: usize,
    (head, heads, width): (usize, usize, usize),
) {
    let (all, stride) = (heads * width, 3 * heads * width);
    let part = |which: usize| &qkv[which * all + head * width..];
    let matrix = |which: usize| Matrix::Floats(Floats { values: part(which), columns: width, stride });
    let scale = 1.0 / (width as f32).sqrt();
    let q = Left { values: part(0), stride, transposed: false, rows: length, depth: width, scale };
    let k = Right::Transposed(matrix(1), 0, length);
    multiply(&mut Output::new(scores, length, length, length), &[Term { left: q, right: k }], false);
    vectorised(
        #[inline(always)]
        || {
            for row in scores.chunks_exact_mut(length) {
                let top = max(row);
                let inverse = 1.0 / exp_in_place(row, top);
                for p in row {
                    *p *= inverse;
                }
            }
        },
    );
    let p = Left { values: scores, stride: length, transposed: false, rows: length, depth: length, scale: 1.0 };
    let mut mixed = Output::new(&mut out[head * width..], length, width, all);
    multiply(&mut mixed, &[Term { left: p, right: Right::Plain(matrix(2)) }], false);
}
