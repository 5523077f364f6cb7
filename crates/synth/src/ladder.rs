use crate::cut::Cut;
use crate::format::{Lengths, well_formed};
use crate::judges::{Judgement, Panel};
use crate::known::{Known, Print, Runs};
use crate::leak::{TemplateLeak, names_its_label};
use crate::typical::Typical;
use crate::{Config, RealRows};
use artifacts::rows::{Language, Sentiment, Verdict};
use text::{Detected, detect_language};

/// The rungs in the order a candidate climbs them. The first that refuses it is its verdict.
pub const RUNGS: [Verdict; 10] = [
    Verdict::Format,
    Verdict::Language,
    Verdict::LabelLeak,
    Verdict::TemplateLeak,
    Verdict::Contaminated,
    Verdict::Duplicate,
    Verdict::Unlike,
    Verdict::Label,
    Verdict::Suspicious,
    Verdict::Surplus,
];

/// Why a candidate is refused.
pub(crate) type Refusal = (Verdict, String);

/// What can be said of a candidate without looking at any other and without asking a judge: safe to find on all cores at once.
pub(crate) struct Findings {
    /// Refused by a rung before the judges, those apart that compare with other candidates.
    pub(crate) refused: Option<Refusal>,
    pub(crate) print: Print,
}

/// The rungs that look at one candidate and the real rows only.
pub(crate) struct Gate<'a> {
    config: &'a Config,
    lengths: Lengths,
    template: TemplateLeak,
    train: Known,
    eval: Known,
    runs: Runs,
    typical: Typical,
}

impl<'a> Gate<'a> {
    /// Knows the real rows: of both languages, because some texts are the same in both.
    pub(crate) fn new(config: &'a Config, real: RealRows<'_>) -> Self {
        let mut train = Known::default();
        for row in real.train {
            train.add(format!("training row {}", row.id), Print::of(&row.text));
        }
        let (mut eval, mut runs) = (Known::default(), Runs::of(config.shared_run()));
        for row in real.eval {
            let name = format!("evaluation row {}", row.id);
            runs.add(&name, &row.text);
            eval.add(name, Print::of(&row.text));
        }
        let of_language = real.train.iter().filter(|e| e.language == config.language && !e.synthetic);
        let texts: Vec<&str> = of_language.map(|e| e.text.as_str()).collect();
        let typical = Typical::learn(&texts, config.typical);
        let lengths = Lengths::of(config, &texts);
        Self { config, lengths, template: TemplateLeak::new(), train, eval, runs, typical }
    }

    /// `problem` is what is wrong with the answer that the text was cut from, if anything.
    pub(crate) fn examine(&self, cut: &Cut, problem: Option<String>) -> Findings {
        let print = Print::of(&cut.text);
        Findings { refused: self.refusal(cut, problem, &print), print }
    }

    fn refusal(&self, cut: &Cut, problem: Option<String>, print: &Print) -> Option<Refusal> {
        if let Some(problem) = problem {
            return Some((Verdict::Format, problem));
        }
        if let Err(problem) = well_formed(&cut.text, cut.complete, self.lengths) {
            return Some((Verdict::Format, problem));
        }
        let guess = detect_language(&cut.text);
        let right = match self.config.language {
            Language::English => Detected::English,
            Language::Vietnamese => Detected::Vietnamese,
        };
        if guess.language != right || guess.confidence < self.config.language_confidence {
            return Some((Verdict::Language, format!("{:?} with confidence {:.2}", guess.language, guess.confidence)));
        }
        if let Some(word) = names_its_label(&cut.text) {
            return Some((Verdict::LabelLeak, format!("says “{word}”")));
        }
        if let Some(words) = self.template.find(&cut.text) {
            return Some((Verdict::TemplateLeak, format!("says “{words}”")));
        }
        if let Some((name, similarity)) = self.eval.find(print, self.config.contamination) {
            return Some((Verdict::Contaminated, format!("{similarity:.2} like {name}")));
        }
        if let Some((run, name)) = self.runs.find(&cut.text) {
            return Some((Verdict::Contaminated, format!("shares “{run}” with {name}")));
        }
        if let Some((name, similarity)) = self.train.find(print, self.config.near_duplicate) {
            return Some((Verdict::Duplicate, format!("{similarity:.2} like {name}")));
        }
        self.typical.objection(&cut.text).map(|objection| (Verdict::Unlike, objection))
    }
}

