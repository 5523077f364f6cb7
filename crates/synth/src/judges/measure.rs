use super::{Judgement, Shares, likeliest};
use artifacts::rows::{Example, Sentiment};
use rand::seq::SliceRandom;
use std::collections::BTreeSet;

/// Labels.
const K: usize = Sentiment::ALL.len();
/// Steps of confidence that are told apart: quarters of what a judge said about the held-out rows.
const LEVELS: usize = 4;
/// What a judge can say: a label at a level, or no label.
const ANSWERS: usize = K * LEVELS + 1;
/// Added to each count, so that what was never met is unlikely and not impossible (Krichevsky and Trofimov 1981).
const ALPHA: f64 = 0.5;
/// Held-out rows of each label below which a measurement says more about the rows than about the judges.
const MIN_EACH: usize = 20;

/// Splits the real rows: those that the judges are measured on, of each label a third of `n` but never more than a fifth of
/// what there is; and those that they may learn from, without near duplicates of the first. Where a label has too few
/// rows nothing is held out.
pub(super) fn hold_out<'e>(
    rows: &[&'e Example],
    n: usize,
    seed: artifacts::Seed,
) -> (Vec<&'e Example>, Vec<&'e Example>) {
    let mut held = Vec::new();
    for label in Sentiment::ALL {
        let mut of: Vec<&Example> = rows.iter().filter(|e| e.label == *label).copied().collect();
        of.shuffle(&mut seed.derive(label.as_str()).rng());
        of.truncate((n / K).min(of.len() / 5));
        if of.len() < MIN_EACH {
            return (Vec::new(), rows.to_vec());
        }
        held.extend(of);
    }
    let clusters: BTreeSet<&str> = held.iter().map(|e| e.cluster.as_str()).collect();
    let rest = rows.iter().filter(|e| !clusters.contains(e.cluster.as_str())).copied().collect();
    (held, rest)
}

/// A judge as held-out real rows show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Rows by true label and by the label said; what is in none of the three columns is in the fourth: undecided, or could
    /// not be asked.
    pub confusion: [[u64; K + 1]; K],
    /// Whether the lower end of its interval is above the bar.
    pub fit: bool,
    edges: Vec<f64>,
    answers: [[f64; ANSWERS]; K],
}

impl Measured {
    /// From what the judge said about rows and their labels.
    pub(super) fn of(said: &[(Option<Shares>, Sentiment)], bar: f64) -> Self {
        let mut tops: Vec<f64> = said.iter().filter_map(|(shares, _)| Some(top(&(*shares)?))).collect();
        tops.sort_by(f64::total_cmp);
        let edges = (1..LEVELS).filter_map(|level| tops.get(level * tops.len() / LEVELS).copied()).collect();
        let mut judge = Self { confusion: [[0; K + 1]; K], fit: false, edges, answers: [[0.0; ANSWERS]; K] };
        for (shares, label) in said {
            let answer = judge.answer(*shares);
            let column = shares.and_then(|s| likeliest(&s)).map_or(K, |l| l as usize);
            add(&mut judge.confusion, *label, column, 1);
            add(&mut judge.answers, *label, answer, 1.0);
        }
        judge.fit = judge.accuracy().is_some_and(|(_, (low, _))| low > bar);
        judge
    }

    /// The share right if all labels were equally frequent, and its 95 % interval: with x of n right of each label,
    /// p = (x + 2/3) / (n + 4/3), and mean p ± 1.96 √(Σ p (1 − p) / (n + 4/3)) / 3 (Price and Bonett, Computational
    /// Statistics & Data Analysis 45, 2004). None where a label was not asked about.
    pub fn accuracy(&self) -> Option<(f64, (f64, f64))> {
        let classes = K as f64;
        let (mut plain, mut middle, mut variance) = (0.0, 0.0, 0.0);
        for (label, row) in self.confusion.iter().enumerate() {
            let (right, n) = (*row.get(label)? as f64, row.iter().sum::<u64>() as f64);
            if n == 0.0 {
                return None;
            }
            let (x, n_more) = (right + 2.0 / classes, n + 4.0 / classes);
            let p = x / n_more;
            plain += right / n / classes;
            middle += p / classes;
            variance += p * (1.0 - p) / n_more / (classes * classes);
        }
        let half = 1.96 * variance.sqrt();
        Some((plain, ((middle - half).max(0.0), (middle + half).min(1.0))))
    }

    /// The number of what was said.
    fn answer(&self, shares: Option<Shares>) -> usize {
        let Some((shares, label)) = shares.and_then(|s| Some((s, likeliest(&s)?))) else { return ANSWERS - 1 };
        label as usize * LEVELS + self.edges.partition_point(|edge| *edge <= top(&shares)).min(LEVELS - 1)
    }

