use super::market::Closes;
use anyhow::Context;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use artifacts::Timestamp;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::path::Path;

/// Columns that say when a row was made or known.
const TIMES: [&str; 5] = ["decided_at", "at", "available_at", "event_at", "bar_at"];

/// The rows of any Parquet file as text, cell by cell. Floats are written so that no two of them look alike.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// One row: when it was made, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) t: Timestamp,
    pub(super) cells: Vec<String>,
}

fn micros(array: &ArrayRef) -> Option<Vec<Option<i64>>> {
    use arrow::datatypes::{
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    };
    let DataType::Timestamp(unit, _) = array.data_type() else { return None };
    Some(match unit {
        TimeUnit::Second => {
            array.as_primitive::<TimestampSecondType>().iter().map(|v| v.map(|v| v * 1_000_000)).collect()
        }
        TimeUnit::Millisecond => {
            array.as_primitive::<TimestampMillisecondType>().iter().map(|v| v.map(|v| v * 1000)).collect()
        }
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().iter().collect(),
        // Rounded up: a row a nanosecond after t is after t.
        TimeUnit::Nanosecond => {
            array.as_primitive::<TimestampNanosecondType>().iter().map(|v| v.map(|v| -(-v).div_euclid(1000))).collect()
        }
    })
}

/// The moment of each row of a batch; none for a batch without such columns.
fn times(batch: &RecordBatch, closes: &Closes) -> Option<Vec<Timestamp>> {
    let column = |name: &str| batch.column_by_name(name).and_then(micros);
    let found: Vec<(&str, Vec<Option<i64>>)> = TIMES.iter().filter_map(|n| Some((*n, column(n)?))).collect();
    if found.is_empty() {
        return None;
    }
    let has = |name: &str| found.iter().any(|(n, _)| *n == name);
    // What was executed within a bar is on record when the bar has closed, whenever it was decided.
    let executed = ["units", "filled"].iter().any(|n| batch.column_by_name(n).is_some());
    let stated = (has("decided_at") || has("at")) && !executed;
    let symbols = batch.column_by_name("symbol").and_then(|c| c.as_string_opt::<i32>());
    let only = only_symbol(closes);
    let close = |row: usize, t: Timestamp| {
        let symbol = symbols.filter(|s| s.is_valid(row)).map(|s| s.value(row)).or(only)?;
        closes.get(&(symbol.to_owned(), t)).copied()
    };
    let null = |row: usize, name: &str| found.iter().any(|(n, v)| *n == name && v.get(row) == Some(&None));
    let moment = |row: usize| {
        // What became of an order that no bar has taken yet is not known at any time.
        if executed && null(row, "bar_at") {
            return Timestamp::from_micros(i64::MAX);
        }
        let known = found.iter().filter_map(|(name, values)| {
            let t = Timestamp::from_micros((*values.get(row)?)?);
            let of_bar = !stated && (*name == "bar_at" || (*name == "event_at" && !has("available_at")));
            Some(if of_bar { close(row, t).unwrap_or(t) } else { t })
        });
        known.max().unwrap_or(Timestamp::from_micros(i64::MAX))
    };
    Some((0..batch.num_rows()).map(moment).collect())
}

fn only_symbol(closes: &Closes) -> Option<&str> {
    let ((first, _), _) = closes.first_key_value()?;
    let ((last, _), _) = closes.last_key_value()?;
    (first == last).then_some(first.as_str())
}

fn add_cells(rows: &mut [Row], array: &ArrayRef, options: &FormatOptions<'_>) -> Result<(), arrow::error::ArrowError> {
    // Times with a named zone cannot be formatted without a table of zones; nanoseconds keep their digits.
    let times = if matches!(array.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _)) {
        let nanos = array.as_primitive::<arrow::datatypes::TimestampNanosecondType>();
        Some(nanos.iter().map(|t| t.map(|t| format!("{t} ns"))).collect::<Vec<_>>())
    } else {
        let text = |t: Option<i64>| t.map(|t| Timestamp::from_micros(t).to_string());
        micros(array).map(|times| times.into_iter().map(text).collect())
    };
    if let Some(times) = times {
        for (row, time) in rows.iter_mut().zip(times) {
            row.cells.push(time.unwrap_or_else(|| "null".to_owned()));
        }
        return Ok(());
    }
    let formatter = ArrayFormatter::try_new(array, options)?;
    for (i, row) in rows.iter_mut().enumerate() {
        row.cells.push(formatter.value(i).to_string());
    }
    Ok(())
}

impl Table {
    /// Reads a file; none if its rows have no times.
    pub(super) fn read(path: &Path, closes: &Closes, ignored: &dyn Fn(&str) -> bool) -> anyhow::Result<Option<Self>> {
        let file = File::open(path).with_context(|| format!("{}: cannot open", path.display()))?;
        let broken = || format!("{}: not a Parquet file that can be read", path.display());
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .with_context(broken)?;
        let options = FormatOptions::new().with_null("null");
        let mut table = Self::default();
        let mut timed = false;
        for batch in reader {
            let batch = batch.with_context(broken)?;
            let Some(times) = times(&batch, closes) else { return Ok(None) };
            timed = true;
            let schema = batch.schema();
            let kept: Vec<usize> = (0..batch.num_columns()).filter(|i| !ignored(schema.field(*i).name())).collect();
            table.columns = kept.iter().map(|i| schema.field(*i).name().clone()).collect();
            let mut rows: Vec<Row> = times.into_iter().map(|t| Row { t, cells: Vec::new() }).collect();
            for i in kept {
                add_cells(&mut rows, batch.column(i), &options).with_context(broken)?;
            }
            table.rows.append(&mut rows);
        }
        Ok(timed.then_some(table))
    }
}
