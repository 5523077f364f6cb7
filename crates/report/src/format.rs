//! Numbers as people read them. What is not defined is `–`, never `NaN`.

/// Shown for a value that is not defined.
pub const UNDEFINED: &str = "–";

/// A number with `digits` decimals, in groups of three before them.
///
/// ```
/// assert_eq!(report::format::number(Some(0.12345), 3), "0.123");
/// assert_eq!(report::format::number(Some(-1_234_567.891), 2), "-1,234,567.89");
/// assert_eq!(report::format::number(None, 3), "–");
/// ```
pub fn number(value: Option<f64>, digits: usize) -> String {
    match value {
        Some(v) if v.is_finite() && v.abs() >= 1e9 => format!("{v:.2e}"),
        Some(v) if v.is_finite() => grouped(&positive_zero(format!("{v:.digits$}"))),
        _ => UNDEFINED.to_owned(),
    }
}

/// A share in percent with `digits` decimals.
///
/// ```
/// assert_eq!(report::format::percent(Some(0.1234), 1), "12.3 %");
/// assert_eq!(report::format::percent(Some(-0.00001), 1), "0.0 %");
/// ```
pub fn percent(value: Option<f64>, digits: usize) -> String {
    match value {
        Some(v) if v.is_finite() => format!("{} %", number(Some(v * 100.0), digits)),
        _ => UNDEFINED.to_owned(),
    }
}

/// A share in percent with its sign, for changes.
///
/// ```
/// assert_eq!(report::format::signed_percent(Some(0.05), 1), "+5.0 %");
/// ```
pub fn signed_percent(value: Option<f64>, digits: usize) -> String {
    let text = percent(value, digits);
    let changes = text.chars().any(|c| ('1'..='9').contains(&c));
    if changes && value.is_some_and(|v| v > 0.0) { format!("+{text}") } else { text }
}

/// A count in groups of three.
///
/// ```
/// assert_eq!(report::format::count(1_234_567), "1,234,567");
/// ```
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// The digits before the point in groups of three.
pub(crate) fn grouped(text: &str) -> String {
    let (sign, rest) = text.split_at(usize::from(text.starts_with('-')));
    let (whole, decimals) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let mut out = String::with_capacity(text.len() + whole.len() / 3);
    out.push_str(sign);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out + decimals
}

/// `-0.00` is `0.00`.
fn positive_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}
