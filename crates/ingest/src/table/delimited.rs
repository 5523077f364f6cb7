use super::{Cell, Fault, Record, Visit, Wanted};
use crate::Error;
use crate::error::unreadable;
use csv::{ByteRecord, ReaderBuilder};
use std::path::Path;

/// CSV by RFC 4180, with any line ending. A row that is not UTF-8, or has another number of fields than the header, is
/// handed on as a fault; the rest of the file is read.
pub(super) fn read(path: &Path, delimiter: u8, wanted: &[Wanted], visit: &mut Visit<'_>) -> Result<u64, Error> {
    let remedy = "give a CSV file with a header line";
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_path(path)
        .map_err(|e| unreadable(path, &e, remedy))?;
    let header = reader.byte_headers().map_err(|e| unreadable(path, &e, remedy))?;
    let width = header.len();
    let header: Vec<String> =
        header.iter().map(|h| String::from_utf8_lossy(h).trim().trim_start_matches('\u{feff}').to_owned()).collect();
    let mut places = Vec::new();
    for column in wanted {
        let place = column.find(&header);
        if place.is_none() && column.required {
            return Err(column.missing(path, &header));
        }
        places.push(place);
    }
    let mut record = ByteRecord::new();
    let mut number = 0;
    while reader.read_byte_record(&mut record).map_err(|e| unreadable(path, &e, remedy))? {
        let content = if record.len() == width {
            cells(&record, &places)
        } else {
            let detail = format!("{} fields, the header has {width}", record.len());
            Err(Fault { reason: "wrong-field-count", detail, raw: lossy(&record) })
        };
        visit(Record { number, content })?;
        number += 1;
    }
    Ok(number)
}

fn cells(record: &ByteRecord, places: &[Option<usize>]) -> Result<Vec<Cell>, Fault> {
    let cell = |place: &Option<usize>| match place.and_then(|p| record.get(p)) {
        None | Some([]) => Ok(Cell::Missing),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cell::Text(text.to_owned())),
            Err(e) => Err(Fault { reason: "invalid-utf8", detail: e.to_string(), raw: lossy(record) }),
        },
    };
    places.iter().map(cell).collect()
}

fn lossy(record: &ByteRecord) -> String {
    record.iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect::<Vec<_>>().join(",")
}
