/// Whether a word without marks has the form of one Vietnamese syllable: onset, one to three vowels, coda.
pub(crate) fn has_form(word: &str) -> bool {
    let bytes = word.as_bytes();
    let is_vowel = |b: &u8| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let onset = bytes.iter().position(is_vowel).unwrap_or(bytes.len());
    // Onset and coda have three letters at most.
    let Some((onset, rhyme)) = bytes.split_at_checked(onset).filter(|(onset, _)| onset.len() <= 3) else {
        return false;
    };
    let vowels = rhyme.iter().take_while(|b| is_vowel(b)).count();
    let coda = rhyme.get(vowels..).unwrap_or_default();
    if !matches!(coda, b"" | b"c" | b"ch" | b"m" | b"n" | b"ng" | b"nh" | b"p" | b"t") {
        return false;
    }
    let whole = matches!(
        onset,
        b"" | b"b" | b"c" | b"d" | b"g" | b"h" | b"k" | b"l" | b"m" | b"n" | b"p" | b"r" | b"s" | b"t" | b"v" | b"x"
    ) || matches!(onset, b"ch" | b"gh" | b"kh" | b"ng" | b"nh" | b"ph" | b"th" | b"tr" | b"ngh");
    // In `gi` and `qu` the vowel may belong to the onset.
    let with_vowel = matches!((onset, rhyme.first()), (b"g", Some(b'i')) | (b"q", Some(b'u')));
    (whole && (1..=3).contains(&vowels)) || (with_vowel && (2..=4).contains(&vowels))
}

#[cfg(test)]
mod tests {
    use super::has_form;

    /// The definition, word for word.
    fn by_definition(word: &str) -> bool {
        const ONSETS: &[&str] = &[
            "ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr", "b", "c", "d", "g", "h", "k", "l", "m",
            "n", "p", "r", "s", "t", "v", "x", "",
        ];
        const CODAS: &[&str] = &["", "c", "ch", "m", "n", "ng", "nh", "p", "t"];
        ONSETS.iter().filter_map(|onset| word.strip_prefix(onset)).any(|rhyme| {
            let vowels = rhyme.chars().take_while(|c| "aeiouy".contains(*c)).count();
            (1..=3).contains(&vowels) && rhyme.get(vowels..).is_some_and(|coda| CODAS.contains(&coda))
        })
    }

    #[test]
    fn it_is_the_definition_on_every_word_of_five_of_its_letters() {
        let letters = ["", "a", "i", "u", "c", "g", "h", "n", "q", "t", "w", "ð"];
        for word in 0..letters.len().pow(5) {
            let places = (0..5).map(|place| word / letters.len().pow(place) % letters.len());
            let word: String = places.map(|letter| letters[letter]).collect();
            assert_eq!(has_form(&word), by_definition(&word), "{word}");
        }
        for word in ["nghieng", "giuay", "quyen", "quyeen", "giaeiou", "xoong", "strength", "aeio", "market", "usd"] {
            assert_eq!(has_form(word), by_definition(word), "{word}");
        }
    }
}
