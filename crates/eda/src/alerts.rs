use crate::analysis::is_vietnamese;
use crate::comparison::{Dimension, Measure};
use crate::group::Example;
use crate::key_table::SPLITS;
use crate::page::often;
use crate::{Analysis, Config, Findings, Group, Mark, Subject};
use artifacts::rows::{AlertKind, AlertLevel, DataAlert};
use report::format::{count, percent};
use std::fmt::Write;

/// Labels beyond these are free text, not classes.
const CLASSES: usize = 12;

/// Everything about the rows that crosses a limit of the settings, most serious first.
pub fn alerts(analysis: &Analysis, config: &Config) -> Vec<DataAlert> {
    let mut found = Vec::new();
    for (subject, findings) in analysis.subjects() {
        let mut maker = Maker { subject: subject.name(), slice: "all".into(), rows: subject.rows(), found: &mut found };
        of_subject(subject, findings, config, &mut maker);
        for (place, group) in subject.groups.iter().enumerate() {
            analysis.split(group.split).clone_into(&mut maker.slice);
            maker.rows = group.rows;
            of_repeats(subject, group, config, &mut maker);
            of_labels(analysis, group, place > 0, config, &mut maker);
            of_rows(subject, group, config, &mut maker);
            of_source(analysis, findings, (place, group), config, &mut maker);
            if let Some(tokens) = findings.tokens.iter().find(|t| t.split == group.split) {
                let limit = config.limits.too_many_tokens_share;
                maker.share(AlertKind::TooManyTokens, AlertLevel::Warning, tokens.over, limit, |m| Text {
                    message: format!(
                        "{} rows ({}) are longer than {} tokens; the longest has {}.",
                        count(m.count),
                        m.share,
                        config.max_tokens,
                        count(u64::from(tokens.lengths.longest()))
                    ),
                    remedy: "Raise the sequence length, or shorten these texts before formatting: a cut answer teaches nothing.",
                    examples: tokens.examples.clone(),
                    exact: subject.complete,
                });
            }
        }
    }
    of_comparisons(analysis, config, &mut found);
    // A stable sort: within a level the order stays that of the languages and splits.
    found.sort_by_key(|a| std::cmp::Reverse(a.level));
    found
}

struct Maker<'a> {
    subject: &'static str,
    slice: String,
    rows: u64,
    found: &'a mut Vec<DataAlert>,
}

/// What an alert's text is made of.
struct Measured {
    count: u64,
    share: String,
}

struct Text {
    message: String,
    remedy: &'static str,
    examples: Vec<String>,
    exact: bool,
}

impl Text {
    fn new(message: String, remedy: &'static str, examples: Vec<String>) -> Self {
        Self { message, remedy, examples, exact: true }
    }
}

impl Maker<'_> {
    /// An alert if `of` the rows at hand are more than a share.
    fn share(&mut self, kind: AlertKind, level: AlertLevel, of: u64, limit: f64, text: impl FnOnce(Measured) -> Text) {
        self.ratio(kind, level, (of, self.rows), limit, text);
    }

    /// An alert if `of` some total are more than a share.
    fn ratio(
        &mut self,
        kind: AlertKind,
        level: AlertLevel,
        (of, total): (u64, u64),
        limit: f64,
        text: impl FnOnce(Measured) -> Text,
    ) {
        let value = of as f64 / total.max(1) as f64;
        if value > limit {
            let text = text(Measured { count: of, share: percent(Some(value), 1) });
            self.push(kind, level, (of, total), (value, limit), text);
        }
    }

    fn push(
        &mut self,
        kind: AlertKind,
        level: AlertLevel,
        (count, total): (u64, u64),
        (value, limit): (f64, f64),
        text: Text,
    ) {
        self.found.push(DataAlert {
            kind,
            level,
            subject: self.subject.to_owned(),
            slice: self.slice.clone(),
            count,
            total,
            value,
            limit,
            exact: text.exact,
            message: text.message,
            remedy: text.remedy.to_owned(),
            examples: text.examples,
        });
    }
}

