use super::measure::{Heard, Measured};
use super::{JUDGES, Judgement, Shares, likeliest};
use crate::{Decide, Judging};
use artifacts::rows::Sentiment;

/// Held-out rows that must pass a threshold before its precision is believed.
const MIN_PASSED: usize = 10;

/// How the judges' words become a verdict on a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// So many of the three must agree with the label.
    Agree(usize),
    /// The probability of the label, given what the fit judges say, must reach the label's own threshold: one threshold for all
    /// would starve a label that the judges often see where it is not. None where no word of theirs speaks for a label.
    Posterior([Option<Threshold>; 3]),
    /// No judge is fit: nothing can be verified.
    Nobody,
}

/// The least probability of a label, and what it did on the held-out rows, each offered under that label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The probability.
    pub value: f64,
    /// Share of true labels among what passed, if labels were given by chance.
    pub precision: f64,
    /// Share of the label's own rows that passed.
    pub passes: f64,
    /// Whether the precision asked for was reached; otherwise this is the highest there is.
    pub reached: bool,
}

/// The three judges as held-out real rows show them, and how they decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Held-out rows; 0 where the real rows were too few to hold any out, so that the judges count as fit.
    pub rows: u64,
    /// Each judge, in the order of [`JUDGES`]; none where there were no rows.
    pub judges: [Option<Measured>; 3],
    /// How they decide.
    pub rule: Rule,
    probability: f64,
}

impl Panel {
    /// From what the judges said about held-out rows.
    pub(super) fn of(config: &Judging, heard: &[Heard]) -> Self {
        let mut panel = Self {
            rows: heard.len() as u64,
            judges: [None, None, None],
            rule: Rule::Agree(config.agree),
            probability: config.probability,
        };
        if heard.is_empty() {
            return panel;
        }
        for (i, judge) in panel.judges.iter_mut().enumerate() {
            let said: Vec<_> = heard.iter().map(|(j, label)| (j.each().get(i).copied().flatten(), *label)).collect();
            *judge = Some(Measured::of(&said, config.least_accuracy));
        }
        let fit = panel.fit().into_iter().filter(|fit| *fit).count();
        panel.rule = match (config.decide, fit) {
            (Decide::Agree, _) | (Decide::Auto, 3) => Rule::Agree(config.agree),
            (_, 0) => Rule::Nobody,
            (Decide::Auto | Decide::Posterior, _) => {
                let offers = panel.offers(heard);
                let each = [Sentiment::Negative, Sentiment::Neutral, Sentiment::Positive];
                let thresholds = each.map(|label| threshold(&offers, label, config.precision));
                if thresholds.iter().all(Option::is_none) { Rule::Nobody } else { Rule::Posterior(thresholds) }
            }
        };
        panel
    }

    /// Which judges are fit to judge; all where none could be measured.
    pub fn fit(&self) -> [bool; 3] {
        self.judges.each_ref().map(|judge| judge.as_ref().is_none_or(|judge| judge.fit))
    }

    /// Labels for which the precision asked for was not reached, with the best threshold there is.
    pub fn out_of_reach(&self) -> Vec<(Sentiment, Option<Threshold>)> {
        let Rule::Posterior(thresholds) = self.rule else { return Vec::new() };
        Sentiment::ALL.iter().copied().zip(thresholds).filter(|(_, t)| t.is_none_or(|t| !t.reached)).collect()
    }

    /// p(y | said) ∝ Π P(said_j | y) over the fit judges j, each label as likely as the others beforehand: Dawid and Skene
    /// (Applied Statistics 28, 1979, eq. 2.5) with error rates that are known from rows with known labels, which makes it
    /// naive Bayes. Two judges that share a model err together, so it is too sure; the threshold, which is
    /// found on the same kind of rows, makes up for that.
    fn posterior(&self, judgement: &Judgement, without: Option<Sentiment>) -> Shares {
        let mut logs = [0.0; 3];
        for (judge, shares) in self.judges.iter().zip(judgement.each()) {
            let Some(judge) = judge.as_ref().filter(|judge| judge.fit) else { continue };
            for (log, more) in logs.iter_mut().zip(judge.log_likelihoods(shares, without)) {
                *log += more;
            }
        }
        super::calibration::softmax(&logs)
    }

    /// Every held-out row under every label: its posterior when its own words are left out of the counts, whether the label is
    /// right, and the weight that makes all labels equally frequent.
    fn offers(&self, heard: &[Heard]) -> Vec<Offer> {
        let mut counts = [0.0; 3];
        for (_, label) in heard {
            if let Some(count) = counts.get_mut(*label as usize) {
                *count += 1.0;
            }
        }
        heard
            .iter()
            .flat_map(|(judgement, truth)| {
                let posterior = self.posterior(judgement, Some(*truth));
                let weight = 1.0 / counts.get(*truth as usize).copied().unwrap_or(1.0);
                Sentiment::ALL.iter().copied().zip(posterior).map(move |(label, probability)| Offer {
                    label,
                    probability,
                    right: label == *truth,
                    weight,
                })
            })
            .collect()
    }

