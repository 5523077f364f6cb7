//! Rows that differ from each other, chosen one after the other by their distance to those already chosen.

use super::config::Choice;
use artifacts::Seed;
use rand::Rng;
use text::{TfIdf, TfIdfConfig};

/// Texts as points on a sphere: TF-IDF of words and word pairs, the distance of two is 1 - cosine.
pub(super) struct Space {
    points: Vec<Vec<(u32, f32)>>,
    features: usize,
}

impl Space {
    pub(super) fn new(texts: &[&str]) -> Self {
        let config = TfIdfConfig { words: (1, 2), characters: (0, 0), ..TfIdfConfig::default() };
        let tfidf = TfIdf::fit(texts.iter().copied(), &config);
        Self { points: texts.iter().map(|text| tfidf.transform(text)).collect(), features: tfidf.features() }
    }

    /// `n` of the `members`, far from each other by the rule; the first member is always taken.
    pub(super) fn spread(&self, members: &[usize], n: usize, rule: Choice, seed: Seed) -> Vec<usize> {
        let lists = self.lists(members);
        let mut rng = seed.rng();
        // What each member lacks to its nearest chosen one; nothing for chosen ones.
        let mut distance = vec![1.0_f64; members.len()];
        let mut similarity = vec![0.0_f32; members.len()];
        let mut chosen = Vec::with_capacity(n);
        let mut next = Some(0);
        while let Some(place) = next.filter(|_| chosen.len() < n) {
            chosen.push(place);
            similarity.fill(0.0);
            for (feature, weight) in self.point(members, place) {
                for (other, value) in lists.get(*feature as usize).map(Vec::as_slice).unwrap_or_default() {
                    similarity[*other as usize] += weight * value;
                }
            }
            for (distance, similarity) in distance.iter_mut().zip(&similarity) {
                *distance = distance.min(1.0 - f64::from(*similarity)).max(0.0);
            }
            distance[place] = -1.0;
            next = if rule == Choice::Farthest { farthest(&distance) } else { drawn(&distance, rng.random()) };
        }
        chosen.into_iter().filter_map(|place| members.get(place).copied()).collect()
    }

    /// The mean, over the members, of the similarity to the most similar other member: low where rows differ.
    pub(super) fn mean_nearest(&self, members: &[usize]) -> f64 {
        let lists = self.lists(members);
        let mut similarity = vec![0.0_f32; members.len()];
        let mut sum = 0.0;
        for place in 0..members.len() {
            similarity.fill(0.0);
            for (feature, weight) in self.point(members, place) {
                for (other, value) in lists.get(*feature as usize).map(Vec::as_slice).unwrap_or_default() {
                    similarity[*other as usize] += weight * value;
                }
            }
            similarity[place] = 0.0;
            sum += f64::from(similarity.iter().copied().fold(0.0, f32::max));
        }
        sum / members.len().max(1) as f64
    }

    /// Which members have a feature, and how much of it.
    fn lists(&self, members: &[usize]) -> Vec<Vec<(u32, f32)>> {
        let mut lists = vec![Vec::new(); self.features];
        for (place, &member) in members.iter().enumerate() {
            for (feature, value) in self.points.get(member).into_iter().flatten() {
                lists[*feature as usize].push((place as u32, *value));
            }
        }
        lists
    }

    fn point(&self, members: &[usize], place: usize) -> &[(u32, f32)] {
        members.get(place).and_then(|&m| self.points.get(m)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The place of the largest distance (the first of equals); none if all are chosen.
fn farthest(distance: &[f64]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (place, &d) in distance.iter().enumerate().filter(|(_, d)| **d >= 0.0) {
        if best.is_none_or(|(_, most)| d > most) {
            best = Some((place, d));
        }
    }
    best.map(|(place, _)| place)
}

/// A place drawn with probability proportional to its squared distance, by a number from 0 to 1. Where nothing but copies of
/// chosen rows is left, the first of them.
fn drawn(distance: &[f64], unit: f64) -> Option<usize> {
    let open = || distance.iter().enumerate().filter(|(_, d)| **d >= 0.0);
    let total: f64 = open().map(|(_, d)| d * d).sum();
    if total <= 0.0 {
        return open().next().map(|(place, _)| place);
    }
    let mut left = unit * total;
    let mut last = None;
    for (place, d) in open().filter(|(_, d)| **d > 0.0) {
        last = Some(place);
        left -= d * d;
        if left <= 0.0 {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 8] = [
        "profit of the steel works rose",
        "profit of the steel works rose again",
        "profit of the steel works rose too",
        "profit of the steel works fell",
        "the railway hires drivers in may",
        "the railway hires drivers in june",
        "copper is cheap this year",
        "copper is cheap this week",
    ];

    #[test]
    fn rows_that_say_the_same_are_taken_last() {
        let space = Space::new(&TEXTS);
        let members: Vec<usize> = (0..TEXTS.len()).collect();
        let topic = |i: &usize| [0, 0, 0, 0, 1, 1, 2, 2][*i];
        let mut far: Vec<i32> = space.spread(&members, 3, Choice::Farthest, Seed(1)).iter().map(topic).collect();
        far.sort_unstable();
        assert_eq!(far, [0, 1, 2]);
        // Drawn at random, three of four first rows would share their topic in most pairs; here hardly ever.
        let of_three_topics = (0..200).filter(|seed| {
            let chosen = space.spread(&members, 3, Choice::Diverse, Seed(*seed));
            chosen.iter().map(topic).collect::<std::collections::BTreeSet<_>>().len() == 3
        });
        let share = of_three_topics.count();
        assert!(share > 120, "{share} of 200; drawn evenly it would be about 60");
    }

    #[test]
    fn every_row_is_taken_once_even_if_all_are_equal() {
        let texts = ["a b", "a b", "a b", ""];
        for rule in [Choice::Diverse, Choice::Farthest] {
            let mut chosen = Space::new(&texts).spread(&[0, 1, 2, 3], 4, rule, Seed(7));
            chosen.sort_unstable();
            assert_eq!(chosen, [0, 1, 2, 3]);
        }
    }

    #[test]
    fn spread_rows_have_less_similar_neighbours() {
        let space = Space::new(&TEXTS);
        let far = space.spread(&(0..TEXTS.len()).collect::<Vec<_>>(), 3, Choice::Farthest, Seed(1));
        assert!(space.mean_nearest(&far) < space.mean_nearest(&[0, 1, 2]));
    }
}
