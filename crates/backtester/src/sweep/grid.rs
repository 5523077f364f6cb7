use crate::{Error, Parameters, Rule};
use serde::{Deserialize, Serialize};

/// Numbers to try: `5..50:5` (from, to and step, both ends included), `5,10,20`, or one.
///
/// ```
/// let range: backtester::Range = "10..30:10".parse()?;
/// assert_eq!(range.values(), [10.0, 20.0, 30.0]);
/// # Ok::<(), backtester::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub struct Range {
    text: String,
    values: Vec<f64>,
}

/// A grid beyond this is a mistake.
const MOST: usize = 100_000;

impl Range {
    /// Whole numbers from `from` to `to`, both included.
    pub fn steps(from: u32, to: u32, step: u32) -> Self {
        let values = (from..=to).step_by(step.max(1) as usize).map(f64::from).collect();
        Self { text: format!("{from}..{to}:{step}"), values }
    }

    /// The numbers, in order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

impl std::str::FromStr for Range {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadRange { text: text.to_owned() };
        let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(bad);
        let values = match text.split_once("..") {
            None => text.split(',').map(number).collect::<Result<Vec<_>, _>>()?,
            Some((from, rest)) => {
                let (to, step) = rest.split_once(':').unwrap_or((rest, "1"));
                let (from, to, step) = (number(from)?, number(to)?, number(step)?);
                if step <= 0.0 || to < from || (to - from) / step >= MOST as f64 {
                    return Err(bad());
                }
                // 1e-9: a step such as 0.1 is not exact
                let steps = ((to - from) / step + 1e-9).floor() as usize;
                let rounded = |v: f64| (v * 1e9).round() / 1e9;
                (0..=steps).map(|i| rounded(from + i as f64 * step)).collect()
            }
        };
        Ok(Self { text: text.trim().to_owned(), values })
    }
}

/// A range in a settings file: a text, or one number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(f64),
}

impl TryFrom<Written> for Range {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        match written {
            Written::Text(text) => text.parse(),
            Written::Number(number) => number.to_string().parse(),
        }
    }
}

impl From<Range> for String {
    fn from(range: Range) -> Self {
        range.text
    }
}

/// Every choice of both parameters that the rule knows; those it does not (a fast mean slower than the slow one) are left
/// out.
///
/// # Errors
/// None is left, or there are more than 100,000.
pub fn grid(rule: Rule, first: &Range, second: &Range) -> Result<Vec<Parameters>, Error> {
    let choices = first.values.iter().flat_map(|f| second.values.iter().map(|s| (*f, *s)));
    let all: Vec<Parameters> = choices.map(|(first, second)| Parameters { rule, first, second }).collect();
    let why = match all.first().map(Parameters::check) {
        Some(Err(e)) => e.to_string(),
        _ => format!("{} choices, at most {MOST}", all.len()),
    };
    let kept: Vec<Parameters> = all.into_iter().filter(|p| p.check().is_ok()).collect();
    let [first, second] = rule.parameters();
    if kept.is_empty() || kept.len() > MOST {
        return Err(Error::EmptyGrid { rule: rule.name(), first, second, why });
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_named() {
        let of = |text: &str| text.parse::<Range>().map(|r| r.values);
        assert_eq!(of("5,7.5").unwrap(), [5.0, 7.5]);
        assert_eq!(of("0.1..0.4:0.1").unwrap(), [0.1, 0.2, 0.3, 0.4]);
        assert_eq!(of("3..5").unwrap(), [3.0, 4.0, 5.0]);
        for text in ["", "5..", "9..3", "1..5:0", "a", "1..1e9", "nan"] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn choices_that_a_rule_does_not_know_are_left_out_and_none_left_is_an_error() {
        let range = |t: &str| t.parse::<Range>().unwrap();
        let found = grid(Rule::SmaCross, &range("5,20"), &range("10,20")).unwrap();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["fast=5 slow=10", "fast=5 slow=20"]);
        let error = grid(Rule::SmaCross, &range("30"), &range("10")).unwrap_err().to_string();
        assert!(error.contains("slow is 10") && error.contains("above `fast`"), "{error}");
    }
}
