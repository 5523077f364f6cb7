#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use artifacts::rows::{Answer, Example, Formatted, Language, Metric, Nearest, Outcome, Prediction, Sentiment};
use artifacts::{Manifest, NoProgress, RunOptions, Seed, read_all, write_all};
use chat::prompts::{Instruction, sentiment_messages};
use chat::{ChatTokenizer, Message};
use evaluator::{Config, Error, Form, Inputs, RobustnessConfig, run};
use providers::testing::tiny_model;
use std::path::{Path, PathBuf};

const DATE: &str = "26 Jul 2024";

fn example(i: usize) -> Example {
    let language = Language::ALL[i % 2];
    let text = match language {
        Language::English if i % 4 == 2 => format!("Order {i} came in."),
        Language::English => format!("Order number {i} came in from the largest customer."),
        Language::Vietnamese => format!("Có đơn hàng số {i} từ khách hàng lớn nhất."),
    };
    let label = Sentiment::ALL[i % 3];
    let id = format!("{i:016x}");
    Example {
        text,
        label,
        raw_label: label.to_string(),
        language,
        source: ["wire", "feedback"][i / 3 % 2].into(),
        source_row: i as u64,
        cluster: id.clone(),
        instruction: None,
        synthetic: false,
        id,
    }
}

/// Rows as the formatter writes them, in both languages.
fn formatted(model: &Path, examples: &[Example]) -> Vec<Formatted> {
    let tokenizer = ChatTokenizer::load(model, DATE).unwrap();
    let format = |e: &Example| {
        let instruction = if e.source_row % 4 < 2 { Instruction::Brief } else { Instruction::Labels };
        let mut messages = sentiment_messages(&e.text, e.language.as_str(), instruction);
        messages.push(Message::assistant(e.label.as_str()));
        let row = tokenizer.doctor(&messages, 512).unwrap();
        Formatted {
            id: e.id.clone(),
            language: e.language,
            label: e.label,
            messages: serde_json::to_string(&messages).unwrap(),
            text: row.text,
            ids: row.ids,
            supervised: row.mask,
            prompt_tokens: row.prompt_tokens as u32,
        }
    };
    examples.iter().map(format).collect()
}

/// A tiny model, an adapter that changes it, evaluation rows, and training rows of which one is an evaluation row too.
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
    let eval: Vec<Example> = (0..12).map(example).collect();
    let mut train: Vec<Example> = (100..160).map(example).collect();
    train.push(Example { id: "another id".into(), text: eval[4].text.to_uppercase(), ..eval[4].clone() });
    let file = |name: &str| folder.join(name);
    write_all(&file("eval.parquet"), &formatted(&model, &eval)).unwrap();
    write_all(&file("dev.parquet"), &formatted(&model, &(40..60).map(example).collect::<Vec<_>>())).unwrap();
    write_all(&file("examples.parquet"), &eval).unwrap();
    write_all(&file("train.parquet"), &train).unwrap();
    Inputs {
        model,
        adapter: Some(adapter),
        eval: file("eval.parquet"),
        dev: None,
        examples: vec![file("examples.parquet")],
        train: vec![file("train.parquet")],
    }
}

fn config() -> Config {
    let robustness = RobustnessConfig { typo_share: 1.0, ..RobustnessConfig::default() };
    Config { resamples: 200, least_rows: 2, leakage: 0.95, length_edges: vec![5, 25], robustness, ..Config::default() }
}

fn evaluate_with(config: &Config, inputs: &Inputs, out: &Path) -> Result<Manifest, Error> {
    run(config, inputs, out, &RunOptions { seed: Seed(7), force: false, progress: &NoProgress })
}

