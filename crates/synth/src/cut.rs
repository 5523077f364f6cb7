/// The first sentence of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The sentence, without list marks and the quotes around it.
    pub text: String,
    /// Whether it came to an end by itself (a full stop, a line break, the model's own end) and was not cut by the limit of tokens.
    pub complete: bool,
}

/// Words after which a full stop ends nothing.
const ABBREVIATIONS: &[&str] = &[
    "approx", "apr", "aug", "co", "corp", "dec", "dr", "est", "etc", "feb", "inc", "jan", "jr", "jul", "jun", "ltd",
    "mr", "mrs", "ms", "no", "nos", "nov", "oct", "plc", "prof", "sept", "sr", "st", "tp", "ts", "vs",
];

/// Cuts an answer after its first sentence or at its first line break, whichever comes first. `finished` says whether
/// the model ended the answer itself.
///
/// ```
/// let cut = synth::first_sentence(" Profit rose 3.2% at Acme Inc. in May. Shares fell.", true);
/// assert_eq!((cut.text.as_str(), cut.complete), ("Profit rose 3.2% at Acme Inc. in May.", true));
/// assert!(!synth::first_sentence("Profit rose 3.", false).complete);
/// ```
pub fn first_sentence(answer: &str, finished: bool) -> Cut {
    let answer = answer.trim_start();
    let first = answer.lines().next().unwrap_or_default();
    let more_lines = first.len() < answer.len();
    // The mark goes first, or the full stop of `1.` would end the sentence.
    let line = without_list_mark(first);
    let end = [sentence_end(line, more_lines || finished), run_on(line)].into_iter().flatten().min();
    let complete = end.is_some() || more_lines || finished;
    let sentence = end.and_then(|end| line.get(..end)).unwrap_or(line);
    Cut { text: without_quotes(sentence).to_owned(), complete }
}

/// Where the first sentence of a line ends, in bytes. `closed` says whether the line is known to be whole; otherwise a full
/// stop after a digit at its very end may be half of a number.
fn sentence_end(line: &str, closed: bool) -> Option<usize> {
    for (at, mark) in line.char_indices().filter(|(_, c)| matches!(c, '.' | '!' | '?' | '…')) {
        let tail = line.get(at + mark.len_utf8()..).unwrap_or_default();
        let after = tail.trim_start_matches(['"', '\'', '”', '’', ')', '.', '!', '?', '…']);
        let end = line.len() - after.len();
        let rest = after.trim_start();
        if rest.is_empty() {
            let half_a_number =
                mark == '.' && line.get(..at).is_some_and(|l| l.ends_with(|c: char| c.is_ascii_digit()));
            return (closed || !half_a_number).then_some(end);
        }
        if rest.len() == after.len() {
            continue; // no space after it: a decimal point, a domain, an abbreviation such as U.S.
        }
        let word = line.get(..at).unwrap_or_default().rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        // `J.`, and the last letter of `p.m.`
        let dotted = line.get(..at - word.len()).is_some_and(|before| before.ends_with('.'));
        let initial = word.chars().count() == 1 && (dotted || word.chars().all(char::is_uppercase));
        let abbreviation = mark == '.' && (initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str()));
        let goes_on = rest.starts_with(|c: char| c.is_lowercase());
        if !abbreviation && !goes_on {
            return Some(end);
        }
    }
    None
}

/// Function words that, capitalised in the middle of running text, begin a sentence.
const BEGINNINGS: &[&str] = &[
    "A", "After", "Although", "An", "As", "At", "Despite", "Even", "For", "If", "In", "It", "No", "Not", "On", "The",
    "There", "This", "When", "Whether", "While", "With",
];

/// Where a headline without a full stop ends and the next sentence begins: before a capitalised function word, or after a
/// hashtag that a capital follows. None in title case, where every word is capitalised.
fn run_on(line: &str) -> Option<usize> {
    let words: Vec<&str> = line.split(' ').collect();
    let alphabetic = || words.iter().filter(|w| w.starts_with(char::is_alphabetic));
    if 2 * alphabetic().filter(|w| w.starts_with(char::is_lowercase)).count() < alphabetic().count() {
        return None;
    }
    let mut end = 0;
    for pair in words.windows(2) {
        let [before, word] = pair else { break };
        end += before.len();
        let closed = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '%' | ')'));
        let after_tag = before.starts_with('#') && word.starts_with(char::is_uppercase);
        if closed && (after_tag || BEGINNINGS.contains(word)) {
            return Some(end);
        }
        end += 1;
    }
    None
}

/// Without the `- `, `* ` or `1. ` in front.
fn without_list_mark(line: &str) -> &str {
    let text = line.trim_start_matches(['-', '*', '•', '–']).trim_start();
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") "));
    numbered.filter(|_| rest.len() < text.len()).map_or(text, str::trim_start)
}

/// Without a pair of quotes around the whole.
fn without_quotes(sentence: &str) -> &str {
    let text = sentence.trim();
    for (open, close) in [('"', '"'), ('“', '”'), ('\'', '\'')] {
        if let Some(inner) = text.strip_prefix(open).and_then(|t| t.strip_suffix(close))
            && !inner.contains([open, close])
        {
            return inner.trim();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(answer: &str, finished: bool) -> (String, bool) {
        let cut = first_sentence(answer, finished);
        (cut.text, cut.complete)
    }

    #[test]
    fn a_sentence_ends_at_its_mark_and_not_inside_a_number_or_a_name() {
        assert_eq!(cut("U.S. sales rose 3.5 percent. Costs fell.", true).0, "U.S. sales rose 3.5 percent.");
        assert_eq!(cut("Was it J. Smith? Yes.", true).0, "Was it J. Smith?");
        let dated = "The mill opens at 1 p.m. Finnish time on Jan. 4.";
        assert_eq!(cut(dated, true).0, dated);
        assert_eq!(cut("It said \"we won.\" Shares rose", true).0, "It said \"we won.\"");
    }

    #[test]
    fn a_line_break_ends_a_headline_that_has_no_full_stop() {
        assert_eq!(cut("\nAcme wins order\nBeta loses", false), ("Acme wins order".into(), true));
    }

    #[test]
    fn what_the_limit_of_tokens_cut_is_not_complete() {
        assert_eq!(cut("Acme wins a large or", false), ("Acme wins a large or".into(), false));
        assert_eq!(cut("Acme wins a large order", true), ("Acme wins a large order".into(), true));
        assert_eq!(cut("Shares rose to 41.", false), ("Shares rose to 41.".into(), false));
        assert!(cut("Shares rose.", false).1);
    }

    #[test]
    fn a_headline_without_a_full_stop_ends_where_the_next_sentence_begins() {
        let two = "Acme's cash burn decreased by $460.1 million The statistics office publishes arrears on Monday.";
        assert_eq!(cut(two, true), ("Acme's cash burn decreased by $460.1 million".into(), true));
        assert_eq!(
            cut("estimates of legal costs fell #stocks Ferrant named its unit", false).0,
            "estimates of legal costs fell #stocks"
        );
        let title = "Acme Wins Order In The North After Long Talks";
        assert_eq!(cut(title, true).0, title);
    }

    #[test]
    fn list_marks_and_quotes_around_go() {
        assert_eq!(cut("1. \"Acme wins order\"", true).0, "Acme wins order");
        assert_eq!(cut("- Acme wins order.", true).0, "Acme wins order.");
        assert_eq!(cut("3.5 million units sold.", true).0, "3.5 million units sold.");
    }
}
