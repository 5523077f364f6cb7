use artifacts::Seed;
use artifacts::rows::{CleaningSample, CleaningStep};

/// How many rows of each step the report shows.
const SHOWN: usize = 10;

/// The steps of the cleaning, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Readable,
    Unicode,
    Encoding,
    DosBoxes,
    Entities,
    WhiteSpace,
    Placeholders,
    Spacing,
    Text,
    Label,
    Language,
    Duplicates,
    Conflicts,
    NearDuplicates,
}

impl Step {
    pub(super) const ALL: [Self; 14] = [
        Self::Readable,
        Self::Unicode,
        Self::Encoding,
        Self::DosBoxes,
        Self::Entities,
        Self::WhiteSpace,
        Self::Placeholders,
        Self::Spacing,
        Self::Text,
        Self::Label,
        Self::Language,
        Self::Duplicates,
        Self::Conflicts,
        Self::NearDuplicates,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Readable => "readable",
            Self::Unicode => "unicode",
            Self::Encoding => "encoding",
            Self::DosBoxes => "dos-boxes",
            Self::Entities => "entities",
            Self::WhiteSpace => "white-space",
            Self::Placeholders => "placeholders",
            Self::Spacing => "spacing",
            Self::Text => "text",
            Self::Label => "label",
            Self::Language => "language",
            Self::Duplicates => "duplicates",
            Self::Conflicts => "conflicts",
            Self::NearDuplicates => "near-duplicates",
        }
    }

    /// What it does, for the report.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Readable => "rows that cannot be decoded or split into columns go",
            Self::Unicode => "letters and marks are composed (NFC), so that equal Vietnamese letters are equal",
            Self::Encoding => "text that was read with the wrong character set is put right",
            Self::DosBoxes => "letters that code page 850 turned into box characters come back (English)",
            Self::Entities => "&amp; and its kind become characters",
            Self::WhiteSpace => "runs of white space and invisible characters become one space",
            Self::Placeholders => "emoticons and signs that UIT-VSFC writes as words come back",
            Self::Spacing => "the spaces of tokenised text before punctuation go",
            Self::Text => "rows without text, or with characters lost for good, go",
            Self::Label => "labels are collapsed to three; rows whose label is unknown go",
            Self::Language => "rows that are clearly in another language than their source says go",
            Self::Duplicates => "of equal texts one stays, in the most protected official split",
            Self::Conflicts => "where equal texts have different labels, the vote decides or all go",
            Self::NearDuplicates => "rows that resemble an evaluation or test row are kept from training",
        }
    }

    fn of_reason(reason: &str) -> Self {
        match reason {
            "empty-text" | "unrepairable-encoding" => Self::Text,
            "unknown-label" => Self::Label,
            "wrong-language" => Self::Language,
            "duplicate" => Self::Duplicates,
            "conflicting-labels" | "outvoted-label" => Self::Conflicts,
            "near-duplicate-of-test" | "near-duplicate-of-eval" | "near-duplicate-of-balanced-eval" => {
                Self::NearDuplicates
            }
            _ => Self::Readable,
        }
    }
}

/// What each step did, with a few rows of each before and after it.
#[derive(Debug)]
pub(super) struct Journal {
    seed: Seed,
    steps: Vec<Entry>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    changed: u64,
    refused: u64,
    /// Those with the smallest draws so far: a fair sample whose rows do not depend on the order of reading.
    samples: Vec<(u64, CleaningSample)>,
}

impl Journal {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, steps: vec![Entry::default(); Step::ALL.len()] }
    }

    /// A text that a step changed.
    pub(super) fn changed(&mut self, step: Step, source: &str, row: u64, before: &str, after: &str) {
        self.steps[step as usize].changed += 1;
        self.offer(step, source, row, before, after);
    }

    /// A row that was refused; its reason tells the step.
    pub(super) fn refused(&mut self, reason: &str, source: &str, row: u64, text: &str, detail: &str) {
        let step = Step::of_reason(reason);
        self.steps[step as usize].refused += 1;
        let detail =
            detail.split_once(": ").filter(|(_, rest)| rest.starts_with("row ")).map_or(detail, |(_, rest)| rest);
        self.offer(step, source, row, text, &format!("{reason}: {detail}"));
    }

    fn offer(&mut self, step: Step, source: &str, row: u64, before: &str, after: &str) {
        let draw = self.seed.derive(&format!("{}/{source}/{row}", step.name())).0;
        let samples = &mut self.steps[step as usize].samples;
        if samples.len() >= SHOWN && samples.last().is_some_and(|(largest, _)| draw >= *largest) {
            return;
        }
        let sample = CleaningSample {
            step: step.name().to_owned(),
            source: source.to_owned(),
            source_row: row,
            before: before.to_owned(),
            after: after.to_owned(),
        };
        samples.insert(samples.partition_point(|(other, _)| *other < draw), (draw, sample));
        samples.truncate(SHOWN);
    }

    /// Every step with its counts, for `read` rows.
    pub(super) fn steps(&self, read: u64) -> Vec<CleaningStep> {
        let mut rows_in = read;
        let step = |(step, number): (&Step, u64)| {
            let entry = &self.steps[*step as usize];
            let row = CleaningStep {
                number,
                step: step.name().to_owned(),
                rows_in,
                changed: entry.changed,
                refused: entry.refused,
            };
            rows_in -= entry.refused.min(rows_in);
            row
        };
        Step::ALL.iter().zip(1..).map(step).collect()
    }

    /// The rows to show, in the order of the steps.
    pub(super) fn samples(&self) -> Vec<CleaningSample> {
        self.steps.iter().flat_map(|entry| entry.samples.iter().map(|(_, sample)| sample.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_does_not_depend_on_the_order_of_rows_and_never_grows_beyond_ten() {
        let samples = |rows: &mut dyn Iterator<Item = u64>| {
            let mut journal = Journal::new(Seed(1));
            for row in rows {
                journal.changed(Step::Unicode, "s", row, "a", "b");
            }
            (journal.samples(), journal.steps(300)[1].changed)
        };
        let (forward, backward) = (samples(&mut (0..200)), samples(&mut (0..200).rev()));
        assert_eq!(forward, backward);
        assert_eq!((forward.0.len(), forward.1), (SHOWN, 200));
    }

    #[test]
    fn what_one_step_refuses_does_not_come_to_the_next() {
        let mut journal = Journal::new(Seed(1));
        journal.refused("invalid-utf8", "s", 0, "", "");
        journal.refused("unknown-label", "s", 1, "x", "f.csv: row 1: unknown label");
        let steps = journal.steps(10);
        assert_eq!((steps[0].rows_in, steps[1].rows_in, steps[9].refused, steps[10].rows_in), (10, 9, 1, 8));
        assert_eq!(journal.samples()[1].after, "unknown-label: row 1: unknown label");
    }
}
