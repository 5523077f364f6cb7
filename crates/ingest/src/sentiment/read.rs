use super::config::{SourceConfig, SourceKind, TextColumns};
use super::raw::{Collector, RawRow, Split};
use crate::error::unreadable;
use crate::locate::{Located, locate};
use crate::table::{self, Cell, Wanted};
use crate::{Error, Options};
use hub::Source;
use std::path::Path;

/// The files of one source, found but not yet read.
pub(super) struct Found<'a> {
    pub(super) source: &'a SourceConfig,
    pub(super) files: Vec<Located>,
    /// Whether they are UIT-VSFC's original text files.
    triples: bool,
}

impl<'a> Found<'a> {
    /// Finds the files; those on the Hub are fetched.
    pub(super) fn new(source: &'a SourceConfig, data: &Path, options: &Options<'_>) -> Result<Self, Error> {
        let triples = source.kind == SourceKind::Vsfc && is_triple(&source.path, data);
        let endings: &[&str] = match source.kind {
            SourceKind::Phrasebank => &[".txt"],
            SourceKind::Vsfc if triples => &["sents.txt", "sentiments.txt"],
            SourceKind::Vsfc => &[".parquet"],
            SourceKind::Instruction | SourceKind::Table => &table::ENDINGS,
        };
        let mut files = locate(&source.path, &source.name, data, &options.hub, endings)?;
        if triples {
            files.extend(locate(&source.path, &source.name, data, &options.hub, &["sentiments.txt"])?);
        }
        Ok(Self { source, files, triples })
    }

    /// Reads everything into the collector.
    pub(super) fn read(&self, vote: usize, into: &mut Collector) -> Result<(), Error> {
        let before = into.rows.len();
        let (read, refused) = (into.read, into.rejected.len());
        match self.source.kind {
            SourceKind::Phrasebank => {
                for file in &self.files {
                    phrasebank(self.source, vote, file, into)?;
                }
            }
            SourceKind::Vsfc if self.triples => self.triples(vote, into)?,
            _ => {
                for file in &self.files {
                    self.table(vote, file, into)?;
                }
            }
        }
        let first = self.files.first().map(|f| f.path.clone()).unwrap_or_default();
        let rows = into.read - read;
        if rows == 0 {
            return Err(Error::Empty { path: first, name: self.source.name.clone() });
        }
        if into.rows.len() == before {
            let cause = into.rejected.get(refused).map(|r| format!("{}: {}", r.reason, r.detail)).unwrap_or_default();
            return Err(Error::NothingKept { path: first, name: self.source.name.clone(), rows, first: cause });
        }
        Ok(())
    }

