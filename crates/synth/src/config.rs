use crate::Error;
use artifacts::rows::{Language, Sentiment};
use serde::{Deserialize, Serialize};

/// How the model is asked. A change of wording is a new name, so that old candidates stay explainable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Strategy {
    /// Raw continuation of a heading such as `Good news today:`, for base models.
    #[serde(rename = "heading-v1")]
    Heading,
    /// Raw continuation of three real rows of the label, one a line, for base models.
    #[serde(rename = "few-shot-v1")]
    FewShot,
    /// A chat message that asks for one headline of the label, for models tuned to follow instructions.
    #[serde(rename = "instruct-v1")]
    Instruct,
    /// A chat message that asks for a text of the label with the attributes of the grid, shows real rows of the other two
    /// labels, and wants JSON (forced by a grammar where the provider can), for models tuned to follow instructions.
    #[serde(rename = "grid-v1")]
    Grid,
}

impl Strategy {
    /// All strategies.
    pub const ALL: [Self; 4] = [Self::Heading, Self::FewShot, Self::Instruct, Self::Grid];

    /// The name in settings and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Heading => "heading-v1",
            Self::FewShot => "few-shot-v1",
            Self::Instruct => "instruct-v1",
            Self::Grid => "grid-v1",
        }
    }
}

/// How tokens are chosen. All but `greedy-after-draw` draw at the configured temperature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// Among all tokens.
    Temperature,
    /// Among the likeliest that together have the probability `top_p`.
    TopP,
    /// Among those at least `min_p` times as likely as the likeliest.
    MinP,
    /// A few drawn tokens, then the likeliest each time: variation at the beginning, the best guess after it.
    GreedyAfterDraw,
}

impl Style {
    /// All styles.
    pub const ALL: [Self; 4] = [Self::Temperature, Self::TopP, Self::MinP, Self::GreedyAfterDraw];

    /// The name in settings and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::TopP => "top-p",
            Self::MinP => "min-p",
            Self::GreedyAfterDraw => "greedy-after-draw",
        }
    }
}

/// How the language model is asked for the label of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// With the question that training uses, through the chat template: for models that follow instructions.
    Question,
    /// By how likely it is to go on, after the text, with a remark such as `Good news today.`: for base models, which have
    /// never been asked anything.
    Remark,
}

/// How three verdicts become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decide {
    /// As [`Decide::Agree`] where all three judges are fit, as [`Decide::Posterior`] where fewer are.
    Auto,
    /// [`Judging::agree`] of the three must find the label asked for, fit or not.
    Agree,
    /// The label's probability, given what the fit judges say and how often each errs in which way, must reach a threshold that
    /// is chosen on held-out real rows to keep [`Judging::precision`].
    Posterior,
}

/// The three judges of labels. Each is measured on real training rows that it did not learn from; one that is not fit is
/// reported and abstains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Judging {
    /// How the language model is asked.
    pub ask: Ask,
    /// Who of them is heard, and how.
    pub decide: Decide,
    /// How many of the three must agree with the label asked for.
    pub agree: usize,
    /// Probability that a judge must give the intended label to agree (for the vote: its share of the answers). Where the
    /// classifier or the score fall short of it, they do not know, and that is no agreement.
    pub probability: f64,
    /// Sampled answers of the vote, spread over four wordings.
    pub votes: usize,
    /// Temperature at which they are sampled.
    pub vote_temperature: f64,
    /// Real training rows that the language model's scores are calibrated on.
    pub calibration_rows: usize,
    /// Real training rows that the judges are measured on; of no label more than a fifth of what there is. Where that is fewer
    /// than 20 of a label, nobody is measured, and all count as fit.
    pub held_out_rows: usize,
    /// A judge is fit where the lower end of the 95 % interval of its accuracy, all labels counting the same, is above this.
    /// One half, because a majority of judges is better than each of them only where each is more often right than wrong
    /// (Condorcet 1785).
    pub least_accuracy: f64,
    /// For [`Decide::Posterior`]: the share of right labels wanted among what passes, if labels were given by chance.
    pub precision: f64,
}

impl Default for Judging {
    fn default() -> Self {
        Self {
            ask: Ask::Remark,
            decide: Decide::Auto,
            agree: 2,
            probability: 0.6,
            votes: 8,
            vote_temperature: 0.5,
            calibration_rows: 300,
            held_out_rows: 300,
            least_accuracy: 0.5,
            precision: 0.8,
        }
    }
}

