/// All ways to choose `k` of `0..n`, each ascending, in lexicographic order.
pub(super) fn combinations(n: usize, k: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut chosen: Vec<usize> = (0..k).collect();
    if k > n {
        return all;
    }
    loop {
        all.push(chosen.clone());
        // the last place that can still move up
        let Some(place) = (0..k).rev().find(|i| chosen[*i] < n - k + i) else { return all };
        chosen[place] += 1;
        for next in place + 1..k {
            chosen[next] = chosen[next - 1] + 1;
        }
    }
}

/// `0..rows` in `parts` runs whose lengths differ by at most one, the longer ones first (as numpy's `array_split`).
pub(super) fn runs(rows: usize, parts: usize) -> Vec<std::ops::Range<usize>> {
    let (short, longer) = (rows / parts, rows % parts);
    let mut from = 0;
    (0..parts)
        .map(|part| {
            let to = from + short + usize::from(part < longer);
            let run = from..to;
            from = to;
            run
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_four_are_four_ways_in_order() {
        assert_eq!(combinations(4, 3), [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]);
        assert_eq!(combinations(16, 8).len(), 12_870);
        assert_eq!(combinations(3, 0), [[0_usize; 0]]);
        assert!(combinations(2, 3).is_empty());
        assert_eq!(runs(10, 4), [0..3, 3..6, 6..8, 8..10]);
    }
}
