use crate::Error;
use std::ops::Range;

/// A past to choose on and the future next to it to be judged on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Rows to choose on.
    pub train: Range<usize>,
    /// Rows to be judged on.
    pub test: Range<usize>,
}

/// Windows that walk through `rows` rows: choose on `train` rows, leave out `gap`, be judged on the next `test`, move on by
/// `test`. Every judged row comes after all rows that its choice saw, and is judged once. `anchored` keeps the first row
/// as the beginning of every past, so that it grows. Rows at the end that do not fill a test are left out.
///
/// # Errors
/// A train or test of 0 rows; too few rows for one window.
///
/// ```
/// use stats::selection::walk_forward;
/// let windows = walk_forward(10, 4, 2, 1, false)?;
/// assert_eq!((windows[0].train.clone(), windows[0].test.clone()), (0..4, 5..7));
/// assert_eq!((windows[1].train.clone(), windows[1].test.clone()), (2..6, 7..9));
/// assert_eq!(windows.len(), 2);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn walk_forward(rows: usize, train: usize, test: usize, gap: usize, anchored: bool) -> Result<Vec<Window>, Error> {
    if train == 0 || test == 0 {
        return Err(Error::OutOfRange { name: "a window's length", value: 0.0, range: "above 0" });
    }
    let windows: Vec<Window> = (train + gap..)
        .step_by(test)
        .take_while(|from| from + test <= rows)
        .map(|from| Window {
            train: if anchored { 0..from - gap } else { from - gap - train..from - gap },
            test: from..from + test,
        })
        .collect();
    if windows.is_empty() {
        let value = rows as f64;
        return Err(Error::OutOfRange {
            name: "the number of rows",
            value,
            range: "from train, gap and test together",
        });
    }
    Ok(windows)
}
