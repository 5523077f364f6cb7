#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use artifacts::rows::{Candidate, Example, Language, Sentiment, Verdict};
use artifacts::{NoProgress, Seed};
use providers::testing::Scripted;
use providers::{Provider, Reply};
use synth::{Config, RealRows, Strategy, Synthesis, generate};

const GOOD: &str = "The mill won a large order and its profit rose sharply.";

fn row(text: &str, label: Sentiment) -> Example {
    let id = text::text_id("en", text);
    Example {
        cluster: id.clone(),
        id,
        text: text.to_owned(),
        label,
        raw_label: label.to_string(),
        language: Language::English,
        source: "test".into(),
        source_row: 0,
        instruction: None,
        synthetic: false,
    }
}

/// Ten rows a label, each label with its own words.
fn train() -> Vec<Example> {
    let firms = ["Acme", "Borealis", "Cobalt", "Delta", "Ember", "Fjord", "Gale", "Harbor", "Iris", "Juno"];
    firms
        .iter()
        .flat_map(|firm| {
            [
                row(&format!("{firm} lost its largest order and profit fell heavily."), Sentiment::Negative),
                row(&format!("{firm} will hold its annual meeting in the spring."), Sentiment::Neutral),
                row(&format!("{firm} won an order and its profit rose sharply."), Sentiment::Positive),
            ]
        })
        .collect()
}

fn eval() -> Vec<Example> {
    vec![row("Shares of the shipping group jumped after a record profit and a higher dividend.", Sentiment::Positive)]
}

fn config(max_candidates: u64) -> Config {
    Config { max_candidates, rows: 30, strategies: vec![Strategy::Heading], ..Config::default() }
}

fn synthesise(config: &Config, provider: &dyn Provider) -> Synthesis {
    let (train, eval) = (train(), eval());
    generate(config, provider, RealRows { train: &train, eval: &eval }, Seed(1), &NoProgress).unwrap()
}

/// What becomes of the first candidate that is asked to be positive (number 2) if the model says `text` to that.
fn fate(text: &str) -> Candidate {
    let text = text.to_owned();
    let write = move |prompt: &str, _: &providers::Completion| {
        let text = if prompt == "Good news today:" { text.clone() } else { String::new() };
        Reply { text, finished: true }
    };
    fate_of(&Scripted::new(write))
}

fn fate_of(provider: &dyn Provider) -> Candidate {
    let generated = synthesise(&config(3), provider).generated.remove(2);
    assert_eq!(generated.candidate.intended, Sentiment::Positive);
    generated.candidate
}

