use super::{by_rows, same_size};
use crate::Result;
use crate::simd::{dot, vectorised};

/// Each row x becomes gain ∘ (z − mean(z)) / √(var(z) + eps) + shift with z = x + bias (Ba et al. 2016).
///
/// # Shapes
/// `x` `[N, D]`, `bias`, `gain`, `shift` `[D]`.
///
/// # Errors
/// Sizes that do not fit, with their values.
pub fn layer_norm(x: &mut [f32], bias: &[f32], gain: &[f32], shift: &[f32], eps: f64) -> Result<()> {
    let (op, width, eps) = ("encoder::layer_norm", gain.len(), eps as f32);
    same_size(op, "x", x.len(), x.len() / width.max(1) * width)?;
    same_size(op, "bias", bias.len(), width)?;
    same_size(op, "shift", shift.len(), width)?;
    by_rows(x, width, |block| {
        vectorised(
            #[inline(always)]
            || {
                for row in block.chunks_exact_mut(width) {
                    for (x, b) in row.iter_mut().zip(bias) {
                        *x += b;
                    }
                    let mean = sum(row) / width as f32;
                    for x in row.iter_mut() {
                        *x -= mean;
                    }
                    let inverse = 1.0 / (dot(row, row) / width as f32 + eps).sqrt();
                    for ((x, g), s) in row.iter_mut().zip(gain).zip(shift) {
                        *x = *x * inverse * g + s;
                    }
                }
            },
        );
    });
    Ok(())
}

/// Σ in eight lanes.
#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let (octets, rest) = values.as_chunks::<8>();
    let mut lanes = [0f32; 8];
    for octet in octets {
        for lane in 0..8 {
            lanes[lane] += octet[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h)) + rest.iter().sum::<f32>()
}