/// The rungs that depend on other candidates, and the count of what is kept.
pub(crate) struct Ladder<'a> {
    config: &'a Config,
    panel: &'a Panel,
    candidates: Known,
    shares: [u64; 3],
    pub(crate) kept: [u64; 3],
}

impl<'a> Ladder<'a> {
    pub(crate) fn new(config: &'a Config, panel: &'a Panel) -> Self {
        Self { config, panel, candidates: Known::default(), shares: config.shares(), kept: [0; 3] }
    }

    /// The labels that are still short of their share.
    pub(crate) fn wanted(&self) -> Vec<Sentiment> {
        let short = |label: &&Sentiment| self.kept.get(**label as usize) < self.shares.get(**label as usize);
        Sentiment::ALL.iter().filter(short).copied().collect()
    }

    /// Whether a candidate is a copy of one that the judges let pass before.
    pub(crate) fn copy(&self, print: &Print) -> Option<Refusal> {
        let (name, similarity) = self.candidates.find(print, self.config.near_duplicate)?;
        Some((Verdict::Duplicate, format!("{similarity:.2} like {name}")))
    }

    /// The verdict on the next candidate, with its particulars. Order matters: a candidate is compared with those before it.
    pub(crate) fn decide(
        &mut self,
        number: u64,
        intended: Sentiment,
        findings: &Findings,
        judgement: Option<&Judgement>,
    ) -> Refusal {
        if let Some(refusal) = &findings.refused {
            return refusal.clone();
        }
        if let Some(refusal) = self.copy(&findings.print) {
            return refusal;
        }
        if let Some(problem) = self.panel.objection(intended, judgement) {
            return (Verdict::Label, problem);
        }
        let (Some(kept), Some(share)) = (self.kept.get_mut(intended as usize), self.shares.get(intended as usize))
        else {
            return (Verdict::Surplus, "no share for this label".into());
        };
        if *kept >= *share {
            return (Verdict::Surplus, format!("{share} {intended} rows are there already"));
        }
        *kept += 1;
        self.candidates.add(format!("candidate {number}"), findings.print.clone());
        (Verdict::Kept, String::new())
    }

    /// Takes back a kept candidate. Its text stays known: it must not be written again either.
    pub(crate) fn take_back(&mut self, label: Sentiment) {
        if let Some(kept) = self.kept.get_mut(label as usize) {
            *kept = kept.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use artifacts::rows::Example;

    /// The stock phrase was the only reason why candidates were refused as contaminated on the real remarks of students.
    #[test]
    fn a_stock_phrase_of_eight_syllables_is_no_copy_in_vietnamese_and_twelve_are() {
        let stock = "tận tình giải đáp thắc mắc của sinh viên";
        let eval = [format!("giảng viên lên lớp đúng giờ, {stock}.")].map(|text| Example {
            id: "e".into(),
            text,
            label: Sentiment::Positive,
            raw_label: String::new(),
            language: Language::Vietnamese,
            source: "test".into(),
            source_row: 0,
            cluster: "e".into(),
            instruction: None,
            synthetic: false,
        });
        let find = |language, text: &str| {
            let config = Config { language, ..Config::default() };
            let gate = Gate::new(&config, RealRows { train: &[], eval: &eval });
            gate.runs.find(text).map(|(run, _)| run)
        };
        let own = format!("bài tập hay và thầy {stock} chúng em.");
        assert_eq!(find(Language::Vietnamese, &own), None);
        let copied = format!("thầy vui tính, lên lớp đúng giờ, {stock} lắm.");
        assert_eq!(find(Language::Vietnamese, &copied).unwrap().split(' ').count(), 12);
        assert_eq!(find(Language::English, &own).unwrap().split(' ').count(), 8, "words of English are not syllables");
    }
}
