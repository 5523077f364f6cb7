//! The stage from rows to files: held-out rows choose, precisions and modes train, what cannot be trained is refused.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{Formatted, Step};
use artifacts::{Manifest, NoProgress, RunOptions, Seed, read_all};
use candle_core::Device;
use lm::{Llama, LoraConfig, Precision, Savings};
use std::path::{Path, PathBuf};
use trainer::judge::DevConfig;
use trainer::train_loop::Optimisation;
use trainer::{Inputs, TrainConfig, sft};

fn config() -> TrainConfig {
    TrainConfig {
        lora: LoraConfig { r: 4, ..LoraConfig::default() },
        optimisation: Optimisation { epochs: 8, rows_per_step: 6, learning_rate: 2e-2, ..Optimisation::default() },
        ..TrainConfig::default()
    }
}

fn inputs(folder: &Path, rows: &[Formatted]) -> Inputs {
    let (train, dev) = (folder.join("train.parquet"), folder.join("dev.parquet"));
    artifacts::write_all(&train, rows).unwrap();
    artifacts::write_all(&dev, &common::rows("dev", 30)).unwrap();
    Inputs { model: common::base(folder), rows: train, dev: Some(dev) }
}

fn run(config: &TrainConfig, inputs: &Inputs, out: &Path) -> Result<Manifest, String> {
    sft::run(config, inputs, out, &RunOptions { seed: Seed(1), force: false, progress: &NoProgress })
        .map_err(|e| e.to_string())
}

fn steps(out: &Path) -> Vec<Step> {
    read_all(&out.join("steps.parquet")).unwrap()
}

fn fact(manifest: &Manifest, name: &str) -> f64 {
    manifest.facts[name].as_f64().unwrap()
}

#[test]
fn the_adapter_is_that_of_the_update_which_was_best_on_held_out_rows() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path(), &common::rows("train", 60));
    let out = folder.path().join("out");
    let config = TrainConfig { dev: DevConfig { every: 4, rows: 21, patience: 0 }, ..config() };
    let manifest = run(&config, &inputs, &out).unwrap();
    let log = steps(&out);
    let best = trainer::judge::best(&log).unwrap();
    assert_eq!(manifest.facts["best_update"].as_u64(), Some(best.step));
    assert!(best.dev_macro_f1.unwrap() > 0.9, "three words are easy to tell apart: {best:?}");
    let svg = std::fs::read_to_string(out.join("loss.svg")).unwrap();
    assert!(svg.contains("held-out rows"));
    let runtime = std::fs::read_to_string(out.join("runtime.json")).unwrap();
    assert!(runtime.contains("tokens_per_second") && runtime.contains("planned_memory_bytes"), "{runtime}");

    // A run that ends at the best update has the same adapter: the rest changed nothing.
    let mut model = Llama::load(&inputs.model, &Device::Cpu).unwrap();
    model.load_adapter(&out.join(sft::ADAPTER)).unwrap();
    let dev = trainer::Lesson::read_all(inputs.dev.as_ref().unwrap()).unwrap();
    let train = trainer::Lesson::read_all(&inputs.rows).unwrap();
    let judge = trainer::judge::Judge::new(&dev, &train, lm::StepOptions::default(), &config.dev);
    let verdict = judge.judge(&model).unwrap();
    assert!(verdict.macro_f1.unwrap() > 0.9, "{verdict:?}");
}

#[test]
fn every_precision_trains_within_its_memory_and_all_parameters_can_be_trained() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path(), &common::rows("train", 60));
    for precision in [Precision::F32, Precision::Bf16, Precision::Int8, Precision::W8a8, Precision::Nf4] {
        let out = folder.path().join(precision.to_string());
        let config = TrainConfig { precision, memory: "1GiB".parse().unwrap(), ..config() };
        let manifest = run(&config, &inputs, &out).unwrap();
        let (first, last) = (fact(&manifest, "first_loss"), steps(&out).last().unwrap().loss);
        assert!(last < 0.5 * first, "{precision}: {first} to {last}");
        assert!(manifest.facts["memory_plan"].as_str().unwrap().contains("MiB"));
    }
    let out = folder.path().join("full");
    let manifest = run(&TrainConfig { full: true, ..config() }, &inputs, &out).unwrap();
    let model = Llama::load(&out.join(sft::MODEL), &Device::Cpu).unwrap();
    assert_eq!(manifest.facts["trainable_parameters"].as_u64(), Some(model.parameter_count() as u64));
    assert!(steps(&out).last().unwrap().loss < 0.5 * fact(&manifest, "first_loss"));
    let error = run(&TrainConfig { full: true, precision: Precision::Nf4, ..config() }, &inputs, &out).unwrap_err();
    assert!(error.contains("precision is nf4"), "{error}");
}

