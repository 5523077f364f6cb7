use std::collections::BTreeMap;

/// Lengths up to here are counted one by one; longer ones in steps of about 3 %.
const EXACT: u32 = 1024;

/// How long the texts of a group are: a count for each length, so memory does not grow with the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lengths {
    /// Texts of each length up to the longest that is counted one by one.
    short: Vec<u64>,
    /// Texts of each longer, rounded length.
    long: BTreeMap<u32, u64>,
    sum: u64,
    rows: u64,
    longest: u32,
}

impl Lengths {
    /// Counts one text.
    pub fn add(&mut self, length: u32) {
        self.add_rows(length, 1);
    }

    /// Counts some texts of one length.
    pub fn add_rows(&mut self, length: u32, rows: u64) {
        if length <= EXACT {
            let place = length as usize;
            if self.short.len() <= place {
                self.short.resize(place + 1, 0);
            }
            if let Some(count) = self.short.get_mut(place) {
                *count += rows;
            }
        } else {
            *self.long.entry(rounded(length)).or_default() += rows;
        }
        self.sum += u64::from(length) * rows;
        self.rows += rows;
        self.longest = self.longest.max(length);
    }

    /// How many texts.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Arithmetic mean.
    pub fn mean(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.sum as f64 / self.rows as f64)
    }

    /// Sum of all lengths.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The longest.
    pub fn longest(&self) -> u32 {
        self.longest
    }

    /// The `q` quantile, 0.5 the median: linear between the two nearest (type 7 of Hyndman and Fan).
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let last = self.rows.checked_sub(1)?;
        let place = q.clamp(0.0, 1.0) * last as f64;
        let (below, above) = (self.at(place.floor() as u64)?, self.at(place.ceil() as u64)?);
        Some(below + (above - below) * place.fract())
    }

    /// The length at a place in ascending order.
    fn at(&self, place: u64) -> Option<f64> {
        let mut before = 0;
        self.counts().find_map(|(length, rows)| {
            before += rows;
            (place < before).then(|| f64::from(length))
        })
    }

    /// Each length with its texts, in ascending order.
    fn counts(&self) -> impl Iterator<Item = (u32, u64)> {
        let short = (0..).zip(self.short.iter().copied()).filter(|(_, rows)| *rows > 0);
        short.chain(self.long.iter().map(|(length, rows)| (*length, *rows)))
    }

    /// Rows longer than `limit`.
    pub fn longer_than(&self, limit: f64) -> u64 {
        self.counts().filter(|(length, _)| f64::from(*length) > limit).map(|(_, rows)| rows).sum()
    }

    /// Tukey's outer fence: the upper quartile and three interquartile ranges.
    pub fn outer_fence(&self) -> Option<f64> {
        let (low, high) = (self.quantile(0.25)?, self.quantile(0.75)?);
        // Texts of one length have no spread; one more word is no outlier.
        Some(high + 3.0 * (high - low).max(1.0))
    }

    /// At most `n` lengths spread like these, for a histogram.
    pub fn spread(&self, n: u64) -> Vec<f64> {
        let step = (self.rows / n.max(1)).max(1);
        let mut values = Vec::new();
        let mut carried = 0;
        for (length, rows) in self.counts() {
            carried += rows;
            values.extend(std::iter::repeat_n(f64::from(length), (carried / step) as usize));
            carried %= step;
        }
        values
    }

    /// Rows by steps of about a third (0, 1, 2, 3, 4, 6, 8, 11 …), for distances.
    pub fn by_thirds(&self) -> BTreeMap<u32, u64> {
        let mut steps = BTreeMap::new();
        for (length, rows) in self.counts() {
            *steps.entry(third(length)).or_default() += rows;
        }
        steps
    }
}

/// The step of a length on a scale whose steps are about a third.
pub(crate) fn third(length: u32) -> u32 {
    if length == 0 { 0 } else { 1 + (f64::from(length).ln() / (4.0_f64 / 3.0).ln()).round() as u32 }
}

fn rounded(length: u32) -> u32 {
    let step = (length.ilog2() - 5).min(31);
    length >> step << step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[u32]) -> Lengths {
        let mut lengths = Lengths::default();
        for value in values {
            lengths.add(*value);
        }
        lengths
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let values: Vec<u32> = (0..101).map(|i| i * 37 % 101).collect();
        let lengths = of(&values);
        let sorted: Vec<f64> = (0..101).map(f64::from).collect();
        for q in [0.0, 0.05, 0.33, 0.5, 0.95, 1.0] {
            assert_eq!(lengths.quantile(q), stats::distribution::quantile_sorted(&sorted, q), "{q}");
        }
        assert_eq!((lengths.mean(), lengths.longest()), (Some(50.0), 100));
        assert_eq!(of(&[]).quantile(0.5), None);
    }

    #[test]
    fn long_texts_are_rounded_by_less_than_a_thirtieth_and_take_few_places() {
        let lengths = of(&(1000..200_000).collect::<Vec<u32>>());
        assert!(lengths.counts().count() < 400 && lengths.short.len() <= 1025, "{}", lengths.counts().count());
        let median = lengths.quantile(0.5).unwrap();
        assert!((median / 100_500.0 - 1.0).abs() < 1.0 / 30.0, "{median}");
    }

    #[test]
    fn one_very_long_text_lies_beyond_the_fence() {
        let mut lengths = of(&(0..1000).map(|i| 10 + i % 20).collect::<Vec<u32>>());
        assert_eq!(lengths.longer_than(lengths.outer_fence().unwrap()), 0);
        lengths.add(500);
        assert_eq!(lengths.longer_than(lengths.outer_fence().unwrap()), 1);
    }

    #[test]
    fn a_spread_keeps_the_shape() {
        let lengths = of(&(0..10_000).map(|i| i % 50).collect::<Vec<u32>>());
        let spread = lengths.spread(500);
        assert!((450..=500).contains(&spread.len()));
        let mean = stats::distribution::mean(&spread).unwrap();
        assert!((mean - 24.5).abs() < 1.0, "{mean}");
    }
}
