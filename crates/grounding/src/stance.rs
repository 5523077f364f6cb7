use crate::Claim;
use crate::read::direction::{Way, directions};

/// A score this close to 0 takes no side.
const NO_SIDE: f64 = 0.05;

/// Which side a text takes, from -1 (all its words of direction say down) to 1; none where it has no such word. Words that name a
/// side (`bullish`, `sell`) count three times as much as words of movement (`rises`), which often tell what happened and not
/// what follows.
///
/// ```
/// assert_eq!(grounding::stance("The facts are bearish, so I sell."), Some(-1.0));
/// assert_eq!(grounding::stance("The index has 30 members."), None);
/// ```
pub fn stance(text: &str) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for direction in directions(text).iter().filter(|d| d.way != Way::Flat) {
        let weight = if direction.state { 3.0 } else { 1.0 };
        weights += weight;
        sum += if direction.way == Way::Up { weight } else { -weight };
    }
    (weights > 0.0).then(|| sum / weights)
}

/// Whether a decision goes against its own reasons: its rationale takes clearly the other side or, where the rationale takes none,
/// all claims that take a side (two at least) take the other. Weighing one bearish claim against a bullish one is no
/// contradiction. A score within 0.05 of 0 takes no side.
///
/// ```
/// use grounding::contradicts;
/// assert!(contradicts("The outlook is bearish; sell.", &[], 0.6));
/// assert!(!contradicts("Prices fell, but the outlook is bullish.", &[], 0.6));
/// ```
pub fn contradicts(rationale: &str, claims: &[Claim], score: f64) -> bool {
    if score.abs() <= NO_SIDE {
        return false;
    }
    let against = |stance: f64| stance * score.signum();
    if let Some(stance) = stance(rationale) {
        return against(stance) <= -0.5;
    }
    let sides: Vec<f64> = claims.iter().filter_map(|c| stance(&c.text)).collect();
    sides.len() >= 2 && sides.iter().all(|s| against(*s) < 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(text: &str) -> Claim {
        Claim { text: text.into(), fact: String::new() }
    }

    #[test]
    fn claims_speak_only_where_the_rationale_takes_no_side() {
        let claims = [claim("Bitcoin fell 2 %"), claim("Sentiment is negative")];
        assert!(contradicts("See the claims.", &claims, 0.5));
        assert!(!contradicts("I buy.", &claims, 0.5));
        assert!(!contradicts("See the claims.", &claims[..1], 0.5));
        assert!(!contradicts("See the claims.", &claims, 0.01));
    }

    #[test]
    fn a_negated_side_is_the_other_side() {
        assert!(contradicts("There is no bullish case here.", &[], 0.8));
        assert!(contradicts("Everything is positive.", &[], -0.3));
    }
}
