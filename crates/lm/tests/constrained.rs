//! Generation under constraints.
#![allow(clippy::unwrap_used, reason = "tests")]

use candle_core::Device;
use lm::{Config, Constraint, Error, FORBIDDEN, GenerateOptions, GreedyAfter, Llama, Sampling};

fn model() -> Llama {
    Llama::initialise(Config::small(64, 16, 1), 7, &Device::Cpu).unwrap()
}

fn sampled(seed: u64) -> GenerateOptions {
    let sampling = Sampling::Sample { temperature: 1.0, top_k: None, top_p: None, seed };
    GenerateOptions { max_tokens: 12, sampling, ..GenerateOptions::default() }
}

/// Only multiples of a number; whole after so many tokens.
struct Multiples {
    of: usize,
    left: usize,
}

impl Constraint for Multiples {
    fn restrict(&mut self, logits: &mut [f32]) -> lm::Result<bool> {
        for (_, logit) in logits.iter_mut().enumerate().filter(|(id, _)| id % self.of != 0) {
            *logit = FORBIDDEN;
        }
        Ok(self.left > 0)
    }

    fn accept(&mut self, token: u32) -> lm::Result<()> {
        assert_eq!(token as usize % self.of, 0);
        self.left -= 1;
        Ok(())
    }
}

#[test]
fn only_allowed_tokens_come_and_the_text_ends_when_it_is_whole() {
    let model = model();
    for seed in 0..20 {
        let tokens =
            lm::generate_constrained(&model, &[1, 2], &sampled(seed), &mut Multiples { of: 7, left: 5 }).unwrap();
        assert!(tokens.len() == 5 && tokens.iter().all(|t| t % 7 == 0), "{tokens:?}");
    }
}

#[test]
fn several_constraints_hold_at_once() {
    let model = model();
    let mut both: [Box<dyn Constraint>; 2] =
        [Box::new(Multiples { of: 2, left: 6 }), Box::new(Multiples { of: 3, left: 9 })];
    let tokens = lm::generate_constrained(&model, &[1], &sampled(1), both.as_mut_slice()).unwrap();
    assert!(tokens.len() == 6 && tokens.iter().all(|t| t % 6 == 0), "{tokens:?}");
}

#[test]
fn greedy_after_the_first_tokens_varies_only_by_them() {
    let model = model();
    let text = |seed| lm::generate_constrained(&model, &[1, 2], &sampled(seed), &mut GreedyAfter::new(1)).unwrap();
    let greedy = |prompt: &[u32]| {
        lm::generate(&model, prompt, &GenerateOptions { max_tokens: 11, ..GenerateOptions::default() }).unwrap()
    };
    for seed in 0..5 {
        let tokens = text(seed);
        assert_eq!(tokens[1..], greedy(&[1, 2, tokens[0]]), "after the drawn token the likeliest follow");
    }
    assert!((1..20).any(|seed| text(seed) != text(0)), "the first token varies");
}

#[test]
fn a_constraint_that_forbids_everything_is_an_error_and_not_a_guess() {
    struct Nothing;
    impl Constraint for Nothing {
        fn restrict(&mut self, logits: &mut [f32]) -> lm::Result<bool> {
            logits.fill(FORBIDDEN);
            Ok(true)
        }
    }
    let error = lm::generate_constrained(&model(), &[1], &sampled(1), &mut Nothing).unwrap_err();
    assert!(matches!(error, Error::DeadEnd { tokens: 0 }), "{error}");
}