    /// Whether the label stands.
    pub(crate) fn passes(&self, intended: Sentiment, judgement: &Judgement) -> bool {
        self.objection(intended, Some(judgement)).is_none()
    }

    /// What speaks against the label, if anything does.
    pub(crate) fn objection(&self, intended: Sentiment, judgement: Option<&Judgement>) -> Option<String> {
        let Some(judgement) = judgement else { return Some("the judges were not asked".into()) };
        let against = match self.rule {
            Rule::Nobody => "no judge is fit to judge".to_owned(),
            Rule::Agree(needed) => {
                let agreeing = judgement.agreeing(intended, self.probability);
                let count = agreeing.into_iter().filter(|a| *a).count();
                if count >= needed {
                    return None;
                }
                format!("{count} of {needed} judges agree")
            }
            Rule::Posterior(thresholds) => {
                let probability = self.posterior(judgement, None).get(intended as usize).copied().unwrap_or(0.0);
                match thresholds.get(intended as usize).copied().flatten() {
                    Some(threshold) if probability >= threshold.value => return None,
                    Some(t) => format!("{intended} has probability {probability:.2} of at least {:.2}", t.value),
                    None => format!("nothing that the judges say speaks for {intended}"),
                }
            }
        };
        let say = |((name, shares), fit): ((&str, Option<Shares>), bool)| match shares {
            _ if !fit && !matches!(self.rule, Rule::Agree(_)) => format!("{name}: unfit"),
            None => format!("{name}: could not be asked"),
            Some(shares) => {
                let p = shares.get(intended as usize).copied().unwrap_or(0.0);
                let label = likeliest(&shares).map_or("undecided", Sentiment::as_str);
                format!("{name}: {label} ({intended} {p:.2})")
            }
        };
        let said: Vec<String> = JUDGES.into_iter().zip(judgement.each()).zip(self.fit()).map(say).collect();
        Some(format!("{against}: {}", said.join("; ")))
    }
}

struct Offer {
    label: Sentiment,
    probability: f64,
    right: bool,
    weight: f64,
}

