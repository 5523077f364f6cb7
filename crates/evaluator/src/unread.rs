use std::collections::BTreeMap;

/// How many answers could not be read, and what they said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) rows: usize,
    pub(crate) failed: usize,
    /// The commonest of them with their number, the commonest first.
    pub(crate) commonest: Vec<(String, usize)>,
}

/// How many of the commonest are kept.
const KEPT: usize = 10;

/// Counts the answers of which nothing could be read.
pub(crate) fn unread<'a>(rows: usize, responses: impl Iterator<Item = &'a str>) -> Unread {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for response in responses {
        *counts.entry(response).or_default() += 1;
    }
    let failed = counts.values().sum();
    let mut commonest: Vec<(String, usize)> = counts.into_iter().map(|(text, n)| (text.to_owned(), n)).collect();
    commonest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    commonest.truncate(KEPT);
    Unread { rows, failed, commonest }
}

/// A response so that it can be seen, even if it is empty or runs on.
pub(crate) fn shown(response: &str) -> String {
    let line = response.replace('\n', " ↵ ");
    let short: String = line.chars().take(60).collect();
    match (short.trim().is_empty(), short.len() < line.len()) {
        (true, _) if response.is_empty() => "(nothing)".into(),
        (true, _) => format!("(white space) {short}").trim_end().to_owned(),
        (false, true) => format!("{short}…"),
        (false, false) => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_come_first_and_ten_are_kept() {
        let responses: Vec<String> =
            (0..30).map(|i| (i % 12).to_string()).chain(["x".into(), "x".into(), "x".into(), "x".into()]).collect();
        let found = unread(50, responses.iter().map(String::as_str));
        assert_eq!((found.rows, found.failed, found.commonest.len()), (50, 34, 10));
        assert_eq!(found.commonest[0], ("x".into(), 4));
        assert_eq!(found.commonest[1], ("0".into(), 3));
        assert_eq!((shown(""), shown("a\nb"), shown("\n")), ("(nothing)".into(), "a ↵ b".into(), " ↵ ".into()));
    }
}
