use super::batch::Batch;
use super::unreadable;
use crate::Error;
use csv::{ByteRecord, ReaderBuilder};
use std::path::Path;

/// CSV by RFC 4180, with any line ending. A row that is not UTF-8, or has another number of fields than the header, is
/// counted as unreadable; the rest of the file is read.
pub(super) fn read(path: &Path, delimiter: u8, mut rows: Batch<'_>) -> Result<(), Error> {
    let failed = |e: csv::Error| unreadable(path, &e, "give a file with a header line");
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_path(path).map_err(failed)?;
    let header: Vec<String> = reader
        .byte_headers()
        .map_err(failed)?
        .iter()
        .map(|h| String::from_utf8_lossy(h).trim().trim_start_matches('\u{feff}').to_owned())
        .collect();
    let places = rows.places(path, &header)?;
    let mut fields = ByteRecord::new();
    let mut row = 0;
    while reader.read_byte_record(&mut fields).map_err(failed)? {
        if fields.len() == header.len() {
            let cell = |place: Option<usize>| match place.and_then(|p| fields.get(p)) {
                None | Some([]) => Ok(None),
                Some(bytes) => std::str::from_utf8(bytes).map(Some),
            };
            let [text, label, source, language] = places.map(cell);
            match (text, label, source, language) {
                (Ok(text), Ok(label), Ok(source), Ok(language)) => rows.push(row, [text, label, source, language]),
                _ => rows.fault(row, "not UTF-8".to_owned()),
            }
        } else {
            rows.fault(row, format!("{} fields, the header has {}", fields.len(), header.len()));
        }
        row += 1;
    }
    rows.finish();
    Ok(())
}