fn of_subject(subject: &Subject, findings: &Findings, config: &Config, maker: &mut Maker<'_>) {
    let limits = &config.limits;
    let folded = &subject.folded;
    if folded.across > limits.leaked_texts {
        let message =
            format!("{} texts are in more than one split; scores on them measure memory.", count(folded.across));
        let remedy = "Remove duplicates before splitting, and split by cluster.";
        let text = Text { message, remedy, examples: subject.leaked.clone(), exact: folded.exact };
        let figures = (folded.across as f64, limits.leaked_texts as f64);
        maker.push(AlertKind::Leakage, AlertLevel::Critical, (folded.across, folded.texts), figures, text);
    }
    let near = &findings.near;
    if near.across > limits.leaked_texts {
        let message = format!(
            "{} clusters of near copies (similarity {} or more) lie across splits.",
            count(near.across),
            config.near_duplicate_threshold
        );
        let remedy = "Keep each cluster of near copies on one side of the split.";
        let text = Text { message, remedy, examples: near.leaks.clone(), exact: subject.complete };
        let figures = (near.across as f64, limits.leaked_texts as f64);
        maker.push(AlertKind::NearLeakage, AlertLevel::Critical, (near.across, near.clusters), figures, text);
    }
    let exact = &subject.exact;
    if exact.conflicting > limits.conflicting_texts {
        let message = format!(
            "{} texts ({} rows) occur with more than one label, byte for byte; no model can be right on them.{}",
            count(exact.conflicting),
            count(exact.conflicting_rows),
            match folded.conflicting.saturating_sub(exact.conflicting) {
                0 => String::new(),
                more => format!(" {} more do but for case, spacing and punctuation.", count(more)),
            }
        );
        let remedy = "Let the sources vote, and drop what is tied; never keep whichever row comes first.";
        let text = Text { message, remedy, examples: subject.contradictory.clone(), exact: exact.exact };
        let figures = (exact.conflicting as f64, limits.conflicting_texts as f64);
        maker.push(AlertKind::ConflictingLabels, AlertLevel::Warning, (exact.conflicting, exact.texts), figures, text);
    } else if folded.conflicting > limits.conflicting_texts {
        let message = format!(
            "{} texts that are equal but for case, spacing and punctuation have more than one label.",
            count(folded.conflicting)
        );
        let remedy = "Compare texts by a folded key when you remove duplicates, and vote.";
        let text = Text { message, remedy, examples: Vec::new(), exact: folded.exact };
        let figures = (folded.conflicting as f64, limits.conflicting_texts as f64);
        let total = (folded.conflicting, folded.texts);
        maker.push(AlertKind::ConflictingLabels, AlertLevel::Warning, total, figures, text);
    }
    if near.conflicting > limits.conflicting_texts {
        let message =
            format!("{} clusters of near copies carry more than one label; read them.", count(near.conflicting));
        let remedy = "A small change may well turn the label round; where it does not, correct the label.";
        let text = Text { message, remedy, examples: near.conflicts.clone(), exact: subject.complete };
        let figures = (near.conflicting as f64, limits.conflicting_texts as f64);
        maker.push(
            AlertKind::NearConflictingLabels,
            AlertLevel::Note,
            (near.conflicting, near.clusters),
            figures,
            text,
        );
    }
    let suspicious: Vec<_> = findings.scores.iter().filter(|s| s.suspicious).collect();
    let judged = findings.scores.len() as u64;
    let errors = (suspicious.len() as u64, judged);
    maker.ratio(AlertKind::LabelErrors, AlertLevel::Note, errors, limits.label_error_share, |m| Text {
        message: format!(
            "{} of {} texts ({}) have a label that a linear classifier trained on the others confidently contradicts.",
            count(m.count),
            count(judged),
            m.share
        ),
        remedy: "Read the list below from the top. The classifier is weak: it is right about the first ones and wrong about many.",
        examples: suspicious
            .iter()
            .take(config.examples)
            .map(|s| format!("{} ({}, likelier {}): {}", s.row, s.label, s.likely, crate::profiler::short(&s.text)))
            .collect(),
        exact: subject.complete && judged as usize >= subject.sample.len(),
    });
}

