use super::{Draft, Known, Tool, number};
use crate::Error;
use artifacts::rows::FactKind;
use serde::Serialize;
use std::collections::BTreeMap;

/// The latest value of each number that is not a price: on-chain figures, indices, features.
#[derive(Debug, Clone)]
pub struct GetFeatures<'a> {
    /// The numbers that matter most where not all have room.
    pub preferred: Vec<&'a str>,
}

/// Arguments of [`GetFeatures`].
#[derive(Debug, Clone, Serialize)]
pub struct GetFeaturesArguments {
    /// Which; empty: all that are known.
    pub names: Vec<String>,
    /// Older values are left out.
    pub age_seconds: i64,
}

impl Tool for GetFeatures<'_> {
    type Arguments = GetFeaturesArguments;
    const NAME: &'static str = "get_features";

    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error> {
        let mut latest = BTreeMap::new();
        for row in known.observations.within(arguments.age_seconds) {
            latest.insert(row.name.as_str(), row);
        }
        let wanted = |name: &str| arguments.names.is_empty() || arguments.names.iter().any(|n| n == name);
        let shown = latest.into_values().filter(|row| wanted(&row.name));
        Ok(shown
            .map(|row| Draft {
                kind: FactKind::Observation,
                name: row.name.clone(),
                event_at: row.event_at,
                available_at: row.available_at,
                value: Some(row.value),
                unit: String::new(),
                text: format!("{} = {}", row.name, number(row.value)),
                relevance: if self.preferred.contains(&row.name.as_str()) { 1.6 } else { 1.0 },
            })
            .collect())
    }
}
