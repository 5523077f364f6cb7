//! Other tasks than sentiment, other wordings, and rows that are too long.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use artifacts::rows::{
    Example, Formatted, FormattedTask, Language, Rejected, Sentiment, Shortened, TaskExample, TaskKind,
};
use artifacts::{Manifest, NoProgress, Row, RunOptions, Seed, read_all, write_all};
use chat::{ChatTokenizer, Message};
use common::model;
use formatter::{Config, Error, Inputs, TooLong, run};
use std::path::PathBuf;
use tempfile::TempDir;

fn task(id: &str, task: TaskKind, language: Language, input: &str, answer: &str) -> TaskExample {
    TaskExample {
        id: id.into(),
        task,
        language,
        input: input.into(),
        question: (task == TaskKind::QuestionAnswering).then(|| "Who sold {input}?".into()),
        answer: answer.into(),
        source: "test".into(),
        source_row: 3,
        cluster: id.into(),
    }
}

fn four() -> Vec<TaskExample> {
    vec![
        task("a", TaskKind::Extraction, Language::English, "Oil fell in Hanoi.", "Hanoi"),
        task("b", TaskKind::QuestionAnswering, Language::English, "Anna sold gold.", "Anna"),
        task("c", TaskKind::Summarisation, Language::Vietnamese, "Giá vàng tăng mạnh hôm nay.", "Vàng tăng"),
        task("d", TaskKind::Classification, Language::Vietnamese, "Thầy dạy hay.", "giảng viên"),
    ]
}

struct Case<R> {
    dir: TempDir,
    inputs: Inputs,
    row: std::marker::PhantomData<R>,
}

impl<R: Row + Clone> Case<R> {
    fn new(context: u32, train: &[R], eval: &[R]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = [("train.parquet", train), ("eval.parquet", eval)].map(|(name, rows)| {
            let path = dir.path().join(name);
            write_all(&path, rows).unwrap();
            vec![path]
        });
        let [train, eval] = files;
        let inputs = Inputs { tokenizer: model(dir.path(), Some(context)), train, eval };
        Self { dir, inputs, row: std::marker::PhantomData }
    }

    fn out(&self, file: &str) -> PathBuf {
        self.dir.path().join("formatted").join(file)
    }

    fn run(&self, config: &Config) -> Result<Manifest, Error> {
        run(config, &self.inputs, &self.out(""), &RunOptions { seed: Seed(1), force: false, progress: &NoProgress })
    }
}

#[test]
fn every_task_becomes_messages_tokens_and_a_mask_over_its_answer() {
    let case = Case::new(4000, &four(), &[task("e", TaskKind::Extraction, Language::English, "Tokyo rose.", "Tokyo")]);
    let manifest = case.run(&Config::default()).unwrap();
    assert_eq!((manifest.rows_in, manifest.rows_kept), (5, 5));
    let rows: Vec<FormattedTask> = read_all(&case.out("train.parquet")).unwrap();
    let tokenizer = ChatTokenizer::load(&case.inputs.tokenizer, "26 Jul 2024").unwrap();
    for (row, exercise) in rows.iter().zip(four()) {
        let learned: Vec<u32> = row.ids.iter().zip(&row.supervised).filter(|(_, s)| **s).map(|(i, _)| *i).collect();
        assert_eq!(tokenizer.decode(&learned).unwrap(), format!("{}</s>", exercise.answer));
        let messages: Vec<Message> = serde_json::from_str(&row.messages).unwrap();
        assert_eq!(tokenizer.prompt(&messages[..1]).unwrap(), row.ids[..row.prompt_tokens as usize]);
        assert!(messages[0].content.contains(&exercise.input));
        assert_eq!((row.task, row.template.as_str()), (exercise.task, "direct-v1"));
    }
    assert_eq!(
        rows[1].text,
        "<s>### user\nAnswer from the text.\nText: Anna sold gold.\nQuestion: Who sold {input}?</s>### assistant\nAnna</s>"
    );
}

#[test]
fn training_and_evaluation_rows_can_ask_in_different_words() {
    let eval = [task("e", TaskKind::Summarisation, Language::Vietnamese, "Dầu giảm.", "Giảm")];
    let case = Case::new(4000, &four(), &eval);
    let mut config = Config::default();
    config.set_template("after-v1", false).unwrap();
    config.set_template("paraphrase-v1", true).unwrap();
    let manifest = case.run(&config).unwrap();
    let read = |file: &str| read_all::<FormattedTask>(&case.out(file)).unwrap();
    let (train, eval) = (read("train.parquet"), read("eval.parquet"));
    assert!(train.iter().all(|row| row.template == "after-v1"));
    assert_eq!(eval[0].template, "paraphrase-v1");
    assert!(eval[0].text.contains("Nói ngắn gọn, đoạn sau viết gì?\nDầu giảm."), "{}", eval[0].text);
    assert_eq!(
        (&manifest.facts["train_wording"], &manifest.facts["eval_wording"]),
        (&"after-v1".into(), &"paraphrase-v1".into())
    );

    let error = config.set_template("polite", false).unwrap_err().to_string();
    assert!(error.contains("brief, paraphrase, labels") && error.contains("direct-v1"), "{error}");
    let unknown = Config { template: "direct".into(), ..Config::default() };
    assert!(case.run(&unknown).unwrap_err().to_string().contains("`direct` is no wording"));
}

