//! A stage runs when something changed, says what, and leaves either everything or nothing.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod common;

use artifacts::manifest::MANIFEST;
use artifacts::rows::{Bar, Rejected};
use artifacts::{AtomicFile, Error, Manifest, Outcome, Seed, StageSpec, Writer, hash_path, write_all, write_bytes};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

struct Run(tempfile::TempDir);

impl Run {
    /// A run folder with a first stage (`ingest`) and a source file outside of it.
    fn new() -> Self {
        let run = Self(tempfile::tempdir().unwrap());
        std::fs::write(run.source(), "a,b\n1,2\n").unwrap();
        run.ingest();
        run
    }
    fn source(&self) -> PathBuf {
        self.0.path().join("source.csv")
    }
    fn folder(&self, stage: &str) -> PathBuf {
        self.0.path().join("run").join(stage)
    }
    fn spec(&self, name: &'static str, config: Value) -> StageSpec {
        StageSpec {
            name,
            version: 1,
            folder: self.folder(name),
            seed: Seed(42),
            config,
            inputs: vec![self.source()],
            force: false,
        }
    }
    fn ingest(&self) -> Manifest {
        work(self.spec("ingest", json!({ "rows": 3 })))
    }
    /// A second stage that reads the first one's rows.
    fn train(&self) -> StageSpec {
        let inputs = vec![self.folder("ingest").join("bars.parquet"), self.source()];
        StageSpec { inputs, ..self.spec("train", json!({ "rate": 0.1, "lora": { "rank": 8, "alpha": 16 } })) }
    }
}

/// What every stage of these tests does, unless nothing changed.
fn work(spec: StageSpec) -> Manifest {
    let Outcome::Run(mut open) = spec.begin().unwrap() else { panic!("unchanged") };
    open.write_rows("bars.parquet", common::bars(3)).unwrap();
    let mut writer = open.writer::<Rejected>("rejected.parquet").unwrap();
    writer.push(Rejected::new("source.csv", 1, "", "", "empty", "")).unwrap();
    open.add_rows("rejected.parquet", writer).unwrap();
    open.write_bytes("notes/report.md", b"# Report\n").unwrap();
    open.count(4, 3);
    open.reject("empty", 1);
    open.fact("rows", 3);
    open.finish().unwrap()
}

fn unchanged(spec: StageSpec) -> bool {
    matches!(spec.begin().unwrap(), Outcome::Unchanged(_))
}

/// All files below a folder with their bytes, less the one with times.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let inner = contents(&path);
            files.extend(inner.into_iter().map(|(p, b)| (Path::new(path.file_name().unwrap()).join(p), b)));
        } else if path.file_name().unwrap() != "runtime.json" {
            files.insert(path.file_name().unwrap().into(), std::fs::read(&path).unwrap());
        }
    }
    files
}

