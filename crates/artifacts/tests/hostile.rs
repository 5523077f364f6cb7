//! Files that nobody should trust: each has its own error, which names the file and a remedy.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod common;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use artifacts::rows::{Bar, Example, News, Rejected};
use artifacts::{Error, Reader, Row, Timestamp, Writer, read_all, runtime, write_all};
use common::{bar, bars, batch, lie, read, refused, schema, schema_as, write_groups, write_raw};
use std::path::PathBuf;
use std::sync::Arc;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn bytes(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
    fn bars(&self, name: &str, rows: &[Bar]) -> PathBuf {
        let path = self.file(name);
        write_raw(&path, &batch(rows));
        path
    }
}

#[test]
fn a_missing_file_says_which_stage_to_run() {
    let folder = Folder::new();
    assert!(matches!(refused(&folder.file("absent.parquet")), Error::Missing { .. }));
}

#[test]
fn a_folder_in_place_of_a_file_is_named() {
    let folder = Folder::new();
    let path = folder.file("bars.parquet");
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(refused(&path), Error::Folder { .. }));
}

#[test]
fn an_empty_file_and_every_truncated_file_are_refused() {
    let folder = Folder::new();
    assert!(matches!(refused(&folder.bytes("empty.parquet", b"")), Error::Truncated { bytes: 0, .. }));
    let whole = std::fs::read(folder.bars("whole.parquet", &bars(30))).unwrap();
    for length in 0..whole.len() {
        let path = folder.bytes("cut.parquet", &whole[..length]);
        let error = refused(&path);
        assert!(matches!(error, Error::Truncated { .. } | Error::CorruptFooter { .. }), "{length}: {error}");
    }
}

#[test]
fn a_file_that_begins_with_anything_else_is_not_parquet() {
    let folder = Folder::new();
    let csv = folder.bytes("bars.csv", b"date,open,high,low,close\n2025-02-24,1,1,1,1\n");
    assert!(matches!(refused(&csv), Error::NotParquet { .. }));
    let mut bytes = std::fs::read(folder.bars("whole.parquet", &bars(3))).unwrap();
    bytes[0] = b'Q';
    assert!(matches!(refused(&folder.bytes("magic.parquet", &bytes)), Error::NotParquet { .. }));
}

#[test]
fn a_footer_of_noise_is_corrupt() {
    let folder = Folder::new();
    let mut bytes = std::fs::read(folder.bars("whole.parquet", &bars(3))).unwrap();
    let end = bytes.len() - 8;
    for byte in &mut bytes[end - 200..end] {
        *byte = 0xa5;
    }
    assert!(matches!(refused(&folder.bytes("noise.parquet", &bytes)), Error::CorruptFooter { .. }));
    let mut bytes = std::fs::read(folder.file("whole.parquet")).unwrap();
    bytes[end..end + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(refused(&folder.bytes("length.parquet", &bytes)), Error::CorruptFooter { .. }));
}

/// A footer that claims 2 147 483 647 row groups: reserving memory for them would take 200 GB.
#[test]
fn a_footer_that_claims_two_billion_row_groups_is_refused_before_anything_is_reserved() {
    let folder = Folder::new();
    let mut bytes = b"PAR1".to_vec();
    let footer = [
        &[0x15, 0x02][..], // 1: version
        &[0x19, 0x1c, 0x48, 0x06],
        b"schema",
        &[0x15, 0, 0],                               // 2: one schema element without children
        &[0x16, 0x00],                               // 3: no rows
        &[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07], // 4: 2^31 - 1 row groups
    ]
    .concat();
    bytes.extend(&footer);
    bytes.extend((footer.len() as u32).to_le_bytes());
    bytes.extend(b"PAR1");
    let error = refused(&folder.bytes("bomb.parquet", &bytes));
    assert!(matches!(&error, Error::CorruptFooter { message, .. } if message.contains("2147483647")), "{error}");
}

#[test]
fn another_schema_version_asks_for_the_stage_to_be_run_again() {
    let folder = Folder::new();
    for version in ["99", "0", "", "one"] {
        let path = folder.file("version.parquet");
        write_raw(&path, &Bar::to_batch(&bars(2), &schema_as::<Bar>("bar", version)).unwrap());
        let error = refused(&path);
        assert!(matches!(&error, Error::WrongVersion { found, expected: 1, .. } if found == version), "{error}");
    }
}