fn evaluate(inputs: &Inputs, out: &Path) -> Result<Manifest, Error> {
    evaluate_with(&config(), inputs, out)
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
    for (subject, slice, metric) in [
        ("tuned", "vi", "scored_accuracy"),
        ("tuned", "source:wire", "calibrated_macro_f1_low"),
        ("tuned", "length:0-5 words", "scored_balanced_accuracy"),
        ("tuned", "template:vi Cảm xúc của câu này? …", "scored_weighted_f1"),
        ("tuned", "class:neutral", "generated_recall"),
        ("tuned", "all", "scored_ece"),
        ("tuned", "all", "calibrated_brier_after_temperature"),
        ("tuned", "all", "scored_temperature"),
        ("tfidf", "all", "scored_macro_f1"),
        ("majority", "all", "generated_accuracy"),
        ("tuned", "form:typos", "scored_macro_f1_change_low"),
        ("tuned", "all", "scored_minus_generated_macro_f1"),
        ("tuned_minus_base", "all", "generated_mcnemar_p"),
        ("tuned_minus_base", "en", "scored_macro_f1_low"),
        ("tuned_minus_tfidf", "vi", "calibrated_accuracy_high"),
    ] {
        assert!(value(&metrics, subject, slice, metric).is_some(), "{subject} {slice} {metric}");
    }
    assert_eq!(
        (manifest.facts["base_macro_f1"].clone(), manifest.facts["tuned_macro_f1"].clone()),
        (0.0.into(), 0.0.into())
    );
    assert!(manifest.facts["base_tokens_computed"].as_u64() > Some(0));
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    for shown in ["unparseable", "Order number 0", "Order 2 came", "Reliability", "no-diacritics", "TF-IDF"] {
        assert!(html.contains(shown), "{shown}");
    }

    let again = folder.path().join("again");
    assert_eq!(evaluate(&inputs, &again).unwrap().outputs, manifest.outputs, "equal input and seed, equal bytes");
    assert_eq!(evaluate(&inputs, &out).unwrap(), manifest, "unchanged: skipped");
}

#[test]
fn a_training_row_among_the_evaluation_rows_is_found_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let out = folder.path().join("evaluator");
    let manifest = evaluate(&inputs, &out).unwrap();
    assert_eq!(
        (manifest.facts["leakage_same_key"].clone(), manifest.facts["leakage_near"].clone()),
        (1.into(), 1.into())
    );
    let nearest: Vec<Nearest> = read_all(&out.join("nearest.parquet")).unwrap();
    assert_eq!((nearest[0].train_id.as_str(), nearest[0].same_key), ("another id", true));
    assert!(nearest[1].jaccard < 0.95);
    assert!(std::fs::read_to_string(out.join("report.md")).unwrap().contains("Evaluation rows were trained on"));
}

#[test]
fn what_the_export_says_is_what_the_metrics_say_and_follows_from_its_samples() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("evaluator");
    evaluate(&inputs(folder.path()), &out).unwrap();
    let metrics: Vec<Metric> = read_all(&out.join("metrics.parquet")).unwrap();
    for subject in ["base", "tuned"] {
        let read = |name: &str| std::fs::read_to_string(out.join("lm_eval").join(subject).join(name)).unwrap();
        let results: serde_json::Value = serde_json::from_str(&read("results.json")).unwrap();
        for (task, slice) in [("seafin_sentiment_en", "en"), ("seafin_sentiment_vi", "vi")] {
            let lines = read(&format!("samples_{task}.jsonl"));
            let samples: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            assert_eq!(samples.len(), 6);
            let hits = |s: &&serde_json::Value| {
                let scores: Vec<f64> =
                    s["filtered_resps"].as_array().unwrap().iter().map(|r| r[0].as_f64().unwrap()).collect();
                let best = (0..3).fold(0, |best, k| if scores[k] > scores[best] { k } else { best });
                s["target"].as_u64() == Some(best as u64)
            };
            let accuracy = samples.iter().filter(hits).count() as f64 / 6.0;
            assert_eq!(results["results"][task]["acc,none"].as_f64(), Some(accuracy));
            for (key, metric) in [
                ("acc,none", "scored_accuracy"),
                ("acc_norm,none", "calibrated_accuracy"),
                ("exact_match,none", "generated_accuracy"),
                ("f1,none", "scored_macro_f1"),
            ] {
                assert_eq!(results["results"][task][key].as_f64(), value(&metrics, subject, slice, metric), "{key}");
            }
        }
    }
}

