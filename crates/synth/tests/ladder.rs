#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use artifacts::rows::{Candidate, Sentiment, Verdict};
use artifacts::{NoProgress, Seed};
use common::{config, eval, judge, meaning, row, train};
use providers::testing::Scripted;
use providers::{Provider, Reply};
use std::collections::BTreeSet;
use synth::{Config, Judging, RealRows, Strategy, Style, Synthesis, generate};

const GOOD: &str = "The mill won a large order and its profit rose sharply.";

fn synthesise(config: &Config, provider: &dyn Provider) -> Synthesis {
    let (train, eval) = (train(), eval());
    generate(config, provider, RealRows { train: &train, eval: &eval }, Seed(1), &NoProgress).unwrap()
}

/// What becomes of the first candidate that is asked to be positive (number 2) if the model says `text` to that.
fn fate(text: &str) -> Candidate {
    let text = text.to_owned();
    let author = move |prompt: &str, _| if prompt == "Good news today:" { text.clone() } else { String::new() };
    fate_of(&config(3), &judge(0.0, meaning).writing(author))
}

fn fate_of(config: &Config, provider: &dyn Provider) -> Candidate {
    let candidate = synthesise(config, provider).candidates.remove(2);
    assert_eq!(candidate.intended, Sentiment::Positive);
    candidate
}

#[test]
fn a_good_candidate_is_kept_with_all_three_judgements() {
    let kept = fate(GOOD);
    assert_eq!((kept.verdict, kept.text.as_str()), (Verdict::Kept, GOOD), "{}", kept.detail);
    for label in [kept.classifier_label, kept.model_label, kept.vote_label] {
        assert_eq!(label, Some(Sentiment::Positive));
    }
    assert!(kept.classifier_probability.unwrap() >= 0.6 && kept.model_probability.unwrap() >= 0.6);
    assert!(kept.vote_share.unwrap() >= 0.6);
    assert_eq!((kept.prompt.as_str(), kept.strategy.as_str()), ("Good news today:", "heading-v1"));
    assert_eq!((kept.sampling.as_str(), kept.sector), ("temperature", None));
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
        ("Here is a headline on the mill that won an order.", Verdict::TemplateLeak, "here is a"),
        ("Harbor won an order and its profit rose sharply!", Verdict::Duplicate, "training row"),
        (
            "Shares of the shipping group jumped after a record profit and higher dividends.",
            Verdict::Contaminated,
            "like evaluation row",
        ),
        (
            "The mill won since the shipping group jumped after a record profit and a boom in the spring and its profit rose.",
            Verdict::Contaminated,
            "shares “the shipping group jumped after a record profit”",
        ),
        ("The mill lost its order and profit fell heavily.", Verdict::Label, "0 of 2 judges agree"),
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
    let found = fate_of(&config(3), &cut);
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
    let all = synthesise(&config(9), &judge(0.0, meaning).writing(|_, _| GOOD.into())).candidates;
    let verdicts: Vec<Verdict> = all.iter().map(|c| c.verdict).collect();
    // Asked for negative, neutral, positive in turn: the first two are refused by the judges, so nothing is known yet.
    assert_eq!(verdicts[..3], [Verdict::Label, Verdict::Label, Verdict::Kept]);
    assert!(verdicts[3..].iter().all(|v| *v == Verdict::Duplicate), "{verdicts:?}");
    assert!(all[3].detail.contains("candidate 2"), "{}", all[3].detail);
}

/// The simulated language model finds every text negative; the classifier finds the truth.
#[test]
fn two_of_three_judges_decide_and_how_many_is_a_setting() {
    let author = |prompt: &str, _| if prompt == "Good news today:" { GOOD.to_owned() } else { String::new() };
    let contrary = || judge(0.0, |_| Some(Sentiment::Negative)).writing(author);
    // Calibration finds out that this model's score says nothing, and its vote alone convinces nobody.
    let outvoted = fate_of(&config(3), &contrary());
    assert_eq!((outvoted.verdict, outvoted.vote_label), (Verdict::Label, Some(Sentiment::Negative)));
    assert!(outvoted.detail.contains("1 of 2 judges agree"), "{}", outvoted.detail);
    let one = Config { judges: Judging { agree: 1, ..config(3).judges }, ..config(3) };
    assert_eq!(fate_of(&one, &contrary()).verdict, Verdict::Kept);
}

#[test]
fn a_model_that_cannot_be_asked_for_labels_leaves_the_judges_without_a_quorum() {
    let mute = Scripted::new(|prompt, _| Reply {
        text: if prompt.starts_with("Good news") { GOOD.into() } else { "I cannot say.".into() },
        finished: true,
    });
    let found = fate_of(&config(3), &mute);
    assert_eq!((found.verdict, found.vote_share), (Verdict::Label, Some(0.0)));
}

/// A different good text for every seed, of the label that the heading asks for.
fn able_author(prompt: &str, seed: u64) -> String {
    let name: String =
        format!("{seed:016x}").chars().map(|c| char::from(b'a' + c.to_digit(16).unwrap() as u8)).collect();
    let (a, b) = name.split_at(8);
    match prompt {
        "Good news today:" => format!("The {a} of {b} won an order and its profit rose sharply."),
        "Bad news today:" => format!("The {a} of {b} lost an order and its profit fell heavily."),
        _ => format!("The {a} of {b} will hold its annual meeting in the spring."),
    }
}

