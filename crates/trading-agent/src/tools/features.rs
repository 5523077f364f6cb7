use super::{Draft, Known, Mark, Tool, moment, number};
use crate::Error;
use artifacts::rows::{FactKind, Observation};
use serde::Serialize;
use std::collections::BTreeMap;

/// The latest value of each number that is not a price (on-chain figures, indices, features), and the latest category of each
/// column that has categories.
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
        let window = known.observations.within(arguments.age_seconds);
        // By name; a category by its column, so that it takes the place of the one before.
        let mut latest: BTreeMap<&str, &Observation> = BTreeMap::new();
        for row in window {
            match Mark::of(&row.name) {
                Some(mark) if row.value != 0.0 => drop(latest.insert(mark.column, row)),
                Some(_) => {}
                None => drop(latest.insert(&row.name, row)),
            }
        }
        let listed = |name: &str| arguments.names.iter().any(|n| n == name);
        let whole = window.len() == known.observations.len();
        let shown =
            latest.into_iter().filter(|(name, row)| arguments.names.is_empty() || listed(name) || listed(&row.name));
        Ok(shown
            .map(|(_, row)| {
                let mark = Mark::of(&row.name);
                Draft {
                    kind: FactKind::Observation,
                    name: row.name.clone(),
                    event_at: row.event_at,
                    available_at: row.available_at,
                    value: if mark.is_some() { None } else { Some(row.value) },
                    unit: String::new(),
                    text: mark.map_or_else(|| worded(row), |mark| marked(mark, row, window, whole)),
                    relevance: if self.preferred.contains(&row.name.as_str()) { 1.6 } else { 1.0 },
                }
            })
            .collect())
    }
}

/// A number in words.
fn worded(row: &Observation) -> String {
    let (name, value) = (&row.name, number(row.value));
    // Otherwise it could pass for a signal of these agents, or for one that is measured.
    let what = if name == "signal" { " (the data source's own trading signal, -1 to 1)" } else { "" };
    format!("{name} = {value}{what}")
}

/// A category in words, with the moment since which it has held. `whole`: the window shows all that is known.
fn marked(mark: Mark<'_>, newest: &Observation, window: &[Observation], whole: bool) -> String {
    let mut marks = window.iter().rev().filter(|row| mark.is_set_by(row)).peekable();
    let mut first = newest;
    while let Some(row) = marks.next_if(|row| row.name == newest.name) {
        first = row;
    }
    let earlier = if whole || marks.peek().is_some() { "" } else { " or earlier" };
    format!("{} is {} (since {}{earlier})", mark.column, mark.category, moment(first.event_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Market;
    use artifacts::rows::Bar;
    use artifacts::{Timeline, Timestamp};

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_seconds(hour * 3600)
    }

    fn row(hour: i64, name: &str, value: f64) -> Observation {
        let event_at = at(hour);
        Observation { symbol: "X".into(), name: name.into(), event_at, available_at: event_at.plus_seconds(600), value }
    }

    fn texts(hour: i64, age_hours: i64, names: &[&str]) -> Vec<(String, Option<f64>)> {
        let rows = vec![
            row(0, "mood=panic", 1.0),
            row(1, "mood=fear", 1.0),
            row(1, "signal", -1.0),
            row(2, "mood=panic", 1.0),
            row(2, "mood=fear", 0.0),
            row(3, "mood=panic", 1.0),
            row(3, "rsi_14", 61.0),
        ];
        let market = Market {
            bars: Timeline::<Bar>::new(Vec::new()).unwrap(),
            news: Timeline::new(Vec::new()).unwrap(),
            observations: Timeline::new(rows).unwrap(),
        };
        let names = names.iter().map(|n| (*n).to_owned()).collect();
        let arguments = GetFeaturesArguments { names, age_seconds: age_hours * 3600 };
        let found = GetFeatures { preferred: Vec::new() }.call(&arguments, &market.as_of(at(hour))).unwrap();
        found.into_iter().map(|draft| (draft.text, draft.value)).collect()
    }

    #[test]
    fn of_a_column_only_the_newest_category_is_shown_and_it_is_no_number() {
        let mood = |hour, age| texts(hour, age, &["mood"]);
        assert_eq!(mood(1, 24), [("mood is panic (since 1970-01-01 00:00)".into(), None)], "fear is known at 01:10");
        assert_eq!(mood(2, 24), [("mood is fear (since 1970-01-01 01:00)".into(), None)]);
        assert_eq!(mood(4, 24), [("mood is panic (since 1970-01-01 02:00)".into(), None)]);
        assert_eq!(mood(4, 2), [("mood is panic (since 1970-01-01 02:00 or earlier)".into(), None)]);
    }

    #[test]
    fn a_signal_of_the_source_says_whose_it_is() {
        let all = texts(4, 24, &[]);
        let signal = "signal = -1.00 (the data source's own trading signal, -1 to 1)";
        assert!(all.contains(&(signal.into(), Some(-1.0))), "{all:?}");
        assert!(all.contains(&("rsi_14 = 61.00".into(), Some(61.0))), "{all:?}");
        assert_eq!(all.len(), 3);
    }
}