/// Collects the messages logged on this thread.
#[derive(Default, Clone)]
struct Log(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap().push(message.0);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Begins a stage, which must have work to do, and returns why, as logged.
fn reason(spec: StageSpec) -> String {
    let log = Log::default();
    let outcome = tracing::subscriber::with_default(log.clone(), || spec.begin().unwrap());
    assert!(matches!(outcome, Outcome::Run(_)), "skipped");
    let messages = log.0.lock().unwrap();
    messages.iter().find_map(|m| m.strip_prefix("runs again: ").map(str::to_owned)).unwrap_or_default()
}

#[test]
fn a_stage_is_skipped_when_nothing_changed() {
    let run = Run::new();
    let first = work(run.train());
    let Outcome::Unchanged(second) = run.train().begin().unwrap() else { panic!("runs again") };
    assert_eq!(first, second);
    assert_eq!(second.rows_rejected, BTreeMap::from([("empty".to_owned(), 1)]));
    assert_eq!(second.output("bars.parquet").unwrap().rows.as_ref().unwrap().count, 3);
}

#[test]
fn a_changed_setting_is_named_with_its_old_and_new_value() {
    let run = Run::new();
    work(run.train());
    let config = json!({ "rate": 0.1, "lora": { "rank": 16, "alpha": 16 } });
    assert_eq!(reason(StageSpec { config, ..run.train() }), "setting lora.rank = 16 was 8");
}

#[test]
fn a_new_and_a_removed_setting_are_named() {
    let run = Run::new();
    work(run.train());
    let config = json!({ "rate": 0.1, "lora": { "rank": 8, "alpha": 16, "dropout": 0 } });
    assert_eq!(reason(StageSpec { config, ..run.train() }), "setting lora.dropout = 0 was null");
    work(run.train());
    let config = json!({ "lora": { "rank": 8, "alpha": 16 } });
    assert_eq!(reason(StageSpec { config, ..run.train() }), "setting rate = null was 0.1");
}

#[test]
fn a_changed_seed_version_and_force_are_named() {
    let run = Run::new();
    work(run.train());
    assert_eq!(reason(StageSpec { seed: Seed(7), ..run.train() }), "seed 7 was 42");
    work(run.train());
    assert_eq!(reason(StageSpec { version: 2, ..run.train() }), "the code has a new version");
    work(run.train());
    assert_eq!(reason(StageSpec { force: true, ..run.train() }), "forced");
}

#[test]
fn a_changed_a_new_and_a_missing_input_are_named() {
    let run = Run::new();
    work(run.train());
    std::fs::write(run.source(), "a,b\n1,3\n").unwrap();
    assert!(reason(run.train()).ends_with("source.csv changed"));
    work(run.train());
    let inputs = vec![run.folder("ingest").join("bars.parquet")];
    assert_eq!(reason(StageSpec { inputs, ..run.train() }), "an input is gone");
    work(run.train());
    let mut spec = run.train();
    spec.inputs.push(run.folder("ingest").join("rejected.parquet"));
    assert_eq!(reason(spec), "../ingest/rejected.parquet is a new input");
}

#[test]
fn an_altered_and_a_deleted_output_are_named() {
    let run = Run::new();
    work(run.train());
    std::fs::write(run.folder("train").join("notes/report.md"), "# Other\n").unwrap();
    assert_eq!(reason(run.train()), "its output notes/report.md is gone or was altered");
    work(run.train());
    std::fs::remove_file(run.folder("train").join("rejected.parquet")).unwrap();
    assert_eq!(reason(run.train()), "its output rejected.parquet is gone or was altered");
}

#[test]
fn a_folder_of_another_stage_is_not_taken_for_ones_own() {
    let run = Run::new();
    let spec = StageSpec { folder: run.folder("ingest"), ..run.spec("eda", json!({ "rows": 3 })) };
    assert_eq!(reason(spec), "the folder holds stage ingest");
}

#[test]
fn a_missing_input_is_an_error_that_says_what_to_do() {
    let run = Run::new();
    let mut spec = run.train();
    spec.inputs.push(run.folder("ingest").join("absent.parquet"));
    let error = spec.begin().unwrap_err();
    assert!(matches!(error, Error::Missing { .. }) && error.to_string().contains("run the stage"), "{error}");
}

#[test]
fn an_input_that_is_not_what_its_manifest_recorded_is_an_error() {
    let run = Run::new();
    let bars = run.folder("ingest").join("bars.parquet");
    std::fs::remove_file(&bars).unwrap();
    write_all(&bars, &common::bars(4)).unwrap();
    let error = run.train().begin().unwrap_err();
    let message = error.to_string();
    assert!(matches!(&error, Error::InputChanged { stage, .. } if stage == "ingest"), "{message}");
    for part in ["bars.parquet", "manifest.json", "ingest", "--force"] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn a_hash_of_any_letters_in_a_manifest_is_compared_and_not_cut_in_the_middle_of_a_letter() {
    let run = Run::new();
    let path = run.folder("ingest").join(MANIFEST);
    let mut manifest = Manifest::read(&run.folder("ingest")).unwrap().unwrap();
    for output in &mut manifest.outputs {
        output.blake3 = "điểmsốđiểm".into();
    }
    std::fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    assert!(matches!(run.train().begin(), Err(Error::InputChanged { .. })));
}

#[test]
fn two_runs_are_equal_byte_for_byte_and_so_is_a_forced_one() {
    let (one, two) = (Run::new(), Run::new());
    // The source lies outside of both runs, so its path is part of the manifest: only the run's own files must agree.
    let own = |run: &Run| StageSpec { inputs: vec![run.folder("ingest").join("bars.parquet")], ..run.train() };
    work(own(&one));
    work(own(&two));
    let first = contents(&one.folder("train"));
    assert_eq!(first.len(), 4);
    assert_eq!(first, contents(&two.folder("train")));
    work(StageSpec { force: true, ..own(&one) });
    assert_eq!(first, contents(&one.folder("train")));
}

#[test]
fn a_run_that_was_moved_is_still_unchanged() {
    let run = Run::new();
    let spec = |root: &Path| StageSpec {
        folder: root.join("train"),
        inputs: vec![root.join("ingest/bars.parquet")],
        ..run.train()
    };
    work(spec(&run.0.path().join("run")));
    let moved = run.0.path().join("elsewhere");
    std::fs::rename(run.0.path().join("run"), &moved).unwrap();
    assert!(unchanged(spec(&moved)));
}

#[test]
fn a_whole_stage_folder_as_input_does_not_change_with_its_timings() {
    let run = Run::new();
    let spec = || StageSpec { inputs: vec![run.folder("ingest")], ..run.train() };
    work(spec());
    std::fs::write(run.folder("ingest").join("runtime.json"), "{}").unwrap();
    assert!(unchanged(spec()));
    std::fs::write(run.folder("ingest").join("new.txt"), "x").unwrap();
    assert!(!unchanged(spec()));
}

#[test]
fn a_killed_run_is_made_again_without_its_leftovers() {
    let run = Run::new();
    let whole = {
        work(run.train());
        contents(&run.folder("train"))
    };
    // What a process killed in the middle leaves: temporaries, files without a manifest.
    let Outcome::Run(mut open) = (StageSpec { force: true, ..run.train() }).begin().unwrap() else { panic!() };
    open.write_rows("bars.parquet", common::bars(2)).unwrap();
    drop(open);
    std::fs::write(run.folder("train").join(".bars.parquet.99.seafin.tmp"), "half").unwrap();
    std::fs::write(run.folder("train").join("notes/.report.md.99.seafin.tmp"), "half").unwrap();
    assert!(Manifest::read(&run.folder("train")).unwrap().is_none());
    work(run.train());
    assert_eq!(contents(&run.folder("train")), whole);
}

#[test]
fn a_damaged_manifest_means_the_stage_runs_again() {
    let run = Run::new();
    work(run.train());
    for damage in ["", "{", "[]", "{\"stage\": 3}"] {
        std::fs::write(run.folder("train").join(MANIFEST), damage).unwrap();
        let error = Manifest::read(&run.folder("train")).unwrap_err();
        assert!(matches!(error, Error::BadManifest { .. }) && error.to_string().contains("; "), "{error}");
        assert!(!unchanged(run.train()));
    }
}

#[test]
fn a_writer_dropped_before_its_end_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    let mut writer = Writer::create(&path).unwrap();
    for row in common::bars(20_000) {
        writer.push(row).unwrap();
    }
    drop(writer);
    let mut file = AtomicFile::create(&folder.path().join("notes.txt")).unwrap();
    file.write_all(b"half").unwrap();
    drop(file);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_failed_write_leaves_the_earlier_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    write_all(&path, &common::bars(3)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut bad = common::bars(3);
    bad[2].close = f64::NAN;
    assert!(write_all::<Bar>(&path, &bad).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_hash_depends_on_names_and_contents_only() {
    let folders: Vec<_> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    for (folder, names) in folders.iter().zip([["a", "b/c"], ["b/c", "a"]]) {
        for name in names {
            write_bytes(&folder.path().join(name), name.as_bytes()).unwrap();
        }
    }
    let hash = |i: usize| hash_path(folders[i].path()).unwrap();
    assert_eq!(hash(0), hash(1));
    std::fs::rename(folders[1].path().join("a"), folders[1].path().join("d")).unwrap();
    assert_ne!(hash(0), hash(1));
    assert!(matches!(hash_path(&folders[0].path().join("z")), Err(Error::Missing { .. })));
}

#[test]
fn a_file_that_the_next_run_does_not_write_is_gone_and_what_is_not_its_own_stays() {
    let run = Run::new();
    let folder = run.folder("ingest");
    std::fs::write(folder.join("checkpoint.bin"), b"a killed run's").unwrap();
    let Outcome::Run(mut open) = run.spec("ingest", json!({ "rows": 4 })).begin().unwrap() else { panic!("unchanged") };
    open.write_rows("bars.parquet", common::bars(4)).unwrap();
    open.finish().unwrap();
    assert!(folder.join("bars.parquet").exists() && folder.join("checkpoint.bin").exists());
    assert!(!folder.join("rejected.parquet").exists() && !folder.join("notes/report.md").exists());
}

#[test]
fn a_manifest_cannot_make_a_stage_remove_files_outside_of_its_folder() {
    let run = Run::new();
    let folder = run.folder("ingest");
    let mut manifest = Manifest::read(&folder).unwrap().unwrap();
    manifest.outputs[0].path = "../../source.csv".into();
    manifest.write(&folder).unwrap();
    drop(run.spec("ingest", json!({ "rows": 4 })).begin().unwrap());
    assert!(run.source().exists());
}
