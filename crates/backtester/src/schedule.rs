use crate::{Config, Error};
use artifacts::rows::{Bar, Decision};

/// At which price decisions fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FillAt {
    /// The open of the first bar that begins after the decision.
    NextOpen,
    /// The close of that bar: not every bar of the source has an open.
    NextClose,
    /// The close of the bar the decision was made on. Look-ahead.
    SameClose,
}

impl FillAt {
    /// The rule in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NextOpen => "the open of the next bar",
            Self::NextClose => "the close of the next bar (the source has no opens)",
            Self::SameClose => "the close of the same bar (look-ahead)",
        }
    }

    pub(crate) fn of(bars: &[Bar], config: &Config) -> Self {
        if config.allow_lookahead_same_bar_fill {
            Self::SameClose
        } else if bars.iter().all(|b| b.open.is_some()) {
            Self::NextOpen
        } else {
            Self::NextClose
        }
    }

    pub(crate) fn price(self, bar: &Bar) -> f64 {
        match (self, bar.open) {
            (Self::NextOpen, Some(open)) => open,
            _ => bar.close,
        }
    }
}

/// Which decision fills in which bar.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// For each bar the index of the decision that fills in it.
    pub(crate) orders: Vec<Option<usize>>,
    /// Decisions replaced by a newer one before they could fill.
    pub(crate) superseded: u64,
    /// Decisions after which no bar begins.
    pub(crate) unfilled: u64,
}

impl Schedule {
    /// A decision is ready at its `decided_at`, but not before the bar it was made on is available; it fills in the
    /// first later bar whose `event_at` is not before that. Of several that would fill in one bar the newest does.
    pub(crate) fn new(bars: &[Bar], decisions: &[Decision], fill_at: FillAt) -> Result<Self, Error> {
        let mut schedule = Self { orders: vec![None; bars.len()], superseded: 0, unfilled: 0 };
        for (row, decision) in decisions.iter().enumerate() {
            let made_on = bars
                .binary_search_by_key(&decision.bar_at, |b| b.event_at)
                .map_err(|_| Error::NoSuchBar { row, bar_at: decision.bar_at })?;
            let bar = bars.get(made_on).ok_or(Error::NoSuchBar { row, bar_at: decision.bar_at })?;
            if bar.symbol != decision.symbol {
                let (found, expected) = (decision.symbol.clone(), bar.symbol.clone());
                return Err(Error::WrongSymbol { row, found, expected });
            }
            if !(-1.0..=1.0).contains(&decision.position) {
                return Err(Error::BadPosition { row, position: decision.position });
            }
            let fills_in = if fill_at == FillAt::SameClose {
                made_on
            } else {
                let ready = decision.decided_at.max(bar.available_at);
                bars.partition_point(|b| b.event_at < ready).max(made_on + 1)
            };
            match schedule.orders.get_mut(fills_in) {
                None => schedule.unfilled += 1,
                Some(order) => {
                    let newest = |other: &usize| {
                        decisions
                            .get(*other)
                            .is_some_and(|o| (o.decided_at, o.bar_at) > (decision.decided_at, decision.bar_at))
                    };
                    schedule.superseded += u64::from(order.is_some());
                    if !order.as_ref().is_some_and(newest) {
                        *order = Some(row);
                    }
                }
            }
        }
        Ok(schedule)
    }
}
