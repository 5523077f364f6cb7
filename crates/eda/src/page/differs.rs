use crate::analysis::is_vietnamese;
use crate::{Analysis, Findings, Group, Mark, Subject};
use report::format::{count, number, percent};
use report::{Document, Table};

/// What the Vietnamese pipeline does otherwise than the English one, with the figures of this run; nothing without Vietnamese
/// rows.
pub(super) fn of_vietnamese(analysis: &Analysis) -> Option<Table> {
    let vi = analysis.subjects().find(|(s, _)| is_vietnamese(s)).map(|(s, f)| Side::new(s, f))?;
    let en = analysis.subjects().find(|(s, _)| !is_vietnamese(s)).map(|(s, f)| Side::new(s, f));
    let mut table =
        Table::new().text("what").text("English, here").text("Vietnamese, here").text("so the Vietnamese pipeline");
    let mut row = |what: &str, of: &dyn Fn(&Side<'_>) -> String, therefore: &str| {
        let english = en.as_ref().map_or_else(|| "no rows".to_owned(), of);
        table.push([what.to_owned(), english, of(&vi), therefore.to_owned()]);
    };
    row(
        "words and syllables",
        &|side| match &side.findings.compounds {
            Some(c) if c.words > 0 => format!(
                "white space gives {} units, which are {} words once syllables that belong together are joined ({:.2} syllables a word): {}",
                count(c.syllables),
                count(c.words),
                c.syllables as f64 / c.words as f64,
                c.commonest.iter().take(4).map(|(pair, n, _)| format!("{pair} ({n})")).collect::<Vec<_>>().join(", ")
            ),
            _ => "white space separates words".to_owned(),
        },
        "compares lengths in syllables, characters and tokens, and takes pairs of syllables as features, so that no word \
         segmenter is needed and none can err",
    );
    row(
        "tokens of the model",
        &|side| {
            let t = &side.findings.tokens;
            let sums = t.iter().fold((0, 0, 0), |(n, w, c), t| (n + t.lengths.sum(), w + t.words, c + t.characters));
            match sums {
                (0, _, _) => "not counted (no tokenizer given)".to_owned(),
                (n, words, characters) => format!(
                    "{} a word, {} a character",
                    number(Some(n as f64 / words.max(1) as f64), 2),
                    number(Some(n as f64 / characters.max(1) as f64), 2)
                ),
            }
        },
        "plans sequence length and cost by tokens, never by words",
    );
    row(
        "encoding of letters",
        &|side| {
            let cost = side.findings.nfd_cost;
            format!(
                "{} of rows beyond ASCII; decomposed (NFD): {}{}; look-alikes of Đ: {}",
                percent(Some(1.0 - side.share(Mark::Ascii)), 1),
                count(side.rows_with(Mark::Decomposed)),
                cost.map_or_else(String::new, |c| format!(" (these texts would take {c:.2} times the tokens)")),
                count(side.rows_with(Mark::LookAlike))
            )
        },
        "composes to NFC before anything compares or counts; to a tokenizer the two forms are different words",
    );
    row(
        "place of the tone mark",
        &|side| {
            format!(
                "as in hòa: {} rows; as in hoà: {}",
                count(side.rows_with(Mark::ToneOld)),
                count(side.rows_with(Mark::ToneNew))
            )
        },
        "brings both to one place in the key that duplicates are found by, and leaves the rows themselves alone",
    );
    row(
        "negation",
        &|side| {
            let by_label = side.negations();
            format!("{} of rows{by_label}", percent(Some(side.share(Mark::Negation)), 1))
        },
        "keeps không, chưa, chẳng and their chat spellings out of the stop list: common lists hold them, and without them `không hay` reads \
         `hay`",
    );
    row(
        "chat spelling",
        &|side| {
            let mark = if is_vietnamese(side.subject) { Mark::ChatVietnamese } else { Mark::ChatEnglish };
            percent(Some(side.share(mark)), 1)
        },
        "leaves teencode as it is and reports on it: a dictionary that rewrites it would also rewrite initials",
    );
    row(
        "capitals",
        &|side| format!("small letters only: {}", percent(Some(side.share(Mark::LowerCase)), 1)),
        "cannot find names by capitals where the corpus has none; texts keep the case they have",
    );
    row(
        "placeholders and tags",
        &|side| {
            format!(
                "placeholder words: {}; web addresses: {}; cash tags: {}",
                percent(Some(side.share(Mark::Placeholder)), 1),
                percent(Some(side.share(Mark::Url)), 1),
                percent(Some(side.share(Mark::CashTag)), 1)
            )
        },
        "puts back the characters that words like colonsmile stand for, the longest placeholder first; the English one keeps tickers \
         and ignores links when it compares",
    );
    row(
        "labels",
        &|side| {
            let rows: u64 = side.subject.groups.iter().map(|g| g.labels.iter().sum::<u64>()).sum();
            let of = |l: usize| side.subject.groups.iter().map(|g| g.of_label(l)).sum::<u64>();
            let shares = (0..analysis.profile.labels.len())
                .filter(|l| of(*l) > 0)
                .take(4)
                .map(|l| format!("{} {}", analysis.label(l), percent(Some(of(l) as f64 / rows.max(1) as f64), 1)));
            shares.collect::<Vec<_>>().join(", ")
        },
        "takes rare classes whole and says so; scores are macro-averaged, and neutral is named",
    );
    row(
        "repeated rows",
        &|side| {
            let copies = side.subject.exact.copies_in_all;
            format!("{} ({})", count(copies), percent(Some(copies as f64 / side.rows.max(1) as f64), 1))
        },
        "removes duplicates before it splits, as the English one does",
    );
    Some(table)
}

pub(super) fn section(doc: &mut Document, table: Table) {
    doc.heading("What differs from the English pipeline, and why");
    doc.paragraph(
        "Both languages go through the same stages. Where the data differ, the steps do; each line gives the figures of this \
         run that the difference rests on.",
    );
    doc.table(table);
}

struct Side<'a> {
    subject: &'a Subject,
    findings: &'a Findings,
    rows: u64,
}

impl<'a> Side<'a> {
    fn new(subject: &'a Subject, findings: &'a Findings) -> Self {
        Self { subject, findings, rows: subject.rows() }
    }

    fn rows_with(&self, mark: Mark) -> u64 {
        self.subject.groups.iter().map(|g: &Group| g.marked(mark)).sum()
    }

    fn share(&self, mark: Mark) -> f64 {
        self.rows_with(mark) as f64 / self.rows.max(1) as f64
    }

    /// How the share of texts with a negation differs between the first label (negative) and the last (positive).
    fn negations(&self) -> String {
        let texts = &self.subject.sample;
        let share = |label: usize| {
            let of: Vec<_> = texts.iter().filter(|t| t.label_where(|_| true) == Some(label)).collect();
            let with = of.iter().filter(|t| t.marks.has(Mark::Negation)).count();
            (!of.is_empty()).then(|| with as f64 / of.len() as f64)
        };
        match (share(0), share(2)) {
            (Some(first), Some(last)) => {
                format!(" ({} of negative texts, {} of positive ones)", percent(Some(first), 0), percent(Some(last), 0))
            }
            _ => String::new(),
        }
    }
}
