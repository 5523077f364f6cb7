use crate::writer::{META_ROW, META_VERSION};
use crate::{Error, Result, Row, footer};
use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::RowGroupMetaData;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Rows handed out at a time.
const BATCH: usize = 4096;
/// No writer of ours makes a row group larger than this; a header that claims more is refused before any allocation.
const MAX_GROUP_ROWS: i64 = 1 << 24;
const MAX_GROUP_BYTES: i64 = 1 << 31;

/// Streams the rows of a Parquet file, batch by batch: memory does not grow with the file.
pub struct Reader<R: Row> {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    /// For each batch column of the row type, its place in the file.
    order: Vec<usize>,
    total: u64,
    read: u64,
    last: Option<R>,
    groups: Vec<u64>,
    /// After an error or the end nothing more comes.
    over: bool,
    row: PhantomData<R>,
}

impl<R: Row> Reader<R> {
    /// Checks everything that can be checked without reading rows: form, row type, schema version, columns, sizes.
    pub fn open(path: &Path) -> Result<Self> {
        let file = open_parquet(path)?;
        let corrupt = |e: &dyn std::fmt::Display| Error::CorruptFooter { path: path.into(), message: e.to_string() };
        let bytes = file.metadata().map_or(0, |m| m.len());
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()))
            .map_err(|message| corrupt(&message))?;
        for (row_group, group) in metadata.metadata().row_groups().iter().enumerate() {
            check_group(path, row_group, group, bytes)?;
        }
        let order = match_schema::<R>(path, &metadata)?;
        let groups: Vec<u64> = metadata.metadata().row_groups().iter().map(|g| g.num_rows() as u64).collect();
        let total = groups.iter().sum();
        if total == 0 && !R::MAY_BE_EMPTY {
            return Err(Error::Empty { path: path.into(), row: R::NAME });
        }
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(BATCH);
        let batches = guarded(|| builder.build()).map_err(|message| corrupt(&message))?;
        Ok(Self {
            path: path.into(),
            batches,
            order,
            total,
            read: 0,
            last: None,
            groups,
            over: false,
            row: PhantomData,
        })
    }

    /// Rows in the file.
    pub fn total(&self) -> u64 {
        self.total
    }

    fn row_group(&self) -> usize {
        let mut end = 0;
        self.groups
            .iter()
            .position(|n| {
                end += n;
                self.read < end
            })
            .unwrap_or(self.groups.len().saturating_sub(1))
    }

    fn decode(&mut self, batch: &RecordBatch) -> Result<Vec<R>> {
        let batch = batch.project(&self.order).map_err(|e| self.corrupt(&e))?;
        let rows = R::from_batch(&batch).map_err(|(column, e)| Error::BadValue {
            path: self.path.clone(),
            row: self.read + e.row as u64,
            column,
            message: e.message,
        })?;
        for (i, row) in rows.iter().enumerate() {
            let number = self.read + i as u64;
            row.valid().map_err(|message| Error::BadRow { path: self.path.clone(), row: number, message })?;
            let previous = if i == 0 { self.last.as_ref() } else { rows.get(i - 1) };
            if let Some(previous) = previous {
                row.follows(previous).map_err(|message| Error::BadOrder {
                    path: self.path.clone(),
                    row: number,
                    message,
                })?;
            }
        }
        self.read += rows.len() as u64;
        Ok(rows)
    }

    fn next_batch(&mut self) -> Option<std::result::Result<RecordBatch, String>> {
        guarded(|| self.batches.next().transpose()).transpose()
    }

    /// A footer may claim more rows than its pages hold.
    fn missing_rows(&self) -> Option<Error> {
        let message = format!("the footer claims {} rows, the pages hold {}", self.total, self.read);
        (self.read != self.total).then(|| self.corrupt(&message))
    }

    fn corrupt(&self, e: &dyn std::fmt::Display) -> Error {
        Error::CorruptRowGroup { path: self.path.clone(), row_group: self.row_group(), message: e.to_string() }
    }
}

