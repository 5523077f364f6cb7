//! The only place where text becomes markup.

/// Text for HTML and SVG, in content or in a double-quoted attribute. Characters that XML forbids become U+FFFD, so
/// that a drawing stays well-formed whatever a data set holds.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Text for a line of Markdown of its own: as [`markdown_cell`], and it begins no list, heading or rule.
pub(crate) fn markdown(text: &str) -> String {
    let line = markdown_cell(text);
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    // a number, a point or bracket, and a space or nothing: a numbered list
    let numbered = rest.len() < line.len()
        && rest.starts_with(['.', ')'])
        && matches!(rest.get(1..).map(|r| r.chars().next()), Some(None | Some(' ')));
    if numbered {
        let number = line.strip_suffix(rest).unwrap_or_default();
        format!("{number}\\{rest}")
    } else if line.starts_with(['+', '-', '=', ':']) {
        format!("\\{line}")
    } else {
        line
    }
}

/// Text within a line of Markdown: line breaks become spaces, and nothing in it is markup, HTML, mathematics or the end
/// of a table cell.
pub(crate) fn markdown_cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '$') {
            out.push('\\');
        }
        out.push(if c.is_control() { '\u{fffd}' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_begin_a_list_or_end_a_cell() {
        assert_eq!(markdown("- a | b"), "\\- a \\| b");
        assert_eq!(markdown("12. a\n\n# b"), "12\\. a \\# b");
        assert_eq!(markdown("1.5 % of <b>"), "1.5 % of \\<b\\>");
        assert_eq!(markdown("7)"), "7\\)");
        assert_eq!(markdown("7é"), "7é");
    }

    #[test]
    fn characters_that_xml_forbids_are_replaced() {
        assert_eq!(xml("a\u{0}\u{1b}\"<'"), "a\u{fffd}\u{fffd}&quot;&lt;&#39;");
    }
}
