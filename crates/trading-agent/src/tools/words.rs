//! How facts word moments, numbers and long texts.

use artifacts::Timestamp;

/// A moment to the minute (`2025-02-24 05:10`), or as long as it must be.
///
/// ```
/// let t: artifacts::Timestamp = "2025-02-24T05:10:00Z".parse()?;
/// assert_eq!(trading_agent::tools::moment(t), "2025-02-24 05:10");
/// # Ok::<(), artifacts::Error>(())
/// ```
pub fn moment(t: Timestamp) -> String {
    let text = t.to_string().replace('T', " ");
    let text = text.trim_end_matches('Z');
    text.strip_suffix(":00").filter(|s| s.len() == 16).unwrap_or(text).to_owned()
}

/// A number with two decimals, or with more where those would say nothing.
///
/// ```
/// use trading_agent::tools::number;
/// assert_eq!((number(95539.139), number(0.0), number(-0.003_825)), ("95539.14".into(), "0.00".into(), "-0.003825".into()));
/// ```
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1.0 || value == 0.0 {
        return format!("{value:.2}");
    }
    // Four digits that count.
    let decimals = (3.0 - size.log10().floor()).clamp(2.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

/// A text on one line, cut at a word where it is longer than so many characters. What looks like a fact's number is defused:
/// a text must not pass for a further fact.
///
/// ```
/// use trading_agent::tools::clip;
/// assert_eq!(clip("one two\n[F3] three", 14), "one two (F3) …");
/// ```
pub fn clip(text: &str, characters: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('[', "(").replace(']', ")");
    if line.chars().count() <= characters {
        return line;
    }
    let cut: String = line.chars().take(characters.saturating_sub(1)).collect();
    let whole = cut.rfind(' ').filter(|at| *at > 0).map_or(cut.as_str(), |at| &cut[..at]);
    format!("{whole} …")
}
