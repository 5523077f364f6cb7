/// The text of a piece of HTML: without tags, comments, scripts and styles; entities as characters; one line.
pub(super) fn text_of(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let lower: String = tag.chars().take(10).collect::<String>().to_ascii_lowercase();
        let after = if let Some(comment) = tag.strip_prefix("<!--") {
            comment.split_once("-->").map_or("", |(_, rest)| rest)
        } else if lower.starts_with("<script") || lower.starts_with("<style") {
            let end = if lower.starts_with("<script") { "</script" } else { "</style" };
            let at = tag.to_ascii_lowercase().find(end);
            at.and_then(|at| tag.get(at..)).and_then(|t| t.split_once('>')).map_or("", |(_, rest)| rest)
        } else if lower.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?') {
            tag.split_once('>').map_or("", |(_, rest)| rest)
        } else {
            // `a < b` is no tag.
            out.push('<');
            rest = tag.get(1..).unwrap_or_default();
            continue;
        };
        // A tag between two words is a space between them; before a comma it is none.
        if !inline(&lower) {
            out.push(' ');
        }
        rest = after;
    }
    out.push_str(rest);
    super::clean(&out)
}

fn inline(tag: &str) -> bool {
    let name: String = tag.chars().skip(1).skip_while(|c| *c == '/').take_while(char::is_ascii_alphanumeric).collect();
    matches!(
        name.as_str(),
        "a" | "abbr" | "b" | "em" | "i" | "mark" | "small" | "span" | "strong" | "sub" | "sup" | "u"
    )
}

#[cfg(test)]
mod tests {
    use super::text_of;

    #[test]
    fn only_what_a_reader_sees_is_left() {
        let cases = [
            ("<p>Gold <b>up</b>, silver down.</p><p>More&nbsp;&amp; more</p>", "Gold up, silver down. More & more"),
            ("1 < 2 <br/>and 3 > 2", "1 < 2 and 3 > 2"),
            ("a<script type='x'>if (1 < 2) { }</script>b<style>p { }</style>c", "a b c"),
            ("<!-- <b>no</b> -->yes<img src=x onerror=\"y\">", "yes"),
            ("cut off <a href=", "cut off"),
            ("<SCRIPT>never closed", ""),
        ];
        for (html, text) in cases {
            assert_eq!(text_of(html), text, "{html}");
        }
    }
}
