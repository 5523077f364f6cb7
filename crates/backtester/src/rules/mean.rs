use std::collections::VecDeque;

/// The mean of the last values, in constant time: a running sum with the rounding error of each step carried along
/// (A. Neumaier, Zeitschrift für Angewandte Mathematik und Mechanik 54, 1974), so that it does not drift over millions of
/// bars. `stats::indicators::Sma` adds up its window anew each time, which a sweep over long windows cannot afford.
#[derive(Debug, Clone)]
pub(crate) struct RunningMean {
    size: usize,
    values: VecDeque<f64>,
    sum: f64,
    lost: f64,
}

impl RunningMean {
    pub(crate) fn new(size: usize) -> Self {
        Self { size: size.max(1), values: VecDeque::new(), sum: 0.0, lost: 0.0 }
    }

    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }

    pub(crate) fn update(&mut self, x: f64) -> Option<f64> {
        if self.values.len() == self.size
            && let Some(oldest) = self.values.pop_front()
        {
            self.add(-oldest);
        }
        self.values.push_back(x);
        self.add(x);
        (self.values.len() == self.size).then(|| (self.sum + self.lost) / self.size as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stats::indicators::Sma;

    #[test]
    fn it_does_not_drift_from_the_mean_added_up_anew() {
        let (mut running, mut anew) = (RunningMean::new(50), Sma::new(50).unwrap());
        let mut rng = stats::SplitMix64::new(7);
        for i in 0..200_000 {
            let large = if i % 1000 == 0 { 1e9 } else { 1.0 };
            let x = 100.0 + large * (rng.next_u64() % 1000) as f64 / 997.0;
            match (running.update(x), anew.update(x)) {
                (Some(a), Some(b)) => assert!((a - b).abs() <= 1e-13 * b, "{i}: {a} {b}"),
                (a, b) => assert_eq!(a, b),
            }
        }
    }
}
