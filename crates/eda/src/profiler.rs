use crate::Config;
use crate::facts::{Cache, Facts, hash};
use crate::group::{Example, Group, bump, place_of};
use crate::key_table::{KeyTable, Repeats};
use crate::sample::{Occurrence, Sample, SampleText};
use artifacts::rows::Language;
use rayon::prelude::*;
use std::collections::BTreeMap;
use text::{FastMap, comparison_key};

/// One row of a data set, as read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Its number in its file, from 0.
    pub row: u64,
    /// The text, if there is one.
    pub text: Option<String>,
    /// The label, if there is one.
    pub label: Option<String>,
    /// The language that its source states, if it does.
    pub language: Option<Language>,
    /// The source, if it is told.
    pub source: Option<String>,
    /// Whether a model wrote it.
    pub synthetic: bool,
    /// Why it cannot be read, if it cannot.
    pub fault: Option<String>,
}

/// Different labels or sources that are told apart; later ones count as one.
const NAMES: usize = 256;
/// Rows looked at together.
const PART: usize = 2048;
/// Subjects: the languages, and rows of no stated language.
const SUBJECTS: [Option<Language>; 3] = [Some(Language::English), Some(Language::Vietnamese), None];

/// Everything counted about a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Names of the splits; the first is the reference.
    pub splits: Vec<String>,
    /// Labels as the rows spell them, in the order of the expected ones, then as met.
    pub labels: Vec<String>,
    /// Sources in the order met.
    pub sources: Vec<String>,
    /// Rows read.
    pub rows: u64,
    /// By language.
    pub subjects: Vec<Subject>,
}

/// Everything counted about the rows of one language.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The language its source states; none where it is not stated.
    pub language: Option<Language>,
    /// Split by split; splits without a row are left out.
    pub groups: Vec<Group>,
    /// Texts that are equal byte for byte.
    pub exact: Repeats,
    /// Texts that are equal but for case, spacing and punctuation.
    pub folded: Repeats,
    /// Different texts, uniformly drawn.
    pub sample: Vec<SampleText>,
    /// Whether the sample holds every text.
    pub complete: bool,
    /// Repeated, leaked and contradictory texts met first, as lines to show.
    pub(crate) repeated: Vec<String>,
    pub(crate) leaked: Vec<String>,
    pub(crate) contradictory: Vec<String>,
}

impl Subject {
    /// `en`, `vi`, or `all` where no language is stated.
    pub fn name(&self) -> &'static str {
        self.language.map_or("all", Language::as_str)
    }

    /// All its rows.
    pub fn rows(&self) -> u64 {
        self.groups.iter().map(|g| g.rows).sum()
    }
}

/// Counts rows as they come. Memory does not grow with them beyond the limits of the settings.
pub struct Profiler<'a> {
    splits: Vec<String>,
    /// The expected labels in lower case.
    expected: Vec<String>,
    cache: Cache,
    counts: Counts<'a>,
}

/// What the rows are counted into.
struct Counts<'a> {
    config: &'a Config,
    labels: Names,
    sources: Names,
    exact: KeyTable,
    folded: KeyTable,
    rows: u64,
    subjects: Vec<Open>,
}

struct Open {
    groups: BTreeMap<usize, Group>,
    sample: Sample,
    repeated: Vec<(u64, String)>,
    leaked: Vec<(u64, String)>,
    contradictory: Vec<(u64, String)>,
}

impl<'a> Profiler<'a> {
    /// Nothing counted yet.
    pub fn new(config: &'a Config) -> Self {
        let expected: Vec<String> = config.expected_labels.iter().map(|l| l.trim().to_lowercase()).collect();
        let open = || Open {
            groups: BTreeMap::new(),
            sample: Sample::new(config.sample_texts),
            repeated: Vec::new(),
            leaked: Vec::new(),
            contradictory: Vec::new(),
        };
        let counts = Counts {
            config,
            labels: Names { names: expected.clone(), places: BTreeMap::new() },
            sources: Names::default(),
            exact: KeyTable::new(config.exact_texts),
            folded: KeyTable::new(config.exact_texts),
            rows: 0,
            subjects: SUBJECTS.iter().map(|_| open()).collect(),
        };
        Self { splits: Vec::new(), expected, cache: Cache::new(16), counts }
    }

    /// Counts rows of a split. Give some thousand at a time: they are looked at in parallel.
    pub fn add(&mut self, split: &str, records: &[Record]) {
        if records.is_empty() {
            return;
        }
        let split = self.splits.iter().position(|s| s == split).unwrap_or_else(|| {
            self.splits.push(split.to_owned());
            self.splits.len() - 1
        });
        let (cache, counts, expected) = (&mut self.cache, &mut self.counts, self.expected.as_slice());
        // While some rows are counted, which one thread can do only, the others look at the next ones. All of it within the
        // pool: each entry from outside costs two changes of the thread.
        rayon::scope(|_| {
            let mut looked = Looked::default();
            for part in records.chunks(PART) {
                let ((), next) = rayon::join(|| counts.add(split, &mut looked), || look(part, cache, expected));
                looked = next;
            }
            counts.add(split, &mut looked);
        });
    }

