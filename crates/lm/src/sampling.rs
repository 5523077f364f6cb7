use crate::{Error, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Sampling {
    /// The likeliest; the lower id on a tie.
    #[default]
    Greedy,
    /// A draw from the softmax of logits / temperature, cut to the `top_k` likeliest tokens and then to the fewest whose
    /// probabilities reach `top_p` (Holtzman et al. 2020).
    Sample {
        /// Above 0; 1 leaves the distribution as it is.
        temperature: f64,
        /// At least 1, where given.
        top_k: Option<usize>,
        /// In (0, 1], where given.
        top_p: Option<f64>,
        /// Same seed, same draws.
        seed: u64,
    },
}

/// A [`Sampling`] with its generator.
#[derive(Debug)]
pub(crate) struct Sampler {
    sampling: Sampling,
    rng: ChaCha8Rng,
}

impl Sampler {
    pub(crate) fn new(sampling: Sampling) -> Result<Self> {
        let bad = |field, found: String, expected| Err(Error::BadSampling { field, found, expected });
        let mut from = 0;
        if let Sampling::Sample { temperature, top_k, top_p, seed } = sampling {
            if !(temperature > 0.0 && temperature.is_finite()) {
                return bad("temperature", temperature.to_string(), "above 0");
            }
            if top_k == Some(0) {
                return bad("top_k", "0".into(), "at least 1");
            }
            if let Some(p) = top_p.filter(|p| !(*p > 0.0 && *p <= 1.0)) {
                return bad("top_p", p.to_string(), "above 0 and at most 1");
            }
            from = seed;
        }
        Ok(Self { sampling, rng: ChaCha8Rng::seed_from_u64(from) })
    }

    /// The next token after `logits`, one a token of the vocabulary.
    pub(crate) fn next(&mut self, logits: &[f32]) -> Result<u32> {
        if let Some(&value) = logits.iter().find(|v| !v.is_finite()) {
            return Err(Error::NotFinite { value });
        }
        let Sampling::Sample { temperature, top_k, top_p, .. } = self.sampling else {
            let best = logits.iter().enumerate().fold(
                (0, f32::NEG_INFINITY),
                |best, (i, &v)| {
                    if v > best.1 { (i, v) } else { best }
                },
            );
            return Ok(best.0 as u32);
        };
        let mut ranked: Vec<(u32, f32)> = logits.iter().enumerate().map(|(i, &v)| (i as u32, v)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(top_k.unwrap_or(usize::MAX));
        let top = ranked.first().map_or(0.0, |&(_, v)| f64::from(v));
        let mut weights: Vec<f64> = ranked.iter().map(|&(_, v)| ((f64::from(v) - top) / temperature).exp()).collect();
        if let Some(p) = top_p {
            let enough = p * weights.iter().sum::<f64>();
            let before = weights.iter().scan(0.0, |sum, w| Some(std::mem::replace(sum, *sum + w)));
            // The token that reaches the threshold still belongs.
            let kept = before.take_while(|&sum| sum < enough).count();
            weights.truncate(kept.max(1));
        }
        let mut left = self.rng.random::<f64>() * weights.iter().sum::<f64>();
        let chosen = weights.iter().position(|w| {
            left -= w;
            left < 0.0
        });
        // Rounding may leave a crumb after the last weight.
        let chosen = chosen.unwrap_or(weights.len().saturating_sub(1));
        Ok(ranked.get(chosen).map_or(0, |&(id, _)| id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(top_k: Option<usize>, top_p: Option<f64>, temperature: f64) -> Sampler {
        Sampler::new(Sampling::Sample { temperature, top_k, top_p, seed: 7 }).unwrap()
    }

    #[test]
    fn greedy_takes_the_lowest_id_of_equal_logits() {
        let mut greedy = Sampler::new(Sampling::Greedy).unwrap();
        assert_eq!(greedy.next(&[0.0, 2.0, 2.0, -1.0]).unwrap(), 1);
    }

    #[test]
    fn draws_follow_the_softmax_and_repeat_with_the_seed() {
        let logits = [0.0, 1.0, 2.0];
        let draw = || {
            let mut s = sampler(None, None, 1.0);
            (0..20_000).map(|_| s.next(&logits).unwrap()).collect::<Vec<_>>()
        };
        let draws = draw();
        assert_eq!(draws, draw());
        let total: f64 = logits.iter().map(|&l| f64::from(l).exp()).sum();
        for (id, &logit) in logits.iter().enumerate() {
            let share = draws.iter().filter(|&&d| d as usize == id).count() as f64 / draws.len() as f64;
            assert!((share - f64::from(logit).exp() / total).abs() < 0.012, "token {id}: {share}");
        }
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail() {
        let logits = [0.0, 1.0, 2.0, 3.0];
        let seen = |mut s: Sampler| {
            let mut ids: Vec<u32> = (0..2_000).map(|_| s.next(&logits).unwrap()).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        assert_eq!(seen(sampler(Some(2), None, 1.0)), [2, 3]);
        // probabilities .644 .237 .087 .032
        assert_eq!(seen(sampler(None, Some(0.6), 1.0)), [3]);
        assert_eq!(seen(sampler(None, Some(0.7), 1.0)), [2, 3]);
        assert_eq!(seen(sampler(None, Some(1.0), 1.0)), [0, 1, 2, 3]);
    }

    #[test]
    fn senseless_settings_and_diverged_logits_are_refused() {
        let bad = Sampling::Sample { temperature: 0.0, top_k: None, top_p: None, seed: 0 };
        assert_eq!(Sampler::new(bad).unwrap_err().to_string(), "sampling: temperature is 0; it must be above 0");
        assert!(Sampler::new(Sampling::Greedy).unwrap().next(&[0.0, f32::NAN]).is_err());
    }
}
