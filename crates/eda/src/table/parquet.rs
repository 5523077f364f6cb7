use super::batch::Batch;
use super::{BATCH, unreadable};
use crate::Error;
use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const REMEDY: &str = "fetch the file again; it must be plain Parquet";

/// What the footer says; the pages may hold fewer.
pub(super) fn rows(path: &Path) -> Result<u64, Error> {
    let file = File::open(path).map_err(|e| unreadable(path, &e, "give a readable file"))?;
    let builder = guarded(path, || ParquetRecordBatchReaderBuilder::try_new(file))?;
    Ok(builder.metadata().file_metadata().num_rows().max(0) as u64)
}

/// Only the wanted columns are read.
pub(super) fn read(path: &Path, mut rows: Batch<'_>) -> Result<(), Error> {
    let file = File::open(path).map_err(|e| unreadable(path, &e, "give a readable file"))?;
    let builder = guarded(path, || ParquetRecordBatchReaderBuilder::try_new(file))?;
    let header: Vec<String> = builder.schema().fields().iter().map(|f| f.name().clone()).collect();
    let places = rows.places(path, &header)?;
    let mut wanted: Vec<usize> = places.iter().flatten().copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
    let batches = builder.with_projection(mask).with_batch_size(BATCH);
    let mut row = 0;
    let mut batches = guarded(path, || batches.build())?;
    while let Some(batch) = guarded(path, || batches.next().transpose())? {
        let mut texts = [const { None }; 4];
        for (array, place) in texts.iter_mut().zip(places) {
            let column = place.and_then(|p| wanted.binary_search(&p).ok()).and_then(|i| batch.columns().get(i));
            *array = column.map(|c| cast(c, &DataType::Utf8)).transpose().map_err(|e| unreadable(path, &e, REMEDY))?;
        }
        let strings = texts.each_ref().map(|column| column.as_ref().and_then(|c| c.as_string_opt::<i32>()));
        for at in 0..batch.num_rows() {
            rows.push(row, strings.map(|column| column.filter(|c| !c.is_null(at)).map(|c| c.value(at))));
            row += 1;
        }
    }
    rows.finish();
    Ok(())
}

/// Runs code of the Parquet library, which indexes without checks in places: a damaged file must not end the process.
fn guarded<T, E: std::fmt::Display>(path: &Path, body: impl FnOnce() -> Result<T, E>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result.map_err(|e| unreadable(path, &e, REMEDY)),
        Err(_) => Err(unreadable(path, &"it contradicts itself and cannot be decoded", REMEDY)),
    }
}