    /// Everything counted.
    pub fn finish(self) -> Profile {
        self.counts.finish(self.splits)
    }
}

/// Rows that have been looked at.
#[derive(Default)]
struct Looked<'r> {
    records: &'r [Record],
    /// Of each row with a text.
    facts: Vec<Option<Facts>>,
    /// The comparison keys of the texts that were not known, by their hashes.
    keys: FastMap<u64, String>,
}

/// The facts of each row with a text. A text that is not known yet is looked at once, however often these rows repeat it.
fn look<'r>(records: &'r [Record], cache: &mut Cache, expected: &[String]) -> Looked<'r> {
    let raw = |record: &Record| {
        let text = record.text.as_deref().filter(|t| !t.trim().is_empty())?;
        Some(hash(text.as_bytes()))
    };
    let hashes: Vec<Option<u64>> = records.par_iter().with_min_len(256).map(raw).collect();
    let mut places: FastMap<u64, usize> = FastMap::default();
    let mut unknown: Vec<(&str, u64)> = Vec::new();
    let mut found: Vec<Option<Result<Facts, usize>>> = Vec::with_capacity(records.len());
    for (record, raw) in records.iter().zip(hashes) {
        found.push(raw.map(|raw| {
            cache.get(raw).ok_or_else(|| {
                *places.entry(raw).or_insert_with(|| {
                    unknown.push((record.text.as_deref().unwrap_or_default(), raw));
                    unknown.len() - 1
                })
            })
        }));
    }
    let of = |(text, raw): &(&str, u64)| Facts::of(text, *raw, expected);
    let looked: Vec<(Facts, String)> = unknown.par_iter().with_min_len(32).map(of).collect();
    for (facts, _) in &looked {
        cache.put(*facts);
    }
    let facts = |found: Result<Facts, usize>| found.map_or_else(|new| looked.get(new).map(|(facts, _)| *facts), Some);
    let facts = found.into_iter().map(|found| found.and_then(facts)).collect();
    Looked { records, facts, keys: looked.into_iter().map(|(facts, key)| (facts.raw, key)).collect() }
}

