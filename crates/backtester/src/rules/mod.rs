//! Trading rules over closes. A rule is a fold: it sees one close at a time and says when the wanted position changes, so a
//! file, a stream and a sweep meet the same decisions.

mod kind;
mod mean;
mod side;
mod value;

pub use kind::{Parameters, Rule};
pub use side::Sides;
pub(crate) use side::Turns;
pub(crate) use value::{Average, Value};

use crate::Error;

/// A rule at work on one instrument.
///
/// ```
/// use backtester::{Parameters, Rule, Signal, Sides};
/// let mut signal = Signal::new(Parameters { rule: Rule::SmaCross, first: 1.0, second: 2.0 }, Sides::LongFlat)?;
/// let wanted: Vec<_> = [3.0, 2.0, 3.0, 4.0, 2.0].into_iter().map(|close| signal.next(close)).collect();
/// assert_eq!(wanted, [None, None, Some(1.0), None, Some(0.0)]);
/// # Ok::<(), backtester::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signal {
    value: Value,
    threshold: f64,
    turns: Turns,
}

impl Signal {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// Parameters that the rule does not know.
    pub fn new(parameters: Parameters, sides: Sides) -> Result<Self, Error> {
        parameters.check()?;
        Ok(Self {
            value: Value::new(&parameters)?,
            threshold: parameters.threshold(),
            turns: Turns::new(parameters.rule, sides),
        })
    }

    /// The position wanted from now on, where the close changes it.
    pub fn next(&mut self, close: f64) -> Option<f64> {
        let value = self.value.next(close);
        self.turns.next(value, self.threshold)
    }
}
