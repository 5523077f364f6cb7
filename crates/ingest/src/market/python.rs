/// The items of a list as Python prints it, such as `['a', "b's", nan, 3]`; `nan` and `None` are left out. Nothing where the text is no
/// such list.
pub(super) fn list(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut items = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let after = if let Some(quote) = quote {
            let (item, after) = quoted(rest.get(1..)?, quote)?;
            items.push(item);
            after
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            let word = word.trim();
            if word.contains(['[', ']', '{', '\'', '"']) {
                return None;
            }
            if !is_missing(word) {
                items.push(word.to_owned());
            }
            after
        };
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(items)
}

fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut item = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next()?.1 {
                'n' | 't' | 'r' => item.push(' '),
                other => item.push(other),
            },
            c if c == quote => return Some((item, text.get(at + c.len_utf8()..)?)),
            c => item.push(c),
        }
    }
    None
}

/// A cell that holds a word for nothing.
pub(super) fn is_missing(text: &str) -> bool {
    ["", "nan", "none", "null", "n/a", "na"].contains(&text.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_python_prints_them_are_read_and_others_left_alone() {
        let read = |text: &str| list(text).map(|items| items.join("|"));
        assert_eq!(read("['a', \"b's, and c\", nan, None, 3]").as_deref(), Some("a|b's, and c|3"));
        assert_eq!(read(r"['it\'s', 'a\nb', 'é']").as_deref(), Some("it's|a b|é"));
        assert_eq!(read("[]").as_deref(), Some(""));
        assert_eq!(read("['a',]").as_deref(), Some("a"));
        for other in ["Gold [up]", "['a' 'b']", "['open", "[['a']]", "plain", "['a'] and more"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert!(is_missing(" None ") && is_missing("NaN") && !is_missing("none of it"));
    }
}
