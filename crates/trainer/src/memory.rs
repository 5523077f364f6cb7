//! How much memory a training may take, and how much there is.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The most memory that a training may take: `4GiB`, `900MiB`, a number of bytes, or `none`.
///
/// ```
/// use trainer::memory::MemoryBudget;
/// assert_eq!("1.5GiB".parse::<MemoryBudget>()?.bytes(), Some(1_610_612_736));
/// assert_eq!("none".parse::<MemoryBudget>()?.bytes(), None);
/// # Ok::<(), trainer::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemoryBudget(Option<u64>);

const UNITS: [(&str, u64); 6] =
    [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("", 1)];

impl MemoryBudget {
    /// The budget in bytes; nothing where there is none.
    pub fn bytes(self) -> Option<u64> {
        self.0
    }
}

impl FromStr for MemoryBudget {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::Setting { name: "memory", value: text.into(), allowed: "`none` or an amount such as 4GiB" };
        let trimmed = text.trim();
        if trimmed == "none" {
            return Ok(Self(None));
        }
        let (number, unit) =
            UNITS.iter().find_map(|(unit, size)| Some((trimmed.strip_suffix(unit)?, *size))).ok_or_else(bad)?;
        let number: f64 = number.trim().parse().map_err(|_| bad())?;
        let bytes = number * unit as f64;
        if bytes.is_finite() && bytes >= 1.0 { Ok(Self(Some(bytes as u64))) } else { Err(bad()) }
    }
}

impl fmt::Display for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(bytes) = self.0 else { return f.write_str("none") };
        let whole = UNITS.iter().take(3).find(|(_, size)| bytes.is_multiple_of(*size));
        let (unit, size) = whole.copied().unwrap_or(("", 1));
        write!(f, "{}{unit}", bytes / size)
    }
}

impl From<MemoryBudget> for String {
    fn from(budget: MemoryBudget) -> Self {
        budget.to_string()
    }
}

impl TryFrom<String> for MemoryBudget {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

/// What the machine could still give to new work without swapping, in bytes, where the system tells (`/proc/meminfo`).
pub fn available_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Refuses a plan that the machine has no memory for.
///
/// # Errors
/// [`Error::NoMemory`] with both figures.
pub fn refuse_beyond(available: Option<u64>, plan: &lm::MemoryPlan) -> Result<(), Error> {
    const MIB: u64 = 1 << 20;
    match available {
        Some(available) if plan.total > available => {
            Err(Error::NoMemory { needed: plan.total.div_ceil(MIB), available: available / MIB })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_written_as_it_is_read() {
        for (text, bytes) in [("4GiB", 4 << 30), ("900MiB", 900 << 20), ("3KiB", 3072), ("1000001", 1_000_001)] {
            let budget: MemoryBudget = text.parse().unwrap();
            assert_eq!((budget.bytes(), budget.to_string().as_str()), (Some(bytes), text));
        }
        assert_eq!("2 GB".parse::<MemoryBudget>().unwrap().bytes(), Some(2_000_000_000));
        for text in ["", "much", "-1GiB", "0", "4 GiBs", "NaN"] {
            assert!(text.parse::<MemoryBudget>().unwrap_err().to_string().contains("4GiB"), "{text}");
        }
    }

    #[test]
    fn a_plan_beyond_the_machine_is_refused_with_both_figures() {
        let config = lm::Config::small(64, 16, 1);
        let plan = lm::plan(&config, lm::Precision::F32, 100, None, 10, 4, lm::Savings::ALL).unwrap();
        assert!(refuse_beyond(None, &plan).is_ok() && refuse_beyond(Some(plan.total), &plan).is_ok());
        let error = refuse_beyond(Some(5 << 20), &plan).unwrap_err().to_string();
        assert!(error.contains("5 MiB") && error.contains("--memory"), "{error}");
    }
}
