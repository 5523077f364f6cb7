use super::config::SourceKind;
use super::journal::{Journal, Step};
use super::raw::RawRow;
use artifacts::rows::Language;
use std::borrow::Cow;

/// One change of a text.
type Change = (Step, fn(&str) -> String);

/// The text in the form that everything later sees; the journal learns what changed it. The order matters: letters are
/// composed before wrongly decoded ones are looked for, and again after; placeholders are words, so spaces must be single by
/// then; spacing comes last, because it reads the signs that placeholders became.
pub(super) fn clean(raw: &RawRow, kind: SourceKind, journal: &mut Journal) -> String {
    let repaired: [Change; 2] = [(Step::Unicode, text::nfc), (Step::Encoding, decode)];
    let spaced: [Change; 2] = [(Step::Entities, unescape), (Step::WhiteSpace, text::collapse_whitespace)];
    let english: [Change; 1] = [(Step::DosBoxes, text::repair_dos_boxes)];
    let of_vsfc: [Change; 1] = [(Step::Placeholders, text::restore_placeholders)];
    let steps = repaired
        .into_iter()
        .chain(english.into_iter().filter(|_| raw.language == Language::English))
        .chain(spaced)
        .chain(of_vsfc.into_iter().filter(|_| kind == SourceKind::Vsfc))
        .chain([(Step::Spacing, text::detokenise as fn(&str) -> String)]);
    let mut current = Cow::Borrowed(raw.text.as_str());
    for (step, change) in steps {
        let next = change(&current);
        if next != *current {
            journal.changed(step, &raw.source, raw.row, &current, &next);
            current = Cow::Owned(next);
        }
    }
    current.into_owned()
}

fn decode(text: &str) -> String {
    text::nfc(&text::repair_encoding(text))
}

fn unescape(text: &str) -> String {
    text::nfc(&text::unescape_entities(text))
}
