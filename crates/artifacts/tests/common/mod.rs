//! Shared by the tests: rows, raw Parquet files that our own writer would refuse to write, and footers with lies.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use artifacts::rows::Bar;
use artifacts::{Error, Reader, Row, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData};
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

pub const START: i64 = 1_740_355_200;

pub fn bar(hour: i64, close: f64) -> Bar {
    let event_at = Timestamp::from_seconds(START + hour * 3600);
    Bar {
        symbol: "BTC".into(),
        event_at,
        available_at: event_at.plus_seconds(3600),
        open: Some(close),
        high: Some(close * 1.01),
        low: Some(close * 0.99),
        close,
        volume: Some(10.0),
    }
}

pub fn bars(n: usize) -> Vec<Bar> {
    (0_i64..).take(n).map(|i| bar(i, 100.0 + (i % 37) as f64)).collect()
}

/// The schema that a file of ours has, with the given row name and version.
pub fn schema_as<R: Row>(name: &str, version: &str) -> SchemaRef {
    let metadata =
        HashMap::from([("seafin.row".to_owned(), name.to_owned()), ("seafin.version".to_owned(), version.to_owned())]);
    Arc::new(Schema::new(R::fields()).with_metadata(metadata))
}

pub fn schema<R: Row>() -> SchemaRef {
    schema_as::<R>(R::NAME, &R::VERSION.to_string())
}

/// A batch of any rows, good or bad.
pub fn batch<R: Row>(rows: &[R]) -> RecordBatch {
    R::to_batch(rows, &schema::<R>()).unwrap()
}

/// Writes a batch as it is: nothing is checked.
pub fn write_raw(path: &Path, batch: &RecordBatch) {
    write_groups(path, batch, 16_384);
}

pub fn write_groups(path: &Path, batch: &RecordBatch, group: usize) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// Writes the footer of `path` again with other row groups: the pages stay, the claims change.
pub fn lie(path: &Path, mut change: impl FnMut(RowGroupMetaData) -> RowGroupMetaData) {
    let bytes = std::fs::read(path).unwrap();
    let file = std::fs::File::open(path).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    let groups = metadata.row_groups().iter().cloned().map(&mut change).collect();
    let metadata = metadata.into_builder().set_row_groups(groups).build();
    let footer = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize;
    let mut patched = bytes[..bytes.len() - 8 - footer].to_vec();
    ParquetMetaDataWriter::new(&mut patched, &metadata).finish().unwrap();
    std::fs::write(path, patched).unwrap();
}

/// Opens and reads a file to its end.
pub fn read<R: Row + Clone>(path: &Path) -> Result<Vec<R>, Error> {
    let mut rows = Vec::new();
    for batch in Reader::<R>::open(path)? {
        rows.extend(batch?);
    }
    Ok(rows)
}

/// The error of reading a file as bars; it must be one line that names the file and, after a semicolon, a remedy.
pub fn refused(path: &Path) -> Error {
    let error = read::<Bar>(path).unwrap_err();
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    assert!(message.starts_with(&path.display().to_string()), "{message}");
    let remedy = message.rsplit_once("; ").map_or("", |(_, remedy)| remedy);
    assert!(remedy.split(' ').count() >= 3, "no remedy in: {message}");
    error
}
