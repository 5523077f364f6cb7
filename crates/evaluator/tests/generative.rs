#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use artifacts::rows::{FormattedTask, Generation, Language, Metric, TaskKind};
use artifacts::{Manifest, NoProgress, RunOptions, Seed, read_all, write_all};
use chat::templates::Template;
use chat::{ChatTokenizer, Message};
use evaluator::Error;
use evaluator::generative::{GenerativeConfig, GenerativeInputs, run};
use providers::testing::{Scripted, tiny_model};
use providers::{Provider, Reply};
use std::path::Path;

const DATE: &str = "26 Jul 2024";

fn rows(model: &Path) -> Vec<FormattedTask> {
    let tokenizer = ChatTokenizer::load(model, DATE).unwrap();
    let cases = [
        (TaskKind::Extraction, Language::English, "Nokia hired Ann Lee.", "ORG: Nokia; PERSON: Ann Lee"),
        (TaskKind::Summarisation, Language::English, "Oil fell because demand was weak.", "Oil fell."),
        (TaskKind::QuestionAnswering, Language::Vietnamese, "Lợi nhuận tăng 5 %.", "5 %"),
    ];
    let row = |(i, (task, language, input, answer)): (usize, &(TaskKind, Language, &str, &str))| {
        let template = Template::find(task.as_str(), language.as_str(), "direct-v1").unwrap();
        let mut messages = template.messages(input, Some("Bao nhiêu?"));
        messages.push(Message::assistant(answer));
        let whole = tokenizer.doctor(&messages, 512).unwrap();
        FormattedTask {
            id: i.to_string(),
            task: *task,
            language: *language,
            template: "direct-v1".into(),
            answer: (*answer).into(),
            messages: serde_json::to_string(&messages).unwrap(),
            text: whole.text,
            ids: whole.ids,
            supervised: whole.mask,
            prompt_tokens: whole.prompt_tokens as u32,
        }
    };
    cases.iter().enumerate().map(row).collect()
}

fn inputs(folder: &Path) -> GenerativeInputs {
    let model = folder.join("model");
    tiny_model(&model, 1).unwrap();
    let path = folder.join("tasks.parquet");
    write_all(&path, &rows(&model)).unwrap();
    GenerativeInputs { model, adapter: None, rows: path }
}

fn evaluate(inputs: &GenerativeInputs, judge: Option<&dyn Provider>, out: &Path) -> Result<Manifest, Error> {
    let config = GenerativeConfig { max_new_tokens: 8, resamples: 100, ..GenerativeConfig::default() };
    run(&config, inputs, judge, out, &RunOptions { seed: Seed(7), force: false, progress: &NoProgress })
}

#[test]
fn every_answer_is_measured_and_graded_and_only_extraction_has_entities() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    // Grades what it is shown: the reference of each task, and what the model wrote.
    let judge = Scripted::new(|prompt, _| {
        assert!(prompt.contains("Answer to grade"));
        let text = if prompt.contains("Reference answer:\nOil fell.") { "4" } else { "well done" };
        Reply { text: text.into(), finished: true }
    });
    let out = folder.path().join("out");
    let manifest = evaluate(&inputs, Some(&judge), &out).unwrap();
    let generations: Vec<Generation> = read_all(&out.join("generations.parquet")).unwrap();
    assert_eq!(generations.len(), 3);
    // A random model writes nonsense.
    assert!(generations.iter().all(|g| !g.exact_match && g.rouge_l < 0.5));
    let entities: Vec<bool> = generations.iter().map(|g| g.entity_f1.is_some()).collect();
    assert_eq!(entities, [true, false, false]);
    let grades: Vec<Option<f64>> = generations.iter().map(|g| g.judged).collect();
    assert_eq!(grades, [None, Some(0.75), None], "a reply that is no digit is no grade");
    let metrics: Vec<Metric> = read_all(&out.join("metrics.parquet")).unwrap();
    let of = |slice: &str, metric: &str| metrics.iter().find(|m| m.slice == slice && m.metric == metric).unwrap();
    assert_eq!((of("all", "judged").n, of("all", "judged").value), (1, Some(0.75)));
    assert_eq!(of("extraction", "entity_f1").n, 1);
    assert_eq!(of("question-answering:vi", "exact_match").value, Some(0.0));
    assert_eq!(manifest.facts["base_exact_match"], 0.0);
    assert!(std::fs::read_to_string(out.join("report.md")).unwrap().contains("2 of its replies could not be read"));
    assert_eq!(evaluate(&inputs, Some(&judge), &out).unwrap(), manifest, "unchanged: skipped");
    let again = folder.path().join("again");
    assert_eq!(evaluate(&inputs, Some(&judge), &again).unwrap().outputs, manifest.outputs, "equal input, equal bytes");
}

#[test]
fn rows_of_another_tokenizer_are_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let mut other = rows(&inputs.model);
    other[2].ids[5] += 1;
    write_all(&inputs.rows, &other).unwrap();
    let error = evaluate(&inputs, None, &folder.path().join("out")).unwrap_err().to_string();
    assert!(error.contains("tasks.parquet: row 2 (2)") && error.contains("at token 5"), "{error}");
}
