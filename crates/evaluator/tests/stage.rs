#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use artifacts::rows::{Formatted, Language, Metric, Outcome, Prediction, Sentiment};
use artifacts::{Manifest, NoProgress, RunOptions, Seed, read_all, write_all};
use chat::prompts::{Instruction, sentiment_messages};
use chat::{ChatTokenizer, Message};
use evaluator::{Config, Error, Inputs, run};
use providers::testing::tiny_model;
use std::path::{Path, PathBuf};

const DATE: &str = "26 Jul 2024";

/// Rows as the formatter writes them, in both languages.
fn formatted(model: &Path, count: usize) -> Vec<Formatted> {
    let tokenizer = ChatTokenizer::load(model, DATE).unwrap();
    (0..count)
        .map(|i| {
            let language = Language::ALL[i % 2];
            let label = Sentiment::ALL[i % 3];
            let text = match language {
                Language::English => format!("Order {i} came in."),
                Language::Vietnamese => format!("Có đơn hàng {i}."),
            };
            let mut messages = sentiment_messages(&text, language.as_str(), Instruction::Brief);
            messages.push(Message::assistant(label.as_str()));
            let row = tokenizer.doctor(&messages, 512).unwrap();
            Formatted {
                id: format!("{i:016x}"),
                language,
                label,
                messages: serde_json::to_string(&messages).unwrap(),
                text: row.text,
                ids: row.ids,
                supervised: row.mask,
                prompt_tokens: row.prompt_tokens as u32,
            }
        })
        .collect()
}

/// A tiny model, an adapter that changes it, and evaluation rows.
fn inputs(folder: &Path) -> Inputs {
    let model = folder.join("model");
    tiny_model(&model, 1).unwrap();
    let mut llama = lm::Llama::load(&model, &candle_core::Device::Cpu).unwrap();
    llama.attach_lora(&lm::LoraConfig::default(), 3).unwrap();
    for (name, var) in llama.trainable() {
        if name.contains("lora_B") {
            var.set(&(var.as_tensor().ones_like().unwrap() * 0.05).unwrap()).unwrap();
        }
    }
    let adapter = folder.join("adapter");
    llama.save_adapter(&adapter, "org/tiny").unwrap();
    let eval = folder.join("eval.parquet");
    write_all(&eval, &formatted(&model, 12)).unwrap();
    Inputs { model, adapter: Some(adapter), eval }
}

fn evaluate(inputs: &Inputs, out: &Path) -> Result<Manifest, Error> {
    let options = RunOptions { seed: Seed(7), force: false, progress: &NoProgress };
    run(&Config { resamples: 200, ..Config::default() }, inputs, out, &options)
}

fn value(metrics: &[Metric], subject: &str, slice: &str, metric: &str) -> Option<f64> {
    let found = metrics.iter().find(|m| m.subject == subject && m.slice == slice && m.metric == metric);
    found.unwrap_or_else(|| panic!("no {subject} {slice} {metric}")).value
}

#[test]
fn base_and_tuned_answer_the_same_rows_and_every_figure_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let out = folder.path().join("evaluator");
    let manifest = evaluate(&inputs, &out).unwrap();

    let predictions: Vec<Prediction> = read_all(&out.join("predictions.parquet")).unwrap();
    let ids =
        |model: &str| predictions.iter().filter(|p| p.model == model).map(|p| p.example_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids("base"), ids("tuned"));
    assert_eq!(ids("base").len(), 12);
    // A random model says nothing that can be read; that is wrong, and not a class.
    assert!(predictions.iter().all(|p| p.outcome == Outcome::Unparseable && p.predicted.is_none()));
    let p = |model: &str| predictions.iter().find(|p| p.model == model).unwrap().p_negative;
    assert!((p("base") - p("tuned")).abs() > 1e-6, "the adapter was applied");

    let metrics: Vec<Metric> = read_all(&out.join("metrics.parquet")).unwrap();
    assert_eq!(value(&metrics, "base", "all", "unparseable_share"), Some(1.0));
    assert_eq!(value(&metrics, "base", "en", "generated_macro_f1"), Some(0.0));
    assert_eq!(value(&metrics, "majority", "all", "generated_accuracy"), Some(4.0 / 12.0));
    for (subject, slice, metric) in [
        ("tuned", "vi", "scored_accuracy"),
        ("tuned", "class:neutral", "generated_recall"),
        ("tuned", "all", "scored_ece"),
        ("tuned_minus_base", "all", "generated_mcnemar_p"),
        ("tuned_minus_base", "en", "scored_macro_f1_low"),
    ] {
        assert!(value(&metrics, subject, slice, metric).is_some(), "{subject} {slice} {metric}");
    }
    assert_eq!(
        (manifest.facts["base_macro_f1"].clone(), manifest.facts["tuned_macro_f1"].clone()),
        (0.0.into(), 0.0.into())
    );
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("unparseable") && html.contains("Order 0 came in."));

    let again = folder.path().join("again");
    assert_eq!(evaluate(&inputs, &again).unwrap().outputs, manifest.outputs, "equal input and seed, equal bytes");
    assert_eq!(evaluate(&inputs, &out).unwrap(), manifest, "unchanged: skipped");
}

#[test]
fn without_an_adapter_only_the_base_model_is_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = Inputs { adapter: None, ..inputs(folder.path()) };
    let out = folder.path().join("evaluator");
    let manifest = evaluate(&inputs, &out).unwrap();
    assert!(!manifest.facts.contains_key("tuned_macro_f1"));
    let predictions: Vec<Prediction> = read_all(&out.join("predictions.parquet")).unwrap();
    assert!(predictions.iter().all(|p| p.model == "base"));
}

#[test]
fn rows_written_with_another_tokenizer_are_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let mut rows = formatted(&inputs.model, 3);
    rows[1].ids[4] += 1;
    let eval: PathBuf = folder.path().join("other.parquet");
    write_all(&eval, &rows).unwrap();
    let error = evaluate(&Inputs { eval, ..inputs }, &folder.path().join("out")).unwrap_err().to_string();
    assert!(error.contains("other.parquet: row 1") && error.contains("at token 4"), "{error}");
    assert!(error.contains("run `formatter` with this model's tokenizer"), "{error}");
}

#[test]
fn the_stories_model_is_evaluated_where_it_is_there() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap().join("shared");
    if !shared.join("README.md").is_file() {
        println!("skipped: no shared folder");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let model = shared.join("models/stories260k");
    let eval = folder.path().join("eval.parquet");
    write_all(&eval, &formatted(&model, 12)).unwrap();
    let out = folder.path().join("evaluator");
    evaluate(&Inputs { model, adapter: None, eval }, &out).unwrap();
    let metrics: Vec<Metric> = read_all(&out.join("metrics.parquet")).unwrap();
    // It tells stories and knows nothing of labels.
    assert_eq!(value(&metrics, "base", "all", "unparseable_share"), Some(1.0));
    assert!(value(&metrics, "base", "all", "scored_accuracy").is_some());
}
