use std::collections::BTreeSet;

/// Distinct-2: different pairs of neighbouring words over all such pairs, in [0, 1] (Li et al., NAACL 2016). It falls with the
/// number of texts, so compare only equal numbers. None where no text has two words.
///
/// ```
/// assert_eq!(synth::distinct_2(["profit rose", "profit rose", "profit fell today"]), Some(0.75));
/// ```
pub fn distinct_2<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<f64> {
    let mut different = BTreeSet::new();
    let mut all = 0_usize;
    for text in texts {
        let words: Vec<String> = text::words(text).collect();
        for pair in words.windows(2) {
            all += 1;
            different.insert(pair.join(" "));
        }
    }
    (all > 0).then(|| different.len() as f64 / all as f64)
}
