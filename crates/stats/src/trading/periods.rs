/// How many periods of a return series make a year: a finite number above 0.
///
/// ```
/// use stats::trading::PeriodsPerYear;
/// assert_eq!(PeriodsPerYear::of_interval_seconds(600.0).map(PeriodsPerYear::get), Some(52_560.0));
/// assert_eq!(PeriodsPerYear::new(0.0), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize)]
#[serde(transparent)]
pub struct PeriodsPerYear(f64);

impl PeriodsPerYear {
    /// Days on which stock exchanges trade.
    pub const TRADING_DAYS: Self = Self(252.0);
    /// Days of a market that never closes.
    pub const CALENDAR_DAYS: Self = Self(365.0);

    /// The given number; none unless it is finite and above 0.
    #[must_use]
    pub fn new(periods: f64) -> Option<Self> {
        (periods.is_finite() && periods > 0.0).then_some(Self(periods))
    }

    /// For bars of this many seconds in a market that never closes: 365 · 86,400 / seconds.
    #[must_use]
    pub fn of_interval_seconds(seconds: f64) -> Option<Self> {
        Self::new(365.0 * 86_400.0 / seconds)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// The rate per period that compounds to `per_year`: (1 + per_year)^(1/N) − 1.
    #[must_use]
    pub fn rate_per_period(self, per_year: f64) -> f64 {
        (1.0 + per_year).powf(1.0 / self.0) - 1.0
    }
}