#[test]
fn an_able_model_fills_every_label_s_share_exactly_and_stops() {
    let config = Config { rows: 20, near_duplicate: 0.95, max_candidates: 5000, ..config(0) };
    let all = synthesise(&config, &judge(0.0, meaning).writing(able_author));
    let kept = |label| all.of(Verdict::Kept).filter(|c| c.intended == label).count();
    assert_eq!(Sentiment::ALL.iter().map(|l| kept(*l)).collect::<Vec<_>>(), [7, 7, 6]);
    // The last batch is made whole: what it has too much of is surplus and not lost without a word.
    assert_eq!(all.candidates.len() % 32, 0);
    assert_eq!(all.of(Verdict::Surplus).count() + 20, all.candidates.len());
    let rows = all.examples();
    assert!(
        rows.iter().all(|r| r.synthetic && r.source == "synthetic:simulation" && r.id == text::text_id("en", &r.text))
    );
}

#[test]
fn equal_seeds_give_equal_candidates_on_any_number_of_cores() {
    let config = Config { rows: 40, near_duplicate: 0.95, ..config(5000) };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| synthesise(&config, &judge(0.1, meaning).writing(able_author)))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn few_shot_prompts_hold_three_different_real_rows_of_the_label() {
    let config = Config { strategies: vec![Strategy::FewShot], ..config(6) };
    for candidate in &synthesise(&config, &Scripted::saying("")).candidates {
        let lines: Vec<&str> = candidate.prompt.lines().collect();
        assert_eq!(lines.len(), 3);
        for line in &lines {
            let source = train().into_iter().find(|r| r.text == **line).unwrap();
            assert_eq!(source.label, candidate.intended);
            assert_eq!(lines.iter().filter(|l| *l == line).count(), 1);
        }
    }
}

#[test]
fn grid_prompts_show_one_row_of_each_other_label_and_their_attributes_are_on_record() {
    let config = Config { strategies: vec![Strategy::Grid], ..config(60) };
    let author = |_: &str, _| format!("{{\"text\": \"{GOOD}\"}}");
    let all = synthesise(&config, &judge(0.0, meaning).writing(author)).candidates;
    assert_eq!(all[2].verdict, Verdict::Kept, "{}", all[2].detail);
    assert_eq!(all[2].text, GOOD);
    let mut sectors = BTreeSet::new();
    for candidate in &all {
        let shown: Vec<&str> = candidate.prompt.lines().filter_map(|l| l.strip_prefix("- ")).collect();
        let labels: BTreeSet<Sentiment> =
            shown.iter().map(|s| train().into_iter().find(|r| r.text == **s).unwrap().label).collect();
        assert!(shown.len() == 2 && labels.len() == 2 && !labels.contains(&candidate.intended), "{shown:?}");
        sectors.insert(candidate.sector.clone().unwrap());
    }
    assert!(sectors.len() >= 6, "{sectors:?}");
    // Each label has gone through the same points.
    let points = |label| -> Vec<_> {
        all.iter()
            .filter(|c| c.intended == label)
            .map(|c| (c.sector.clone(), c.event.clone(), c.length.clone()))
            .collect()
    };
    assert_eq!(points(Sentiment::Negative), points(Sentiment::Positive));
}

#[test]
fn an_answer_that_is_not_the_json_asked_for_is_refused() {
    let config = Config { strategies: vec![Strategy::Grid], ..config(3) };
    let found = fate_of(&config, &judge(0.0, meaning).writing(|_, _| format!("Sure! {{\"text\": \"{GOOD}\"}}")));
    assert_eq!((found.verdict, found.detail.as_str()), (Verdict::Format, "not the JSON asked for"));
}

#[test]
fn styles_take_turns_and_what_a_provider_cannot_do_is_recorded_as_what_it_did() {
    let config = Config { styles: Style::ALL.to_vec(), ..config(12) };
    let styles = |provider: &dyn Provider| -> Vec<String> {
        let all = synthesise(&config, provider).candidates;
        all.into_iter().filter(|c| c.intended == Sentiment::Neutral).map(|c| c.sampling).collect()
    };
    assert_eq!(styles(&judge(0.0, meaning)), ["temperature", "top-p", "min-p", "greedy-after-draw"]);
    assert_eq!(styles(&Scripted::saying("")), ["temperature", "top-p", "temperature", "temperature"]);
}

#[test]
fn every_judge_is_measured_on_rows_it_did_not_learn_from() {
    let check = synthesise(&config(3), &judge(0.0, meaning)).judge;
    assert_eq!((check.rows, check.judges[2].rows, check.judges[2].right), (1, 1, 1));
    assert_eq!((check.true_label_passes, check.wrong_label_passes, check.precision()), (1, 0, Some(1.0)));
    let wrong = vec![row("The mill lost its order and profit fell heavily.", Sentiment::Positive)];
    let train = train();
    let real = RealRows { train: &train, eval: &wrong };
    let check = generate(&config(3), &judge(0.0, meaning), real, Seed(1), &NoProgress).unwrap().judge;
    assert_eq!((check.true_label_passes, check.wrong_label_passes, check.precision()), (0, 1, Some(0.0)));
}

#[test]
fn a_label_without_real_rows_is_an_error_that_names_it() {
    let train: Vec<_> = train().into_iter().filter(|r| r.label != Sentiment::Neutral).collect();
    let real = RealRows { train: &train, eval: &[] };
    let error = generate(&config(3), &judge(0.0, meaning), real, Seed(1), &NoProgress).unwrap_err();
    assert!(error.to_string().contains("no en text labelled neutral"), "{error}");
}

#[test]
fn a_setting_without_meaning_is_refused_with_its_value() {
    let bad = Config { temperature: 0.0, ..config(3) };
    let (train, eval) = (train(), eval());
    let real = RealRows { train: &train, eval: &eval };
    let error = generate(&bad, &judge(0.0, meaning), real, Seed(1), &NoProgress).unwrap_err();
    assert!(error.to_string().contains("setting temperature is 0"), "{error}");
}