/// The lowest probability above chance at which as large a share of what passes under `label` is right as is wanted; where there
/// is none, that with the largest share. None where hardly anything is ever above chance.
fn threshold(offers: &[Offer], label: Sentiment, wanted: f64) -> Option<Threshold> {
    let offers = || offers.iter().filter(|o| o.label == label);
    let mut sorted: Vec<&Offer> = offers().filter(|o| o.probability > 1.0 / Sentiment::ALL.len() as f64).collect();
    sorted.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let rows: f64 = offers().filter(|o| o.right).map(|o| o.weight).sum();
    let (mut all, mut right) = (0.0, 0.0);
    let mut found: Option<Threshold> = None;
    for (i, offer) in sorted.iter().enumerate() {
        all += offer.weight;
        right += if offer.right { offer.weight } else { 0.0 };
        let last_of_equals = sorted.get(i + 1).is_none_or(|next| next.probability < offer.probability);
        if !last_of_equals || i + 1 < MIN_PASSED {
            continue;
        }
        let precision = right / all;
        let here =
            Threshold { value: offer.probability, precision, passes: right / rows, reached: precision >= wanted };
        if here.reached || found.is_none_or(|best| !best.reached && precision > best.precision) {
            found = Some(here);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "a judge may say nothing")]
    fn sure_of(label: usize, top: f64) -> Option<Shares> {
        let mut shares = [(1.0 - top) / 2.0; 3];
        shares[label] = top;
        Some(shares)
    }

    /// A classifier that is right in nine of ten rows where it says 0.9 and in six of ten where it says 0.5, and a language
    /// model that says positive to everything.
    fn heard() -> Vec<Heard> {
        (0..600)
            .map(|i| {
                let (truth, turn) = (i % 3, i / 3);
                let (top, right) = if turn % 2 == 0 { (0.9, turn % 20 != 0) } else { (0.5, turn % 10 < 6) };
                let said = if right { truth } else { (truth + 1 + turn % 2) % 3 };
                let same = sure_of(2, 0.8);
                (Judgement { classifier: sure_of(said, top), score: same, vote: same }, Sentiment::ALL[truth])
            })
            .collect()
    }

    fn classifier_says(label: usize, top: f64) -> Judgement {
        Judgement { classifier: sure_of(label, top), score: sure_of(2, 0.8), vote: sure_of(2, 0.8) }
    }

    #[test]
    fn unfit_judges_abstain_and_the_threshold_keeps_the_precision_asked_for() {
        let panel = Panel::of(&Judging { precision: 0.85, ..Judging::default() }, &heard());
        assert_eq!(panel.fit(), [true, false, false]);
        let Rule::Posterior(thresholds) = panel.rule else { panic!("{:?}", panel.rule) };
        for t in thresholds.map(Option::unwrap) {
            assert!(t.reached && t.precision >= 0.85 && t.passes > 0.4, "{t:?}");
        }
        assert!(panel.passes(Sentiment::Negative, &classifier_says(0, 0.9)), "two unfit judges against it");
        assert!(!panel.passes(Sentiment::Negative, &classifier_says(0, 0.5)), "not sure enough");
        assert!(!panel.passes(Sentiment::Positive, &classifier_says(0, 0.9)), "two unfit judges for it");
        let said = panel.objection(Sentiment::Positive, Some(&classifier_says(0, 0.9))).unwrap();
        assert!(
            said.starts_with("positive has probability 0.") && said.contains("vote of the language model: unfit"),
            "{said}"
        );
    }

    #[test]
    fn a_precision_out_of_reach_becomes_the_highest_there_is_and_says_so() {
        let Rule::Posterior(thresholds) = Panel::of(&Judging { precision: 0.999, ..Judging::default() }, &heard()).rule
        else {
            panic!()
        };
        let neutral = thresholds[Sentiment::Neutral as usize].unwrap();
        assert!(!neutral.reached && neutral.precision > 0.85, "{neutral:?}");
    }

    #[test]
    fn a_label_that_is_often_seen_where_it_is_not_has_a_threshold_of_its_own() {
        // Negative is told in nine of ten rows and hardly ever elsewhere; the rest is called neutral, whatever it is.
        let heard: Vec<Heard> = (0..300)
            .map(|i| {
                let (truth, turn) = (i % 3, i / 3);
                let right = turn % 10 != 0;
                let negative = truth == 0 && right || turn % 50 == 0;
                let said = sure_of(usize::from(!negative), 0.8);
                (Judgement { classifier: said, score: None, vote: None }, Sentiment::ALL[truth])
            })
            .collect();
        let judging = Judging { least_accuracy: 0.3, ..Judging::default() };
        let Rule::Posterior(thresholds) = Panel::of(&judging, &heard).rule else { panic!() };
        let [negative, neutral, _] = thresholds;
        assert!(negative.unwrap().reached && negative.unwrap().value > 0.8, "{thresholds:?}");
        assert!(!neutral.unwrap().reached && neutral.unwrap().value < 0.6, "{thresholds:?}");
    }

    #[test]
    fn three_fit_judges_decide_by_two_of_three_and_none_decides_nothing() {
        let agreeing: Vec<Heard> = (0..300)
            .map(|i| {
                let said = sure_of(if i % 11 == 0 { (i + 1) % 3 } else { i % 3 }, 0.8);
                (Judgement { classifier: said, score: said, vote: said }, Sentiment::ALL[i % 3])
            })
            .collect();
        assert_eq!(Panel::of(&Judging::default(), &agreeing).rule, Rule::Agree(2));
        let asked = Judging { decide: Decide::Posterior, ..Judging::default() };
        let Rule::Posterior(thresholds) = Panel::of(&asked, &agreeing).rule else { panic!() };
        assert!(thresholds.iter().flatten().all(|t| t.reached) && thresholds.iter().all(Option::is_some));
        let same = Judgement { classifier: sure_of(1, 0.9), score: sure_of(2, 0.9), vote: None };
        let blind: Vec<Heard> = (0..300).map(|i| (same, Sentiment::ALL[i % 3])).collect();
        let panel = Panel::of(&Judging::default(), &blind);
        assert_eq!(panel.rule, Rule::Nobody);
        let said = panel.objection(Sentiment::Neutral, Some(&same)).unwrap();
        assert!(said.starts_with("no judge is fit to judge"), "{said}");
        let plain = Judging { decide: Decide::Agree, ..Judging::default() };
        assert_eq!(Panel::of(&plain, &blind).rule, Rule::Agree(2));
    }

    #[test]
    fn the_posterior_is_the_product_of_the_judges_error_rates() {
        // Two judges, each right in 70 of 100 rows and otherwise saying the next label, both always at one confidence.
        let heard: Vec<Heard> = (0..300)
            .map(|i| {
                let (truth, turn) = (i % 3, i / 3);
                let said = |right: bool| sure_of(if right { truth } else { (truth + 1) % 3 }, 0.8);
                let judgement = Judgement { classifier: said(turn < 70), score: said(turn >= 30), vote: None };
                (judgement, Sentiment::ALL[truth])
            })
            .collect();
        let panel = Panel::of(&Judging::default(), &heard);
        assert_eq!(panel.fit(), [true, true, false]);
        // Both say negative. (70.5/106.5)² for negative, (0.5/106.5)² for neutral, (30.5/106.5)² for positive.
        let both = Judgement { classifier: sure_of(0, 0.8), score: sure_of(0, 0.8), vote: None };
        let sum = 70.5_f64.powi(2) + 0.5_f64.powi(2) + 30.5_f64.powi(2);
        let [negative, _, positive] = panel.posterior(&both, None);
        assert!((negative - 70.5_f64.powi(2) / sum).abs() < 1e-9, "{negative}");
        assert!((positive - 30.5_f64.powi(2) / sum).abs() < 1e-9, "{positive}");
    }
}
