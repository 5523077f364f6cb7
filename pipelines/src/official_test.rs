//! The official test rows, by which nothing is chosen: evaluated on demand only, in a folder apart from the evaluation rows.

use crate::Run;
use anyhow::ensure;
use artifacts::read_all;
use artifacts::rows::Example;
use std::collections::BTreeSet;

/// Formats the official test rows as the evaluation rows are, and evaluates the base model, the tuned one and the baselines on
/// them. A text that the set repeats is asked once.
pub(crate) fn run(run: &Run) -> anyhow::Result<()> {
    let test = run.file("ingest", "test.parquet");
    let rows: Vec<Example> = read_all(&test)?;
    ensure!(
        !rows.is_empty(),
        "{}: none of the sources has an official test part; one of `kind = \"vsfc\"` with a folder `test` has",
        test.display()
    );
    let folder = run.folder("official-test");
    let inputs = formatter::Inputs {
        tokenizer: run.model().to_owned(),
        // A training row that is a test row is refused.
        train: run.training_files(),
        eval: vec![test.clone()],
    };
    formatter::run(&run.config.formatter, &inputs, &folder.join("formatter"), &run.options())?;
    let inputs = evaluator::Inputs {
        model: run.model().to_owned(),
        adapter: Some(run.adapter()),
        eval: folder.join("formatter").join("eval.parquet"),
        dev: None,
        examples: vec![test],
        train: run.training_files(),
    };
    let sources: BTreeSet<&str> = rows.iter().map(|row| row.source.as_str()).collect();
    let sources: Vec<&str> = sources.into_iter().collect();
    let config = evaluator::Config {
        set_name: format!("official test set ({})", sources.join(", ")),
        ..run.config.evaluate.clone()
    };
    evaluator::run(&config, &inputs, &folder.join("evaluator"), &run.options())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Args, Run, Step};
    use artifacts::rows::{Example, Formatted, Metric};
    use artifacts::{hash_path, read_all};
    use clap::Parser;
    use std::collections::BTreeSet;

    #[test]
    fn the_official_test_rows_are_evaluated_whole_on_demand_and_apart_from_the_evaluation_rows() {
        let folder = tempfile::tempdir().unwrap();
        let settings = [
            "sentiment.train_rows=40",
            "sentiment.eval_rows=12",
            "synth.rows=6",
            "synth.max_candidates=40",
            "train.optimisation.epochs=1",
            "evaluate.resamples=50",
            "evaluate.robustness.rows=4",
        ];
        let mut words = vec!["test".to_owned(), "--run-dir".to_owned(), folder.path().to_string_lossy().into_owned()];
        words.extend(settings.iter().flat_map(|s| ["--set".to_owned(), (*s).to_owned()]));
        let run = Run::new(&Args::parse_from(words)).unwrap().unwrap();
        run.bring_up_to_date(Step::Evaluate).unwrap();
        assert!(!folder.path().join("official-test").exists());
        let evaluated = hash_path(&run.file("evaluator", "metrics.parquet")).unwrap();

        run.bring_up_to_date(Step::OfficialTest).unwrap();
        let rows: Vec<Example> = read_all(&run.file("ingest", "test.parquet")).unwrap();
        let asked: Vec<Formatted> = read_all(&run.file("official-test/formatter", "eval.parquet")).unwrap();
        let asked: Vec<&str> = asked.iter().map(|row| row.id.as_str()).collect();
        let mut seen = BTreeSet::new();
        let distinct: Vec<&str> = rows.iter().map(|row| row.id.as_str()).filter(|id| seen.insert(*id)).collect();
        assert!(distinct.len() > 12);
        assert_eq!(asked, distinct);
        let metrics: Vec<Metric> = read_all(&run.file("official-test/evaluator", "metrics.parquet")).unwrap();
        for (subject, metric) in [
            ("majority", "generated_accuracy"),
            ("tfidf", "scored_accuracy"),
            ("base", "scored_accuracy"),
            ("tuned", "generated_accuracy"),
        ] {
            let found = metrics.iter().find(|m| m.subject == subject && m.metric == metric && m.slice == "all");
            assert_eq!(found.map(|m| m.n), Some(distinct.len() as u64), "{subject} {metric}");
        }
        let report = std::fs::read_to_string(run.file("official-test/evaluator", "report.md")).unwrap();
        assert!(report.contains("official test set (fixture-vi:test)"), "{report}");
        assert_eq!(hash_path(&run.file("evaluator", "metrics.parquet")).unwrap(), evaluated);
        assert!(!std::fs::read_to_string(run.file("evaluator", "report.md")).unwrap().contains("official"));
    }
}
