//! What all commands share: rows, medians, memory.

use anyhow::Context;
use serde::Deserialize;
use std::path::Path;

/// A file that `make_rows.py` wrote.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "prefix")]
    _prefix: usize,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    tokens: Vec<u32>,
    /// Learned tokens at the end.
    answer: usize,
}

/// Token ids and which of them are learned.
pub(crate) fn rows(path: &Path) -> anyhow::Result<Vec<(Vec<u32>, Vec<bool>)>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}: cannot read", path.display()))?;
    let file: File = serde_json::from_str(&text).with_context(|| format!("{}: not rows", path.display()))?;
    anyhow::ensure!(!file.rows.is_empty(), "{}: no rows", path.display());
    let learned = |row: &Row| (0..row.tokens.len()).map(|t| t + row.answer >= row.tokens.len()).collect();
    Ok(file
        .rows
        .into_iter()
        .map(|row| {
            let mask = learned(&row);
            (row.tokens, mask)
        })
        .collect())
}

/// The middle value; of an even number, the mean of the two in the middle, as Python's `statistics.median`.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = |i: usize| values.get(i).copied().unwrap_or(f64::NAN);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half.wrapping_sub(1)), at(half)) }
}

/// `value` with so many decimals, for printing.
pub(crate) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

/// Makes the kernel count the peak of resident memory anew, so that loading does not hide what a step needs.
pub(crate) fn forget_peak_memory() {
    // Not Linux: the peak then includes loading.
    std::fs::write("/proc/self/clear_refs", "5").ok();
}

/// Highest resident memory since [`forget_peak_memory`], GiB.
pub(crate) fn peak_memory_gib() -> Option<f64> {
    artifacts::runtime::peak_memory_bytes().map(|bytes| rounded(bytes as f64 / (1_u64 << 30) as f64, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_pythons() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!((median(vec![4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-12);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn the_answer_at_the_end_of_a_row_is_learned_and_nothing_else() {
        let path = std::env::temp_dir().join(format!("seafin-peer-{}.json", std::process::id()));
        std::fs::write(&path, r#"{"prefix": 1, "rows": [{"tokens": [5, 6, 7, 8], "answer": 2}]}"#).unwrap();
        let read = rows(&path);
        std::fs::write(&path, r#"{"prefix": 0, "rows": []}"#).unwrap();
        let empty = rows(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap(), [(vec![5, 6, 7, 8], vec![false, false, true, true])]);
        assert!(empty.unwrap_err().to_string().contains("no rows"));
    }
}
