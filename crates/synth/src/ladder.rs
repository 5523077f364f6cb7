use crate::Config;
use crate::cut::Cut;
use crate::format::well_formed;
use crate::known::{Known, Print};
use crate::leak::names_its_label;
use crate::typical::Typical;
use artifacts::rows::{Example, Language, Sentiment, Verdict};
use chat::prompts::{Instruction, LABELS, sentiment_messages};
use providers::Provider;
use text::{Detected, NaiveBayes, detect_language};

/// The rungs in the order a candidate climbs them. The first that refuses it is its verdict.
pub const RUNGS: [Verdict; 7] = [
    Verdict::Format,
    Verdict::Language,
    Verdict::LabelLeak,
    Verdict::Duplicate,
    Verdict::Contaminated,
    Verdict::Label,
    Verdict::Surplus,
];

/// A judge's label and its probability of the *intended* label.
pub(crate) type Judgement = (Sentiment, f64);

/// What can be said of a candidate without looking at any other: safe to find on all cores at once.
pub(crate) struct Opinion {
    /// Refused by one of the first three rungs.
    early: Option<(Verdict, String)>,
    print: Print,
    /// Why the judges abstain, if they do.
    objection: Option<String>,
    pub(crate) classifier: Option<Judgement>,
    pub(crate) model: Option<Judgement>,
}

/// The classifier on the real evaluation rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgeCheck {
    /// Evaluation rows of the language.
    pub rows: u64,
    /// Those about which it was as sure as is asked of candidates.
    pub sure: u64,
    /// Those of them that it got right.
    pub right: u64,
}

impl JudgeCheck {
    /// Share right among those it was sure about: the label quality to expect of kept rows, where the model that writes
    /// does not itself heed the label. None where it was sure about none.
    pub fn precision(&self) -> Option<f64> {
        (self.sure > 0).then(|| self.right as f64 / self.sure as f64)
    }
}

/// The judges of labels: a classifier trained on the real rows, and the language model itself.
pub(crate) struct Judges<'a> {
    config: &'a Config,
    provider: &'a dyn Provider,
    classifier: NaiveBayes<3>,
    typical: Typical,
}

impl<'a> Judges<'a> {
    /// Trains the classifier on the real training rows of the language. Priors are equal, because the candidates are asked for
    /// in equal shares.
    pub(crate) fn new(config: &'a Config, provider: &'a dyn Provider, train: &[Example]) -> Self {
        let rows: Vec<&Example> = train.iter().filter(|e| e.language == config.language && !e.synthetic).collect();
        let labelled = rows.iter().map(|e| (e.text.as_str(), e.label as usize));
        let texts: Vec<&str> = rows.iter().map(|e| e.text.as_str()).collect();
        Self {
            config,
            provider,
            classifier: NaiveBayes::train(labelled).with_equal_priors(),
            typical: Typical::learn(&texts, config.typical),
        }
    }

    /// How far to trust the classifier's word, measured on real rows that it did not learn from.
    pub(crate) fn check(&self, eval: &[Example]) -> JudgeCheck {
        let mut check = JudgeCheck { rows: 0, sure: 0, right: 0 };
        for row in eval.iter().filter(|e| e.language == self.config.language && !e.synthetic) {
            let (class, probability) = self.classifier.predict(&row.text);
            let sure = probability >= self.config.classifier_probability;
            check.rows += 1;
            check.sure += u64::from(sure);
            check.right += u64::from(sure && class == row.label as usize);
        }
        check
    }

    /// Everything about one candidate by itself. The judges are asked only about texts that pass the first three rungs.
    ///
    /// # Errors
    /// The model fails.
    pub(crate) fn examine(&self, cut: &Cut, intended: Sentiment) -> Result<Opinion, providers::Error> {
        let early = self.refuse_early(cut);
        let mut opinion =
            Opinion { early, print: Print::of(&cut.text), objection: None, classifier: None, model: None };
        if opinion.early.is_none() {
            opinion.objection = self.typical.objection(&cut.text);
            let p = self.classifier.predict_proba(&cut.text);
            opinion.classifier = Some(judgement(&p, intended));
            opinion.model = self.ask_model(&cut.text, intended)?;
        }
        Ok(opinion)
    }

