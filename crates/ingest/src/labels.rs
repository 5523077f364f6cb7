use artifacts::rows::Sentiment;
use std::collections::BTreeMap;

/// The nine labels of FinGPT's sentiment data and common other spellings, collapsed to three.
const WORDS: [(&str, Sentiment); 19] = [
    ("bearish", Sentiment::Negative),
    ("bullish", Sentiment::Positive),
    ("mildly negative", Sentiment::Negative),
    ("mildly positive", Sentiment::Positive),
    ("moderately negative", Sentiment::Negative),
    ("moderately positive", Sentiment::Positive),
    ("neg", Sentiment::Negative),
    ("negative", Sentiment::Negative),
    ("neu", Sentiment::Neutral),
    ("neutral", Sentiment::Neutral),
    ("pos", Sentiment::Positive),
    ("positive", Sentiment::Positive),
    ("severely negative", Sentiment::Negative),
    ("severely positive", Sentiment::Positive),
    ("strong negative", Sentiment::Negative),
    ("strong positive", Sentiment::Positive),
    ("strongly negative", Sentiment::Negative),
    ("strongly positive", Sentiment::Positive),
    ("very positive", Sentiment::Positive),
];

/// UIT-VSFC's codes. Codes mean something only where their data set is known: other sets number the same labels differently.
pub(crate) fn vsfc_codes() -> BTreeMap<String, Sentiment> {
    ["0", "1", "2"].map(str::to_owned).into_iter().zip(Sentiment::ALL.iter().copied()).collect()
}

/// The class of a label as its source spells it: first by the source's own map, then by the known words. Case and
/// surrounding space do not matter.
pub(crate) fn collapse(raw: &str, own: &BTreeMap<String, Sentiment>) -> Option<Sentiment> {
    let label = raw.trim().trim_end_matches('.').to_lowercase();
    let of_own = own.iter().find(|(k, _)| k.trim().to_lowercase() == label).map(|(_, s)| *s);
    of_own.or_else(|| WORDS.iter().find(|(word, _)| *word == label).map(|(_, s)| *s))
}

/// All labels that a source with the given map may use, as a list for a message.
pub fn known_labels(own: &BTreeMap<String, Sentiment>) -> String {
    let own = own.keys().map(String::as_str);
    own.chain(WORDS.iter().map(|(word, _)| *word)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_labels_become_three_and_codes_need_their_data_set() {
        let none = BTreeMap::new();
        assert_eq!(collapse(" Moderately Negative ", &none), Some(Sentiment::Negative));
        assert_eq!(collapse("strong positive", &none), Some(Sentiment::Positive));
        assert_eq!(collapse("2", &none), None);
        assert_eq!(collapse("2", &vsfc_codes()), Some(Sentiment::Positive));
        assert_eq!(collapse("bullish?", &none), None);
    }
}