#[test]
fn a_foreign_file_points_to_ingest() {
    let folder = Folder::new();
    let path = folder.file("foreign.parquet");
    let plain = Arc::new(Schema::new(Bar::fields()));
    write_raw(&path, &Bar::to_batch(&bars(2), &plain).unwrap());
    let error = refused(&path);
    assert!(matches!(error, Error::Foreign { expected: "bar", .. }) && error.to_string().contains("ingest"), "{error}");
}

#[test]
fn rows_of_another_type_are_named_with_the_expected_ones() {
    let folder = Folder::new();
    let path = folder.file("rejected.parquet");
    write_all(&path, &[Rejected::new("a.csv", 1, "x", "y", "empty", "")]).unwrap();
    let error = refused(&path);
    assert!(matches!(&error, Error::WrongRow { expected: "bar", found, .. } if found == "rejected"), "{error}");
}

#[test]
fn a_missing_column_is_named_with_those_that_are_there() {
    let folder = Folder::new();
    let whole = batch(&bars(2));
    for (i, field) in Bar::fields().iter().enumerate() {
        let mut part = whole.clone();
        part.remove_column(i);
        let path = folder.file("column.parquet");
        write_raw(&path, &part);
        let error = refused(&path);
        assert!(matches!(&error, Error::MissingColumn { column, .. } if column == field.name()), "{error}");
    }
}

/// A batch of bars with one column replaced.
fn with_column(rows: &[Bar], name: &str, array: ArrayRef) -> RecordBatch {
    let whole = batch(rows);
    let index = whole.schema().index_of(name).unwrap();
    let mut fields: Vec<_> = whole.schema().fields().iter().cloned().collect();
    fields[index] = Arc::new(Field::new(name, array.data_type().clone(), true));
    let mut columns = whole.columns().to_vec();
    columns[index] = array;
    let schema = Schema::new(fields).with_metadata(schema::<Bar>().metadata().clone());
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

#[test]
fn a_column_of_another_type_is_named_with_both_types() {
    let folder = Folder::new();
    let path = folder.file("type.parquet");
    write_raw(&path, &with_column(&bars(2), "close", Arc::new(StringArray::from(vec!["100", "101"]))));
    let error = refused(&path);
    assert!(matches!(&error, Error::WrongType { column, .. } if column == "close"), "{error}");
    let naive = Int64Array::from(vec![1, 2]).reinterpret_cast::<arrow::datatypes::TimestampMicrosecondType>();
    write_raw(&path, &with_column(&bars(2), "event_at", Arc::new(naive)));
    let error = refused(&path);
    assert!(
        error.to_string().contains(&DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None).to_string())
    );
}

#[test]
fn columns_in_another_order_and_additional_ones_do_no_harm() {
    let folder = Folder::new();
    let path = folder.file("order.parquet");
    let rows = bars(5);
    let whole = batch(&rows);
    let mut order: Vec<usize> = (0..whole.num_columns()).rev().collect();
    order.push(0);
    let mut turned = whole.project(&order[..order.len() - 1]).unwrap();
    let mut fields: Vec<_> = turned.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new("note", DataType::Int64, true)));
    let mut columns = turned.columns().to_vec();
    columns.push(Arc::new(Int64Array::from(vec![7; 5])));
    let schema = Schema::new(fields).with_metadata(turned.schema().metadata().clone());
    turned = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    write_raw(&path, &turned);
    assert_eq!(read_all::<Bar>(&path).unwrap(), rows);
}

#[test]
fn a_null_in_a_required_column_names_its_row() {
    let folder = Folder::new();
    let path = folder.file("null.parquet");
    let closes = Float64Array::from(vec![Some(100.0), Some(101.0), None, Some(103.0)]);
    write_raw(&path, &with_column(&bars(4), "close", Arc::new(closes)));
    let error = refused(&path);
    assert!(matches!(error, Error::BadValue { row: 2, column: "close", .. }), "{error}");
}

