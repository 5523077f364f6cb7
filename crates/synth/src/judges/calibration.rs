use super::Shares;
use artifacts::rows::Sentiment;
use stats::classification::{LogisticConfig, LogisticRegression};

/// Rows below which a calibration says more about the rows than about the model.
const MIN_ROWS: usize = 30;

/// Turns the log-probabilities that a language model gives to the three answers, asked in one or several ways, into
/// probabilities of the labels, by multinomial logistic regression on real rows (matrix scaling: Guo et al., ICML 2017, §4.2).
/// It takes away the model's liking for an answer whatever the text (Zhao et al., ICML 2021) and says how much its scores
/// are worth: those that have nothing to do with the label become a third each.
pub(crate) struct Calibration {
    model: Option<LogisticRegression>,
    means: Vec<Shares>,
}

impl Calibration {
    /// From the log-probabilities of real rows, in each way of asking, with their labels. With too few rows nothing is changed.
    pub(crate) fn fit(logs: &[Vec<Shares>], labels: &[Sentiment]) -> Self {
        let ways = logs.first().map_or(0, Vec::len);
        let means = (0..ways).map(|way| means(logs.iter().filter_map(|l| l.get(way)))).collect();
        if logs.len() < MIN_ROWS {
            return Self { model: None, means };
        }
        let rows: Vec<_> = logs.iter().map(|l| row(l, &means)).collect();
        let labels: Vec<usize> = labels.iter().map(|l| *l as usize).collect();
        let config = LogisticConfig { l2: 0.1, balanced: true, ..LogisticConfig::default() };
        let classes = Sentiment::ALL.len();
        Self { model: Some(LogisticRegression::fit(&rows, &labels, classes, ways * classes, &config)), means }
    }

    /// Probabilities of the labels.
    pub(crate) fn probabilities(&self, logs: &[Shares]) -> Shares {
        match &self.model {
            None => softmax(&means(logs.iter())),
            Some(model) => {
                let p = model.probabilities(&row(logs, &self.means));
                std::array::from_fn(|i| p.get(i).copied().unwrap_or(0.0))
            }
        }
    }
}

/// The mean of each of the three; 0 of nothing.
pub(crate) fn means<'a>(logs: impl Iterator<Item = &'a Shares>) -> Shares {
    let (mut sums, mut n) = ([0.0; 3], 0_u32);
    for log in logs {
        n += 1;
        for (sum, value) in sums.iter_mut().zip(log) {
            *sum += value;
        }
    }
    sums.map(|sum: f64| sum / f64::from(n.max(1)))
}

/// How far each log-probability is from its mean, against the other two: what all three have in common says only how
/// likely the text is.
fn row(logs: &[Shares], means: &[Shares]) -> Vec<(u32, f32)> {
    let mut row = Vec::with_capacity(3 * logs.len());
    for (logs, means) in logs.iter().zip(means) {
        let apart: Shares = std::array::from_fn(|i| logs.get(i).zip(means.get(i)).map_or(0.0, |(l, m)| l - m));
        let middle = apart.iter().sum::<f64>() / 3.0;
        row.extend(apart.map(|v| (v - middle).clamp(-20.0, 20.0) as f32));
    }
    row.into_iter().enumerate().map(|(i, v)| (i as u32, v)).collect()
}

/// exp(l_i) / sum_j exp(l_j), shifted by the largest so that nothing underflows to 0/0.
pub(crate) fn softmax(logs: &Shares) -> Shares {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights = logs.map(|l| (l - largest).exp());
    let sum: f64 = weights.iter().sum();
    weights.map(|w| w / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, told: f64) -> (Vec<Vec<Shares>>, Vec<Sentiment>) {
        let labels: Vec<Sentiment> = (0..n).map(|i| Sentiment::ALL[i % 3]).collect();
        let noise = |i: usize, k: usize| ((i * 37 + k * 101) % 17) as f64 / 17.0 - 0.5;
        // The model likes the first answer by 3 nats whatever the text.
        let logs = labels.iter().enumerate().map(|(i, label)| {
            vec![std::array::from_fn(|k| {
                f64::from(u8::from(k == 0)) * 3.0 + f64::from(u8::from(k == *label as usize)) * told + noise(i, k) - 9.0
            })]
        });
        (logs.collect(), labels)
    }

    #[test]
    fn a_liking_for_one_answer_is_taken_away() {
        let (logs, labels) = rows(300, 2.0);
        let calibration = Calibration::fit(&logs, &labels);
        let right = logs.iter().zip(&labels).filter(|(l, label)| {
            let p = calibration.probabilities(l);
            super::super::likeliest(&p) == Some(**label)
        });
        assert_eq!(right.count(), 300);
        let plain =
            logs.iter().zip(&labels).filter(|(l, label)| super::super::likeliest(&softmax(&l[0])) == Some(**label));
        assert_eq!(plain.count(), 100, "uncalibrated, every row is the first label");
    }

    #[test]
    fn scores_that_say_nothing_become_a_third_each() {
        let (logs, labels) = rows(300, 0.0);
        let calibration = Calibration::fit(&logs, &labels);
        let sure = logs.iter().filter(|l| calibration.probabilities(l).iter().any(|p| *p > 0.5)).count();
        assert_eq!(sure, 0);
    }
}