#[test]
fn savings_change_what_is_computed_and_not_what_is_learned() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = Inputs { dev: None, ..inputs(folder.path(), &common::rows("train", 24)) };
    let trained = |savings: Savings, name: &str| {
        let out = folder.path().join(name);
        let mut config = TrainConfig { savings, ..config() };
        config.optimisation.epochs = 1;
        run(&config, &inputs, &out).unwrap();
        steps(&out)
    };
    let (all, none) = (trained(Savings::ALL, "all"), trained(Savings::NONE, "none"));
    for (a, b) in all.iter().zip(&none) {
        assert!((a.loss / b.loss - 1.0).abs() < 1e-4, "{a:?}\n{b:?}");
        assert!(a.computed_tokens < b.computed_tokens, "{a:?}\n{b:?}");
    }
}

#[test]
fn what_cannot_be_trained_is_refused_before_the_first_step() {
    let folder = tempfile::tempdir().unwrap();
    let out: PathBuf = folder.path().join("out");
    let mut rows = common::rows("train", 6);
    rows[4].ids[1] = 0;
    let error = run(&config(), &inputs(folder.path(), &rows), &out).unwrap_err();
    assert!(error.contains("row 4 (train-4) has 2 begin-of-text tokens"), "{error}");

    let mut rows = common::rows("train", 6);
    rows[2].id = "dev-7".into();
    let error = run(&config(), &inputs(folder.path(), &rows), &out).unwrap_err();
    assert!(error.contains("row 7 (dev-7) is also in"), "{error}");

    let small = TrainConfig { memory: "1MiB".parse().unwrap(), ..config() };
    let error = run(&small, &inputs(folder.path(), &common::rows("train", 6)), &out).unwrap_err();
    assert!(error.contains("1 MiB is too small"), "{error}");
    assert!(!out.join("manifest.json").exists() && !out.join("steps.parquet").exists());

    let broken = inputs(folder.path(), &common::rows("train", 6));
    let model = Llama::initialise(lm::Config::load(&broken.model).unwrap(), 5, &Device::Cpu).unwrap();
    let (_, embedding) = model.trainable().into_iter().find(|(name, _)| name.contains("embed")).unwrap();
    embedding.set(&(embedding.as_detached_tensor() / 0.0).unwrap()).unwrap();
    model.save(&broken.model).unwrap();
    let error = run(&config(), &broken, &out).unwrap_err();
    assert!(error.contains("update 1: the loss is not finite (rows train-"), "{error}");
}

#[test]
fn rows_of_another_task_are_trained_on_and_judged_by_their_loss() {
    use artifacts::rows::{FormattedTask, TaskKind};
    let task = |row: Formatted| FormattedTask {
        id: row.id,
        task: TaskKind::QuestionAnswering,
        language: row.language,
        template: "direct-v1".into(),
        answer: "answer".into(),
        messages: row.messages,
        text: row.text,
        ids: row.ids,
        supervised: row.supervised,
        prompt_tokens: row.prompt_tokens,
    };
    let folder = tempfile::tempdir().unwrap();
    let labels = inputs(folder.path(), &common::rows("train", 24));
    let as_tasks = |name: &str, rows: Vec<Formatted>| {
        let path = folder.path().join(name);
        let rows: Vec<FormattedTask> = rows.into_iter().map(task).collect();
        artifacts::write_all(&path, &rows).unwrap();
        path
    };
    let tasks = Inputs {
        rows: as_tasks("task-rows.parquet", common::rows("train", 24)),
        dev: Some(as_tasks("task-dev.parquet", common::rows("dev", 30))),
        ..labels.clone()
    };
    run(&config(), &labels, &folder.path().join("labels")).unwrap();
    run(&config(), &tasks, &folder.path().join("tasks")).unwrap();
    let (labels, tasks) = (steps(&folder.path().join("labels")), steps(&folder.path().join("tasks")));
    assert_eq!(labels[0].loss.to_bits(), tasks[0].loss.to_bits(), "the same tokens are learned");
    assert!(tasks.iter().any(|step| step.dev_loss.is_some()));
    assert!(tasks.iter().all(|step| step.dev_macro_f1.is_none()), "answers are no labels here");
}
