use std::collections::BTreeMap;

/// Every tenth row is held out, to see how real rows score that the counts do not come from.
const HELD_OUT: usize = 10;
/// Held-out rows below which their quantile says too little to refuse anything by.
const MIN_HELD_OUT: usize = 20;
/// Weight of the single words in the mixture, in counts of the word before (Witten and Bell's idea with a constant).
const BACK_OFF: f64 = 5.0;
/// By how many nats a word a text may fall below the least typical real rows: a factor of twelve. News in another manner is
/// news; a story for children is further away.
const SLACK: f64 = 2.5;
/// Added to the count of every word.
const ALPHA: f64 = 0.5;

/// How much a text reads like the real rows: the mean log-probability of its words under word pairs and single words counted
/// in them, ln(λ·n(a,b)/n(a) + (1−λ)·p(b)) with λ = n(a)/(n(a)+5), averaged over the text with its beginning and end
/// (Jelinek and Mercer 1980). Numbers count as one word.
///
/// A classifier of three labels always names one, also for a story about a little bird. This is what lets it abstain.
pub(crate) struct Typical {
    words: BTreeMap<String, f64>,
    total: f64,
    pairs: BTreeMap<String, BTreeMap<String, f64>>,
    threshold: Option<f64>,
}

impl Typical {
    /// Counts nine tenths of the real texts; the score that `share` of the rest stay below becomes the threshold. With
    /// too few texts, or a share of 0, nothing is refused.
    pub(crate) fn learn(texts: &[&str], share: f64) -> Self {
        let mut model = Self { words: BTreeMap::new(), total: 0.0, pairs: BTreeMap::new(), threshold: None };
        for text in texts.iter().enumerate().filter(|(i, _)| i % HELD_OUT != 0).map(|(_, text)| text) {
            let words = sequence(text);
            for (before, word) in words.iter().zip(words.iter().skip(1)) {
                *model.words.entry(word.clone()).or_default() += 1.0;
                *model.pairs.entry(before.clone()).or_default().entry(word.clone()).or_default() += 1.0;
                model.total += 1.0;
            }
        }
        let mut scores: Vec<f64> = texts.iter().step_by(HELD_OUT).map(|text| model.score(text)).collect();
        scores.sort_by(f64::total_cmp);
        if scores.len() >= MIN_HELD_OUT && share > 0.0 {
            let least = scores.get(((scores.len() as f64 * share) as usize).min(scores.len() - 1));
            model.threshold = least.map(|score| score - SLACK);
        }
        model
    }

    fn score(&self, text: &str) -> f64 {
        let words = sequence(text);
        let unseen = self.total + ALPHA * (self.words.len() as f64 + 1.0);
        let mut sum = 0.0;
        for (before, word) in words.iter().zip(words.iter().skip(1)) {
            let single = (self.words.get(word).copied().unwrap_or(0.0) + ALPHA) / unseen;
            let (pair, context) = self.pairs.get(before).map_or((0.0, 0.0), |after| {
                let context: f64 = after.values().sum();
                (after.get(word).copied().unwrap_or(0.0) / context, context)
            });
            let weight = context / (context + BACK_OFF);
            sum += (weight * pair + (1.0 - weight) * single).ln();
        }
        sum / words.len().saturating_sub(1).max(1) as f64
    }

    /// What is wrong with a text that reads unlike the real ones, if anything.
    pub(crate) fn objection(&self, text: &str) -> Option<String> {
        let (score, threshold) = (self.score(text), self.threshold?);
        (score < threshold)
            .then(|| format!("reads unlike the real rows ({score:.2} nats a word, at least {threshold:.2})"))
    }
}

/// The words of a text between marks of its beginning and end. No word of a text is empty or a space.
fn sequence(text: &str) -> Vec<String> {
    let number = |word: String| if word.contains(|c: char| c.is_ascii_digit()) { "0".to_owned() } else { word };
    std::iter::once(String::new()).chain(text::words(text).map(number)).chain([" ".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news() -> Vec<String> {
        let firms = ["Acme", "Borealis", "Cobalt", "Delta", "Ember"];
        (0..400)
            .map(|i| {
                let verb = ["rose", "fell", "grew", "shrank"][i % 4];
                format!("{} said net profit {verb} to {i} million euros in the quarter.", firms[i % 5])
            })
            .collect()
    }

    #[test]
    fn a_story_is_unlike_the_news_and_a_new_headline_is_not() {
        let news = news();
        let texts: Vec<&str> = news.iter().map(String::as_str).collect();
        let typical = Typical::learn(&texts, 0.2);
        assert!(typical.objection("Anna liked to play with her toys.").is_some());
        assert_eq!(typical.objection("Borealis said net profit shrank to 907 million euros in the quarter."), None);
    }

    #[test]
    fn too_few_rows_refuse_nothing() {
        let typical = Typical::learn(&["Acme said net profit rose."; 50], 0.2);
        assert_eq!(typical.objection("Anna liked to play with her toys."), None);
    }
}
