use super::Window;
use crate::Error;
use serde::{Deserialize, Serialize};

/// An indicator that is one figure of its window.
macro_rules! figure_of_a_window {
    ($(#[$meta:meta])* $name:ident, $figure:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name(Window);

        impl $name {
            /// Nothing seen yet.
            ///
            /// # Errors
            /// A period of 0.
            pub fn new(period: usize) -> Result<Self, Error> {
                Window::new(period).map(Self)
            }

            /// The figure with `x`, from value number `period` on.
            pub fn update(&mut self, x: f64) -> Option<f64> {
                if !x.is_finite() {
                    return None;
                }
                self.0.push(x);
                let figure: fn(&Window) -> Option<f64> = $figure;
                figure(&self.0)
            }
        }
    };
}

figure_of_a_window! {
    /// Simple moving average: Σ x / n over the last n values (TA-Lib `SMA`, pandas `rolling(n).mean()`).
    ///
    /// ```
    /// let mut sma = stats::indicators::Sma::new(2)?;
    /// assert_eq!([sma.update(1.0), sma.update(3.0), sma.update(5.0)], [None, Some(2.0), Some(4.0)]);
    /// # Ok::<(), stats::Error>(())
    /// ```
    Sma, Window::mean
}

figure_of_a_window! {
    /// The highest of the last n values (TA-Lib `MAX`).
    ///
    /// ```
    /// let mut max = stats::indicators::RollingMax::new(2)?;
    /// assert_eq!([max.update(3.0), max.update(1.0), max.update(2.0)], [None, Some(3.0), Some(2.0)]);
    /// # Ok::<(), stats::Error>(())
    /// ```
    RollingMax, |window| window.is_full().then(|| window.iter().fold(f64::NEG_INFINITY, f64::max))
}

figure_of_a_window! {
    /// The lowest of the last n values (TA-Lib `MIN`).
    ///
    /// ```
    /// let mut min = stats::indicators::RollingMin::new(2)?;
    /// assert_eq!([min.update(3.0), min.update(1.0), min.update(2.0)], [None, Some(1.0), Some(1.0)]);
    /// # Ok::<(), stats::Error>(())
    /// ```
    RollingMin, |window| window.is_full().then(|| window.iter().fold(f64::INFINITY, f64::min))
}
