//! Returns by month, day or hour, whatever the length of a run asks for.

use artifacts::Timestamp;
use report::plot::HeatMapPlot;
use std::collections::BTreeMap;

/// The longest run, in days, that is shown by hour, and by day.
const BY_HOUR: f64 = 14.0;
const BY_DAY: f64 = 400.0;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Compound returns in percent: hours of days for up to two weeks, days of months for up to 400 days, else months of years.
/// None without returns.
pub(crate) fn calendar(at: &[Timestamp], returns: &[f64]) -> Option<HeatMapPlot> {
    let days = at.last()?.seconds_since(*at.first()?) / 86_400.0;
    // 2025-02-24T00:10:00Z: the row is the first part, the column the next two digits
    let (row, column, title, columns): (usize, usize, &str, Vec<String>) = if days <= BY_HOUR {
        (10, 11, "Returns by hour", (0..24).map(|h| format!("{h:02}")).collect())
    } else if days <= BY_DAY {
        (7, 8, "Returns by day", (1..=31).map(|d| format!("{d:02}")).collect())
    } else {
        (4, 5, "Returns by month", (1..=12).map(|m| format!("{m:02}")).collect())
    };
    let mut growth: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for (at, r) in at.iter().zip(returns) {
        let text = at.to_string();
        let (Some(row), Some(column)) = (text.get(..row), text.get(column..column + 2)) else { continue };
        *growth.entry(row.to_owned()).or_default().entry(column.to_owned()).or_insert(1.0) *= 1.0 + r;
    }
    let percent = |growth: f64| 100.0 * (growth - 1.0);
    let mut rows: Vec<(String, Vec<Option<f64>>)> = growth
        .iter()
        .map(|(name, cells)| (name.clone(), columns.iter().map(|c| cells.get(c).map(|g| percent(*g))).collect()))
        .collect();
    let mut columns = columns;
    if row == 4 {
        columns = MONTHS.iter().map(|m| (*m).to_owned()).collect();
        columns.push("year".to_owned());
        for ((_, values), cells) in rows.iter_mut().zip(growth.values()) {
            values.push(Some(percent(cells.values().product())));
        }
    }
    let note = "compound return in %, bars by when they begin (UTC)".to_owned();
    Some(HeatMapPlot { title: title.to_owned(), note, columns, rows, digits: if row == 4 { 1 } else { 2 } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(seconds: i64, n: i64) -> Vec<Timestamp> {
        (0..n).map(|i| Timestamp::from_seconds(1_740_355_200 + i * seconds)).collect()
    }

    #[test]
    fn a_short_run_is_shown_by_hour_a_long_one_by_month_with_the_year() {
        let found = calendar(&every(1800, 100), &[0.01; 100]).unwrap();
        assert_eq!((found.columns.len(), found.rows.len(), found.rows[0].0.as_str()), (24, 3, "2025-02-24"));
        assert!((found.rows[0].1[0].unwrap() - 2.01).abs() < 1e-9);
        assert_eq!(found.rows[2].1[5], None);

        let found = calendar(&every(86_400, 40), &[0.01; 40]).unwrap();
        assert_eq!((found.columns.len(), found.rows.len(), found.rows[0].1[22]), (31, 3, None));
        assert!((found.rows[0].1[23].unwrap() - 1.0).abs() < 1e-9);

        let found = calendar(&every(86_400, 800), &vec![0.001; 800]).unwrap();
        assert_eq!((found.columns.last().map(String::as_str), found.rows.len()), (Some("year"), 3));
        let whole = 100.0 * (1.001_f64.powi(365) - 1.0);
        assert!((found.rows[1].1[12].unwrap() - whole).abs() < 1e-9);
        assert_eq!(calendar(&[], &[]), None);
    }
}
