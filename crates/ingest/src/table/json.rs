use super::{Cell, Fault, Record, Visit, Wanted};
use crate::Error;
use crate::error::unreadable;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// One JSON object a line. Objects may differ in their keys; a required column must occur in at least one of them.
pub(super) fn read_lines(path: &Path, wanted: &[Wanted], visit: &mut Visit<'_>) -> Result<u64, Error> {
    let remedy = "give a readable file with one JSON object a line";
    let mut reader = BufReader::new(File::open(path).map_err(|e| unreadable(path, &e, remedy))?);
    let mut keys = Keys::new(wanted);
    let mut number = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(|e| unreadable(path, &e, remedy))? == 0 {
            break;
        }
        let bytes = line.trim_ascii();
        if bytes.is_empty() {
            continue;
        }
        let content = match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => keys.cells(&value),
            Err(e) => {
                let reason = if std::str::from_utf8(bytes).is_err() { "invalid-utf8" } else { "invalid-json" };
                Err(Fault { reason, detail: e.to_string(), raw: String::from_utf8_lossy(bytes).into_owned() })
            }
        };
        visit(Record { number, content })?;
        number += 1;
    }
    keys.check(path, number)?;
    Ok(number)
}

/// One JSON list of objects, read whole.
pub(super) fn read_list(path: &Path, wanted: &[Wanted], visit: &mut Visit<'_>) -> Result<u64, Error> {
    let remedy = "give a list of JSON objects, or one object a line in a .jsonl file";
    let file = File::open(path).map_err(|e| unreadable(path, &e, remedy))?;
    let list: Vec<Value> = serde_json::from_reader(BufReader::new(file)).map_err(|e| unreadable(path, &e, remedy))?;
    let mut keys = Keys::new(wanted);
    for (number, value) in list.iter().enumerate() {
        visit(Record { number: number as u64, content: keys.cells(value) })?;
    }
    keys.check(path, list.len() as u64)?;
    Ok(list.len() as u64)
}

/// The wanted columns and which of them have been met.
struct Keys<'a> {
    wanted: &'a [Wanted],
    met: Vec<bool>,
    present: BTreeSet<String>,
}

impl<'a> Keys<'a> {
    fn new(wanted: &'a [Wanted]) -> Self {
        Self { wanted, met: vec![false; wanted.len()], present: BTreeSet::new() }
    }

    fn cells(&mut self, value: &Value) -> Result<Vec<Cell>, Fault> {
        let Some(object) = value.as_object() else {
            return Err(Fault { reason: "invalid-json", detail: "not an object".into(), raw: value.to_string() });
        };
        // Enough keys for a message; a hostile file must not fill the memory with them.
        if self.present.len() < 64 {
            self.present.extend(object.keys().cloned());
        }
        let mut cells = Vec::with_capacity(self.wanted.len());
        for (column, met) in self.wanted.iter().zip(&mut self.met) {
            let found = column.names.iter().find_map(|name| {
                object.get(name).or_else(|| object.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v))
            });
            *met |= found.is_some();
            cells.push(found.map_or(Cell::Missing, cell));
        }
        Ok(cells)
    }

    fn check(&self, path: &Path, rows: u64) -> Result<(), Error> {
        let missing = self.wanted.iter().zip(&self.met).find(|(w, met)| w.required && !**met);
        match missing {
            // what is no JSON has no columns to name
            Some(_) if rows > 0 && self.present.is_empty() => {
                Err(unreadable(path, &"no row is a JSON object with keys", "give one JSON object a line"))
            }
            Some((column, _)) if rows > 0 => {
                Err(column.missing(path, &self.present.iter().cloned().collect::<Vec<_>>()))
            }
            _ => Ok(()),
        }
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Missing,
        Value::String(text) => Cell::Text(text.clone()),
        Value::Number(n) => n.as_i64().map_or_else(|| Cell::Number(n.as_f64().unwrap_or(f64::NAN)), Cell::Integer),
        Value::Array(items) => Cell::List(items.iter().filter_map(|i| cell(i).text()).collect()),
        Value::Bool(_) | Value::Object(_) => Cell::Text(value.to_string()),
    }
}
