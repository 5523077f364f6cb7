//! An interrupted run ends with the same bits as a straight one.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use artifacts::{NoProgress, Progress, Seed, Ticker};
use candle_core::Device;
use lm::{Config, Llama, LoraConfig};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use trainer::train_loop::{Optimisation, Resume, TrainRow, train};

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

fn adapted(base: &Path) -> Llama {
    let mut model = Llama::load(base, &Device::Cpu).unwrap();
    model.attach_lora(&LoraConfig { r: 2, dropout: 0.1, ..LoraConfig::default() }, 3).unwrap();
    model
}

fn rows() -> Vec<TrainRow> {
    (0..23_u32)
        .map(|r| {
            let ids: Vec<u32> = (0..5 + r % 4).map(|t| (r * 7 + t * 3) % 40).collect();
            let supervised = (0..ids.len()).map(|t| t + 2 >= ids.len()).collect();
            TrainRow { ids, supervised }
        })
        .collect()
}

fn bits(model: &Llama) -> Vec<(String, Vec<u32>)> {
    let values = |v: &candle_core::Var| v.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    model.trainable().iter().map(|(n, v)| (n.clone(), values(v).into_iter().map(f32::to_bits).collect())).collect()
}

#[test]
fn a_run_killed_between_checkpoints_ends_with_the_same_bits_as_a_straight_one() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base");
    Llama::initialise(Config::small(40, 16, 2), 5, &Device::Cpu).unwrap().save(&base).unwrap();
    let settings = Optimisation {
        epochs: 3,
        rows_per_step: 4,
        rows_at_once: 3,
        learning_rate: 1e-2,
        checkpoint_every: 4,
        ..Optimisation::default()
    };
    let run = |model: &Llama, path: &Path, progress: &dyn Progress| {
        let resume = Resume { path, fingerprint: "this run" };
        train(model, &rows(), &settings, 0.1, Seed(9), resume, progress).unwrap()
    };

    let straight = adapted(&base);
    let log = run(&straight, &folder.path().join("straight"), &NoProgress);
    assert_eq!(log.len(), 18);

    let path = folder.path().join("interrupted");
    let killed = adapted(&base);
    assert!(catch_unwind(AssertUnwindSafe(|| run(&killed, &path, &KillAt(11)))).is_err());
    let resumed = adapted(&base);
    let resumed_log = run(&resumed, &path, &NoProgress);

    assert_eq!(resumed_log, log);
    assert_eq!(bits(&resumed), bits(&straight));
    assert_ne!(bits(&resumed), bits(&adapted(&base)));
}
