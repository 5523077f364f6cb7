use crate::collapse_whitespace;

/// Undoes the spacing of tokenised corpora (PhraseBank, UIT-VSFC): `rose 5 % , to EUR 3.1 mn .` → `rose 5%, to EUR 3.1 mn.`
///
/// Closing punctuation joins the word before it, opening brackets the word after it, straight double quotes by turns;
/// `'s` and `n't` join their word, ``` `` ``` and `''` become `"`. Emoticons (`:)`) and names such as `.net` stay words. Applying it
/// twice changes nothing more.
///
/// ```
/// assert_eq!(text::detokenise("the company 's profit ( net ) rose 5 % ."), "the company's profit (net) rose 5%.");
/// ```
pub fn detokenise(text: &str) -> String {
    let spaced = collapse_whitespace(text).replace("``", "\"").replace("''", "\"");
    let mut out = String::with_capacity(spaced.len());
    let mut quote_open = false;
    let mut glue = true;
    for word in spaced.split(' ').filter(|w| !w.is_empty()) {
        let is_quote = word == "\"";
        let closes = (is_quote && quote_open) || (!is_quote && joins_previous(word));
        if !(glue || closes) {
            out.push(' ');
        }
        out.push_str(word);
        if word.matches('"').count() % 2 == 1 {
            quote_open = !quote_open;
        }
        glue = matches!(word, "(" | "[" | "{" | "$" | "£" | "€" | "#" | "“" | "‘") || (is_quote && quote_open);
    }
    out
}

fn joins_previous(word: &str) -> bool {
    let mut chars = word.chars();
    let (Some(first), second) = (chars.next(), chars.next()) else { return false };
    match first {
        ',' | ';' | '!' | '?' | ')' | ']' | '}' | '%' | '”' | '…' => true,
        '.' => second.is_none_or(|c| !c.is_alphanumeric()),
        ':' => second.is_none(),
        '\'' | '’' => matches!(word.get(first.len_utf8()..), Some("s" | "S" | "re" | "ve" | "ll" | "d" | "m" | "t")),
        'n' => word == "n't" || word == "n’t",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_joins_its_word() {
        assert_eq!(
            detokenise("Profit , after tax , was EUR 3.1 mn ( 5 % ) ; good !"),
            "Profit, after tax, was EUR 3.1 mn (5%); good!"
        );
        assert_eq!(detokenise("it does n't , `` he '' said : yes"), "it doesn't, \"he\" said: yes");
        assert_eq!(
            detokenise("tình trạng \" xào \" lại các đồ án cũ, nên"),
            "tình trạng \"xào\" lại các đồ án cũ, nên"
        );
    }

    #[test]
    fn emoticons_and_names_stay_words() {
        assert_eq!(detokenise("hay :) , thích .net , rồi :'( ."), "hay :), thích .net, rồi :'(.");
    }
}
