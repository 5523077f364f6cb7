//! What training wrote goes on: merged, as GGUF, to the Hub.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::{NoProgress, RunOptions, Seed};
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{DType, Device};
use hub::testing::TestHub;
use hub::{Hub, HubConfig, RepoKind};
use lm::{GenerateOptions, GgufDtype, Llama, LoraConfig, generate};
use std::path::{Path, PathBuf};
use trainer::merge::{self, Stored};
use trainer::train_loop::Optimisation;
use trainer::{Inputs, TrainConfig, export, push, sft};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/model")
}

/// Trains a little and returns the adapter's folder.
fn adapter(folder: &Path, model: &Path) -> PathBuf {
    let rows = folder.join("train.parquet");
    let examples = common::rows("train", 12);
    artifacts::write_all(&rows, &examples).unwrap();
    let config = TrainConfig {
        lora: LoraConfig { r: 4, ..LoraConfig::default() },
        optimisation: Optimisation { epochs: 2, rows_per_step: 4, learning_rate: 1e-2, ..Optimisation::default() },
        base_model_name: "org/base".into(),
        ..TrainConfig::default()
    };
    let inputs = Inputs { model: model.into(), rows, dev: None };
    let out = folder.join("trainer");
    sft::run(&config, &inputs, &out, &RunOptions { seed: Seed(1), force: false, progress: &NoProgress }).unwrap();
    out.join(sft::ADAPTER)
}

#[test]
fn a_merged_model_answers_as_base_and_adapter_do() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = adapter(folder.path(), &fixture());
    let merged = folder.path().join("merged");
    let report = merge::run(&fixture(), &adapter, &merged, Stored::Full, &[], Seed(1)).unwrap();
    assert!(report.largest_difference < 1e-4 && report.largest_logit > 1.0, "{report}");
    assert_eq!((report.rows, report.dtype), (4, DType::F32));
    for file in ["tokenizer.json", "tokenizer_config.json", "config.json"] {
        assert!(merged.join(file).exists(), "{file}");
    }
    let mut adapted = Llama::load(&fixture(), &Device::Cpu).unwrap();
    let base = generate(&adapted, &[0, 4, 5, 6, 10], &GenerateOptions::default()).unwrap();
    adapted.load_adapter(&adapter).unwrap();
    let ours = generate(&adapted, &[0, 4, 5, 6, 10], &GenerateOptions::default()).unwrap();
    let whole = Llama::load(&merged, &Device::Cpu).unwrap();
    assert_eq!(generate(&whole, &[0, 4, 5, 6, 10], &GenerateOptions::default()).unwrap(), ours);
    assert_ne!(base, ours, "the adapter changes something");

    // Stored as bf16, the report tells what the rounding costs.
    let half = folder.path().join("half");
    std::fs::create_dir(&half).unwrap();
    for file in ["model.safetensors", "tokenizer.json"] {
        std::fs::copy(fixture().join(file), half.join(file)).unwrap();
    }
    let config = std::fs::read_to_string(fixture().join("config.json")).unwrap().replace("float32", "bfloat16");
    std::fs::write(half.join("config.json"), config).unwrap();
    let rounded =
        merge::run(&half, &adapter, &folder.path().join("out"), Stored::AsBase, &[vec![0, 4, 9]], Seed(1)).unwrap();
    assert_eq!((rounded.dtype, rounded.tokens), (DType::BF16, 3));
    assert!(rounded.largest_difference > report.largest_difference, "{rounded}");
    assert!(Llama::load(&folder.path().join("out"), &Device::Cpu).is_ok());
}

#[test]
fn a_gguf_file_brings_its_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let bytes = export::run(&fixture(), &path, GgufDtype::Q8_0, "tiny", None).unwrap();
    assert!((1_000_000..1_300_000).contains(&bytes), "a million weights at 34 bytes for 32, and words: {bytes}");
    let content = Content::read(&mut std::fs::File::open(&path).unwrap()).unwrap();
    let text = |key: &str| content.metadata[key].to_string().unwrap().clone();
    assert_eq!(text("tokenizer.ggml.model"), "gpt2");
    assert_eq!(text("tokenizer.ggml.pre"), "smollm");
    assert!(
        text("tokenizer.chat_template").contains("<|assistant|>") || text("tokenizer.chat_template").contains("'<|'")
    );
    let tokenizer = tokenizers::Tokenizer::from_file(fixture().join("tokenizer.json")).unwrap();
    let tokens = content.metadata["tokenizer.ggml.tokens"].to_vec().unwrap();
    let kinds = content.metadata["tokenizer.ggml.token_type"].to_vec().unwrap();
    assert_eq!((tokens.len(), kinds.len()), (2048, 2048));
    for id in [0_u32, 5, 6, 300, 2047] {
        assert_eq!(*tokens[id as usize].to_string().unwrap(), tokenizer.id_to_token(id).unwrap());
    }
    assert!(matches!((&kinds[0], &kinds[300]), (Value::I32(3), Value::I32(1))));
    assert!(content.metadata["tokenizer.ggml.merges"].to_vec().unwrap().len() > 1000);
    assert_eq!(content.metadata["tokenizer.ggml.eos_token_id"].to_u32().unwrap(), 1);

    let bare = folder.path().join("bare");
    common::base(folder.path());
    std::fs::rename(folder.path().join("base"), &bare).unwrap();
    let error = export::run(&bare, &path, GgufDtype::F32, "bare", None).unwrap_err().to_string();
    assert!(error.contains("tokenizer.json"), "{error}");
}

#[test]
fn a_pushed_adapter_has_a_card_and_is_the_one_that_was_trained() {
    let folder = tempfile::tempdir().unwrap();
    let model = common::base(folder.path());
    let adapter = adapter(folder.path(), &model);
    let server = TestHub::start(Some("hf_test")).unwrap();
    let hub = Hub::new(HubConfig {
        endpoint: Some(server.endpoint().to_owned()),
        cache_dir: folder.path().join("cache"),
        token: Some("hf_test".into()),
        offline: false,
    })
    .unwrap();
    let commit = push::run(&hub, &adapter, "me/adapter", true, "first").unwrap().unwrap();
    assert!(commit.contains("/commit/"), "{commit}");
    let read = |name: &str| server.file(RepoKind::Model, "me/adapter", name).unwrap();
    assert_eq!(read("adapter_model.safetensors"), std::fs::read(adapter.join("adapter_model.safetensors")).unwrap());
    let card = String::from_utf8(read("README.md")).unwrap();
    assert!(card.starts_with("---\nbase_model: \"org/base\"\nlibrary_name: peft\n"), "{card}");
    assert!(card.contains("final loss") && card.contains("| lora.r | 4 |"), "{card}");
    assert!(!card.contains(&*folder.path().to_string_lossy()), "{card}");
    let left: Vec<_> =
        std::fs::read_dir(folder.path().join("trainer")).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(!left.iter().any(|n| n.to_string_lossy().contains("push")), "{left:?}");

    std::fs::write(adapter.join("adapter_config.json"), "{}").unwrap();
    let error = push::run(&hub, &adapter, "me/adapter", true, "again").unwrap_err().to_string();
    assert!(error.contains("not the adapter that the manifest"), "{error}");
    let error = push::run(&hub, &model, "me/adapter", true, "again").unwrap_err().to_string();
    assert!(error.contains("no manifest"), "{error}");
}
