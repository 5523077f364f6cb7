//! Every row type comes back from Parquet as it went in, whatever its values; a new type without a test here fails.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod common;
mod draw;

use arrow::array::{Float64Array, RecordBatch};
use artifacts::rows::*;
use artifacts::{Reader, Row, Writer, read_all, write_all};
use draw::Draw;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

fn comes_back<R: Row + Draw + Clone + PartialEq + Debug>(seed: u64, n: usize) -> Result<(), TestCaseError> {
    let rows = &draw::many::<R>(seed, n);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    if rows.is_empty() && !R::MAY_BE_EMPTY {
        prop_assert!(write_all(&path, rows).is_err());
        prop_assert!(!path.exists());
        return Ok(());
    }
    prop_assert_eq!(write_all(&path, rows).unwrap(), rows.len() as u64);
    prop_assert_eq!(&read_all::<R>(&path).unwrap(), rows);
    // Equal rows, equal bytes.
    let again = folder.path().join("again.parquet");
    write_all(&again, rows).unwrap();
    prop_assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap());
    Ok(())
}

/// Puts NaN and infinities into each column of figures of one row, by their Arrow type and not by name, so that a new column is
/// tried too. Returns how many such columns there are.
fn poisoned<R: Row + Draw + Clone>() -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (path, written) = (folder.path().join("raw.parquet"), folder.path().join("written.parquet"));
    let good = common::batch(&[draw::one::<R>(1)]);
    let mut figures = 0;
    for (i, field) in good.schema().fields().iter().enumerate() {
        if !field.data_type().is_floating() {
            continue;
        }
        figures += 1;
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut columns = good.columns().to_vec();
            columns[i] = arrow::compute::cast(&Float64Array::from(vec![bad]), field.data_type()).unwrap();
            let batch = RecordBatch::try_new(good.schema(), columns).unwrap();
            common::write_raw(&path, &batch);
            let Err(read) = common::read::<R>(&path) else { panic!("{} {field} {bad} is read", R::NAME) };
            let rows = R::from_batch(&batch).map_err(|(column, _)| column).unwrap();
            for error in [read, write_all(&written, &rows).unwrap_err()] {
                let message = error.to_string();
                assert!(
                    message.contains("row 0") && message.contains(&format!("{} is {bad}", field.name())),
                    "{message}"
                );
            }
            assert!(!written.exists());
        }
    }
    figures
}

macro_rules! round_trips {
    ($($test:ident: $row:ident)+) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
            $(#[test]
            fn $test(seed in any::<u64>(), n in 0_usize..12) {
                comes_back::<$row>(seed, n)?;
            })+
        }
        #[test]
        fn no_figure_of_any_row_type_may_be_nan_or_infinite() {
            let figures: usize = [$(poisoned::<$row>()),+].iter().sum();
            assert!(figures > 80, "only {figures} columns of figures were tried");
        }
        const TESTED: &[(&str, &str)] = &[$((stringify!($row), <$row as Row>::NAME)),+];
    };
}
round_trips! {
    answers: Answer
    bars: Bar
    candidates: Candidate
    checked_claims: CheckedClaim
    cleaning_samples: CleaningSample
    cleaning_steps: CleaningStep
    conflicts: Conflict
    costs: Cost
    data_alerts: DataAlert
    decisions: Decision
    equity_points: EquityPoint
    examples: Example
    facts: Fact
    feature_definitions: FeatureDefinition
    feature_partitions: FeaturePartition
    fills: Fill
    formatted: Formatted
    formatted_tasks: FormattedTask
    generations: Generation
    label_scores: LabelScore
    metrics: Metric
    nearest: Nearest
    news: News
    observations: Observation
    opinions: Opinion
    orders: Order
    period_returns: PeriodReturn
    portfolio_points: PortfolioPoint
    predictions: Prediction
    profile_figures: ProfileFigure
    quality_findings: QualityFinding
    recorded_calls: Recorded
    rejected: Rejected
    shortened: Shortened
    steps: Step
    sweep_rows: SweepRow
    task_examples: TaskExample
    ticker_mentions: TickerMention
    traces: Trace
    trades: Trade
    trials: Trial
    walk_forward_rows: WalkForwardRow
}

/// The row types that the source defines: type and name in files.
fn defined() -> BTreeSet<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rows");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let Some((head, version)) = line.split_once("\", version ") else { continue };
            assert!(version.ends_with("may_be_empty {") || version.ends_with("not_empty {"), "{line}");
            let (row, name) = head.trim().split_once(" = \"").unwrap();
            assert!(found.insert((row.to_owned(), name.to_owned())), "{row} twice");
        }
    }
    found
}

#[test]
fn every_row_type_in_the_source_has_a_round_trip() {
    let owned = |list: &[(&str, &str)]| -> BTreeSet<_> {
        list.iter().map(|(row, name)| ((*row).to_owned(), (*name).to_owned())).collect()
    };
    let defined = defined();
    assert!(defined.len() > 40, "{defined:?}");
    assert_eq!(defined, owned(TESTED));
    assert_eq!(defined, owned(draw::DRAWN));
    let names: BTreeSet<_> = defined.iter().map(|(_, name)| name).collect();
    assert_eq!(names.len(), defined.len(), "two row types share a name in files: {defined:?}");
}

#[test]
fn a_dozen_drawn_rows_leave_several_to_write() {
    assert!((0..20).all(|seed| draw::many::<Bar>(seed, 12).len() > 3));
    assert!((0..20).all(|seed| draw::many::<Trace>(seed, 12).len() > 3));
    assert!((0..20).all(|seed| draw::many::<Recorded>(seed, 12).len() > 1));
}

#[test]
fn many_row_groups_stream_in_batches_and_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    let n = 50_000;
    let mut writer = Writer::create(&path).unwrap();
    for i in 0..n {
        writer.push(common::bar(i, 100.0)).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), n as u64);
    let reader = Reader::<Bar>::open(&path).unwrap();
    assert_eq!(reader.total(), n as u64);
    let mut seen = 0;
    for batch in reader {
        let batch = batch.unwrap();
        assert!(batch.len() <= 4096, "a batch of {} rows is no stream", batch.len());
        for row in batch {
            assert_eq!(row, common::bar(seen, 100.0));
            seen += 1;
        }
    }
    assert_eq!(seen, n);
}
