/// Whether a repository path matches a pattern. A pattern without `*` and `?` is an ending (`.parquet`,
/// `train/0000.parquet`); in others `*` and `?` stay within one folder and `**` crosses folders.
///
/// ```
/// assert!(hub::matches(".parquet", "data/train-00000.parquet"));
/// assert!(hub::matches("default/*/*.parquet", "default/train/0000.parquet"));
/// assert!(!hub::matches("*.parquet", "default/train/0000.parquet"));
/// ```
pub fn matches(pattern: &str, path: &str) -> bool {
    if pattern.contains(['*', '?']) { glob(pattern.as_bytes(), path.as_bytes()) } else { path.ends_with(pattern) }
}

fn glob(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', b'/', rest @ ..] => {
            glob(rest, path)
                || (0..path.len())
                    .any(|i| path.get(i) == Some(&b'/') && path.get(i + 1..).is_some_and(|p| glob(rest, p)))
        }
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|i| path.get(i..).is_some_and(|p| glob(rest, p))),
        [b'*', rest @ ..] => {
            let within = path.iter().position(|&b| b == b'/').unwrap_or(path.len());
            (0..=within).any(|i| path.get(i..).is_some_and(|p| glob(rest, p)))
        }
        [b'?', rest @ ..] => matches!(path, [b, tail @ ..] if *b != b'/' && glob(rest, tail)),
        [c, rest @ ..] => matches!(path, [b, tail @ ..] if b == c && glob(rest, tail)),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn two_stars_cross_folders_and_one_does_not() {
        assert!(matches("**/*.parquet", "a/b/c.parquet") && matches("**/*.parquet", "c.parquet"));
        assert!(matches("a/**", "a/b/c") && !matches("a/*", "a/b/c"));
        assert!(matches("000?.parquet", "0001.parquet") && !matches("000?.parquet", "000/.parquet"));
    }
}
