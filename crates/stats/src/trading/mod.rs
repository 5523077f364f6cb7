//! Figures of a series of simple returns per period.
//!
//! Returns are shares (0.01 is 1 %), one per period, net of everything. Whatever is "per year" takes the number of
//! periods as a [`PeriodsPerYear`]: there is no hidden 252. The formulas are those on which quantstats 0.0.86 and
//! empyrical-reloaded 0.7.1 agree, and where they differ both variants are here, named.

mod cagr;
mod calmar;
mod cvar;
mod downside_risk;
mod drawdown;
mod drawdowns;
mod omega;
mod periods;
mod psr;
mod returns;
mod rolling_sharpe;
mod sharpe;
mod sortino;
mod tail_ratio;
mod var;
mod volatility;

pub use cagr::cagr;
pub use calmar::calmar;
pub use cvar::{cvar_historical, cvar_parametric, cvar_worst_count};
pub use downside_risk::downside_risk;
pub use drawdown::{max_drawdown, underwater};
pub use drawdowns::{Drawdown, drawdowns};
pub use omega::omega;
pub use periods::PeriodsPerYear;
pub use psr::probabilistic_sharpe;
pub use returns::{simple_returns, total_return};
pub use rolling_sharpe::rolling_sharpe;
pub use sharpe::sharpe;
pub use sortino::sortino;
pub use tail_ratio::tail_ratio;
pub use var::{var_historical, var_parametric};
pub use volatility::volatility;
