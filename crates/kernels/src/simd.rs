//! Loops that the compiler turns into vector code. No fused multiply-add and fixed lanes, so that the wide and the
//! portable build of a loop give the same bits.
#![allow(unsafe_code, reason = "calls the same code compiled for AVX2 after asking the processor for it")]

/// Runs `body` compiled for AVX2 where the processor has it. The closure must be `#[inline(always)]`.
#[inline]
pub(crate) fn vectorised<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, asked in the line above.
            return unsafe { avx2(body) };
        }
    }
    body()
}

const LANES: usize = 8;

/// Σ aᵢ·bᵢ in eight lanes.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    fold(lanes) + rest
}

/// Largest value; NaN is skipped (it surfaces in the exponentials that follow).
#[inline(always)]
pub(crate) fn max(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder().iter().fold(f32::NEG_INFINITY, |m, &v| if v > m { v } else { m });
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = if chunk[lane] > lanes[lane] { chunk[lane] } else { lanes[lane] };
        }
    }
    lanes.iter().fold(rest, |m, &v| if v > m { v } else { m })
}

/// Exponentials computed at once: a loop of its own becomes vector code, one that also sums does not.
const BLOCK: usize = 32 * LANES;

/// Replaces each value by exp(value − shift) and returns their sum.
#[inline(always)]
pub(crate) fn exp_in_place(values: &mut [f32], shift: f32) -> f32 {
    let mut sum = 0.0;
    for block in values.chunks_mut(BLOCK) {
        for value in block.iter_mut() {
            *value = exp(*value - shift);
        }
        sum += total(block);
    }
    sum
}

/// Σ exp(value − shift), leaving the values alone.
#[inline(always)]
pub(crate) fn exp_sum(values: &[f32], shift: f32) -> f32 {
    let mut sum = 0.0;
    let mut exponentials = [0f32; BLOCK];
    for block in values.chunks(BLOCK) {
        let exponentials = &mut exponentials[..block.len()];
        for (e, value) in exponentials.iter_mut().zip(block) {
            *e = exp(value - shift);
        }
        sum += total(exponentials);
    }
    sum
}

/// Σ in eight lanes.
#[inline(always)]
fn total(values: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane];
        }
    }
    fold(lanes) + rest
}

#[inline(always)]
fn fold(l: [f32; LANES]) -> f32 {
    ((l[0] + l[4]) + (l[1] + l[5])) + ((l[2] + l[6]) + (l[3] + l[7]))
}

/// eˣ within 2 units in the last place, for x in [−87, 88] and clamped outside. Range reduction and polynomial of the Cephes library
/// (`expf`); no branches, so loops of it vectorise. NaN stays NaN.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding 1.5·2²³ rounds to a whole number and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = x - whole * 0.693_359_4 - whole * -2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let mantissa = p * r * r + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    mantissa * f32::from_bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_in_the_last_place_of_the_libm_one() {
        for i in -87_000..88_000i32 {
            let x = i as f32 / 1000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 2.5e-7, "exp({x}): relative error {error}");
        }
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::NEG_INFINITY) < 1.7e-38);
    }

    #[test]
    fn reductions_cover_the_lanes_and_the_rest() {
        let values: Vec<f32> = (0..21u8).map(|i| f32::from(i) - 10.0).collect();
        assert!((dot(&values, &values) - 770.0).abs() < f32::EPSILON);
        assert!((max(&values) - 10.0).abs() < f32::EPSILON);
        let sum: f64 = values.iter().map(|&v| f64::from(v).exp()).sum();
        assert!((f64::from(exp_sum(&values, 0.0)) / sum - 1.0).abs() < 1e-6);
        let mut copy = values.clone();
        assert_eq!(exp_in_place(&mut copy, 0.0).to_bits(), exp_sum(&values, 0.0).to_bits());
    }
}