fn of_repeats(subject: &Subject, group: &Group, config: &Config, maker: &mut Maker<'_>) {
    let (exact, folded) = (&subject.exact, &subject.folded);
    let place = group.split.min(SPLITS - 1);
    let of = |copies: &[u64]| copies.get(place).copied().unwrap_or(0);
    let copies = of(&exact.copies);
    let share = group.share(copies);
    let level = if share >= 0.5 { AlertLevel::Critical } else { AlertLevel::Warning };
    maker.share(AlertKind::Duplicates, level, copies, config.limits.duplicate_share, |m| {
        let mut message = format!(
            "{} of {} rows ({}) repeat an earlier row's text byte for byte; {} texts are different.",
            count(m.count),
            count(group.rows),
            m.share,
            count(group.rows.saturating_sub(group.without_text + copies))
        );
        if subject.groups.len() == 1 {
            let times = exact.multiplicities.iter().filter(|(n, _)| *n > 1).take(4);
            let list: Vec<String> = times.map(|(n, texts)| format!("{} texts {}", count(*texts), often(*n))).collect();
            write!(message, " Commonest: {}.", list.join(", ")).ok();
        }
        let remedy = "Remove duplicates before splitting: a random split of these rows puts copies on both sides.";
        Text { message, remedy, examples: subject.repeated.clone(), exact: exact.exact }
    });
    let more = of(&folded.copies).saturating_sub(copies);
    let limit = config.limits.folded_duplicate_share;
    maker.share(AlertKind::FoldedDuplicates, AlertLevel::Note, more, limit, |m| Text {
        message: format!(
            "{} more rows ({}) repeat a text but for case, spacing, punctuation or links.",
            count(m.count),
            m.share
        ),
        remedy: "Compare texts by a folded key, not byte for byte.",
        examples: Vec::new(),
        exact: exact.exact && folded.exact,
    });
}

