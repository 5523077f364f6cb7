use crate::{AtomicFile, Error, Result, Row};
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Rows of one row group: large enough to compress well, small enough to stream.
const ROW_GROUP: usize = 16_384;

pub(crate) const META_ROW: &str = "seafin.row";
pub(crate) const META_VERSION: &str = "seafin.version";

/// Writes rows to a Parquet file that appears, whole, on [`Writer::finish`]; dropped before, it leaves nothing.
/// Memory: one row group.
pub struct Writer<R: Row> {
    schema: SchemaRef,
    inner: Option<ArrowWriter<AtomicFile>>,
    buffer: Vec<R>,
    last: Option<R>,
    written: u64,
    path: std::path::PathBuf,
}

pub(crate) fn schema_of<R: Row>() -> SchemaRef {
    let metadata =
        HashMap::from([(META_ROW.to_owned(), R::NAME.to_owned()), (META_VERSION.to_owned(), R::VERSION.to_string())]);
    Arc::new(Schema::new(R::fields()).with_metadata(metadata))
}

impl<R: Row> Writer<R> {
    /// Opens the file for writing.
    pub fn create(path: &Path) -> Result<Self> {
        let schema = schema_of::<R>();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_created_by("seafin".to_owned())
            // Arrow readers find the row type in the Arrow schema; this is for all others (DuckDB, Spark).
            .set_key_value_metadata(Some(vec![
                KeyValue::new(META_ROW.to_owned(), R::NAME.to_owned()),
                KeyValue::new(META_VERSION.to_owned(), R::VERSION.to_string()),
            ]))
            .build();
        let file = AtomicFile::create(path)?;
        let inner = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(|e| not_written(path, e))?;
        Ok(Self { schema, inner: Some(inner), buffer: Vec::new(), last: None, written: 0, path: path.into() })
    }

    /// Appends one row.
    ///
    /// # Errors
    /// The row breaks a rule of its type ([`crate::Checks`]); the error names its number.
    pub fn push(&mut self, row: R) -> Result<()> {
        let number = self.written + self.buffer.len() as u64;
        row.valid().map_err(|message| Error::BadRow { path: self.path.clone(), row: number, message })?;
        if let Some(previous) = self.buffer.last().or(self.last.as_ref()) {
            row.follows(previous).map_err(|message| Error::BadOrder {
                path: self.path.clone(),
                row: number,
                message,
            })?;
        }
        self.buffer.push(row);
        if self.buffer.len() >= ROW_GROUP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let batch = R::to_batch(&self.buffer, &self.schema).map_err(|e| not_written(&self.path, e.into()))?;
        if let Some(inner) = &mut self.inner {
            inner.write(&batch).map_err(|e| not_written(&self.path, e))?;
        }
        self.written += self.buffer.len() as u64;
        self.last = self.buffer.pop();
        self.buffer.clear();
        Ok(())
    }

    /// Completes the file and gives it its name. Returns the number of rows.
    pub fn finish(mut self) -> Result<u64> {
        self.flush()?;
        if self.written == 0 && !R::MAY_BE_EMPTY {
            return Err(Error::Empty { path: self.path.clone(), row: R::NAME });
        }
        if let Some(inner) = self.inner.take() {
            let file = inner.into_inner().map_err(|e| not_written(&self.path, e))?;
            file.commit()?;
        }
        Ok(self.written)
    }
}

/// A full disk comes back wrapped in the library's own error.
fn not_written(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(source) => Error::Io { path: path.into(), action: "write", source: *source },
            Err(inner) => Error::Write { path: path.into(), message: inner.to_string() },
        },
        other => Error::Write { path: path.into(), message: other.to_string() },
    }
}

/// Writes all rows to one file. Returns their number.
pub fn write_all<R: Row + Clone>(path: &Path, rows: &[R]) -> Result<u64> {
    let mut writer = Writer::create(path)?;
    for row in rows {
        writer.push(row.clone())?;
    }
    writer.finish()
}
