use crate::{Error, Timestamp};

/// A row that happened at one time and could be known from another (the same or later) on.
pub trait Timed {
    /// When it happened.
    fn event_at(&self) -> Timestamp;
    /// When anyone could first have known.
    fn available_at(&self) -> Timestamp;
}

/// All rows of one kind, kept so that they can only be read as of a moment: the look-ahead firewall is this type.
///
/// ```
/// use artifacts::{Timed, Timeline, Timestamp};
/// struct Tick(i64, f64);
/// impl Timed for Tick {
///     fn event_at(&self) -> Timestamp { Timestamp::from_seconds(self.0) }
///     fn available_at(&self) -> Timestamp { Timestamp::from_seconds(self.0 + 60) }
/// }
/// let ticks = Timeline::new(vec![Tick(0, 1.0), Tick(60, 2.0)])?;
/// assert_eq!(ticks.as_of(Timestamp::from_seconds(60)).latest().map(|t| t.1), Some(1.0));
/// assert!(ticks.as_of(Timestamp::from_seconds(59)).is_empty());
/// # Ok::<(), artifacts::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Timeline<T> {
    rows: Vec<T>,
}

impl<T: Timed> Timeline<T> {
    /// Orders the rows by `available_at`, then `event_at`; equal rows keep their order.
    ///
    /// # Errors
    /// A row whose `available_at` is before its `event_at`.
    pub fn new(mut rows: Vec<T>) -> Result<Self, Error> {
        for (row, r) in rows.iter().enumerate() {
            if r.available_at() < r.event_at() {
                return Err(Error::KnownTooEarly { row, event_at: r.event_at(), available_at: r.available_at() });
            }
        }
        rows.sort_by_key(|r| (r.available_at(), r.event_at()));
        Ok(Self { rows })
    }

    /// What could be known at `t`.
    pub fn as_of(&self, t: Timestamp) -> AsOf<'_, T> {
        let known = self.rows.partition_point(|r| r.available_at() <= t);
        AsOf { rows: &self.rows[..known], t }
    }

    /// How many rows there are in all. A count leaks nothing about their content.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows at all.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Each moment at which something new could be known, in order, without repeats: the clock of a replay.
    pub fn clock(&self) -> Vec<Timestamp> {
        let mut times: Vec<_> = self.rows.iter().map(Timed::available_at).collect();
        times.dedup();
        times
    }
}

/// The rows with `available_at <= t`, oldest first. There is no way from here to a later row.
#[derive(Debug, Clone, Copy)]
pub struct AsOf<'a, T> {
    rows: &'a [T],
    t: Timestamp,
}

impl<'a, T: Timed> AsOf<'a, T> {
    /// The moment of this view.
    pub fn t(&self) -> Timestamp {
        self.t
    }

    /// The known rows, oldest first.
    pub fn rows(&self) -> &'a [T] {
        self.rows
    }

    /// The row that became known last.
    pub fn latest(&self) -> Option<&'a T> {
        self.rows.last()
    }

    /// The last `n` known rows, oldest first; fewer where fewer are known.
    pub fn last(&self, n: usize) -> &'a [T] {
        &self.rows[self.rows.len().saturating_sub(n)..]
    }

    /// The rows that became known within the `seconds` before `t`, oldest first.
    pub fn within(&self, seconds: i64) -> &'a [T] {
        let from = self.t.plus_seconds(seconds.saturating_neg());
        &self.rows[self.rows.partition_point(|r| r.available_at() <= from)..]
    }

    /// How many rows are known.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