fn of_labels(analysis: &Analysis, group: &Group, held_out: bool, config: &Config, maker: &mut Maker<'_>) {
    let limits = &config.limits;
    let labelled: u64 = group.labels.iter().sum();
    if labelled == 0 {
        return;
    }
    let expected = config.expected_labels.len();
    let present: Vec<(usize, u64)> = group.labels.iter().copied().enumerate().filter(|(_, n)| *n > 0).collect();
    let counts = |labels: &[(usize, u64)]| {
        let list: Vec<String> =
            labels.iter().take(CLASSES).map(|(l, n)| format!("{} {}", analysis.label(*l), count(*n))).collect();
        let more = labels.len().saturating_sub(CLASSES);
        if more > 0 { format!("{} and {more} others", list.join(", ")) } else { list.join(", ") }
    };
    let unknown: Vec<(usize, u64)> = present.iter().copied().filter(|(l, _)| *l >= expected).collect();
    let missing: Vec<&str> = (0..expected).filter(|l| group.of_label(*l) == 0).map(|l| analysis.label(l)).collect();
    if !unknown.is_empty() || !missing.is_empty() {
        let rows: u64 = unknown.iter().map(|(_, n)| n).sum();
        let mut message = format!("The labels are {}.", counts(&present));
        if !unknown.is_empty() {
            write!(message, " Not expected: {}.", counts(&unknown)).ok();
        }
        if !missing.is_empty() {
            let absent = missing.join(", ");
            write!(message, " Expected but absent: {absent}; macro F1 over all classes is not what it seems.").ok();
        }
        let level = if missing.is_empty() { AlertLevel::Warning } else { AlertLevel::Critical };
        let remedy = "Map the labels (--labels 0=negative,…), or set expected_labels to those of this data set.";
        let examples = unknown.iter().take(4).flat_map(|(l, _)| group.shown(Example::Label(*l)).into_iter().take(1));
        let odd = (unknown.len() + missing.len()) as f64;
        maker.push(
            AlertKind::LabelSet,
            level,
            (rows, labelled),
            (odd, 0.0),
            Text::new(message, remedy, examples.collect()),
        );
    }
    if present.len() > CLASSES {
        return;
    }
    // One row with a mistyped label is no class.
    let known: Vec<(usize, u64)> = present.iter().copied().filter(|(l, _)| *l < expected).collect();
    let classes = if known.len() < 2 { &present } else { &known };
    let least = classes.iter().min_by_key(|(l, n)| (*n, *l));
    let most = classes.iter().max_by_key(|(l, n)| (*n, std::cmp::Reverse(*l)));
    if let (Some((small, few)), Some((large, many))) = (least, most) {
        let ratio = *many as f64 / *few as f64;
        if ratio > limits.imbalance_ratio {
            let message = format!(
                "The largest class ({}) has {ratio:.1} times the rows of the smallest ({}): {}. Accuracy flatters, read macro F1.",
                analysis.label(*large),
                analysis.label(*small),
                counts(classes)
            );
            let remedy =
                "Lift the small classes in the training rows; keep evaluation rows natural, and report each class.";
            let text = Text::new(message, remedy, Vec::new());
            maker.push(AlertKind::Imbalance, AlertLevel::Warning, (*few, *many), (ratio, limits.imbalance_ratio), text);
        }
    }
    for (label, rows) in present.iter().filter(|(_, n)| held_out && *n < limits.few_rows) {
        let message = format!(
            "Only {rows} rows are {}; one row moves its recall by {}.",
            analysis.label(*label),
            percent(Some(1.0 / *rows as f64), 1)
        );
        let text =
            Text::new(message, "Hold out more rows of this class, or give its interval with every score.", Vec::new());
        let figures = (*rows as f64, limits.few_rows as f64);
        maker.push(AlertKind::FewRows, AlertLevel::Warning, (*rows, labelled), figures, text);
    }
    maker.share(AlertKind::LabelWord, AlertLevel::Warning, group.label_words, limits.label_word_share, |m| {
        let message = format!("{} rows ({}) contain the name of their own label.", count(m.count), m.share);
        let remedy = "Check that the answer is not part of the text; report scores without these rows too.";
        Text::new(message, remedy, group.shown(Example::LabelWord))
    });
}

