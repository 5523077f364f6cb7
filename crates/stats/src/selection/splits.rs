use super::combinations::{combinations, runs};
use crate::Error;

/// When a row was decided on and when its outcome was known, in any unit (row numbers, seconds), `from <= to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When what it was decided from was known.
    pub from: i64,
    /// When its outcome was known.
    pub to: i64,
}

/// Rows to learn from and rows to be judged on, both ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows to be judged on.
    pub test: Vec<usize>,
}

/// One split of [`combinatorial_purged`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CombinatorialSplit {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// The folds to be judged on, each with its rows.
    pub tests: Vec<(usize, Vec<usize>)>,
}

fn check(spans: &[Span], folds: usize, embargo: i64) -> Result<(), Error> {
    let bad = |name, value: f64, range| Err(Error::OutOfRange { name, value, range });
    if folds < 2 || folds > spans.len() {
        return bad("the number of folds", folds as f64, "from 2 to the number of rows");
    }
    if embargo < 0 {
        return bad("the embargo", embargo as f64, "from 0");
    }
    if let Some(span) = spans.iter().find(|s| s.to < s.from) {
        return bad("the end of a span", span.to as f64, "that is not before its beginning");
    }
    let order = spans.iter().zip(spans.iter().skip(1)).find(|(a, b)| b.from < a.from);
    order.map_or(Ok(()), |(_, b)| {
        bad("the beginning of a span", b.from as f64, "that is not before the one of the row before")
    })
}

/// Rows outside the test runs that share no time with them and are not within the embargo after them.
fn train(spans: &[Span], tests: &[std::ops::Range<usize>], embargo: i64) -> Vec<usize> {
    let window = |run: &std::ops::Range<usize>| {
        let rows = &spans[run.clone()];
        let from = rows.iter().map(|s| s.from).min()?;
        let to = rows.iter().map(|s| s.to).max()?;
        Some((from, to))
    };
    let windows: Vec<(i64, i64)> = tests.iter().filter_map(window).collect();
    let free = |(row, span): (usize, &Span)| {
        let tested = tests.iter().any(|run| run.contains(&row));
        let shares = |(from, to): &(i64, i64)| span.to >= *from && span.from <= to.saturating_add(embargo);
        (!tested && !windows.iter().any(shares)).then_some(row)
    };
    spans.iter().enumerate().filter_map(free).collect()
}

/// K-fold cross-validation in time: each run of rows is judged once by a model that learnt from rows which share no time
/// with it (purged) and do not begin within `embargo` after its end (López de Prado, Advances in Financial Machine
/// Learning, 2018, ch. 7). Rows are in order of `from`.
///
/// # Errors
/// Fewer than 2 folds or more than rows; an embargo below 0; spans out of order or that end before they begin.
///
/// ```
/// use stats::selection::{purged_folds, Span};
/// // each row's outcome is known two rows later
/// let spans: Vec<Span> = (0..9).map(|i| Span { from: i, to: i + 2 }).collect();
/// let splits = purged_folds(&spans, 3, 1)?;
/// assert_eq!(splits[0].test, [0, 1, 2]);
/// assert_eq!(splits[0].train, [6, 7, 8]); // 3 and 4 overlap, 5 is under embargo
/// # Ok::<(), stats::Error>(())
/// ```
pub fn purged_folds(spans: &[Span], folds: usize, embargo: i64) -> Result<Vec<Split>, Error> {
    check(spans, folds, embargo)?;
    let split = |run: std::ops::Range<usize>| Split {
        train: train(spans, std::slice::from_ref(&run), embargo),
        test: run.collect(),
    };
    Ok(runs(spans.len(), folds).into_iter().map(split).collect())
}

/// Combinatorial purged cross-validation: every choice of `test_folds` of the `folds` runs is judged once, so that
/// C(folds, test_folds)·test_folds/folds whole histories can be put together ([`combinatorial_paths`]; same source, ch. 12).
/// Each test run purges and embargoes as in [`purged_folds`]; neighbouring test runs count as one.
///
/// # Errors
/// As [`purged_folds`]; `test_folds` outside 1..folds.
pub fn combinatorial_purged(
    spans: &[Span],
    folds: usize,
    test_folds: usize,
    embargo: i64,
) -> Result<Vec<CombinatorialSplit>, Error> {
    check(spans, folds, embargo)?;
    if !(1..folds).contains(&test_folds) {
        let value = test_folds as f64;
        return Err(Error::OutOfRange {
            name: "the number of test folds",
            value,
            range: "from 1, below the number of folds",
        });
    }
    let runs = runs(spans.len(), folds);
    let split = |chosen: Vec<usize>| {
        let tests: Vec<_> = chosen.iter().map(|f| runs[*f].clone()).collect();
        CombinatorialSplit {
            train: train(spans, &tests, embargo),
            tests: chosen.into_iter().zip(tests.into_iter().map(Iterator::collect)).collect(),
        }
    };
    Ok(combinations(folds, test_folds).into_iter().map(split).collect())
}

/// The histories that the splits of [`combinatorial_purged`] make up: for each history, for each fold, the number of the
/// split whose judgement of that fold it contains. Each judgement belongs to exactly one history.
///
/// ```
/// let paths = stats::selection::combinatorial_paths(6, 2);
/// assert_eq!(paths.len(), 5);
/// assert_eq!(paths[0], [0, 0, 1, 2, 3, 4]);
/// ```
#[must_use]
pub fn combinatorial_paths(folds: usize, test_folds: usize) -> Vec<Vec<usize>> {
    let mut judged: Vec<Vec<usize>> = vec![Vec::new(); folds];
    for (split, chosen) in combinations(folds, test_folds).into_iter().enumerate() {
        for fold in chosen {
            judged[fold].push(split);
        }
    }
    let paths = judged.iter().map(Vec::len).min().unwrap_or(0);
    (0..paths).map(|path| judged.iter().map(|splits| splits[path]).collect()).collect()
}