#[test]
fn each_form_is_asked_where_it_changes_the_prompt_and_kept_with_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("evaluator");
    evaluate(&inputs(folder.path()), &out).unwrap();
    let answers: Vec<Answer> = read_all(&out.join("answers.parquet")).unwrap();
    let of = |subject: &str, form: &str| -> Vec<Answer> {
        answers.iter().filter(|a| a.subject == subject && a.form == form).cloned().collect()
    };
    assert_eq!((of("base", "plain").len(), of("tuned", "plain").len(), of("base", "typos").len()), (12, 12, 0));
    let plain = of("tuned", "plain");
    for form in Form::ALL {
        let put = of("tuned", form.name());
        assert_eq!(put.len(), 12, "{}", form.name());
        let moved = |language: Language| {
            let pairs = plain.iter().zip(&put).filter(|(a, _)| a.language == language);
            pairs.filter(|(a, b)| (a.log_positive - b.log_positive).abs() > 1e-9).count()
        };
        assert_eq!(moved(Language::Vietnamese), 6, "{}", form.name());
        // English without diacritics is the same text.
        let same_in_english = matches!(form, Form::NoDiacritics | Form::Nfd);
        assert_eq!(moved(Language::English) == 0, same_in_english, "{}", form.name());
    }
    let off = Config { robustness: RobustnessConfig { forms: Vec::new(), ..Default::default() }, ..config() };
    let out = folder.path().join("off");
    evaluate_with(&off, &inputs(folder.path()), &out).unwrap();
    let answers: Vec<Answer> = read_all(&out.join("answers.parquet")).unwrap();
    assert!(answers.iter().all(|a| a.form == "plain"));
}

#[test]
fn held_out_rows_give_one_temperature_and_change_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let out = folder.path().join("evaluator");
    evaluate(&inputs, &out).unwrap();
    let dev = Inputs { dev: Some(folder.path().join("dev.parquet")), ..inputs };
    let with_dev = folder.path().join("dev");
    evaluate(&dev, &with_dev).unwrap();
    let same = |file: &str| {
        let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        read(&out) == read(&with_dev)
    };
    assert!(same("answers.parquet") && !same("metrics.parquet"));
    assert!(std::fs::read_to_string(with_dev.join("report.md")).unwrap().contains("fitted on held-out rows"));
}

#[test]
fn with_nothing_but_a_model_and_rows_the_base_model_is_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = Inputs { adapter: None, examples: Vec::new(), train: Vec::new(), ..inputs(folder.path()) };
    let out = folder.path().join("evaluator");
    let manifest = evaluate(&inputs, &out).unwrap();
    assert!(!manifest.facts.contains_key("tuned_macro_f1") && !manifest.facts.contains_key("leakage_near"));
    let metrics: Vec<Metric> = read_all(&out.join("metrics.parquet")).unwrap();
    assert!(metrics.iter().all(|m| m.subject != "tfidf"));
    assert_eq!(value(&metrics, "majority", "all", "generated_accuracy"), Some(4.0 / 12.0));
    let answers: Vec<Answer> = read_all(&out.join("answers.parquet")).unwrap();
    // The text is what follows the instruction, so that the forms can be made all the same.
    assert!(answers.iter().any(|a| a.form == "upper-case") && answers.iter().all(|a| a.source.is_empty()));
}

#[test]
fn rows_written_with_another_tokenizer_are_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let mut rows = formatted(&inputs.model, &[example(0), example(1), example(2)]);
    rows[1].ids[4] += 1;
    let eval: PathBuf = folder.path().join("other.parquet");
    write_all(&eval, &rows).unwrap();
    let error = evaluate(&Inputs { eval, ..inputs }, &folder.path().join("out")).unwrap_err().to_string();
    assert!(error.contains("other.parquet: row 1") && error.contains("at token 4"), "{error}");
    assert!(error.contains("run `formatter` with this model's tokenizer"), "{error}");
}

#[test]
fn a_setting_without_meaning_is_refused_with_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let refused = |config: Config| evaluate_with(&config, &inputs, &folder.path().join("out")).unwrap_err().to_string();
    assert!(refused(Config { resamples: 0, ..config() }).contains("resamples is 0; it must be 1 or more"));
    assert!(refused(Config { length_edges: vec![9, 9], ..config() }).contains("ascending"));
    let mut no_text = config();
    no_text.robustness.paraphrases.insert("en".into(), "Mood?".into());
    assert!(refused(no_text).contains("{text}"));
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
    write_all(&eval, &formatted(&model, &(0..12).map(example).collect::<Vec<_>>())).unwrap();
    let out = folder.path().join("evaluator");
    evaluate(&Inputs { model, eval, ..Inputs::default() }, &out).unwrap();
    let metrics: Vec<Metric> = read_all(&out.join("metrics.parquet")).unwrap();
    // It tells stories and knows nothing of labels.
    assert_eq!(value(&metrics, "base", "all", "unparseable_share"), Some(1.0));
    assert!(value(&metrics, "base", "all", "scored_accuracy").is_some());
}
