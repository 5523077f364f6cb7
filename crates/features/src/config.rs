use crate::definition::Definition;
use crate::{Error, Fold, builtin};
use artifacts::Timestamp;
use serde::{Deserialize, Serialize};

/// Settings of [`crate::run`] and [`crate::follow()`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeaturesConfig {
    /// How long a partition is: the unit of computing again.
    pub partition: Span,
    /// Features drawn in the report.
    pub plots: Vec<String>,
    /// The features; given here, they replace the built-in ones.
    pub definitions: Vec<Definition>,
}

/// A stretch of the calendar (UTC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "calendar words")]
pub enum Span {
    Day,
    #[default]
    Month,
}

impl Span {
    /// The stretch that a moment lies in, such as `2022-01`.
    pub fn of(self, t: Timestamp) -> String {
        t.to_string().chars().take(if self == Self::Day { 10 } else { 7 }).collect()
    }
}

impl Default for FeaturesConfig {
    fn default() -> Self {
        Self {
            partition: Span::default(),
            plots: ["rsi_14", "bollinger_20_percent", "macd_histogram", "volatility_20"].map(str::to_owned).to_vec(),
            definitions: builtin::definitions(),
        }
    }
}

impl FeaturesConfig {
    /// The fold of the definitions.
    ///
    /// # Errors
    /// As [`Fold::new`].
    pub fn fold(&self) -> Result<Fold, Error> {
        Fold::new(&self.definitions)
    }

    /// The plots asked for. The default ones are drawn where there are such features.
    pub(crate) fn plots(&self, fold: &Fold) -> Result<Vec<String>, Error> {
        let known = |name: &String| fold.definitions().iter().any(|d| d.name == *name);
        if self.plots != Self::default().plots
            && let Some(name) = self.plots.iter().find(|n| !known(n))
        {
            let choices = fold.definitions().iter().map(|d| d.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::UnknownPlot { name: name.clone(), choices });
        }
        Ok(self.plots.iter().filter(|n| known(n)).cloned().collect())
    }
}
