use crate::track::Track;
use crate::{Config, Error};
use artifacts::Seed;
use artifacts::rows::Sentiment;
use stats::classification::{
    Bootstrap, ClassScores, Confusion, Interval, accuracy, balanced_accuracy, bootstrap, class_scores, macro_f1,
    matthews, weighted_f1, wilson_interval,
};

/// How one track did on some rows. Shares are in [0, 1].
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Truth by answer.
    pub confusion: Confusion,
    /// Share answered rightly, with Wilson's interval; an unparseable answer is wrong.
    pub accuracy: Option<Interval>,
    /// Mean of the classes' recalls.
    pub balanced_accuracy: Option<Interval>,
    /// Mean of the classes' F1.
    pub macro_f1: Option<Interval>,
    /// The same, weighted by the classes' rows.
    pub weighted_f1: Option<Interval>,
    /// Matthews correlation.
    pub matthews: Option<Interval>,
    /// For each class, in the order of [`Sentiment::ALL`].
    pub classes: Vec<ClassScores>,
    /// F1 of each class with its interval.
    pub class_f1: [Option<Interval>; 3],
}

impl Figures {
    /// Figures of the rows numbered `rows`; bootstrap intervals but for accuracy.
    ///
    /// # Errors
    /// There are no rows, or a setting has no meaning.
    pub fn of(track: &Track, truth: &[Sentiment], rows: &[usize], config: &Config, seed: Seed) -> Result<Self, Error> {
        let all = confusion(track, truth, rows.iter().copied())?;
        let settings = Bootstrap { resamples: config.resamples, level: config.confidence, seed: seed.0 };
        let statistics = |drawn: &[usize]| {
            let drawn = drawn.iter().filter_map(|&place| rows.get(place).copied());
            let Ok(c) = confusion(track, truth, drawn) else { return [None; 7] };
            let f1 = |class| class_scores(&c, class).f1;
            [balanced_accuracy(&c), macro_f1(&c), weighted_f1(&c), matthews(&c), f1(0), f1(1), f1(2)]
        };
        let [balanced, macro_f1, weighted, matthews, negative, neutral, positive] =
            bootstrap(rows.len(), &settings, statistics)?;
        let wilson = wilson_interval(all.hits(), all.total(), config.confidence);
        Ok(Self {
            accuracy: accuracy(&all).zip(wilson).map(|(estimate, (low, high))| Interval { estimate, low, high }),
            balanced_accuracy: balanced,
            macro_f1,
            weighted_f1: weighted,
            matthews,
            classes: (0..Sentiment::ALL.len()).map(|class| class_scores(&all, class)).collect(),
            class_f1: [negative, neutral, positive],
            confusion: all,
        })
    }

    /// Every headline figure with its name in `metrics.parquet`.
    pub(crate) fn named(&self) -> [(&'static str, Option<Interval>); 5] {
        [
            ("accuracy", self.accuracy),
            ("balanced_accuracy", self.balanced_accuracy),
            ("macro_f1", self.macro_f1),
            ("weighted_f1", self.weighted_f1),
            ("mcc", self.matthews),
        ]
    }
}

/// Truth by answer, over the three labels.
pub(crate) fn confusion(
    track: &Track,
    truth: &[Sentiment],
    rows: impl Iterator<Item = usize>,
) -> Result<Confusion, Error> {
    let pairs = rows.filter_map(|row| Some((*truth.get(row)? as usize, track.answers.get(row)?.map(|a| a as usize))));
    Ok(Confusion::of_pairs(Sentiment::ALL.iter().map(|l| l.as_str()), pairs)?)
}
