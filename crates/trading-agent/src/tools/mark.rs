use artifacts::AsOf;
use artifacts::rows::Observation;

/// An observation that marks the category of a column: `dominant_sentiment=panic`. Of one column only the newest mark holds; its
/// number is no measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark<'a> {
    /// The column.
    pub column: &'a str,
    /// Its category.
    pub category: &'a str,
}

impl<'a> Mark<'a> {
    /// The mark that a name stands for; none where it is the name of a number.
    ///
    /// ```
    /// use trading_agent::tools::Mark;
    /// assert_eq!(Mark::of("mood=panic"), Some(Mark { column: "mood", category: "panic" }));
    /// assert_eq!(Mark::of("rsi_14"), None);
    /// ```
    pub fn of(name: &'a str) -> Option<Self> {
        let (column, category) = name.split_once('=')?;
        (!column.is_empty() && !category.is_empty()).then_some(Self { column, category })
    }

    /// The newest known mark of the same column.
    pub(crate) fn newest<'o>(self, observations: &AsOf<'o, Observation>) -> Option<&'o Observation> {
        observations.rows().iter().rev().find(|row| self.is_set_by(row))
    }

    /// Whether a row marks a category of this column.
    pub(crate) fn is_set_by(self, row: &Observation) -> bool {
        row.value != 0.0 && Mark::of(&row.name).is_some_and(|other| other.column == self.column)
    }
}
