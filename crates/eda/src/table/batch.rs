use super::{BATCH, Columns};
use crate::{Error, Record};
use std::path::Path;

/// Strings with more room than this are not kept: else a file of many short and few long texts would come to hold long ones only.
const ROOM: usize = 1024;

/// Rows in the making, handed on when they are many. They are made of rows that were counted before, whose strings are written
/// over: a row then costs no allocation.
pub(super) struct Batch<'a> {
    columns: &'a Columns,
    records: Vec<Record>,
    filled: usize,
    /// Takes rows, gives back others of earlier on.
    hand_on: &'a mut dyn FnMut(Vec<Record>) -> Vec<Record>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(columns: &'a Columns, hand_on: &'a mut dyn FnMut(Vec<Record>) -> Vec<Record>) -> Self {
        Self { columns, records: Vec::with_capacity(BATCH), filled: 0, hand_on }
    }

    /// See [`Columns::places`].
    pub(super) fn places(&self, path: &Path, header: &[String]) -> Result<[Option<usize>; 4], Error> {
        self.columns.places(path, header)
    }

    /// Adds a row of text, label, source and language as found.
    pub(super) fn push(&mut self, row: u64, [text, label, source, language]: [Option<&str>; 4]) {
        let columns = self.columns;
        let label = label.map(|l| columns.labels.get(l.trim()).map_or(l, String::as_str));
        self.add(|record| {
            record.row = row;
            write_over(&mut record.text, text);
            write_over(&mut record.label, label);
            write_over(&mut record.source, source);
            record.language = language.and_then(|l| l.trim().to_lowercase().parse().ok()).or(columns.all_in);
            record.fault = None;
        });
    }

    /// Adds a row that cannot be read.
    pub(super) fn fault(&mut self, row: u64, fault: String) {
        let language = self.columns.all_in;
        self.add(|record| *record = Record { row, language, fault: Some(fault), ..Record::default() });
    }

    fn add(&mut self, fill: impl FnOnce(&mut Record)) {
        if self.filled == self.records.len() {
            self.records.push(Record::default());
        }
        if let Some(record) = self.records.get_mut(self.filled) {
            fill(record);
        }
        self.filled += 1;
        if self.filled == BATCH {
            self.flush();
        }
    }

    /// Hands on the rows that are left.
    pub(super) fn finish(mut self) {
        if self.filled > 0 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.records.truncate(self.filled);
        self.filled = 0;
        self.records = (self.hand_on)(std::mem::take(&mut self.records));
    }
}

fn write_over(place: &mut Option<String>, value: Option<&str>) {
    match (place.as_mut(), value) {
        (Some(old), Some(new)) if old.capacity() <= ROOM => {
            old.clear();
            old.push_str(new);
        }
        _ => *place = value.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use artifacts::rows::Language;

    #[test]
    fn rows_written_over_others_hold_nothing_of_them() {
        let columns = Columns::parse("", "1=good").unwrap();
        let old = Record {
            row: 7,
            text: Some("a longer text".into()),
            label: Some("bad".into()),
            language: Some(Language::English),
            source: Some("wire".into()),
            synthetic: false,
            fault: Some("broken".into()),
        };
        let mut handed: Vec<Vec<Record>> = Vec::new();
        let mut hand_on = |rows| {
            handed.push(rows);
            vec![old.clone(); BATCH]
        };
        let mut batch = Batch::new(&columns, &mut hand_on);
        for row in 0..BATCH as u64 {
            batch.push(row, [Some("first"), Some(" 1 "), None, Some("VI")]);
        }
        batch.push(1, [Some("x"), Some("2"), None, None]);
        batch.fault(2, "not UTF-8".into());
        batch.push(3, [None, None, Some("s"), None]);
        batch.finish();
        let [first, second] = handed.as_slice() else { panic!("{} batches", handed.len()) };
        let last = first.last().unwrap();
        assert_eq!((first.len(), last.row, last.label.as_deref()), (BATCH, BATCH as u64 - 1, Some("good")));
        assert_eq!(last.language, Some(Language::Vietnamese));
        let blank = Record::default;
        let text = |s: &str| Some(s.to_owned());
        assert_eq!(second[0], Record { row: 1, text: text("x"), label: text("2"), ..blank() });
        assert_eq!(second[1], Record { row: 2, fault: text("not UTF-8"), ..blank() });
        assert_eq!(second[2..], [Record { row: 3, source: text("s"), ..blank() }]);
    }

    #[test]
    fn the_room_of_a_long_text_is_given_back() {
        let mut place = Some("x".repeat(100_000));
        write_over(&mut place, Some("short"));
        let kept = place.unwrap();
        assert!(kept == "short" && kept.capacity() <= ROOM, "{}", kept.capacity());
    }
}
