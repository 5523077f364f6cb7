//! An interrupted run ends with the same bits as a straight one.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::{NoProgress, Progress, Seed, Ticker};
use candle_core::Device;
use lm::{Llama, LoraConfig, Savings, StepOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use trainer::Lesson;
use trainer::judge::{DevConfig, Judge};
use trainer::train_loop::{Job, Optimisation, Resume, TrainRow, Trained, train};

/// Kills the run (as far as one process can) when it reports an update.
struct KillAt(u64);

impl Progress for KillAt {
    fn start(&self, _label: &str, _total: u64) -> Box<dyn Ticker> {
        Box::new(Self(self.0))
    }
}
impl Ticker for KillAt {
    fn at(&self, done: u64, _note: &str) {
        assert!(done < self.0, "killed");
    }
}

fn adapted(base: &Path, dropout: f64) -> Llama {
    let mut model = Llama::load(base, &Device::Cpu).unwrap();
    model.attach_lora(&LoraConfig { r: 2, dropout, ..LoraConfig::default() }, 3).unwrap();
    model
}

fn bits(model: &Llama) -> Vec<(String, Vec<u32>)> {
    let values = |v: &candle_core::Var| v.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    model.trainable().iter().map(|(n, v)| (n.clone(), values(v).into_iter().map(f32::to_bits).collect())).collect()
}

/// A straight run and one killed at each of some updates end alike.
fn interrupt(dropout: f64, dev: Option<DevConfig>, learning_rate: f64) -> Trained {
    let folder = tempfile::tempdir().unwrap();
    let base = common::base(folder.path());
    let lessons = |name, count| common::rows(name, count).into_iter().map(Lesson::from).collect::<Vec<_>>();
    let (train_rows, dev_rows) = (lessons("train", 23), lessons("dev", 9));
    let rows: Vec<TrainRow> = train_rows.iter().map(TrainRow::from).collect();
    let step = StepOptions { savings: Savings::ALL, tokens_at_once: 20, ..StepOptions::default() };
    let judge = dev.map(|dev| Judge::new(&dev_rows, &train_rows, step, &dev));
    let settings = Optimisation {
        epochs: 3,
        rows_per_step: 4,
        learning_rate,
        lora_plus_ratio: 4.0,
        checkpoint_every: 4,
        ..Optimisation::default()
    };
    let run = |model: &Llama, path: &Path, progress: &dyn Progress| {
        let job = Job {
            settings: &settings,
            step,
            dropout,
            judge: judge.as_ref(),
            seed: Seed(9),
            resume: Resume { path, fingerprint: "this run" },
            progress,
        };
        train(model, &rows, &job).unwrap()
    };

    let straight = adapted(&base, dropout);
    let expected = run(&straight, &folder.path().join("straight"), &NoProgress);
    assert_ne!(bits(&straight), bits(&adapted(&base, dropout)));
    for kill in [3, 6, 11].into_iter().filter(|k| *k < expected.steps.len() as u64) {
        let path = folder.path().join(format!("killed-{kill}"));
        let killed = adapted(&base, dropout);
        assert!(catch_unwind(AssertUnwindSafe(|| run(&killed, &path, &KillAt(kill)))).is_err());
        let resumed = adapted(&base, dropout);
        let found = run(&resumed, &path, &NoProgress);
        assert_eq!(found.steps, expected.steps, "killed at {kill}");
        assert_eq!((found.best, found.stopped), (expected.best, expected.stopped));
        assert_eq!(bits(&resumed), bits(&straight), "killed at {kill}");
    }
    expected
}

#[test]
fn a_killed_run_with_a_shared_prefix_ends_with_the_same_bits_as_a_straight_one() {
    let trained = interrupt(0.0, None, 1e-2);
    assert_eq!((trained.steps.len(), trained.best), (18, None));
    assert!(trained.steps.iter().all(|s| s.computed_tokens < s.tokens), "{trained:?}");
}

#[test]
fn a_killed_run_with_dropout_ends_with_the_same_bits_as_a_straight_one() {
    interrupt(0.1, None, 1e-2);
}

#[test]
fn a_killed_run_with_held_out_rows_ends_with_the_same_best_update() {
    let trained = interrupt(0.0, Some(DevConfig { every: 3, ..DevConfig::default() }), 1e-2);
    let judged: Vec<u64> = trained.steps.iter().filter(|s| s.dev_loss.is_some()).map(|s| s.step).collect();
    assert_eq!(judged, [3, 6, 9, 12, 15, 18]);
    assert!(trained.steps.iter().all(|s| s.dev_loss.is_some() == s.dev_macro_f1.is_some()), "{trained:?}");
    assert!(judged.contains(&trained.best.unwrap()) && !trained.stopped);
}

#[test]
fn a_killed_run_that_stops_early_stops_at_the_same_update() {
    // Far too high a rate: held-out rows soon get worse.
    let trained = interrupt(0.0, Some(DevConfig { every: 1, patience: 3, rows: 0 }), 0.9);
    let best = trained.best.unwrap();
    assert!(trained.stopped && trained.steps.len() as u64 == best + 3, "{best} of {}", trained.steps.len());
}