    fn table(&self, vote: usize, file: &Located, into: &mut Collector) -> Result<(), Error> {
        let names = |n: &[&str]| n.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let columns = match self.source.kind {
            SourceKind::Instruction => {
                TextColumns { text: names(&["input"]), label: names(&["output"]), instruction: names(&["instruction"]) }
            }
            SourceKind::Vsfc => {
                TextColumns { text: names(&["sentence"]), label: names(&["sentiment"]), instruction: Vec::new() }
            }
            _ => self.source.columns.clone(),
        };
        let wanted =
            [Wanted::required(&columns.text), Wanted::required(&columns.label), Wanted::optional(&columns.instruction)];
        let split = if self.source.kind == SourceKind::Vsfc { split_of(&file.name)? } else { Split::None };
        let name = source_name(self.source, split);
        table::read_as(&file.path, self.source.encoding, &wanted, &mut |record| {
            into.read += 1;
            match record.content {
                Err(fault) => into.refuse(&name, record.number, &fault.raw, "", fault.reason, &fault.detail),
                Ok(cells) => {
                    let mut cells = cells.iter().map(Cell::text);
                    let mut next = || cells.next().flatten();
                    let (text, label, instruction) = (next(), next(), next());
                    into.add(
                        self.source,
                        RawRow {
                            vote,
                            source: name.clone(),
                            language: self.source.language,
                            split,
                            row: record.number,
                            text: text.unwrap_or_default(),
                            raw_label: label.unwrap_or_default(),
                            instruction,
                        },
                        &file.path,
                    );
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    fn triples(&self, vote: usize, into: &mut Collector) -> Result<(), Error> {
        for file in self.files.iter().filter(|f| f.name.ends_with("sents.txt")) {
            let labels_name = file.name.replace("sents.txt", "sentiments.txt");
            let Some(labels) = self.files.iter().find(|f| f.name == labels_name) else {
                return Err(Error::Missing {
                    path: file.path.with_file_name("sentiments.txt"),
                    name: self.source.name.clone(),
                });
            };
            let split = split_of(&file.name)?;
            let name = source_name(self.source, split);
            let (texts, codes) = (lines(&file.path)?, lines(&labels.path)?);
            if texts.len() != codes.len() {
                return Err(unreadable(
                    &labels.path,
                    &format!("{} labels for {} sentences", codes.len(), texts.len()),
                    "fetch sents.txt and sentiments.txt of the same edition",
                ));
            }
            for (row, (text, code)) in texts.iter().zip(&codes).enumerate() {
                into.read += 1;
                let Ok(text) = std::str::from_utf8(text) else {
                    into.refuse(&name, row as u64, &String::from_utf8_lossy(text), "", "invalid-utf8", "not UTF-8");
                    continue;
                };
                into.add(
                    self.source,
                    RawRow {
                        vote,
                        source: name.clone(),
                        language: self.source.language,
                        split,
                        row: row as u64,
                        text: text.to_owned(),
                        raw_label: String::from_utf8_lossy(code).trim().to_owned(),
                        instruction: None,
                    },
                    &file.path,
                );
            }
        }
        Ok(())
    }
}

/// Whether a local folder has UIT-VSFC's original text files.
fn is_triple(path: &str, data: &Path) -> bool {
    matches!(Source::parse(path), Ok(Source::Local(local)) if data.join(&local).join("train").join("sents.txt").is_file())
}

fn source_name(source: &SourceConfig, split: Split) -> String {
    match split {
        Split::None => source.name.clone(),
        split => format!("{}:{}", source.name, split.name()),
    }
}

/// The official split that a file belongs to, by the names of its folders or its own.
fn split_of(name: &str) -> Result<Split, Error> {
    let part = |p: &str| match p.split(['-', '.', '_']).next() {
        Some("train") => Some(Split::Train),
        Some("validation" | "valid" | "dev") => Some(Split::Validation),
        Some("test") => Some(Split::Test),
        _ => None,
    };
    name.split('/').find_map(part).ok_or_else(|| {
        Error::BadConfig(format!(
            "{name}: it is in none of the folders train, validation (or dev), test; give the folder above them"
        ))
    })
}

fn lines(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let bytes = std::fs::read(path).map_err(|e| unreadable(path, &e, "check the rights of the file"))?;
    let mut lines: Vec<Vec<u8>> =
        bytes.split(|&b| b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l).to_vec()).collect();
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    Ok(lines)
}

fn phrasebank(source: &SourceConfig, vote: usize, file: &Located, into: &mut Collector) -> Result<(), Error> {
    let lines = lines(&file.path)?;
    let beyond_ascii = lines.iter().filter(|l| !l.is_ascii());
    let (valid, invalid) =
        beyond_ascii.fold((0, 0), |(v, i), l| if std::str::from_utf8(l).is_ok() { (v + 1, i) } else { (v, i + 1) });
    // A few bad lines in UTF-8 are bad lines; many are another encoding.
    let latin = invalid > valid;
    if latin {
        tracing::info!("{}: not UTF-8, read as Windows-1252 (Latin-1)", file.path.display());
    }
    for (row, line) in lines.iter().enumerate() {
        let row = row as u64;
        into.read += 1;
        let text = if latin {
            encoding_rs::WINDOWS_1252.decode_without_bom_handling(line).0.into_owned()
        } else if let Ok(text) = std::str::from_utf8(line) {
            text.trim_start_matches('\u{feff}').to_owned()
        } else {
            into.refuse(&source.name, row, &String::from_utf8_lossy(line), "", "invalid-utf8", "not UTF-8");
            continue;
        };
        let Some((text, label)) = text.rsplit_once('@') else {
            into.refuse(&source.name, row, &text, "", "no-label", "the line has no @ before a label");
            continue;
        };
        into.add(
            source,
            RawRow {
                vote,
                source: source.name.clone(),
                language: source.language,
                split: Split::None,
                row,
                text: text.to_owned(),
                raw_label: label.trim().to_owned(),
                instruction: None,
            },
            &file.path,
        );
    }
    Ok(())
}
