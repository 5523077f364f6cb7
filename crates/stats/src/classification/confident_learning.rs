/// What out-of-fold probabilities say of one row's label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelQuality {
    /// Probability of the given label: the lower, the likelier an error.
    pub self_confidence: f64,
    /// Probability of the given label minus that of the likeliest other.
    pub margin: f64,
    /// The class that the row confidently belongs to, or the likeliest one.
    pub likely: usize,
    /// Whether the row counts off the diagonal of the confident joint: another class is as probable here as on its own rows.
    pub suspicious: bool,
}

/// Which labels are probably wrong, by confident learning (Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating
/// Uncertainty in Dataset Labels", JAIR 70, section 3.1). The threshold of a class is its mean probability over the rows that
/// carry its label; a row belongs confidently to the likeliest class that reaches its threshold, and is suspicious if that is not its label.
///
/// `probabilities` are those of models that did not see the row. A class without rows is never likely.
///
/// # Panics
/// If lengths differ, or a label is not below `classes`.
pub fn confident_learning(probabilities: &[Vec<f64>], labels: &[usize], classes: usize) -> Vec<LabelQuality> {
    assert_eq!(probabilities.len(), labels.len(), "a label for each row");
    let mut sums = vec![0.0; classes];
    let mut counts = vec![0usize; classes];
    for (p, label) in probabilities.iter().zip(labels) {
        sums[*label] += p[*label];
        counts[*label] += 1;
    }
    let thresholds: Vec<f64> =
        sums.iter().zip(&counts).map(|(sum, n)| if *n == 0 { f64::INFINITY } else { sum / *n as f64 }).collect();
    let best = |p: &[f64], among: &dyn Fn(usize) -> bool| {
        (0..classes).filter(|class| among(*class)).max_by(|a, b| p[*a].total_cmp(&p[*b]).then(b.cmp(a)))
    };
    let judge = |(p, label): (&Vec<f64>, &usize)| {
        let confident = best(p, &|class| p[class] >= thresholds[class]);
        let other = best(p, &|class| class != *label).map_or(0.0, |class| p[class]);
        LabelQuality {
            self_confidence: p[*label],
            margin: p[*label] - other,
            likely: confident.or_else(|| best(p, &|_| true)).unwrap_or(*label),
            suspicious: confident.is_some_and(|class| class != *label),
        }
    };
    probabilities.iter().zip(labels).map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_looks_like_another_class_is_suspicious_and_an_unsure_one_is_not() {
        let probabilities =
            [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.15, 0.85], [0.55, 0.45]].map(|p| p.to_vec());
        // The fifth is called 0 and looks like 1; the sixth is called 1 and looks like nothing much.
        let found = confident_learning(&probabilities, &[0, 0, 1, 1, 0, 1], 2);
        let suspicious: Vec<usize> = (0..6).filter(|i| found[*i].suspicious).collect();
        assert_eq!(suspicious, [4]);
        assert_eq!(found[4].likely, 1);
        assert!((found[4].margin + 0.7).abs() < 1e-12 && (found[4].self_confidence - 0.15).abs() < 1e-12);
    }

    #[test]
    fn a_class_that_no_row_carries_is_never_likely() {
        let found = confident_learning(&[vec![0.3, 0.1, 0.6], vec![0.2, 0.7, 0.1]], &[0, 1], 3);
        assert!(found.iter().all(|row| !row.suspicious), "{found:?}");
    }
}