/// The settings of `synth`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The language to write.
    pub language: Language,
    /// How many rows to keep, shared evenly among the labels.
    pub rows: u64,
    /// Candidates to make at most; with a model that cannot write, this ends the work.
    pub max_candidates: u64,
    /// Ways to ask, used in turn.
    pub strategies: Vec<Strategy>,
    /// Ways to choose tokens, used in turn.
    pub styles: Vec<Style>,
    /// Sampling temperature: above 0; below 1 for likelier, above for more varied text.
    pub temperature: f64,
    /// For [`Style::TopP`], in (0, 1].
    pub top_p: f64,
    /// For [`Style::MinP`], in (0, 1].
    pub min_p: f64,
    /// Tokens drawn by [`Style::GreedyAfterDraw`] before it takes the likeliest.
    pub drawn_tokens: usize,
    /// Tokens of an answer at most.
    pub max_tokens: usize,
    /// Words (in Vietnamese: syllables) of a candidate at least, or what one real row in fifty stays below, if that is fewer.
    pub min_words: usize,
    /// Words of a candidate at most, or what one real row in fifty exceeds, if that is more.
    pub max_words: usize,
    /// Confidence of the language identification at least. Headlines have few function words, so it is seldom high.
    pub language_confidence: f64,
    /// Jaccard similarity of character 5-grams from which on a candidate and an earlier one, or a training row, are one.
    pub near_duplicate: f64,
    /// The same for evaluation rows: lower, because a leak is worse than a repetition.
    pub contamination: f64,
    /// Words in a row that no candidate may share with an evaluation row; 0 turns it off. In Vietnamese, which puts a space after
    /// each syllable and has one and a half of them to a word, half as many again: eight syllables are often a stock
    /// phrase ("giải đáp thắc mắc của sinh viên"), which proves no copying.
    pub shared_words: usize,
    /// The share of held-out real rows that count as the least typical, measured by their words and word pairs; a text much less
    /// typical than those is refused, because the judges know only texts like the real ones. 0 turns it off; with fewer
    /// than 200 real rows of the language it has no effect.
    pub typical: f64,
    /// Who decides about labels.
    pub judges: Judging,
    /// Confident learning looks for wrong labels among what the judges let pass, and refuses those whose label has at most
    /// this out-of-fold probability; 0 turns it off. Its classifier knows no more than one judge, so it overrules the judges
    /// only where it is sure.
    pub confident_learning: f64,
    /// Kept rows drawn for a person to check.
    pub review_rows: usize,
    /// What the chat template prints as today's date.
    pub date: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            language: Language::English,
            rows: 500,
            max_candidates: 5000,
            strategies: vec![Strategy::Heading, Strategy::FewShot],
            styles: vec![Style::TopP, Style::MinP, Style::Temperature, Style::GreedyAfterDraw],
            temperature: 0.9,
            top_p: 0.95,
            min_p: 0.05,
            drawn_tokens: 12,
            max_tokens: 56,
            min_words: 5,
            max_words: 45,
            language_confidence: 0.4,
            near_duplicate: 0.8,
            contamination: 0.7,
            shared_words: 8,
            typical: 0.02,
            judges: Judging::default(),
            confident_learning: 0.1,
            review_rows: 100,
            date: "26 Jul 2024".into(),
        }
    }
}

impl Config {
    /// Whether every setting means something.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, allowed| Err(Error::Setting { name, value, allowed });
        if self.strategies.is_empty() {
            return refuse(
                "strategies",
                "empty".into(),
                "one or more of heading-v1, few-shot-v1, instruct-v1, grid-v1",
            );
        }
        if self.styles.is_empty() {
            return refuse("styles", "empty".into(), "one or more of temperature, top-p, min-p, greedy-after-draw");
        }
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            return refuse(
                "temperature",
                self.temperature.to_string(),
                "above 0, or all candidates of a prompt are equal",
            );
        }
        if self.max_tokens == 0 || self.min_words == 0 || self.min_words > self.max_words {
            let value = format!("{}, {}, {}", self.max_tokens, self.min_words, self.max_words);
            return refuse("max_tokens, min_words, max_words", value, "1 or more, the smallest number of words first");
        }
        if !(1..=3).contains(&self.judges.agree) {
            return refuse("judges.agree", self.judges.agree.to_string(), "1, 2 or 3");
        }
        if !(self.judges.vote_temperature > 0.0 && self.judges.vote_temperature.is_finite()) {
            return refuse("judges.vote_temperature", self.judges.vote_temperature.to_string(), "above 0");
        }
        if self.judges.votes == 0 {
            return refuse("judges.votes", "0".into(), "1 or more");
        }
        let shares = [
            ("top_p", self.top_p),
            ("min_p", self.min_p),
            ("near_duplicate", self.near_duplicate),
            ("contamination", self.contamination),
        ];
        for (name, value) in shares {
            if !(value > 0.0 && value <= 1.0) {
                return refuse(name, value.to_string(), "above 0 and at most 1");
            }
        }
        let from_0 = [
            ("language_confidence", self.language_confidence),
            ("typical", self.typical),
            ("judges.probability", self.judges.probability),
            ("judges.least_accuracy", self.judges.least_accuracy),
            ("judges.precision", self.judges.precision),
            ("confident_learning", self.confident_learning),
        ];
        for (name, value) in from_0 {
            if !(0.0..=1.0).contains(&value) {
                return refuse(name, value.to_string(), "from 0 to 1");
            }
        }
        Ok(())
    }

    /// [`Config::shared_words`] in what the language puts spaces between.
    pub(crate) fn shared_run(&self) -> usize {
        match self.language {
            Language::English => self.shared_words,
            Language::Vietnamese => self.shared_words + self.shared_words / 2,
        }
    }

    /// How many rows of each label to keep; what does not divide goes to the first labels.
    pub(crate) fn shares(&self) -> [u64; 3] {
        let labels = Sentiment::ALL.len() as u64;
        std::array::from_fn(|label| self.rows / labels + u64::from((label as u64) < self.rows % labels))
    }
}
