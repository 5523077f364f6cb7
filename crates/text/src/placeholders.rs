//! UIT-VSFC writes emoticons and punctuation as words; this puts the characters back.

/// Words that stand for characters, wherever they occur, longest first where one begins another. The convention is
/// that of the UIT-VSFC authors' note; the forms with Vietnamese words in them (`vui vẻsmile`) are what a careless
/// replacement of the shorter placeholder (`colonsmile`) left of the longer one (`colonsmilesmile`) in copies that
/// circulate.
const ANYWHERE: [(&str, &str); 31] = [
    ("colondoublesurprise", ":@"),
    (":doublesurprise", ":@"),
    ("colonsmilesmile", ":D"),
    ("colonsmallsmile", ":P"),
    ("yêu thíchlove", ":\">"),
    (":smallsmile", ":P"),
    ("colonlovelove", ":\">"),
    ("colonsadcolon", ":'("),
    ("colonbigsmile", ":v"),
    ("colonsurprise", "@@"),
    ("coloncontemn", ":3"),
    ("vui vẻsmile", ":D"),
    ("coloncolon", ">>"),
    ("colonsmile", ":)"),
    ("colonlove", "<3"),
    (":bigsmile", ":v"),
    ("colonhihi", "^^"),
    ("buồncolon", ":'("),
    ("cplusplus", "c++"),
    ("dotdotdot", "..."),
    ("doubledot", ":"),
    (":contemn", ":3"),
    ("colonsad", ":("),
    ("coloncc", ":_"),
    ("csharp", "c#"),
    ("cshrap", "c#"),
    ("dotcom", ".com"),
    ("dotedu", ".edu"),
    ("dotvn", ".vn"),
    ("vdotv", "v.v"),
    ("dotorg", ".org"),
];

/// Words that stand for characters only when they stand alone (`fraction` is also an English word, but never in this
/// corpus).
const WHOLE: [(&str, &str); 3] = [("dotnet", ".net"), ("fraction", "/"), ("dot", "...")];

/// Puts back the characters that UIT-VSFC spells as words: `colonsmile` → `:)`, `dotdotdot` → `...`, `thầy fraction cô`
/// → `thầy/cô`, `9dot5` → `9.5`. Names made anonymous (`wzjwz` and a number) become `x`, as elsewhere in the corpus.
///
/// ```
/// assert_eq!(text::restore_placeholders("thầy dễ thương colonsmilesmile"), "thầy dễ thương :D");
/// ```
pub fn restore_placeholders(text: &str) -> String {
    let mut out = text.to_owned();
    for (word, characters) in ANYWHERE {
        if out.contains(word) {
            out = out.replace(word, characters);
        }
    }
    let words: Vec<String> = out.split(' ').map(restore_word).collect();
    words.join(" ").replace(" / ", "/")
}

fn restore_word(word: &str) -> String {
    if let Some((_, characters)) = WHOLE.iter().find(|(w, _)| *w == word) {
        return (*characters).to_owned();
    }
    if let Some(number) = word.strip_prefix("wzjwz")
        && number.chars().all(|c| c.is_ascii_digit())
    {
        return "x".to_owned();
    }
    dots_after_digits(word)
}

/// `9dot5`, `it003dote21`, `cmtdotuit.edu.vn`: a dot inside a word, after a digit or before a host name's next part.
fn dots_after_digits(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find("dot") {
        let (before, after) = (&rest[..at], &rest[at + 3..]);
        out.push_str(before);
        let host = after.contains(".edu") || after.contains(".com") || after.contains(".vn");
        let inside = out.ends_with(|c: char| c.is_ascii_digit()) || (host && !out.is_empty());
        out.push_str(if inside { "." } else { "dot" });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_placeholder_wins() {
        assert_eq!(restore_placeholders("hay colonsmilesmile colonsmile colonsadcolon colonsad"), "hay :D :) :'( :(");
        assert!(
            ANYWHERE
                .iter()
                .enumerate()
                .all(|(i, (word, _))| ANYWHERE[..i].iter().all(|(earlier, _)| !word.contains(earlier)))
        );
    }

    #[test]
    fn what_the_copies_left_of_placeholders_is_restored_too() {
        assert_eq!(restore_placeholders("cô vui tính vui vẻsmile ."), "cô vui tính :D .");
        assert_eq!(restore_placeholders("trong đó có cả em buồncolon ."), "trong đó có cả em :'( .");
        assert_eq!(restore_placeholders("đề khó :bigsmile ."), "đề khó :v .");
    }

    #[test]
    fn fractions_hosts_and_numbers_get_their_signs_back() {
        assert_eq!(restore_placeholders("30 fraction 4 , thầy fraction cô"), "30/4 , thầy/cô");
        assert_eq!(restore_placeholders("coursedotuitdotedudotvn"), "course.uit.edu.vn");
        assert_eq!(restore_placeholders("9dot5 điểm it003dote21 3dot0 ghz"), "9.5 điểm it003.e21 3.0 ghz");
        assert_eq!(restore_placeholders("rất hay dot tâm huyết , vdotv ."), "rất hay ... tâm huyết , v.v .");
        assert_eq!(restore_placeholders("thầy wzjwz108 dạy c fraction cplusplus , csharp"), "thầy x dạy c/c++ , c#");
    }

    #[test]
    fn ordinary_words_are_left_alone() {
        assert_eq!(
            restore_placeholders("an anecdote about a colony , antidote"),
            "an anecdote about a colony , antidote"
        );
    }
}
