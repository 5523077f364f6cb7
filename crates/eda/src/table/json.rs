use super::batch::Batch;
use super::unreadable;
use crate::Error;
use serde_json::Value;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// One JSON object a line. The first object that can be read tells the columns; a line that is none is counted as
/// unreadable.
pub(super) fn read(path: &Path, mut rows: Batch<'_>) -> Result<(), Error> {
    let failed = |e: std::io::Error| unreadable(path, &e, "give a readable file with one JSON object a line");
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut names: Option<[Option<String>; 4]> = None;
    let (mut bytes, mut row) = (Vec::new(), 0);
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
            break;
        }
        let text = bytes.trim_ascii();
        if text.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Value>(text) {
            Ok(Value::Object(object)) => {
                if names.is_none() {
                    let header: Vec<String> = object.keys().cloned().collect();
                    let places = rows.places(path, &header)?;
                    names = Some(places.map(|p| p.and_then(|p| header.get(p).cloned())));
                }
                let cell = |name: &Option<String>| match object.get(name.as_ref()?)? {
                    Value::Null => None,
                    Value::String(text) => Some(Cow::Borrowed(text.as_str())),
                    other => Some(Cow::Owned(other.to_string())),
                };
                let cells = names.as_ref().map_or([const { None }; 4], |n| n.each_ref().map(cell));
                rows.push(row, cells.each_ref().map(Option::as_deref));
            }
            Ok(_) => rows.fault(row, "not a JSON object".to_owned()),
            Err(_) if std::str::from_utf8(text).is_err() => rows.fault(row, "not UTF-8".to_owned()),
            Err(_) => rows.fault(row, "not JSON".to_owned()),
        }
        row += 1;
    }
    rows.finish();
    Ok(())
}
