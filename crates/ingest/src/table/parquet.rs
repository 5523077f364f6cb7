use super::{Cell, Record, Visit, Wanted};
use crate::Error;
use crate::error::unreadable;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use artifacts::Timestamp;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::path::Path;

const REMEDY: &str = "fetch the file again; it must be plain Parquet";

/// Parquet as other programs write it; only the wanted columns are read.
pub(super) fn read(path: &Path, wanted: &[Wanted], visit: &mut Visit<'_>) -> Result<u64, Error> {
    let file = File::open(path).map_err(|e| unreadable(path, &e, REMEDY))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| unreadable(path, &e, REMEDY))?;
    let header: Vec<String> = builder.schema().fields().iter().map(|f| f.name().clone()).collect();
    let mut places = Vec::new();
    for column in wanted {
        let place = column.find(&header);
        if place.is_none() && column.required {
            return Err(column.missing(path, &header));
        }
        places.push(place);
    }
    let mut read: Vec<usize> = places.iter().flatten().copied().collect();
    read.sort_unstable();
    read.dedup();
    let mask = ProjectionMask::roots(builder.parquet_schema(), read.iter().copied());
    let batches = builder.with_projection(mask).build().map_err(|e| unreadable(path, &e, REMEDY))?;
    let mut number = 0;
    for batch in batches {
        let batch = batch.map_err(|e| unreadable(path, &e, REMEDY))?;
        let mut columns = Vec::new();
        for place in &places {
            let array = place.and_then(|p| read.binary_search(&p).ok()).and_then(|i| batch.columns().get(i));
            columns.push(array.map(|a| plain(a).map_err(|e| unreadable(path, &e, REMEDY))).transpose()?);
        }
        for row in 0..batch.num_rows() {
            let cells = columns.iter().map(|c| c.as_ref().map_or(Cell::Missing, |c| cell(c, row))).collect();
            visit(Record { number, content: Ok(cells) })?;
            number += 1;
        }
    }
    Ok(number)
}

/// The column in one of five plain types.
fn plain(array: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
    let target = match array.data_type() {
        t if t.is_integer() => DataType::Int64,
        t if t.is_floating() => DataType::Float64,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Date32 | DataType::Date64 => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::List(_) | DataType::LargeList(_) => {
            DataType::List(std::sync::Arc::new(arrow::datatypes::Field::new("item", DataType::Utf8, true)))
        }
        _ => DataType::Utf8,
    };
    cast(array, &target)
}

fn cell(array: &ArrayRef, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Missing;
    }
    match array.data_type() {
        DataType::Int64 => Cell::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Cell::Number(array.as_primitive::<Float64Type>().value(row)),
        DataType::Timestamp(..) => {
            Cell::Time(Timestamp::from_micros(array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Cell::List(items.as_string::<i32>().iter().flatten().map(str::to_owned).collect())
        }
        _ => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
    }
}
