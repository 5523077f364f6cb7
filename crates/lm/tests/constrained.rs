//! Generation under constraints.
#![allow(clippy::unwrap_used, reason = "tests")]

use candle_core::Device;
use lm::{Config, Constraint, Error, FORBIDDEN, GenerateOptions, GreedyAfter, Llama, Precision, Sampling, Writing};

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

/// One text: its seed decides prompt, draws, what may be written and for how long.
fn begun(seed: u64) -> (Writing, Multiples) {
    let prompt: Vec<u32> = (0..=seed % 4).map(|n| (n + seed) as u32 % 64).collect();
    (
        Writing::new(&prompt, &sampled(seed)).unwrap(),
        Multiples { of: 1 + seed as usize % 3, left: 3 + seed as usize % 8 },
    )
}

#[test]
fn texts_that_are_written_together_are_those_that_each_is_alone() {
    for count in [1, 2, 8, 11] {
        let model = model();
        let alone: Vec<Vec<u32>> = (0..count)
            .map(|seed| {
                let (mut text, mut limits) = begun(seed);
                while text.step(&model, &mut limits).unwrap().is_some() {}
                text.tokens().to_vec()
            })
            .collect();
        // One joins later than the others, and those that have ended stay among them.
        let mut texts: Vec<(Writing, Multiples)> = (0..count).map(begun).collect();
        for round in 0..20 {
            let here = if round < 2 { count as usize - 1 } else { count as usize };
            let mut borrowed: Vec<_> = texts.iter_mut().take(here).map(|(text, limits)| (text, limits)).collect();
            for next in Writing::step_together(&model, &mut borrowed).unwrap() {
                next.unwrap();
            }
        }
        let together: Vec<Vec<u32>> = texts.iter().map(|(text, _)| text.tokens().to_vec()).collect();
        assert_eq!(together, alone);
    }
}

#[test]
fn texts_together_have_the_logits_that_each_has_alone_in_every_precision() {
    for precision in [Precision::F32, Precision::Bf16, Precision::Int8, Precision::W8a8, Precision::Nf4] {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { intermediate_size: 192, ..Config::small(96, 64, 2) };
        Llama::initialise(config, 3, &Device::Cpu).unwrap().save(folder.path()).unwrap();
        let model = Llama::load_in(folder.path(), precision, &Device::Cpu).unwrap();
        let begun =
            |seed: u32| (Writing::new(&[1 + seed, 2], &sampled(seed.into())).unwrap(), GreedyAfter::new(usize::MAX));
        let (mut texts, mut alone): (Vec<_>, Vec<_>) = ((0..8).map(begun).collect(), (0..8).map(begun).collect());
        for _ in 0..12 {
            let mut borrowed: Vec<_> = texts.iter_mut().map(|(text, free)| (text, free)).collect();
            Writing::step_together(&model, &mut borrowed).unwrap();
            for ((together, _), (text, free)) in texts.iter().zip(&mut alone) {
                text.step(&model, free).unwrap();
                for (one, other) in together.logits().iter().zip(text.logits()) {
                    assert!((one - other).abs() < 1e-5, "{precision}: {one} {other}");
                }
            }
        }
    }
}

#[test]
fn a_text_that_comes_to_a_dead_end_spoils_none_beside_it() {
    struct Nothing;
    impl Constraint for Nothing {
        fn restrict(&mut self, logits: &mut [f32]) -> lm::Result<bool> {
            logits.fill(FORBIDDEN);
            Ok(true)
        }
    }
    let model = model();
    let (mut one, mut other) = (begun(1).0, begun(2).0);
    let mut constraints: [Box<dyn Constraint>; 2] = [Box::new(Nothing), Box::new(Multiples { of: 1, left: 9 })];
    let [first, second] = &mut constraints;
    let next =
        Writing::step_together(&model, &mut [(&mut one, first.as_mut()), (&mut other, second.as_mut())]).unwrap();
    assert!(matches!(next[0], Err(Error::DeadEnd { tokens: 0 })) && next[1].as_ref().is_ok_and(Option::is_some));
}
