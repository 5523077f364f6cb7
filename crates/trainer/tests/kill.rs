//! The real binary, killed with SIGKILL at moments nobody chose, ends with the same files as a run left alone.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::Seed;
use rand::Rng;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

fn trainer(folder: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seafin-trainer"));
    let settings = [
        "optimisation.epochs=12",
        "optimisation.rows_per_step=4",
        "optimisation.checkpoint_every=2",
        "optimisation.learning_rate=5e-3",
        "lora.r=2",
        "lora.dropout=0.05",
        "dev.every=5",
    ];
    command.arg("train");
    for (flag, name) in [("--model", "base"), ("--rows", "train.parquet"), ("--dev", "dev.parquet")] {
        command.arg(flag).arg(folder.join(name));
    }
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.arg("--out").arg(out).arg("--quiet").stdout(Stdio::null());
    command
}

#[test]
fn a_run_killed_again_and_again_ends_with_the_same_files_byte_for_byte() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    common::base(folder);
    artifacts::write_all(&folder.join("train.parquet"), &common::rows("train", 40)).unwrap();
    artifacts::write_all(&folder.join("dev.parquet"), &common::rows("dev", 12)).unwrap();
    let (straight, killed) = (folder.join("straight"), folder.join("killed"));
    let output = trainer(folder, &straight).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = common::files(&straight);
    assert!(expected.iter().any(|(name, _)| name.ends_with("adapter_model.safetensors")));
    assert!(!expected.iter().any(|(name, _)| name.contains("checkpoint")), "a finished run leaves no checkpoint");

    let (manifest, checkpoint) = (killed.join("manifest.json"), killed.join("checkpoint.safetensors"));
    let mut rng = Seed(7).rng();
    let mut kills = 0;
    for attempt in 0.. {
        assert!(attempt < 200, "the run never ends");
        let mut child = trainer(folder, &killed).stderr(Stdio::null()).spawn().unwrap();
        let before = std::fs::metadata(&checkpoint).and_then(|m| m.modified()).ok();
        // Until it has got further than last time; then a moment more.
        let progressed = || std::fs::metadata(&checkpoint).and_then(|m| m.modified()).ok() != before;
        while !progressed() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(rng.random_range(0..40)));
        child.kill().unwrap();
        child.wait().unwrap();
        if manifest.exists() {
            break;
        }
        kills += 1;
        assert!(checkpoint.exists(), "killed before anything could be kept");
        if kills == 6 {
            assert!(trainer(folder, &killed).status().unwrap().success());
            break;
        }
    }
    assert!(kills > 0, "it was never killed");
    assert_eq!(common::files(&killed), expected);
}
