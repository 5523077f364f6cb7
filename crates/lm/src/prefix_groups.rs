//! Which rows of a step share which prefix.

use crate::gradients::Row;

/// Rows whose first `shared` tokens are the same and are run once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) shared: usize,
    /// Numbers of the rows.
    pub(crate) rows: Vec<usize>,
}

/// What a group of its own costs beside its tokens: the weights are read again for its prefix and its parts are smaller. In
/// tokens of the same time.
const OVERHEAD: usize = 64;

/// Splits rows, say of two languages with an instruction each, into groups so that few tokens are computed. Numbers count
/// tokens: a group costs its prefix once and each row's rest.
pub(crate) fn groups(rows: &[Row<'_>]) -> Vec<Group> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| rows.get(a).map(|r| r.ids).cmp(&rows.get(b).map(|r| r.ids)));
    let (_, mut groups) = split(rows, &order);
    // In the order of the data, so that nothing depends on what tokens are called.
    for group in &mut groups {
        group.rows.sort_unstable();
    }
    groups.sort_by_key(|group| group.rows.first().copied());
    groups
}

/// The cheaper of one group and of a group for each way on, with its cost. `order` is sorted by tokens.
fn split(rows: &[Row<'_>], order: &[usize]) -> (usize, Vec<Group>) {
    let members: Vec<&Row<'_>> = order.iter().filter_map(|&i| rows.get(i)).collect();
    let shared = common_prefix(&members);
    let all: usize = members.iter().map(|r| r.ids.len()).sum();
    let overhead = if shared > 0 { OVERHEAD } else { 0 };
    let whole = (all + shared + overhead - shared * members.len(), vec![Group { shared, rows: order.to_vec() }]);
    let next = |i: &usize| rows.get(*i).and_then(|r| r.ids.get(shared));
    let ways: Vec<&[usize]> = order.chunk_by(|a, b| next(a) == next(b)).collect();
    if ways.len() < 2 {
        return whole;
    }
    let (together, alone): (Vec<&[usize]>, Vec<&[usize]>) = ways.into_iter().partition(|way| way.len() > 1);
    let alone: Vec<usize> = alone.concat();
    let mut parts = (0, Vec::new());
    if !alone.is_empty() {
        let tokens: usize = alone.iter().filter_map(|&i| rows.get(i)).map(|r| r.ids.len() - shared).sum();
        let (shared, extra) = if alone.len() > 1 { (shared, shared + overhead) } else { (0, shared) };
        parts = (tokens + extra, vec![Group { shared, rows: alone }]);
    }
    for way in together {
        let (cost, groups) = split(rows, way);
        parts.0 += cost;
        parts.1.extend(groups);
    }
    if parts.0 < whole.0 { parts } else { whole }
}

/// How many tokens all rows begin with, none of which predicts a target.
fn common_prefix(rows: &[&Row<'_>]) -> usize {
    let Some((first, others)) = rows.split_first() else { return 0 };
    if others.is_empty() {
        return 0;
    }
    let limit = rows.iter().filter_map(|r| r.predictors.first().copied()).min().unwrap_or(0);
    let common = |row: &&Row<'_>| first.ids.iter().zip(row.ids).take_while(|(a, b)| a == b).count();
    others.iter().map(common).min().unwrap_or(0).min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ids: &[u32]) -> Row<'_> {
        Row { ids, predictors: vec![ids.len() - 1], targets: vec![0] }
    }

    fn texts(prefix: u32, length: usize, count: u32) -> Vec<Vec<u32>> {
        (0..count).map(|i| vec![prefix; length].into_iter().chain([100 + i, 200 + i]).collect()).collect()
    }

    #[test]
    fn two_instructions_make_two_groups_in_the_order_of_the_data() {
        let (a, b) = (texts(1, 90, 4), texts(2, 80, 3));
        let rows: Vec<Row<'_>> = b.iter().chain(&a).map(|ids| row(ids)).collect();
        let found = groups(&rows);
        let expected = [Group { shared: 80, rows: vec![0, 1, 2] }, Group { shared: 90, rows: vec![3, 4, 5, 6] }];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_short_difference_is_not_worth_a_group() {
        // A common beginning of 90 tokens, then two ways on of 10 tokens each.
        let way = |token: u32| (0..3).map(move |i| [vec![1; 90], vec![token; 10], vec![50 + i]].concat());
        let ids: Vec<Vec<u32>> = way(7).chain(way(8)).collect();
        let rows: Vec<Row<'_>> = ids.iter().map(|ids| row(ids)).collect();
        assert_eq!(groups(&rows), [Group { shared: 90, rows: vec![0, 1, 2, 3, 4, 5] }]);
    }

    #[test]
    fn rows_without_anything_in_common_are_one_group_without_prefix() {
        let ids = [vec![1, 2, 3], vec![4, 5], vec![6, 7, 8]];
        let rows: Vec<Row<'_>> = ids.iter().map(|ids| row(ids)).collect();
        assert_eq!(groups(&rows), [Group { shared: 0, rows: vec![0, 1, 2] }]);
        assert!(groups(&[]).iter().all(|g| g.rows.is_empty()));
    }

    #[test]
    fn every_row_is_in_one_group_whose_prefix_it_has_and_whose_cost_is_no_larger() {
        let mut state = 7u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..200 {
            let count = draw(12) as usize;
            let ids: Vec<Vec<u32>> = (0..count)
                .map(|_| {
                    let head = vec![draw(3) as u32; 60 * draw(3) as usize];
                    let tail = (0..=draw(5)).map(|_| draw(2) as u32);
                    head.into_iter().chain(tail).collect()
                })
                .collect();
            let rows: Vec<Row<'_>> = ids.iter().map(|ids| row(ids)).collect();
            let found = groups(&rows);
            let mut seen: Vec<usize> = found.iter().flat_map(|g| g.rows.clone()).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..count).collect::<Vec<_>>());
            let mut tokens = 0;
            for group in &found {
                let first = group.rows.first().map(|&i| &ids[i][..group.shared]);
                assert!(
                    group.rows.iter().all(|&i| Some(&ids[i][..group.shared]) == first && ids[i].len() > group.shared)
                );
                tokens += group.shared + group.rows.iter().map(|&i| ids[i].len() - group.shared).sum::<usize>();
            }
            assert!(tokens <= ids.iter().map(Vec::len).sum());
        }
    }
}
