use super::config::{Balance, SentimentConfig};
use super::dedupe::refused;
use super::raw::{CleanRow, Split};
use crate::Error;
use artifacts::Seed;
use artifacts::rows::{Language, Rejected, Sentiment};
use std::collections::{BTreeMap, BTreeSet};

/// A row with its place in the result.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) row: CleanRow,
    /// Its id: equal texts have equal ids.
    pub(super) id: String,
    /// Id of the first row of its near-duplicate cluster.
    pub(super) cluster: String,
}

/// The chosen rows, each list in an order drawn from the seed.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) train: Vec<Placed>,
    pub(super) eval: Vec<Placed>,
    /// Official test rows: used for neither.
    pub(super) test: Vec<Placed>,
    /// Good rows that were not needed.
    pub(super) pool: Vec<Placed>,
}

/// Chooses evaluation and training rows of one language.
///
/// Evaluation rows come from official validation parts and from sources without an official split, one of a cluster;
/// training rows from official training parts and sources without a split, never from a cluster that has an evaluation or
/// test row: those are refused. Rows are drawn within strata of source and label, in an order that depends on
/// the seed and the row alone.
pub(super) fn select(
    rows: Vec<Placed>,
    language: Language,
    config: &SentimentConfig,
    seed: Seed,
    rejected: &mut Vec<Rejected>,
) -> Result<Selection, Error> {
    let mut rows: Vec<(u64, Placed)> = rows.into_iter().map(|p| (seed.derive(&p.id).0, p)).collect();
    rows.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    let mut rows: Vec<Placed> = rows.into_iter().map(|(_, p)| p).collect();
    let mut out = Selection { test: take(&mut rows, |p| p.row.raw.split == Split::Test), ..Selection::default() };

    let tested: BTreeSet<String> = out.test.iter().map(|p| p.cluster.clone()).collect();
    refuse_cluster_mates(&mut rows, &tested, "near-duplicate-of-test", rejected);

    let mut seen = BTreeSet::new();
    let may_evaluate =
        |p: &Placed| matches!(p.row.raw.split, Split::Validation | Split::None) && seen.insert(p.cluster.clone());
    let eligible: Vec<bool> = rows.iter().map(may_evaluate).collect();
    let chosen = choose(&rows, &eligible, config.eval_rows, config.eval_balance).map_err(|have| Error::TooFew {
        language: language.to_string(),
        purpose: "evaluation",
        have,
        asked: config.eval_rows,
        flag: "eval_rows (--eval-rows)",
    })?;
    out.eval = take_chosen(&mut rows, &chosen);

    let evaluated: BTreeSet<String> = out.eval.iter().map(|p| p.cluster.clone()).collect();
    refuse_cluster_mates(&mut rows, &evaluated, "near-duplicate-of-eval", rejected);

    let eligible: Vec<bool> = rows.iter().map(|p| matches!(p.row.raw.split, Split::Train | Split::None)).collect();
    let chosen = choose(&rows, &eligible, config.train_rows, config.train_balance).map_err(|have| Error::TooFew {
        language: language.to_string(),
        purpose: "training",
        have,
        asked: config.train_rows,
        flag: "train_rows (--train-rows)",
    })?;
    out.train = take_chosen(&mut rows, &chosen);
    out.pool = rows;
    Ok(out)
}

fn take(rows: &mut Vec<Placed>, mut wanted: impl FnMut(&Placed) -> bool) -> Vec<Placed> {
    let (taken, left) = std::mem::take(rows).into_iter().partition(|p| wanted(p));
    *rows = left;
    taken
}

fn take_chosen(rows: &mut Vec<Placed>, chosen: &BTreeSet<usize>) -> Vec<Placed> {
    let mut index = 0;
    take(rows, |_| {
        index += 1;
        chosen.contains(&(index - 1))
    })
}

fn refuse_cluster_mates(rows: &mut Vec<Placed>, taken: &BTreeSet<String>, reason: &str, rejected: &mut Vec<Rejected>) {
    for mate in take(rows, |p| taken.contains(&p.cluster)) {
        rejected.push(refused(&mate.row, reason, &format!("in the cluster of row id {}", mate.cluster)));
    }
}