    fn refuse_early(&self, cut: &Cut) -> Option<(Verdict, String)> {
        if let Err(problem) = well_formed(&cut.text, cut.complete, self.config) {
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
        names_its_label(&cut.text).map(|word| (Verdict::LabelLeak, format!("says `{word}`")))
    }

    /// The language model's own label score; none where it cannot be asked about this text (too long for its context, or the
    /// text spells out one of its control tokens).
    fn ask_model(&self, text: &str, intended: Sentiment) -> Result<Option<Judgement>, providers::Error> {
        let messages = sentiment_messages(text, self.config.language.as_str(), Instruction::Brief);
        match self.provider.score(&messages, &LABELS) {
            Ok(p) => Ok(Some(judgement(&p, intended))),
            Err(providers::Error::PromptTooLong { .. } | providers::Error::Refused(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

/// The likeliest label (the first of equals) and the probability of the intended one. `LABELS` and `Sentiment::ALL` have
/// one order.
fn judgement(p: &[f64], intended: Sentiment) -> Judgement {
    let of = |label: Sentiment| p.get(label as usize).copied().unwrap_or(0.0);
    let mut best = Sentiment::Negative;
    for label in Sentiment::ALL {
        if of(*label) > of(best) {
            best = *label;
        }
    }
    (best, of(intended))
}

/// The rungs that depend on other texts, and the count of what is kept.
pub(crate) struct Ladder<'a> {
    config: &'a Config,
    real: Known,
    candidates: Known,
    shares: [u64; 3],
    pub(crate) kept: [u64; 3],
}

impl<'a> Ladder<'a> {
    /// A ladder that knows the real rows: of both languages, because some texts are the same in both.
    pub(crate) fn new(config: &'a Config, train: &[Example], eval: &[Example]) -> Self {
        let mut real = Known::default();
        for (file, rows) in [("training", train), ("evaluation", eval)] {
            for row in rows {
                real.add(format!("{file} row {}", row.id), Print::of(&row.text));
            }
        }
        Self { config, real, candidates: Known::default(), shares: config.shares(), kept: [0; 3] }
    }

    /// The labels that are still short of their share.
    pub(crate) fn wanted(&self) -> Vec<Sentiment> {
        let short = |label: &&Sentiment| self.kept.get(**label as usize) < self.shares.get(**label as usize);
        Sentiment::ALL.iter().filter(short).copied().collect()
    }

    /// The verdict on the next candidate, with its particulars. Order matters: a candidate is compared with those before it.
    pub(crate) fn decide(&mut self, number: u64, intended: Sentiment, opinion: &Opinion) -> (Verdict, String) {
        if let Some((verdict, detail)) = &opinion.early {
            return (*verdict, detail.clone());
        }
        let threshold = self.config.near_duplicate;
        if let Some((name, similarity)) = self.candidates.find(&opinion.print, threshold) {
            return (Verdict::Duplicate, format!("{similarity:.2} like {name}"));
        }
        if let Some((name, similarity)) = self.real.find(&opinion.print, threshold) {
            return (Verdict::Contaminated, format!("{similarity:.2} like {name}"));
        }
        if let Some(problem) = self.disagreement(intended, opinion) {
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
        self.candidates.add(format!("candidate {number}"), opinion.print.clone());
        (Verdict::Kept, String::new())
    }

    fn disagreement(&self, intended: Sentiment, opinion: &Opinion) -> Option<String> {
        if opinion.objection.is_some() {
            return opinion.objection.clone();
        }
        let needed = self.config.classifier_probability;
        match opinion.classifier {
            None => return Some("the classifier was not asked".into()),
            Some((label, p)) if label != intended => {
                return Some(format!("the classifier says {label} ({intended} {p:.2})"));
            }
            Some((_, p)) if p < needed => {
                return Some(format!("the classifier is not sure: {p:.2}, at least {needed:.2}"));
            }
            Some(_) => {}
        }
        match opinion.model {
            _ if !self.config.require_model_agreement => None,
            None => Some("the language model could not be asked".into()),
            Some((label, p)) if label != intended => {
                Some(format!("the language model says {label} ({intended} {p:.2})"))
            }
            Some(_) => None,
        }
    }
}
