use super::scan::scan;
use super::{Cell, Encoding, Fault, Record, Visit, Wanted};
use crate::Error;
use crate::error::unreadable;
use csv::{ByteRecord, ReaderBuilder};
use encoding_rs::WINDOWS_1252;
use std::path::Path;

/// CSV by RFC 4180, with any line ending, line breaks inside quotes, UTF-8 or Windows-1252. A row that cannot be
/// decoded, or has another number of fields than the header, is handed on as a fault; the rest of the file is read.
pub(super) fn read(
    path: &Path,
    delimiter: u8,
    encoding: Encoding,
    wanted: &[Wanted],
    visit: &mut Visit<'_>,
) -> Result<u64, Error> {
    let remedy = "give a CSV file with a header line";
    let scan = scan(path, encoding, delimiter, remedy)?;
    if scan.windows_1252 && encoding == Encoding::Auto {
        tracing::info!("{}: not UTF-8, read as Windows-1252 (Latin-1)", path.display());
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(scan.delimiter)
        .flexible(true)
        .from_path(path)
        .map_err(|e| unreadable(path, &e, remedy))?;
    let header = reader.byte_headers().map_err(|e| unreadable(path, &e, remedy))?;
    let width = header.len();
    if width == 0 {
        return Err(unreadable(path, &"it is empty", remedy));
    }
    let name = |bytes: &[u8]| if scan.windows_1252 { decoded(bytes) } else { String::from_utf8_lossy(bytes).into() };
    let header: Vec<String> = header.iter().map(|h| name(h).trim().trim_start_matches('\u{feff}').to_owned()).collect();
    let mut places = Vec::new();
    for column in wanted {
        let place = column.find(&header);
        if place.is_none() && column.required {
            return Err(column.missing(path, &header));
        }
        places.push(place);
    }
    // One record is held back: only after the last does it show which one an open quote belongs to.
    let (mut record, mut next) = (ByteRecord::new(), ByteRecord::new());
    let mut more = reader.read_byte_record(&mut record).map_err(|e| unreadable(path, &e, remedy))?;
    let mut number = 0;
    while more {
        more = reader.read_byte_record(&mut next).map_err(|e| unreadable(path, &e, remedy))?;
        let content = if scan.open_quote && !more {
            let detail =
                "a quote opened in this row is never closed: close it, or fetch the file again if it was cut off";
            Err(Fault { reason: "open-quote", detail: detail.into(), raw: shortened(&lossy(&record)) })
        } else if record.len() == width {
            cells(&record, &places, scan.windows_1252)
        } else {
            let detail = format!("{} fields, the header has {width}", record.len());
            Err(Fault { reason: "wrong-field-count", detail, raw: lossy(&record) })
        };
        visit(Record { number, content })?;
        number += 1;
        std::mem::swap(&mut record, &mut next);
    }
    Ok(number)
}

fn cells(record: &ByteRecord, places: &[Option<usize>], windows_1252: bool) -> Result<Vec<Cell>, Fault> {
    let cell = |place: &Option<usize>| match place.and_then(|p| record.get(p)) {
        None | Some([]) => Ok(Cell::Missing),
        Some(bytes) if windows_1252 => Ok(Cell::Text(decoded(bytes))),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cell::Text(text.to_owned())),
            Err(e) => Err(Fault { reason: "invalid-utf8", detail: e.to_string(), raw: lossy(record) }),
        },
    };
    places.iter().map(cell).collect()
}

fn decoded(bytes: &[u8]) -> String {
    WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

fn lossy(record: &ByteRecord) -> String {
    record.iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect::<Vec<_>>().join(",")
}

/// An open quote swallows all that follows; the beginning shows where it is.
fn shortened(text: &str) -> String {
    text.chars().take(400).collect()
}