/// Indices of `want` eligible rows, or how many there are if they are too few.
fn choose(rows: &[Placed], eligible: &[bool], want: u64, balance: Balance) -> Result<BTreeSet<usize>, usize> {
    let mut strata: BTreeMap<(Sentiment, &str), Vec<usize>> = BTreeMap::new();
    for (i, (placed, _)) in rows.iter().zip(eligible).enumerate().filter(|(_, (_, e))| **e) {
        strata.entry((placed.row.label, &placed.row.raw.source)).or_default().push(i);
    }
    let available: Vec<usize> = strata.values().map(Vec::len).collect();
    let have: usize = available.iter().sum();
    let want = usize::try_from(want).unwrap_or(usize::MAX);
    if have < want {
        return Err(have);
    }
    let counts = match balance {
        Balance::Natural => proportional(&available, want),
        Balance::LiftMinority => {
            let labels: Vec<Sentiment> = strata.keys().map(|(label, _)| *label).collect();
            lifted(&labels, &available, want)
        }
    };
    Ok(strata.values().zip(counts).flat_map(|(members, n)| members.iter().take(n).copied()).collect())
}

/// `want` shared out in proportion to what is available (largest remainder; an earlier stratum wins a tie). Never more than
/// is available, as long as `want` is not more than all.
fn proportional(available: &[usize], want: usize) -> Vec<usize> {
    let all: usize = available.iter().sum::<usize>().max(1);
    let mut counts: Vec<usize> = available.iter().map(|a| a * want / all).collect();
    let mut order: Vec<usize> = (0..available.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(available.get(i).map_or(0, |a| a * want % all)), i));
    let missing = want.saturating_sub(counts.iter().sum());
    for i in order.into_iter().take(missing) {
        if let Some(count) = counts.get_mut(i) {
            *count += 1;
        }
    }
    counts
}

/// Equal shares for each label as far as its rows go, what is missing shared by the others; within a label, in proportion.
fn lifted(labels: &[Sentiment], available: &[usize], want: usize) -> Vec<usize> {
    let total = |label: Sentiment| -> usize {
        labels.iter().zip(available).filter(|(l, _)| **l == label).map(|(_, a)| *a).sum()
    };
    let mut classes: Vec<(usize, Sentiment)> = Sentiment::ALL.iter().map(|&l| (total(l), l)).collect();
    // The rarest first: what it cannot fill is left for those after it.
    classes.sort_unstable();
    let mut left = want;
    let mut share: BTreeMap<Sentiment, usize> = BTreeMap::new();
    for (i, (has, label)) in classes.iter().enumerate() {
        let take = (left / (classes.len() - i)).min(*has);
        share.insert(*label, take);
        left -= take;
    }
    let mut counts = vec![0; available.len()];
    for (&label, &want) in &share {
        let places: Vec<usize> = labels.iter().enumerate().filter(|(_, l)| **l == label).map(|(i, _)| i).collect();
        let here: Vec<usize> = places.iter().filter_map(|&i| available.get(i).copied()).collect();
        for (place, n) in places.iter().zip(proportional(&here, want)) {
            if let Some(count) = counts.get_mut(*place) {
                *count = n;
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LABELS: [Sentiment; 3] = [Sentiment::Negative, Sentiment::Neutral, Sentiment::Positive];

    #[test]
    fn a_rare_class_gives_all_it_has_and_the_others_share_the_rest() {
        assert_eq!(lifted(&LABELS, &[5000, 400, 6000], 3000), [1300, 400, 1300]);
        assert_eq!(lifted(&LABELS, &[5000, 4000, 6000], 3000), [1000, 1000, 1000]);
        assert_eq!(proportional(&[50, 30, 20], 10), [5, 3, 2]);
    }

    proptest! {
        #[test]
        fn exactly_as_many_rows_as_asked_and_never_more_than_there_are(
            available in prop::collection::vec(0usize..500, 3..9), part in 0.0f64..=1.0,
        ) {
            let all: usize = available.iter().sum();
            let want = (all as f64 * part) as usize;
            let labels: Vec<_> = (0..available.len()).map(|i| LABELS[i % 3]).collect();
            for counts in [proportional(&available, want), lifted(&labels, &available, want)] {
                prop_assert_eq!(counts.iter().sum::<usize>(), want);
                prop_assert!(counts.iter().zip(&available).all(|(c, a)| c <= a), "{:?} of {:?}", counts, available);
            }
        }
    }
}