fn example(id: &str, text: &str) -> Example {
    Example {
        id: id.into(),
        text: text.into(),
        label: Sentiment::Positive,
        raw_label: "positive".into(),
        language: Language::English,
        source: "test".into(),
        source_row: 7,
        cluster: id.into(),
        instruction: None,
        synthetic: false,
    }
}

#[test]
fn sentiment_rows_can_be_trained_on_one_wording_and_evaluated_on_another() {
    let case = Case::new(4000, &[example("a", "Profit rose.")], &[example("b", "Sales rose.")]);
    let mut config = Config::default();
    config.set_template("paraphrase", true).unwrap();
    case.run(&config).unwrap();
    let text = |file: &str| read_all::<Formatted>(&case.out(file)).unwrap()[0].text.clone();
    assert!(text("train.parquet").contains("Sentiment of this text?"));
    assert!(text("eval.parquet").contains("What mood does this text convey?"));
}

#[test]
fn a_long_input_is_refused_unless_the_settings_let_it_lose_words_and_an_answer_never_does() {
    let long = "the market of the year rose and rose ".repeat(12);
    let train = [
        task("short", TaskKind::Summarisation, Language::English, "Oil fell.", "Oil down"),
        task("long", TaskKind::Summarisation, Language::English, long.trim(), "It rose all the year"),
        task("answer", TaskKind::Summarisation, Language::English, "Oil fell today.", &"and so on ".repeat(40)),
    ];
    let eval = [task("e", TaskKind::Summarisation, Language::English, "Tin rose.", "Tin up")];
    let case = Case::new(200, &train, &eval);

    let refused = case.run(&Config::default()).unwrap();
    assert_eq!((refused.rows_rejected["too-long"], &refused.facts["train_shortened"]), (2, &0.into()));

    let manifest = case.run(&Config { too_long: TooLong::ShortenInput, ..Config::default() }).unwrap();
    assert_eq!((manifest.rows_rejected["too-long"], &manifest.facts["train_shortened"]), (1, &1.into()));
    let rows: Vec<FormattedTask> = read_all(&case.out("train.parquet")).unwrap();
    assert_eq!(rows.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["short", "long"]);
    assert!(rows[1].ids.len() <= 200 && rows[1].text.contains(" …"), "{}", rows[1].text);
    assert!(rows[1].text.ends_with("It rose all the year</s>"), "{}", rows[1].text);
    let shortened: Vec<Shortened> = read_all(&case.out("shortened.parquet")).unwrap();
    assert_eq!(shortened.len(), 1);
    let of = &shortened[0];
    assert_eq!((of.id.as_str(), of.split.as_str(), of.tokens_after), ("long", "train", rows[1].ids.len() as u64));
    assert!(of.tokens_before > 200 && of.characters_before == long.trim().chars().count() as u64);
    // One more word would not have fitted: the longest word here has seven characters, one token each.
    assert!(of.tokens_after > 200 - 8, "{of:?}");
    let kept: String = long.chars().take(of.characters_after as usize).collect();
    assert!(rows[1].text.contains(&format!("{kept} …")), "{}", rows[1].text);
    let rejected: Vec<Rejected> = read_all(&case.out("rejected.parquet")).unwrap();
    assert_eq!((rejected.len(), rejected[0].text.as_str()), (1, "Oil fell today."));
}

#[test]
fn three_rows_stand_in_the_report_as_messages_text_and_tokens() {
    let case = Case::new(4000, &four(), &[task("e", TaskKind::Extraction, Language::English, "Tokyo rose.", "Tokyo")]);
    case.run(&Config::default()).unwrap();
    let report = std::fs::read_to_string(case.out("report.md")).unwrap();
    assert_eq!(report.matches("[[</s>/2]]").count(), 3, "{report}");
    assert_eq!(report.matches("<s>/1 ").count(), 3);
    let examples = std::fs::read_to_string(case.out("examples.md")).unwrap();
    for title in ["1. extraction, en", "2. summarisation, vi", "3. question-answering, en"] {
        assert!(examples.contains(title), "{examples}");
    }
    assert!(std::fs::read_to_string(case.out("report.html")).unwrap().contains("Tokens a row"));
}