#[test]
fn an_unknown_label_names_the_file_the_row_and_the_choices() {
    let folder = Folder::new();
    let path = folder.file("news.parquet");
    let labels = StringArray::from(vec!["positive", "bullish?"]);
    let rows = [common_example(0), common_example(1)];
    let whole = batch(&rows);
    let index = whole.schema().index_of("label").unwrap();
    let mut columns = whole.columns().to_vec();
    columns[index] = Arc::new(labels);
    write_raw(&path, &RecordBatch::try_new(whole.schema(), columns).unwrap());
    let message = read::<Example>(&path).unwrap_err().to_string();
    for part in ["news.parquet: row 1", "bullish?", "negative, neutral, positive", "; "] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

fn common_example(i: u64) -> Example {
    Example {
        id: format!("{i:016x}"),
        text: "Profit rose.".into(),
        label: artifacts::rows::Sentiment::Positive,
        raw_label: "positive".into(),
        language: artifacts::rows::Language::English,
        source: "test".into(),
        source_row: i,
        cluster: format!("{i:016x}"),
        instruction: None,
        synthetic: false,
    }
}

#[test]
fn impossible_prices_are_refused_by_the_reader_and_by_the_writer() {
    type Change = fn(&mut Bar);
    let changes: [(&str, Change); 9] = [
        ("close is NaN", |b| b.close = f64::NAN),
        ("close is -3", |b| b.close = -3.0),
        ("open is inf", |b| b.open = Some(f64::INFINITY)),
        ("low is 0", |b| b.low = Some(0.0)),
        ("leave the range", |b| b.high = Some(b.close - 0.5)),
        ("leave the range", |b| b.low = Some(b.close + 0.5)),
        ("volume", |b| b.volume = Some(-1.0)),
        ("volume", |b| b.volume = Some(f64::NAN)),
        ("earlier than event_at", |b| b.available_at = b.event_at.plus_seconds(-1)),
    ];
    let folder = Folder::new();
    for (words, change) in changes {
        let mut rows = bars(6);
        change(&mut rows[4]);
        let error = refused(&folder.bars("prices.parquet", &rows));
        assert!(matches!(&error, Error::BadRow { row: 4, message, .. } if message.contains(words)), "{error}");
        let error = write_all(&folder.file("written.parquet"), &rows).unwrap_err();
        assert!(matches!(&error, Error::BadRow { row: 4, .. }), "{error}");
        assert!(!folder.file("written.parquet").exists());
    }
}

#[test]
fn unsorted_and_duplicate_timestamps_are_told_apart() {
    let folder = Folder::new();
    let unsorted = [bar(0, 1.0), bar(2, 1.0), bar(1, 1.0)];
    let error = refused(&folder.bars("unsorted.parquet", &unsorted));
    assert!(matches!(&error, Error::BadOrder { row: 2, message, .. } if message.contains("out of order")), "{error}");
    let twice = [bar(0, 1.0), bar(0, 1.0)];
    let error = refused(&folder.bars("duplicate.parquet", &twice));
    assert!(matches!(&error, Error::BadOrder { row: 1, message, .. } if message.contains("duplicate")), "{error}");
}

#[test]
fn order_is_also_checked_from_one_batch_to_the_next() {
    let folder = Folder::new();
    let mut rows = bars(4097);
    rows[4096] = rows[4095].clone();
    let error = refused(&folder.bars("border.parquet", &rows));
    assert!(matches!(error, Error::BadOrder { row: 4096, .. }), "{error}");
}

#[test]
fn no_rows_are_an_error_where_there_must_be_some_and_fine_where_not() {
    let folder = Folder::new();
    assert!(matches!(refused(&folder.bars("none.parquet", &[])), Error::Empty { row: "bar", .. }));
    let path = folder.file("news.parquet");
    write_all::<News>(&path, &[]).unwrap();
    assert_eq!(read_all::<News>(&path).unwrap(), []);
    let error = Writer::<Bar>::create(&folder.file("bars.parquet")).unwrap().finish().unwrap_err();
    assert!(matches!(error, Error::Empty { .. }) && !folder.file("bars.parquet").exists());
}

#[test]
fn a_row_group_that_claims_more_than_possible_is_refused() {
    let folder = Folder::new();
    for rows in [i64::MAX, 1 << 40, -1] {
        let path = folder.bars("rows.parquet", &bars(3));
        lie(&path, |g| g.into_builder().set_num_rows(rows).build().unwrap());
        let error = refused(&path);
        assert!(
            matches!(&error, Error::HugeRowGroup { row_group: 0, claimed, .. } if claimed.contains("rows")),
            "{error}"
        );
    }
    for bytes in [i64::MAX, -5] {
        let path = folder.bars("bytes.parquet", &bars(3));
        lie(&path, |g| g.into_builder().set_total_byte_size(bytes).build().unwrap());
        assert!(matches!(refused(&path), Error::HugeRowGroup { .. }));
    }
    for compressed in [i64::MAX, 1 << 33, -1] {
        let path = folder.bars("compressed.parquet", &bars(3));
        lie(&path, |g| {
            let columns = g.columns().iter().cloned();
            let columns = columns.map(|c| c.into_builder().set_total_compressed_size(compressed).build().unwrap());
            let columns = columns.collect();
            g.into_builder().set_column_metadata(columns).build().unwrap()
        });
        let error = refused(&path);
        assert!(matches!(&error, Error::HugeRowGroup { .. } | Error::CorruptFooter { .. }), "{error}");
    }
}

#[test]
fn a_footer_that_claims_more_or_fewer_rows_than_the_pages_hold_is_found_out() {
    let folder = Folder::new();
    for claimed in [1_000_000, 4] {
        let path = folder.bars("claims.parquet", &bars(9));
        lie(&path, |g| g.into_builder().set_num_rows(claimed).build().unwrap());
        let result = read::<Bar>(&path);
        // Fewer rows than there are is a shorter file to any reader; more must not pass.
        match claimed {
            4 => assert!(result.map_or(true, |rows| rows.len() == 4)),
            _ => assert!(matches!(refused(&path), Error::CorruptRowGroup { row_group: 0, .. })),
        }
    }
}

#[test]
fn a_page_offset_outside_of_the_file_is_an_error() {
    let folder = Folder::new();
    for offset in [i64::MAX, 1 << 40, 0, -1] {
        let path = folder.bars("offset.parquet", &bars(3));
        lie(&path, |g| {
            let mut columns = g.columns().to_vec();
            let last = columns.pop().unwrap().into_builder();
            columns.push(last.set_data_page_offset(offset).set_dictionary_page_offset(None).build().unwrap());
            g.into_builder().set_column_metadata(columns).build().unwrap()
        });
        let error = refused(&path);
        assert!(matches!(error, Error::CorruptRowGroup { .. } | Error::CorruptFooter { .. }), "{offset}: {error}");
    }
}

#[test]
fn a_damaged_page_names_its_row_group() {
    let folder = Folder::new();
    let path = folder.file("pages.parquet");
    let mut writer = Writer::create(&path).unwrap();
    for row in bars(40_000) {
        writer.push(row).unwrap();
    }
    writer.finish().unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let metadata = parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    assert_eq!(metadata.num_row_groups(), 3);
    for group in 0..3 {
        let column = metadata.row_group(group).column(6);
        let start = column.byte_range().0 as usize;
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[start..start + 40].fill(0xff);
        let damaged = folder.bytes("damaged.parquet", &bytes);
        let error = refused(&damaged);
        assert!(matches!(error, Error::CorruptRowGroup { row_group, .. } if row_group == group), "{group}: {error}");
    }
}

/// The header of a compressed page says how much memory to reserve for its content.
#[test]
fn a_page_that_claims_two_gigabytes_when_decompressed_is_an_error_and_takes_no_memory() {
    let folder = Folder::new();
    let path = folder.file("page.parquet");
    write_all(&path, &bars(500)).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let metadata = parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    let start = metadata.row_group(0).column(7).byte_range().0 as usize;
    let mut bytes = std::fs::read(&path).unwrap();
    // Thrift compact: field 1 (kind of page), then field 2 (size when decompressed), a zigzag varint.
    assert_eq!((bytes[start], bytes[start + 2]), (0x15, 0x15));
    let end = start + 3 + bytes[start + 3..].iter().position(|b| *b < 0x80).unwrap();
    let longer = 5 - i64::try_from(end - start - 2).unwrap();
    bytes.splice(start + 3..=end, [0xfe, 0xff, 0xff, 0xff, 0x0f]);
    let path = folder.bytes("bomb.parquet", &bytes);
    lie(&path, |g| {
        let mut columns = g.columns().to_vec();
        let last = columns.pop().unwrap();
        let (size, data) = (last.compressed_size(), last.data_page_offset());
        let moved = if last.dictionary_page_offset().is_some() { data + longer } else { data };
        let last = last.into_builder().set_total_compressed_size(size + longer).set_data_page_offset(moved);
        columns.push(last.build().unwrap());
        g.into_builder().set_column_metadata(columns).build().unwrap()
    });
    let error = refused(&path);
    assert!(matches!(&error, Error::CorruptRowGroup { message, .. } if message.contains("2147483647")), "{error}");
    let peak = runtime::peak_memory_bytes().unwrap_or(0) >> 20;
    assert!(peak < 600, "{peak} MiB");
}

#[test]
fn after_an_error_a_reader_gives_nothing_more() {
    let folder = Folder::new();
    let mut rows = bars(3000);
    rows[10].close = f64::NAN;
    let path = folder.file("stop.parquet");
    write_groups(&path, &batch(&rows), 100);
    let mut reader = Reader::<Bar>::open(&path).unwrap();
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none() && reader.next().is_none());
}