    /// ln P(what was said | label) for each label. `without` is the true label of a row that the counts hold and that is to be
    /// judged as if they did not.
    pub(super) fn log_likelihoods(&self, shares: Option<Shares>, without: Option<Sentiment>) -> Shares {
        let answer = self.answer(shares);
        std::array::from_fn(|label| {
            let own = f64::from(u8::from(without.is_some_and(|w| w as usize == label)));
            let counts = self.answers.get(label).map_or(&[][..], |row| row.as_slice());
            let count = counts.get(answer).copied().unwrap_or(0.0) - own;
            let all = counts.iter().sum::<f64>() - own;
            ((count + ALPHA) / (all + ALPHA * ANSWERS as f64)).ln()
        })
    }
}

fn add<T: std::ops::AddAssign, const N: usize>(table: &mut [[T; N]; K], label: Sentiment, column: usize, one: T) {
    if let Some(cell) = table.get_mut(label as usize).and_then(|row| row.get_mut(column)) {
        *cell += one;
    }
}

fn top(shares: &Shares) -> f64 {
    shares.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// What all three judges said about one held-out row, with its label.
pub(super) type Heard = (Judgement, Sentiment);

#[cfg(test)]
mod tests {
    use super::*;

    /// `right` of a hundred rows of each label are found, the others called the next label.
    fn judge(right: usize) -> Vec<(Option<Shares>, Sentiment)> {
        (0..300)
            .map(|i| {
                let truth = i % 3;
                let said = if i / 3 < right { truth } else { (truth + 1) % 3 };
                let mut shares = [0.1; 3];
                shares[said] = 0.8;
                (Some(shares), Sentiment::ALL[truth])
            })
            .collect()
    }

    #[test]
    fn a_judge_is_fit_where_the_interval_of_its_accuracy_is_above_the_bar() {
        let measured = Measured::of(&judge(70), 0.5);
        let (accuracy, (low, high)) = measured.accuracy().unwrap();
        assert!((accuracy - 0.7).abs() < 1e-12 && measured.fit);
        // By hand: p = (70 + 2/3) / (100 + 4/3) = 0.69737; half of it 1.96 √(3 · p (1 − p) / 101.333) / 3 = 0.05164.
        assert!((low - 0.64573).abs() < 1e-4 && (high - 0.74900).abs() < 1e-4, "{low} {high}");
        assert!(!Measured::of(&judge(54), 0.5).fit, "0.54 of 300 rows may be chance");
        assert_eq!(measured.confusion[0], [70, 30, 0, 0]);
    }

    #[test]
    fn a_judge_that_says_one_label_whatever_the_text_is_unfit_and_its_word_weighs_nothing() {
        let said: Vec<_> = (0..300).map(|i| (Some([0.2, 0.2, 0.6]), Sentiment::ALL[i % 3])).collect();
        let measured = Measured::of(&said, 0.5);
        assert!(!measured.fit && (measured.accuracy().unwrap().0 - 1.0 / 3.0).abs() < 1e-12);
        let [a, b, c] = measured.log_likelihoods(Some([0.2, 0.2, 0.6]), None);
        assert!((a - b).abs() < 1e-12 && (b - c).abs() < 1e-12);
    }

    #[test]
    fn an_undecided_judge_is_right_about_nothing() {
        let said: Vec<_> = (0..300).map(|i| ((i % 2 == 0).then_some([0.4, 0.4, 0.2]), Sentiment::ALL[i % 3])).collect();
        let measured = Measured::of(&said, 0.5);
        assert_eq!((measured.confusion[1], measured.fit), ([0, 0, 0, 100], false));
    }

    #[test]
    fn held_out_rows_are_a_fifth_of_a_label_at_most_and_their_clusters_teach_nobody() {
        let row = |i: usize| Example {
            id: format!("{i}"),
            text: format!("text {i}"),
            label: Sentiment::ALL[usize::from(i >= 150) + usize::from(i >= 900)],
            raw_label: String::new(),
            language: artifacts::rows::Language::English,
            source: "test".into(),
            source_row: i as u64,
            cluster: format!("{}", i / 2),
            instruction: None,
            synthetic: false,
        };
        let rows: Vec<Example> = (0..1600).map(row).collect();
        let rows: Vec<&Example> = rows.iter().collect();
        let (held, rest) = hold_out(&rows, 300, artifacts::Seed(1));
        let of = |label| held.iter().filter(|e| e.label == label).count();
        assert_eq!([of(Sentiment::Negative), of(Sentiment::Neutral), of(Sentiment::Positive)], [30, 100, 100]);
        let clusters: BTreeSet<&str> = held.iter().map(|e| e.cluster.as_str()).collect();
        assert!(rest.iter().all(|e| !clusters.contains(e.cluster.as_str())) && rest.len() >= 1600 - 2 * held.len());
        let few = hold_out(&rows[60..], 300, artifacts::Seed(1));
        assert_eq!((few.0.len(), few.1.len()), (0, 1540), "18 of a label would say nothing");
    }
}
