use crate::Result;
use candle_core::{DType, Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The standard deviation of fresh weights in transformers' Llama.
const DEVIATION: f64 = 0.02;

/// A fresh parameter: norms are 1, everything else is drawn from N(0, 0.02). A tensor's draw depends on `seed` and its
/// name only.
pub(crate) fn fresh(name: &str, shape: &[usize], seed: u64, dtype: DType, device: &Device) -> Result<Tensor> {
    if shape.len() == 1 {
        return Ok(Tensor::ones(shape, dtype, device)?);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // FNV-1a of the name picks the stream.
    rng.set_stream(name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)));
    let count: usize = shape.iter().product();
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        // Box and Muller 1958; 1 − u keeps the logarithm finite.
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt() * DEVIATION;
        let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
        values.extend([(radius * cos) as f32, (radius * sin) as f32]);
    }
    values.truncate(count);
    Ok(Tensor::from_vec(values, shape, device)?.to_dtype(dtype)?)
}