#[test]
fn any_single_changed_byte_gives_rows_or_an_error_and_never_a_panic_or_much_memory() {
    let folder = Folder::new();
    let path = folder.file("small.parquet");
    write_all(&path, &bars(40)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    // The library's panics are caught by the reader; their messages would only fill the log of this test.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let results: Vec<_> = (0..whole.len())
        .map(|at| {
            let mask = [0x01, 0xff, 0x80, 0x7f][at % 4];
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            let damaged = folder.bytes("damaged.parquet", &bytes);
            (at, mask, std::panic::catch_unwind(|| read::<Bar>(&damaged)))
        })
        .collect();
    std::panic::set_hook(hook);
    let mut errors = 0;
    for (at, mask, result) in results {
        let result = result.unwrap_or_else(|_| panic!("byte {at} changed by {mask:#x} panics"));
        if let Err(error) = result {
            errors += 1;
            let message = error.to_string();
            assert!(!message.contains('\n') && message.contains("; "), "byte {at}: {message}");
        }
    }
    assert!(errors > whole.len() / 3, "only {errors} errors");
    let peak = runtime::peak_memory_bytes().unwrap_or(0) >> 20;
    println!("{errors} errors from {} files, peak memory {peak} MiB", whole.len());
    assert!(peak < 600, "{peak} MiB");
}

#[test]
fn a_time_before_the_epoch_and_the_last_microsecond_are_kept() {
    let folder = Folder::new();
    let path = folder.file("times.parquet");
    let mut rows = vec![bar(0, 1.0), bar(1, 1.0)];
    rows[0].event_at = Timestamp::from_micros(i64::MIN);
    rows[0].available_at = Timestamp::from_micros(-1);
    rows[1].available_at = Timestamp::from_micros(i64::MAX);
    write_all(&path, &rows).unwrap();
    assert_eq!(read_all::<Bar>(&path).unwrap(), rows);
}

#[test]
fn a_path_that_cannot_be_written_says_what_to_do() {
    let folder = Folder::new();
    let file = folder.bytes("taken", b"a file");
    let inside = write_all(&file.join("bars.parquet"), &bars(3)).unwrap_err().to_string();
    assert!(inside.contains("taken") && inside.contains("remove it, or give another path"), "{inside}");
    let options = artifacts::RunOptions { seed: artifacts::Seed(1), force: false, progress: &artifacts::NoProgress };
    let spec = artifacts::StageSpec::new(("stage", 1), &file, &0, Vec::new(), &options).unwrap();
    let stage = spec.begin().unwrap_err().to_string();
    assert!(stage.contains("taken") && stage.contains("remove it, or give another path"), "{stage}");
    assert_eq!(std::fs::read(&file).unwrap(), b"a file");
}

#[test]
fn what_a_disk_refuses_has_a_remedy_of_its_own() {
    use std::io::ErrorKind as Kind;
    let says = |kind: Kind| {
        let message = Error::Io { path: "out/x.parquet".into(), action: "write", source: kind.into() }.to_string();
        let remedy = message.rsplit_once("; ").unwrap().1.to_owned();
        assert!(message.starts_with("out/x.parquet: cannot write: "), "{message}");
        remedy
    };
    let kinds = [
        Kind::NotFound,
        Kind::PermissionDenied,
        Kind::NotADirectory,
        Kind::IsADirectory,
        Kind::StorageFull,
        Kind::ReadOnlyFilesystem,
        Kind::InvalidFilename,
        Kind::InvalidData,
        Kind::Other,
    ];
    let remedies: std::collections::BTreeSet<String> = kinds.into_iter().map(says).collect();
    assert_eq!(remedies.len(), kinds.len());
    assert!(says(Kind::StorageFull).contains("make room"));
}

#[test]
fn a_name_with_line_breaks_and_terminal_codes_stays_on_the_line() {
    let folder = Folder::new();
    let twice = |name: &str| {
        let row =
            artifacts::rows::PeriodReturn { subject: name.into(), bar_at: Timestamp::from_seconds(0), value: 0.0 };
        write_all(&folder.file(name.split('\n').next().unwrap()), &[row.clone(), row]).unwrap_err().to_string()
    };
    let message = twice("BTC\n2026 INFO all is well\u{1b}[2J\u{2028}\t");
    assert!(message.contains(r"BTC\n2026 INFO all is well\u{1b}[2J\u{2028}\t at"), "{message}");
    let value = "up\n".parse::<artifacts::rows::Sentiment>().unwrap_err().to_string();
    assert!(value.starts_with(r"`up\n` is not a"), "{value}");
}