impl<R: Row + Clone> Iterator for Reader<R> {
    type Item = Result<Vec<R>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let rows = match self.next_batch() {
            None => {
                self.over = true;
                return self.missing_rows().map(Err);
            }
            Some(Err(e)) => Err(self.corrupt(&e)),
            Some(Ok(batch)) => self.decode(&batch),
        };
        match &rows {
            Ok(rows) => self.last = rows.last().cloned(),
            Err(_) => self.over = true,
        }
        Some(rows)
    }
}

/// All rows of a file, for files known to be small.
pub fn read_all<R: Row + Clone>(path: &Path) -> Result<Vec<R>> {
    let reader = Reader::<R>::open(path)?;
    let mut rows = Vec::new();
    for batch in reader {
        rows.extend(batch?);
    }
    Ok(rows)
}

/// Runs code of the Parquet library, which indexes without checks in places: a damaged file must not end the process.
fn guarded<T, E: std::fmt::Display>(
    body: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<T, String> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(_) => Err("it contradicts itself and cannot be decoded".into()),
    }
}

fn open_parquet(path: &Path) -> Result<File> {
    let io = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => Error::Missing { path: path.into() },
        _ => Error::Io { path: path.into(), action: "read", source },
    };
    let mut file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(Error::Folder { path: path.into() });
    }
    let bytes = metadata.len();
    let mut magic = [0; 4];
    let mut begin = |from| file.seek(from).and_then(|_| file.read_exact(&mut magic)).map(|()| magic == *b"PAR1");
    if bytes >= 4 && !begin(SeekFrom::Start(0)).map_err(io)? {
        return Err(Error::NotParquet { path: path.into() });
    }
    if bytes < 12 || !begin(SeekFrom::End(-4)).map_err(io)? {
        return Err(Error::Truncated { path: path.into(), bytes });
    }
    footer::check(&mut file, bytes)
        .map_err(io)?
        .map_err(|message| Error::CorruptFooter { path: path.into(), message })?;
    file.rewind().map_err(io)?;
    Ok(file)
}

fn check_group(path: &Path, row_group: usize, group: &RowGroupMetaData, file_bytes: u64) -> Result<()> {
    let huge =
        |claimed: String, limit: String| Err(Error::HugeRowGroup { path: path.into(), row_group, claimed, limit });
    if !(0..=MAX_GROUP_ROWS).contains(&group.num_rows()) {
        return huge(format!("{} rows", group.num_rows()), format!("{MAX_GROUP_ROWS} rows"));
    }
    if !(0..=MAX_GROUP_BYTES).contains(&group.total_byte_size()) {
        return huge(format!("{} bytes", group.total_byte_size()), format!("{MAX_GROUP_BYTES} bytes"));
    }
    let compressed: i64 = group
        .columns()
        .iter()
        .map(parquet::file::metadata::ColumnChunkMetaData::compressed_size)
        .fold(0, i64::saturating_add);
    if compressed < 0 || compressed as u64 > file_bytes {
        return huge(format!("{compressed} compressed bytes"), format!("the file's {file_bytes} bytes"));
    }
    Ok(())
}

fn match_schema<R: Row>(path: &Path, metadata: &ArrowReaderMetadata) -> Result<Vec<usize>> {
    let schema = metadata.schema();
    match schema.metadata().get(META_ROW) {
        None => return Err(Error::Foreign { path: path.into(), expected: R::NAME }),
        Some(found) if found != R::NAME => {
            return Err(Error::WrongRow { path: path.into(), expected: R::NAME, found: found.clone() });
        }
        Some(_) => {}
    }
    let found = schema.metadata().get(META_VERSION).cloned().unwrap_or_default();
    if found != R::VERSION.to_string() {
        return Err(Error::WrongVersion { path: path.into(), row: R::NAME, expected: R::VERSION, found });
    }
    let mut order = Vec::new();
    for expected in R::fields() {
        let column = expected.name().clone();
        let Ok(index) = schema.index_of(&column) else {
            let present = schema.fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::MissingColumn { path: path.into(), row: R::NAME, column, present });
        };
        let found = schema.field(index).data_type();
        if !found.equals_datatype(expected.data_type()) {
            let (expected, found) = (expected.data_type().to_string(), found.to_string());
            return Err(Error::WrongType { path: path.into(), column, expected, found });
        }
        order.push(index);
    }
    Ok(order)
}
