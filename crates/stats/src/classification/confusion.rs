use crate::Error;

/// Counts of truth against answer: `K` true classes by `K` answered classes, and beside them the answers that could
/// not be read at all.
///
/// ```
/// use stats::classification::Confusion;
/// let mut c = Confusion::new(["negative", "neutral", "positive"]);
/// c.add(0, Some(0))?;
/// c.add(2, None)?; // the model rambled
/// assert_eq!((c.count(0, 0), c.unparseable(2), c.support(2), c.total()), (1, 1, 1, 2));
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Confusion {
    labels: Vec<String>,
    cells: Vec<Vec<u64>>,
    unparseable: Vec<u64>,
}

impl Confusion {
    /// An empty table for the classes with these names.
    pub fn new<L: Into<String>>(labels: impl IntoIterator<Item = L>) -> Self {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        let k = labels.len();
        Self { labels, cells: vec![vec![0; k]; k], unparseable: vec![0; k] }
    }

    /// A table of (truth, answer) pairs.
    ///
    /// # Errors
    /// [`Error::UnknownClass`]: a class beyond the labels.
    pub fn of_pairs<L: Into<String>>(
        labels: impl IntoIterator<Item = L>,
        pairs: impl IntoIterator<Item = (usize, Option<usize>)>,
    ) -> Result<Self, Error> {
        let mut confusion = Self::new(labels);
        for (truth, answer) in pairs {
            confusion.add(truth, answer)?;
        }
        Ok(confusion)
    }

    /// Counts one answer; none means that it could not be read.
    ///
    /// # Errors
    /// [`Error::UnknownClass`]: a class beyond the labels.
    pub fn add(&mut self, truth: usize, answer: Option<usize>) -> Result<(), Error> {
        let classes = self.classes();
        let unknown = |class| Error::UnknownClass { class, classes };
        let cell = match answer {
            None => self.unparseable.get_mut(truth).ok_or_else(|| unknown(truth))?,
            Some(a) => self.cells.get_mut(truth).ok_or_else(|| unknown(truth))?.get_mut(a).ok_or_else(|| unknown(a))?,
        };
        *cell += 1;
        Ok(())
    }

    /// Names of the classes.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.labels.len()
    }

    /// Rows of class `truth` answered with class `answer`.
    pub fn count(&self, truth: usize, answer: usize) -> u64 {
        self.cells.get(truth).and_then(|row| row.get(answer)).copied().unwrap_or(0)
    }

    /// Rows of class `truth` whose answer could not be read.
    pub fn unparseable(&self, truth: usize) -> u64 {
        self.unparseable.get(truth).copied().unwrap_or(0)
    }

    /// All rows whose answer could not be read.
    pub fn unparseable_total(&self) -> u64 {
        self.unparseable.iter().sum()
    }

    /// Rows of class `truth`, read or not.
    pub fn support(&self, truth: usize) -> u64 {
        (0..self.classes()).map(|a| self.count(truth, a)).sum::<u64>() + self.unparseable(truth)
    }

    /// Rows answered with class `answer`.
    pub fn answered(&self, answer: usize) -> u64 {
        (0..self.classes()).map(|t| self.count(t, answer)).sum()
    }

    /// Rows answered rightly.
    pub fn hits(&self) -> u64 {
        (0..self.classes()).map(|k| self.count(k, k)).sum()
    }

    /// All rows.
    pub fn total(&self) -> u64 {
        (0..self.classes()).map(|t| self.support(t)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_beyond_the_labels_is_named_with_their_number() {
        let mut c = Confusion::new(["a", "b"]);
        assert_eq!(c.add(0, Some(2)), Err(Error::UnknownClass { class: 2, classes: 2 }));
        assert_eq!(c.add(5, None), Err(Error::UnknownClass { class: 5, classes: 2 }));
        assert_eq!(c.total(), 0);
    }
}