fn of_rows(subject: &Subject, group: &Group, config: &Config, maker: &mut Maker<'_>) {
    use AlertLevel::{Note, Warning};
    let limits = &config.limits;
    let unreadable: u64 = group.unreadable.values().sum();
    maker.share(AlertKind::Unreadable, Warning, unreadable, limits.unreadable_share, |m| {
        let reasons: Vec<String> = group.unreadable.iter().take(4).map(|(why, n)| format!("{why} ({n})")).collect();
        let message = format!("{} rows ({}) cannot be read: {}.", count(m.count), m.share, reasons.join("; "));
        Text::new(
            message,
            "Correct the file at its source, or convert its character set.",
            group.shown(Example::Unreadable),
        )
    });
    let (texts, labels) = (group.without_text, group.without_label);
    maker.share(AlertKind::Missing, Warning, texts.max(labels), limits.missing_share, |m| {
        let message = format!("{} rows have no text and {} no label ({}).", count(texts), count(labels), m.share);
        let examples = group.shown(Example::WithoutText).into_iter().chain(group.shown(Example::WithoutLabel));
        Text::new(message, "Drop them, and count them in the report.", examples.collect())
    });
    let vietnamese = is_vietnamese(subject);
    let language = if vietnamese { "Vietnamese" } else { "English" };
    let expected = group.expected(subject.language);
    maker.share(AlertKind::Language, Warning, group.in_other_language(subject.language), limits.language_share, |m| {
        let [en, vi, other, undecided] = group.detected.map(count);
        let message = format!(
            "{} rows ({}) are clearly not {}: {en} English, {vi} Vietnamese, {other} other, {undecided} too short to tell.",
            count(m.count),
            m.share,
            ["English", "Vietnamese", "in the commonest language"].get(expected).copied().unwrap_or(language)
        );
        let examples = (0..3).filter(|i| *i != expected).flat_map(|i| group.shown(Example::Detected(i)));
        Text::new(message, "Train and judge each language on its own rows.", examples.take(config.examples).collect())
    });
    let mut marked = |kind, level, mark: Mark, limit, what: &str, remedy: &'static str| {
        maker.share(kind, level, group.marked(mark), limit, |m| {
            let message = format!("{} rows ({}) {what}.", count(m.count), m.share);
            Text::new(message, remedy, group.shown(Example::Marked(mark)))
        });
    };
    let undo = "Repair before anything else: `ingest` undoes both common accidents.";
    marked(
        AlertKind::Encoding,
        Warning,
        Mark::Mojibake,
        limits.encoding_share,
        "were decoded with the wrong character set",
        undo,
    );
    let again = "The bytes are gone: fetch the rows again from their source, or drop them.";
    marked(
        AlertKind::Encoding,
        Warning,
        Mark::Damaged,
        limits.encoding_share,
        "hold U+FFFD where characters were lost",
        again,
    );
    let unescape = "Unescape entities and drop invisible characters before comparing texts.";
    marked(AlertKind::Markup, Note, Mark::Entity, limits.markup_share, "hold HTML entities", unescape);
    marked(
        AlertKind::Markup,
        Note,
        Mark::Invisible,
        limits.markup_share,
        "hold control or invisible characters",
        unescape,
    );
    let compose = "Bring every text to NFC: to a tokenizer the two forms are different words.";
    marked(
        AlertKind::UnicodeForm,
        Warning,
        Mark::Decomposed,
        limits.unicode_form_share,
        "have letters and marks apart (NFD)",
        compose,
    );
    let replace = "Replace Ð (U+00D0) by Đ (U+0110) in Vietnamese text.";
    if vietnamese {
        marked(
            AlertKind::LookAlikes,
            Warning,
            Mark::LookAlike,
            limits.look_alike_share,
            "write Đ with a look-alike",
            replace,
        );
    }
    let restore = "Put the characters back: a model has never seen `colonsmile`, and `:)` carries sentiment.";
    marked(
        AlertKind::Placeholders,
        Note,
        Mark::Placeholder,
        limits.placeholder_share,
        "hold words that stand for characters",
        restore,
    );
    let links = "Drop links when comparing texts: feeds repeat one headline under many short links.";
    marked(AlertKind::Urls, Note, Mark::Url, limits.url_share, "hold a web address", links);
    let (chat, spelling) =
        if vietnamese { (Mark::ChatVietnamese, "teencode") } else { (Mark::ChatEnglish, "chat spelling") };
    let register = "Leave it: users write so too. Report scores on these rows apart, and have such rows in training.";
    marked(AlertKind::Register, Note, chat, limits.chat_share, &format!("hold {spelling}"), register);

    let tags = [Mark::CashTag, Mark::HashTag, Mark::Mention].map(|m| group.marked(m));
    maker.share(AlertKind::Tickers, Note, tags.into_iter().max().unwrap_or(0), limits.ticker_share, |_| {
        let [cash, hash, mention] = tags.map(|n| format!("{} ({})", count(n), percent(Some(group.share(n)), 1)));
        let message = format!("Rows with cash tags: {cash}; with hash tags: {hash}; with mentions: {mention}.");
        let remedy = "Keep them: `$AAPL` says whom the news is about. Check that no tag goes with one label only.";
        Text::new(message, remedy, group.shown(Example::Marked(Mark::CashTag)))
    });
    let (old, new) = (group.marked(Mark::ToneOld), group.marked(Mark::ToneNew));
    if vietnamese {
        let rarer = (old.min(new), old + new);
        maker.ratio(AlertKind::TonePlacement, Note, rarer, limits.tone_placement_share, |m| {
            let message = format!(
                "The tone mark stands as in hòa in {} rows and as in hoà in {}: {} in the rarer place.",
                count(old),
                count(new),
                m.share
            );
            let examples = [Mark::ToneOld, Mark::ToneNew].map(|m| group.shown(Example::Marked(m)).into_iter().take(2));
            let remedy = "Bring both to one place when comparing texts; leave the rows themselves as people write.";
            Text::new(message, remedy, examples.into_iter().flatten().collect())
        });
    }
    let fence = group.words.outer_fence().unwrap_or(f64::INFINITY);
    let outside = group.words.longer_than(fence) + group.marked(Mark::NoWord);
    maker.share(AlertKind::LengthOutliers, Note, outside, limits.length_outlier_share, |m| {
        let message = format!(
            "{} rows ({}) are longer than {fence:.0} words (upper quartile and three interquartile ranges) or have no word; \
             the longest has {}, the median {:.0}.",
            count(m.count),
            m.share,
            count(u64::from(group.words.longest())),
            group.words.quantile(0.5).unwrap_or(0.0)
        );
        let longest = group.longest.iter().map(|(words, line)| format!("{words} words: {line}"));
        let examples = longest.take(3).chain(group.shown(Example::Marked(Mark::NoWord)).into_iter().take(2));
        Text::new(message, "Check that these are single texts; plan the sequence length for them.", examples.collect())
    });
}

