use crate::Error;

/// How much more often something occurs on one side than on the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogOdds {
    /// Difference of the log odds, in nats; above 0 where it is commoner on the first side.
    pub difference: f64,
    /// The difference in standard deviations.
    pub z: f64,
}

/// Log-odds ratio of each item with an informative Dirichlet prior (Monroe, Colaresi and Quinn, "Fightin' words", Political
/// Analysis 16, 2008, equations 16, 20 and 22). `inside` and `outside` are the counts of the same items on either side. The prior of
/// an item is its share on both sides together times `prior` (a number of items), so that what occurs once or twice
/// does not lead the list. An item that occurs nowhere has difference and z 0.
///
/// # Errors
/// Different lengths; a prior that is not a finite number above 0; no item at all on either side.
///
/// ```
/// let odds = stats::distribution::log_odds(&[30, 5, 0], &[5, 30, 1], 10.0)?;
/// assert!(odds[0].z > 2.0 && odds[1].z < -2.0 && odds[2].z.abs() < 1.0);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn log_odds(inside: &[u64], outside: &[u64], prior: f64) -> Result<Vec<LogOdds>, Error> {
    if inside.len() != outside.len() {
        return Err(Error::LengthMismatch { left: inside.len(), right: outside.len() });
    }
    if !prior.is_finite() || prior <= 0.0 {
        return Err(Error::OutOfRange { name: "prior", value: prior, range: "above 0" });
    }
    let (a, b) = (inside.iter().sum::<u64>() as f64, outside.iter().sum::<u64>() as f64);
    if a + b <= 0.0 {
        return Err(Error::Empty);
    }
    let of_item = |(&x, &y): (&u64, &u64)| {
        let weight = prior * (x + y) as f64 / (a + b);
        let (x, y) = (x as f64 + weight, y as f64 + weight);
        let difference = (x / (a + prior - x)).ln() - (y / (b + prior - y)).ln();
        let z = difference / (1.0 / x + 1.0 / y).sqrt();
        // One item that is all there is has infinite odds on both sides; nothing has none.
        if z.is_finite() { LogOdds { difference, z } } else { LogOdds { difference: 0.0, z: 0.0 } }
    };
    Ok(inside.iter().zip(outside).map(of_item).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sides_mirror_each_other() {
        let (a, b) = ([7, 0, 12, 3], [2, 9, 11, 0]);
        let there = log_odds(&a, &b, 25.0).unwrap();
        let back = log_odds(&b, &a, 25.0).unwrap();
        for (x, y) in there.iter().zip(&back) {
            assert!((x.z + y.z).abs() < 1e-12 && (x.difference + y.difference).abs() < 1e-12);
        }
    }

    #[test]
    fn a_stronger_prior_pulls_rare_items_to_zero_first() {
        // One item met twice on one side only against one met 200 times against 120.
        let z = |prior| {
            let odds = log_odds(&[2, 200, 1000], &[0, 120, 1080], prior).unwrap();
            (odds[0].z, odds[1].z)
        };
        let (rare, common) = z(500.0);
        assert!(rare < common, "{rare} {common}");
        assert!(z(5000.0).0 < z(50.0).0);
    }

    #[test]
    fn what_occurs_nowhere_and_what_is_everything_say_nothing() {
        assert!(log_odds(&[5, 0], &[9, 0], 10.0).unwrap()[1].z.abs() < f64::MIN_POSITIVE);
        assert!(log_odds(&[5], &[9], 10.0).unwrap()[0].z.abs() < f64::MIN_POSITIVE);
        assert_eq!(log_odds(&[], &[], 10.0), Err(Error::Empty));
        assert!(log_odds(&[1], &[1], 0.0).is_err() && log_odds(&[1], &[1, 2], 1.0).is_err());
    }
}
