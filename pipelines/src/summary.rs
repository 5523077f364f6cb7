//! What a run says at its end: the comparison that matters and where the reports are.

use crate::{Run, Step};
use artifacts::rows::Metric;
use artifacts::{Manifest, read_all};
use std::fmt::Write;

/// The reports, by stage.
const REPORTS: [(&str, &str); 16] = [
    ("ingest", "report.html"),
    ("eda", "report.html"),
    ("eda-en", "report.html"),
    ("eda-vi", "report.html"),
    ("synth", "report.html"),
    ("formatter", "report.html"),
    ("evaluator", "report.html"),
    ("official-test/evaluator", "report.html"),
    ("ingest-market", "report.html"),
    ("features", "report.html"),
    ("backtester", "report.html"),
    ("ablation", "report.html"),
    ("dashboard", "dashboard.html"),
    ("task_1_baseline", "baseline_strategy.html"),
    ("task_2_evaluation", "evaluation_report.html"),
    ("task_3_experimentation", "experiments_and_results.html"),
];

/// The figures of everything that is there after `step`.
pub(crate) fn of(run: &Run, step: Step) -> anyhow::Result<String> {
    let mut text = String::new();
    if matches!(step, Step::PrepareData | Step::Synthetic | Step::Format | Step::All) {
        rows(run, &mut text)?;
    }
    if matches!(step, Step::Evaluate | Step::All) {
        sentiment(run, &mut text)?;
    }
    if step == Step::OfficialTest {
        official_test(run, &mut text)?;
    }
    if matches!(step, Step::Backtest | Step::Experiments | Step::All) {
        strategy(run, &mut text)?;
    }
    writeln!(text, "\nin {}", run.dir.display())?;
    for (stage, file) in REPORTS {
        let path = run.file(stage, file);
        if path.exists() {
            writeln!(text, "  {}", path.display())?;
        }
    }
    Ok(text.trim_end().to_owned())
}

fn rows(run: &Run, text: &mut String) -> anyhow::Result<()> {
    let counts = |stage: &str| -> anyhow::Result<Vec<(String, u64)>> {
        let manifest = Manifest::read(&run.folder(stage))?;
        let outputs = manifest.map(|m| m.outputs).unwrap_or_default();
        Ok(outputs.into_iter().filter_map(|o| Some((o.path, o.rows?.count))).collect())
    };
    writeln!(text, "rows")?;
    for stage in ["ingest", "synth", "formatter"] {
        let list: Vec<String> = counts(stage)?.iter().map(|(name, n)| format!("{name} {n}")).collect();
        if !list.is_empty() {
            writeln!(text, "  {stage:<10} {}", list.join(", "))?;
        }
    }
    Ok(())
}

fn sentiment(run: &Run, text: &mut String) -> anyhow::Result<()> {
    let metrics: Vec<Metric> = read_all(&run.file("evaluator", "metrics.parquet"))?;
    let lines = [
        ("macro-F1, generated", "all", "generated_macro_f1"),
        ("  English", "en", "generated_macro_f1"),
        ("  Vietnamese", "vi", "generated_macro_f1"),
        ("accuracy, generated", "all", "generated_accuracy"),
        ("unparseable answers", "all", "unparseable_share"),
        ("macro-F1, by label score", "all", "scored_macro_f1"),
    ];
    table(text, "sentiment", &metrics, &["base", "tuned"], &lines)
}

fn official_test(run: &Run, text: &mut String) -> anyhow::Result<()> {
    let metrics: Vec<Metric> = read_all(&run.file("official-test/evaluator", "metrics.parquet"))?;
    let lines = [
        ("accuracy, generated", "all", "generated_accuracy"),
        ("macro-F1, generated", "all", "generated_macro_f1"),
        ("unparseable answers", "all", "unparseable_share"),
        ("accuracy, by label score", "all", "scored_accuracy"),
        ("macro-F1, by label score", "all", "scored_macro_f1"),
    ];
    table(text, "official test set", &metrics, &["majority", "tfidf", "base", "tuned"], &lines)
}

fn strategy(run: &Run, text: &mut String) -> anyhow::Result<()> {
    let metrics: Vec<Metric> = read_all(&run.file("backtester", "metrics.parquet"))?;
    let lines = [
        ("total return", "all", "total_return"),
        ("Sharpe ratio, annualised", "all", "sharpe_ratio"),
        ("largest drawdown", "all", "max_drawdown"),
        ("costs, in currency", "all", "total_cost"),
    ];
    table(text, "strategy", &metrics, &["strategy", "buy_and_hold", "momentum", "random_median"], &lines)
}

fn table(
    text: &mut String,
    title: &str,
    metrics: &[Metric],
    subjects: &[&str],
    lines: &[(&str, &str, &str)],
) -> anyhow::Result<()> {
    write!(text, "\n{title:<28}")?;
    for subject in subjects {
        write!(text, "{subject:>15}")?;
    }
    writeln!(text)?;
    for (label, slice, metric) in lines {
        write!(text, "{label:<28}")?;
        for subject in subjects {
            let found = metrics.iter().find(|m| m.subject == *subject && m.slice == *slice && m.metric == *metric);
            match found.and_then(|m| m.value) {
                Some(value) => write!(text, "{value:>15.4}")?,
                None => write!(text, "{:>15}", "n/a")?,
            }
        }
        writeln!(text)?;
    }
    Ok(())
}