fn of_source(
    analysis: &Analysis,
    findings: &Findings,
    (place, group): (usize, &Group),
    config: &Config,
    maker: &mut Maker<'_>,
) {
    let limit = config.limits.source_label_v;
    let Some(v) = findings.source_label_v.get(place).copied().flatten().filter(|v| *v > limit) else { return };
    let name = |i: usize| analysis.profile.sources.get(i).map_or("", String::as_str);
    let line = |(source, labels): (&usize, &Vec<u64>)| {
        let all: u64 = labels.iter().sum();
        let shares = labels
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0)
            .map(|(l, n)| format!("{} {}", analysis.label(l), percent(Some(*n as f64 / all.max(1) as f64), 0)));
        format!("{}: {}", name(*source), shares.collect::<Vec<_>>().join(", "))
    };
    let message = format!("Source and label go together (Cramér's V {v:.2}); a model may learn the source.");
    let remedy = "Stratify by source and label, and report each source on its own.";
    let text = Text::new(message, remedy, group.sources.iter().take(8).map(line).collect());
    maker.push(AlertKind::SourceTellsLabel, AlertLevel::Warning, (group.rows, group.rows), (v, limit), text);
}

fn of_comparisons(analysis: &Analysis, config: &Config, found: &mut Vec<DataAlert>) {
    let limit = config.limits.shift_excess;
    // Languages differ; that is no fault.
    for c in analysis.comparisons.iter().filter(|c| c.dimension != Dimension::Language) {
        let apart =
            c.differences.iter().filter(|d| d.measure == Measure::JensenShannon && d.distance - d.chance > limit);
        let list: Vec<String> =
            apart.clone().map(|d| format!("{} ({:.3}, by chance {:.3})", d.figure, d.distance, d.chance)).collect();
        let Some(most) = apart.map(|d| d.distance - d.chance).max_by(f64::total_cmp) else { continue };
        found.push(DataAlert {
            kind: AlertKind::Shift,
            level: AlertLevel::Note,
            subject: c.subject.clone(),
            slice: format!("{} | {}", c.a, c.b),
            count: list.len() as u64,
            total: c.differences.len() as u64,
            value: most,
            limit,
            exact: analysis.profile.subjects.iter().all(|s| s.complete),
            message: format!("{} and {} differ more than chance would have it in {}.", c.a, c.b, list.join(", ")),
            remedy: "Expect scores to change from one to the other; report both.".to_owned(),
            examples: Vec::new(),
        });
    }
}