impl Counts<'_> {
    fn add(&mut self, split: usize, Looked { records, facts, keys }: &mut Looked<'_>) {
        for (record, facts) in records.iter().zip(facts) {
            self.count(split, record, *facts, keys);
        }
    }

    fn count(&mut self, split: usize, record: &Record, facts: Option<Facts>, keys: &mut FastMap<u64, String>) {
        self.rows += 1;
        let limit = self.config.examples;
        let subject = SUBJECTS.iter().position(|s| *s == record.language).unwrap_or(SUBJECTS.len() - 1);
        let label = record.label.as_deref().map(str::trim).filter(|l| !l.is_empty()).map(|l| self.labels.place(l));
        let source = record.source.as_deref().map(|s| self.sources.place(s));
        let Some(open) = self.subjects.get_mut(subject) else { return };
        let group = open.groups.entry(split).or_insert_with(|| Group::new(split));
        group.rows += 1;
        let row = record.row;
        if let Some(fault) = &record.fault {
            *group.unreadable.entry(fault.clone()).or_default() += 1;
            group.keep(Example::Unreadable, limit, || format!("{row}: {fault}"));
            return;
        }
        group.synthetic += u64::from(record.synthetic);
        let text = record.text.as_deref().unwrap_or_default();
        if let Some(label) = label {
            bump(&mut group.labels, label);
            if label >= self.config.expected_labels.len() {
                group.keep(Example::Label(label), limit, || line(row, text));
            }
        } else {
            group.without_label += 1;
            group.keep(Example::WithoutLabel, limit, || line(row, text));
        }
        if let (Some(source), Some(label)) = (source, label) {
            bump(group.sources.entry(source).or_default(), label);
        }
        let Some(facts) = facts else {
            group.without_text += 1;
            group.keep(Example::WithoutText, limit, || format!("{row}: label {:?}", record.label.as_deref()));
            return;
        };
        group.characters.add(facts.characters);
        group.words.add(facts.words);
        group.syllables.add(facts.syllables);
        for mark in facts.marks.each() {
            if let Some(count) = group.marks.get_mut(mark as usize) {
                *count += 1;
            }
            group.keep(Example::Marked(mark), limit, || line(row, text));
        }
        let confidence = f64::from(facts.confidence);
        let place = place_of(facts.detected, confidence, self.config.limits.language_confidence);
        if let Some(count) = group.detected.get_mut(place) {
            *count += 1;
        }
        group.keep(Example::Detected(place), limit, || line(row, text));
        if label.is_some_and(|l| l < 32 && facts.names >> l & 1 == 1) {
            group.label_words += 1;
            group.keep(Example::LabelWord, limit, || line(row, text));
        }
        longest(&mut group.longest, facts.words, limit, || line(row, text));

        let bit = label.map(|l| l.min(31) as u8);
        let subject_bit = subject as u8;
        if let Some(seen) = self.exact.add(facts.raw, subject_bit, split, bit) {
            let as_line = || {
                let name = |l: usize| self.labels.names.get(l).map_or("", String::as_str);
                let others = (0..32).filter(|l| seen.labels >> l & 1 == 1).map(name).collect::<Vec<_>>().join(", ");
                format!("{row}: {} (before: {others}): {}", label.map_or("", name), short(text))
            };
            if seen.before == 1 {
                keep(&mut open.repeated, limit, facts.raw, || short(text));
            }
            if seen.second_label {
                keep(&mut open.contradictory, limit, facts.raw, as_line);
            }
        }
        if let Some(seen) = self.folded.add(facts.key, subject_bit, split, bit)
            && seen.second_split
        {
            keep(&mut open.leaked, limit, facts.key, || line(row, text));
        }
        if open.sample.wants(facts.key) {
            let occurrence = Occurrence { split, source, label, synthetic: record.synthetic, rows: 1 };
            open.sample.add(facts.key, occurrence, || SampleText {
                text: text.to_owned(),
                key: keys.remove(&facts.raw).unwrap_or_else(|| comparison_key(text)),
                row,
                characters: facts.characters,
                words: facts.words,
                syllables: facts.syllables,
                marks: facts.marks,
                occurrences: Vec::new(),
            });
        } else {
            open.sample.partial = true;
        }
    }

    fn finish(self, splits: Vec<String>) -> Profile {
        let Self { exact, folded, labels, sources, rows, .. } = self;
        let subjects = self.subjects.into_iter().zip(SUBJECTS).enumerate();
        let subjects = subjects.filter(|(_, (open, _))| !open.groups.is_empty()).map(|(place, (open, language))| {
            let place = place as u8;
            let times = |key: u64, line: String| match exact.rows(key, place) {
                Some(n) => format!("{n} times: {line}"),
                None => line,
            };
            Subject {
                language,
                groups: open.groups.into_values().collect(),
                exact: exact.repeats(place),
                folded: folded.repeats(place),
                complete: !open.sample.partial,
                sample: open.sample.into_texts(),
                repeated: open.repeated.into_iter().map(|(key, line)| times(key, line)).collect(),
                leaked: open.leaked.into_iter().map(|(_, line)| line).collect(),
                contradictory: open.contradictory.into_iter().map(|(_, line)| line).collect(),
            }
        });
        let subjects = subjects.collect();
        Profile { splits, labels: labels.names, sources: sources.names, rows, subjects }
    }
}

/// A row to show: its number and the beginning of its text.
pub(crate) fn line(row: u64, text: &str) -> String {
    format!("{row}: {}", short(text))
}

/// The first characters of a text, on one line.
pub(crate) fn short(text: &str) -> String {
    const LONGEST: usize = 240;
    let mut line: String = text.chars().take(LONGEST).map(|c| if c == '\n' || c == '\r' { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

fn keep(lines: &mut Vec<(u64, String)>, limit: usize, key: u64, line: impl FnOnce() -> String) {
    if lines.len() < limit && lines.iter().all(|(k, _)| *k != key) {
        lines.push((key, line()));
    }
}

/// Keeps the longest texts, the longest first; among equals the first met.
fn longest(kept: &mut Vec<(u32, String)>, words: u32, limit: usize, line: impl FnOnce() -> String) {
    let place = kept.iter().position(|(w, _)| *w < words).unwrap_or(kept.len());
    if place < limit {
        kept.insert(place, (words, line()));
        kept.truncate(limit);
    }
}

/// Names by number, in the order met. Case does not matter.
#[derive(Debug, Default)]
struct Names {
    names: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Names {
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let lower = name.trim().to_lowercase();
        let known = self.names.iter().position(|n| n.trim().to_lowercase() == lower);
        let place = known.unwrap_or_else(|| {
            if self.names.len() < NAMES {
                self.names.push(name.to_owned());
            } else if self.names.len() == NAMES {
                self.names.push("(all others)".to_owned());
            }
            self.names.len() - 1
        });
        if self.places.len() < 4 * NAMES {
            self.places.insert(name.to_owned(), place);
        }
        place
    }
}