#[test]
fn a_good_candidate_is_kept_with_both_judgements() {
    let kept = fate(GOOD);
    assert_eq!((kept.verdict, kept.text.as_str()), (Verdict::Kept, GOOD), "{}", kept.detail);
    assert_eq!(kept.classifier_label, Some(Sentiment::Positive));
    assert!(kept.classifier_probability.unwrap() >= 0.95);
    assert!((kept.model_probability.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!((kept.prompt.as_str(), kept.detail.as_str()), ("Good news today:", "heading-v1"));
}

#[test]
fn each_rung_refuses_what_it_must_and_says_why() {
    let cases = [
        ("", Verdict::Format, "empty"),
        ("Profit rose.", Verdict::Format, "2 words"),
        ("The mill won an order and\u{0} its profit rose.", Verdict::Format, "U+0000"),
        ("Der Gewinn des Werks ist nach dem Auftrag stark gestiegen.", Verdict::Language, "Other"),
        ("Lợi nhuận của nhà máy tăng mạnh nhờ đơn hàng lớn.", Verdict::Language, "Vietnamese"),
        ("The mill won an order and the outlook is positive.", Verdict::LabelLeak, "positive"),
        ("Harbor won an order and its profit rose sharply!", Verdict::Contaminated, "training row"),
        (
            "Shares of the shipping group jumped after a record profit and higher dividends.",
            Verdict::Contaminated,
            "evaluation row",
        ),
        ("The mill lost its order and profit fell heavily.", Verdict::Label, "classifier says negative"),
    ];
    for (text, verdict, detail) in cases {
        let found = fate(text);
        assert_eq!(found.verdict, verdict, "{text:?}: {}", found.detail);
        assert!(found.detail.contains(detail), "{text:?}: {}", found.detail);
        assert_eq!(found.response, text, "the raw answer stays on record");
    }
}

#[test]
fn an_answer_cut_by_the_limit_of_tokens_is_refused() {
    let cut = Scripted::new(|_, _| Reply { text: "The mill won a large order and its profi".into(), finished: false });
    let found = fate_of(&cut);
    assert_eq!(found.verdict, Verdict::Format);
    assert!(found.detail.contains("cut off"), "{}", found.detail);
}

#[test]
fn only_the_first_sentence_is_taken() {
    let found = fate(&format!(" {GOOD} Bad news today: profit fell."));
    assert_eq!((found.text.as_str(), found.verdict), (GOOD, Verdict::Kept));
}

#[test]
fn a_copy_of_an_earlier_kept_candidate_is_a_duplicate() {
    let all = synthesise(&config(9), &Scripted::saying(GOOD)).generated;
    let verdicts: Vec<Verdict> = all.iter().map(|g| g.candidate.verdict).collect();
    // Asked for negative, neutral, positive in turn: the first two are refused by the classifier, so nothing is known yet.
    assert_eq!(verdicts[..3], [Verdict::Label, Verdict::Label, Verdict::Kept]);
    assert!(verdicts[3..].iter().all(|v| *v == Verdict::Duplicate), "{verdicts:?}");
    assert!(all[3].candidate.detail.contains("candidate 2"), "{}", all[3].candidate.detail);
}

#[test]
fn the_language_model_s_label_counts_only_where_it_is_required() {
    let says_negative = || Scripted::saying(GOOD).scoring(|_, _| vec![0.8, 0.1, 0.1]);
    assert_eq!(fate_of(&says_negative()).verdict, Verdict::Kept);
    let strict = Config { require_model_agreement: true, ..config(3) };
    let found = synthesise(&strict, &says_negative()).generated.remove(2).candidate;
    assert_eq!((found.verdict, found.model_label), (Verdict::Label, Some(Sentiment::Negative)));
    let says_positive = Scripted::saying(GOOD).scoring(|_, _| vec![0.1, 0.1, 0.8]);
    assert_eq!(synthesise(&strict, &says_positive).generated.remove(2).candidate.verdict, Verdict::Kept);
}

/// Writes a different good text for every seed, of the label that the heading asks for.
fn able_writer() -> Scripted {
    Scripted::new(|prompt, options| {
        let providers::Sampling::Sample { seed, .. } = options.sampling else { panic!("sampling asked for") };
        let name: String =
            format!("{seed:016x}").chars().map(|c| char::from(b'a' + c.to_digit(16).unwrap() as u8)).collect();
        let (a, b) = name.split_at(8);
        let text = match prompt {
            "Good news today:" => format!("The {a} of {b} won an order and its profit rose sharply."),
            "Bad news today:" => format!("The {a} of {b} lost an order and its profit fell heavily."),
            _ => format!("The {a} of {b} will hold its annual meeting in the spring."),
        };
        Reply { text, finished: true }
    })
}

#[test]
fn an_able_model_fills_every_label_s_share_exactly_and_stops() {
    let config = Config { rows: 20, strategies: vec![Strategy::Heading], near_duplicate: 0.95, ..Config::default() };
    let all = synthesise(&config, &able_writer());
    let kept = |label| all.of(Verdict::Kept).filter(|g| g.candidate.intended == label).count();
    assert_eq!(Sentiment::ALL.iter().map(|l| kept(*l)).collect::<Vec<_>>(), [7, 7, 6]);
    // The last batch is made whole: what it has too much of is surplus and not lost without a word.
    assert_eq!(all.generated.len() % 32, 0);
    assert_eq!(all.of(Verdict::Surplus).count() + 20, all.generated.len());
    let rows = all.examples();
    assert!(
        rows.iter().all(|r| r.synthetic && r.source == "synthetic:scripted" && r.id == text::text_id("en", &r.text))
    );
}

#[test]
fn equal_seeds_give_equal_candidates_on_any_number_of_cores() {
    let config = Config { rows: 40, near_duplicate: 0.95, ..Config::default() };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| synthesise(&config, &able_writer()))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn few_shot_prompts_hold_three_different_real_rows_of_the_label() {
    let config = Config { strategies: vec![Strategy::FewShot], ..config(6) };
    let all = synthesise(&config, &Scripted::saying(""));
    for generated in &all.generated {
        let lines: Vec<&str> = generated.candidate.prompt.lines().collect();
        assert_eq!(lines.len(), 3);
        for line in &lines {
            let source = train().into_iter().find(|r| r.text == **line).unwrap();
            assert_eq!(source.label, generated.candidate.intended);
            assert_eq!(lines.iter().filter(|l| *l == line).count(), 1);
        }
    }
}

#[test]
fn the_classifier_is_measured_on_rows_it_did_not_learn_from() {
    let check = synthesise(&config(3), &Scripted::saying(GOOD)).judge;
    assert_eq!(check.rows, 1);
    assert!(check.right <= check.sure && check.sure <= check.rows);
    let wrong = vec![row("The mill lost its order and profit fell heavily.", Sentiment::Positive)];
    let train = train();
    let real = RealRows { train: &train, eval: &wrong };
    let check = generate(&config(3), &Scripted::saying(GOOD), real, Seed(1), &NoProgress).unwrap().judge;
    assert_eq!((check.sure, check.precision()), (1, Some(0.0)));
}

#[test]
fn a_label_without_real_rows_is_an_error_that_names_it() {
    let train: Vec<Example> = train().into_iter().filter(|r| r.label != Sentiment::Neutral).collect();
    let real = RealRows { train: &train, eval: &[] };
    let error = generate(&config(3), &Scripted::saying(GOOD), real, Seed(1), &NoProgress).unwrap_err();
    assert!(error.to_string().contains("no en text labelled neutral"), "{error}");
}

#[test]
fn a_setting_without_meaning_is_refused_with_its_value() {
    let bad = Config { temperature: 0.0, ..config(3) };
    let (train, eval) = (train(), eval());
    let real = RealRows { train: &train, eval: &eval };
    let error = generate(&bad, &Scripted::saying(GOOD), real, Seed(1), &NoProgress).unwrap_err();
    assert!(error.to_string().contains("setting temperature is 0"), "{error}");
}
