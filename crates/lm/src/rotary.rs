use crate::{Config, Result, RopeScaling};
use candle_core::{DType, Device, Tensor};
use std::f64::consts::TAU;
use std::sync::{Mutex, PoisonError};

/// Cosines and sines of the rotary angles, computed as far as needed and kept.
#[derive(Debug)]
pub(crate) struct Rotary {
    inverse_frequencies: Vec<f32>,
    dtype: DType,
    device: Device,
    tables: Mutex<Option<Tables>>,
}

#[derive(Debug, Clone)]
struct Tables {
    positions: usize,
    cos: Tensor,
    sin: Tensor,
}

impl Rotary {
    pub(crate) fn new(config: &Config, dtype: DType, device: &Device) -> Self {
        let inverse_frequencies = inverse_frequencies(config);
        Self { inverse_frequencies, dtype, device: device.clone(), tables: Mutex::new(None) }
    }

    /// (cos, sin), each `[at least positions, head_dim/2]`.
    pub(crate) fn tables(&self, positions: usize) -> Result<(Tensor, Tensor)> {
        // A poisoned lock guards a cache that is complete or absent.
        let mut slot = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tables) = slot.as_ref().filter(|t| t.positions >= positions) {
            return Ok((tables.cos.clone(), tables.sin.clone()));
        }
        let positions = positions.next_power_of_two().max(64);
        let half = self.inverse_frequencies.len();
        // The product is rounded to f32 first, as Hugging Face has it; only then is the angle exact.
        let angle = |p: usize| self.inverse_frequencies.iter().map(move |f| f64::from(p as f32 * f));
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> = (0..positions).flat_map(angle).map(|a| f(a) as f32).collect();
            Tensor::from_vec(values, (positions, half), &self.device)?.to_dtype(self.dtype)
        };
        let (cos, sin) = (table(f64::cos)?, table(f64::sin)?);
        *slot = Some(Tables { positions, cos: cos.clone(), sin: sin.clone() });
        Ok((cos, sin))
    }
}

/// θ^(−2i/D) for i below D/2, stretched by the `llama3` rule where the configuration says so.
fn inverse_frequencies(config: &Config) -> Vec<f32> {
    (0..config.head_dim / 2)
        .map(|i| {
            let frequency = config.rope_theta.powf(-2.0 * i as f64 / config.head_dim as f64);
            config.rope_scaling.map_or(frequency, |scaling| stretch(frequency, scaling)) as f32
        })
        .collect()
}

/// Formula of transformers' `_compute_llama3_parameters`.
fn stretch(frequency: f64, scaling: RopeScaling) -> f64 {
    let original = scaling.original_max_position_embeddings as f64;
    let wavelength = TAU / frequency;
    if wavelength < original / scaling.high_freq_factor {
        frequency
    } else if wavelength > original / scaling.low_freq_factor {
        frequency / scaling.factor
    } else {
        let blend =
            (original / wavelength - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor);
        (1.0 - blend) * frequency / scaling.factor + blend * frequency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_llama3_rule_keeps_short_waves_blends_the_middle_and_divides_long_ones() {
        let scaling = RopeScaling {
            factor: 32.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_max_position_embeddings: 256,
        };
        let config =
            Config { head_dim: 8, rope_theta: 500_000.0, rope_scaling: Some(scaling), ..Config::small(512, 64, 1) };
        let plain: Vec<f64> = (0..4).map(|i| 500_000f64.powf(-f64::from(i) / 4.0)).collect();
        let found: Vec<f64> = inverse_frequencies(&config).into_iter().map(f64::from).collect();
        let close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-6;
        assert!(close(found[0], plain[0]));
        // wavelength 167 lies between 64 and 256
        let blend = (256.0 / (TAU / plain[1]) - 1.0) / 3.0;
        assert!(close(found[1], plain[1] * (blend + (1.0 - blend) / 32.0)));
        assert!(close(found[2], plain[2] / 32.0) && close(found[3], plain[3] / 32.0));
    }
}
