use crate::sample::SampleText;
use crate::vocabulary::Vocabulary;
use crate::{Error, Subject};
use stats::distribution::log_odds;
use text::{FastMap, is_stop_word};

/// Labels that get a list of their own.
const LABELS: usize = 12;
/// A pair of words must occur so often to be listed.
const LEAST_PAIRS: u64 = 3;

/// A word, or a pair of neighbouring words, that occurs under one label more often than under the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Distinctive {
    /// The word or pair, lower case.
    pub gram: String,
    /// Log-odds ratio against the other labels, in standard deviations.
    pub z: f64,
    /// How often it occurs under the label.
    pub inside: u64,
    /// How often it occurs under the others.
    pub outside: u64,
}

/// The most distinctive words and pairs of each label, by log-odds with an informative Dirichlet prior, among the texts of
/// the reference split (each text once). Words without a letter or of one, function words
/// and pairs of them are left out; negations stay.
pub(crate) fn distinctive(
    (place, subject): (usize, &Subject),
    vocabulary: &Vocabulary,
    reference: usize,
    count: usize,
    prior: f64,
) -> Result<Vec<(usize, Vec<Distinctive>)>, Error> {
    let useful: Vec<bool> = (0..vocabulary.len() as u32)
        .map(|w| vocabulary.name(w))
        .map(|name| name.chars().nth(1).is_some() && name.chars().any(char::is_alphabetic) && !is_stop_word(name))
        .collect();
    let useful = |word: u32| useful.get(word as usize).copied().unwrap_or(false);
    let mut labels: Vec<usize> = Vec::new();
    let column_of = |text: &SampleText| {
        let label = text.label_where(|o| o.split == reference)?;
        Some(labels.iter().position(|l| *l == label).unwrap_or_else(|| {
            labels.push(label);
            labels.len() - 1
        }))
    };
    let columns: Vec<Option<usize>> = subject.sample.iter().map(column_of).collect();
    let width = labels.len().min(LABELS);
    // Words and pairs are numbered in the order met; the counts of each stand side by side, one for each label.
    let mut words_met: Vec<Option<usize>> = vec![None; vocabulary.len()];
    let mut pairs_met: FastMap<(u32, u32), usize> = FastMap::default();
    let mut grams: Vec<(u32, u32)> = Vec::new();
    let mut counts: Vec<u32> = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let Some(column) = column.filter(|column| *column < width) else { continue };
        let mut number_of = |gram| {
            grams.push(gram);
            counts.resize(counts.len() + width, 0);
            grams.len() - 1
        };
        let words = vocabulary.of(place, at);
        let mut met = Vec::with_capacity(2 * words.len());
        for word in words.iter().filter(|w| useful(**w)) {
            let known = words_met.get_mut(*word as usize);
            met.extend(known.map(|known| *known.get_or_insert_with(|| number_of((*word, u32::MAX)))));
        }
        for pair in words.windows(2) {
            if let [a, b] = pair
                && (useful(*a) || useful(*b))
                && a != b
            {
                met.push(*pairs_met.entry((*a, *b)).or_insert_with_key(|pair| number_of(*pair)));
            }
        }
        for number in met {
            if let Some(count) = counts.get_mut(number * width + column) {
                *count += 1;
            }
        }
    }
    let often = |gram: &(u32, u32), counts: &[u32]| {
        gram.1 == u32::MAX || counts.iter().map(|n| u64::from(*n)).sum::<u64>() >= LEAST_PAIRS
    };
    let grams: Vec<((u32, u32), Vec<u64>)> = grams
        .into_iter()
        .zip(counts.chunks_exact(width.max(1)))
        .filter(|(gram, counts)| often(gram, counts))
        .map(|(gram, counts)| (gram, counts.iter().map(|n| u64::from(*n)).collect()))
        .collect();
    labels.truncate(LABELS);
    if labels.len() < 2 || grams.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (column, label) in labels.iter().enumerate() {
        let of = |counts: &[u64]| counts.get(column).copied().unwrap_or(0);
        let inside: Vec<u64> = grams.iter().map(|(_, counts)| of(counts)).collect();
        let outside: Vec<u64> = grams.iter().map(|(_, counts)| counts.iter().sum::<u64>() - of(counts)).collect();
        let odds = log_odds(&inside, &outside, prior)
            .map_err(|source| Error::Statistic { figure: "distinctive words", source })?;
        let mut ranked: Vec<(f64, usize)> =
            odds.iter().enumerate().map(|(i, o)| (o.z, i)).filter(|(z, _)| *z > 0.0).collect();
        // Ties in the order of the texts, which is fixed.
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let named = ranked.into_iter().take(count).filter_map(|(z, i)| {
            let ((first, second), counts) = grams.get(i)?;
            let first = vocabulary.name(*first);
            let gram =
                if *second == u32::MAX { first.to_owned() } else { format!("{first} {}", vocabulary.name(*second)) };
            let inside = of(counts);
            Some(Distinctive { gram, z, inside, outside: counts.iter().sum::<u64>() - inside })
        });
        found.push((*label, named.collect()));
    }
    found.sort_by_key(|(label, _)| *label);
    Ok(found)
}
