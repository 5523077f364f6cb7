use super::Market;

/// Words of opposite mood, one pair a line; no word stands twice, so that flipping twice gives the text again.
const PAIRS: [(&str, &str); 44] = [
    ("up", "down"),
    ("rise", "fall"),
    ("rises", "falls"),
    ("rose", "fell"),
    ("rising", "falling"),
    ("risen", "fallen"),
    ("gain", "loss"),
    ("gains", "losses"),
    ("gained", "lost"),
    ("surge", "plunge"),
    ("surges", "plunges"),
    ("surged", "plunged"),
    ("surging", "plunging"),
    ("rally", "sell-off"),
    ("rallied", "slumped"),
    ("soars", "tumbles"),
    ("soared", "tumbled"),
    ("jumps", "drops"),
    ("jumped", "dropped"),
    ("jump", "drop"),
    ("high", "low"),
    ("higher", "lower"),
    ("highest", "lowest"),
    ("bull", "bear"),
    ("bullish", "bearish"),
    ("positive", "negative"),
    ("good", "bad"),
    ("better", "worse"),
    ("best", "worst"),
    ("strong", "weak"),
    ("stronger", "weaker"),
    ("strength", "weakness"),
    ("beats", "misses"),
    ("beat", "missed"),
    ("upgrade", "downgrade"),
    ("upgraded", "downgraded"),
    ("increase", "decrease"),
    ("increased", "decreased"),
    ("increases", "decreases"),
    ("growth", "decline"),
    ("profit", "deficit"),
    ("optimism", "pessimism"),
    ("greed", "fear"),
    ("euphoria", "panic"),
];

fn opposite(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let found = |(a, b): &(&'static str, &'static str)| match () {
        () if *a == lower => Some(*b),
        () if *b == lower => Some(*a),
        () => None,
    };
    PAIRS.iter().find_map(found)
}

/// In the case of the word it stands for.
fn cased(word: &str, like: &str) -> String {
    let letters = || like.chars().filter(|c| c.is_alphabetic());
    if letters().count() > 1 && letters().all(char::is_uppercase) {
        return word.to_uppercase();
    }
    let mut rest = word.chars();
    match (like.chars().next().is_some_and(char::is_uppercase), rest.next()) {
        (true, Some(first)) => first.to_uppercase().chain(rest).collect(),
        _ => word.to_owned(),
    }
}

/// The text with every word of mood replaced by its opposite; everything else stays. Twice applied gives the text again
/// (but for odd capitals such as `uP`).
///
/// ```
/// assert_eq!(pipelines::twins::flip("Shares RALLY; a strong gain."), "Shares SELL-OFF; a weak loss.");
/// ```
pub fn flip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let of_word = |c: char| c.is_alphabetic() || c == '-';
        let end = rest.find(|c: char| !of_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(&opposite(word).map_or_else(|| word.to_owned(), |o| cased(o, word)));
        let end = after.find(of_word).unwrap_or(after.len());
        let (between, after) = after.split_at(end);
        out.push_str(between);
        rest = after;
    }
    out
}

/// Every text flipped; prices and numbers stay.
pub fn flipped_news(market: &Market) -> Market {
    let mut twin = market.clone();
    for news in &mut twin.news {
        news.text = flip(&news.text);
    }
    twin
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_word_stands_twice_so_flipping_twice_changes_nothing() {
        let words: BTreeSet<&str> = PAIRS.iter().flat_map(|(a, b)| [*a, *b]).collect();
        assert_eq!(words.len(), 2 * PAIRS.len());
        for text in
            ["Stocks Rise, then FALL: up 3 % (best day)", "", "bearish – cổ phiếu tăng", "sell-off, well-up, UP"]
        {
            assert_eq!(flip(&flip(text)), text);
        }
    }

    #[test]
    fn only_whole_words_are_flipped_and_keep_their_case() {
        assert_eq!(flip("Supply was UP; update: Gains!"), "Supply was DOWN; update: Losses!");
        assert_eq!(flip("nothing here"), "nothing here");
    }
}
