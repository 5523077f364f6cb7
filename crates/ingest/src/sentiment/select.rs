use super::config::{Balance, Choice, SentimentConfig};
use super::dedupe::refused;
use super::diverse::Space;
use super::raw::{CleanRow, Split};
use crate::Error;
use artifacts::Seed;
use artifacts::rows::{Language, Rejected, Sentiment};
use rayon::prelude::*;
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

/// The chosen rows, each list in an order drawn from the seed (official test rows in that of their source).
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) train: Vec<Placed>,
    pub(super) eval: Vec<Placed>,
    /// As many rows of each class; some of them are in `eval` too.
    pub(super) eval_balanced: Vec<Placed>,
    /// Official test rows: used for neither.
    pub(super) test: Vec<Placed>,
    /// Good rows that were not needed.
    pub(super) pool: Vec<Placed>,
    /// What training rows were chosen from, by class and source.
    pub(super) strata: Vec<Stratum>,
}

/// Rows of one class of one source that could train, and those that do.
#[derive(Debug, Clone)]
pub(super) struct Stratum {
    pub(super) language: Language,
    pub(super) label: Sentiment,
    pub(super) source: String,
    pub(super) available: usize,
    pub(super) chosen: usize,
}

/// Evaluation rows where the settings leave it open: a tenth, at most as many as the briefs ask for.
const OPEN_EVAL_SHARE: usize = 10;
const OPEN_EVAL_ROWS: usize = 250;

/// Chooses evaluation and training rows of one language.
///
/// Evaluation rows come from official validation parts and from sources without an official split, one of a cluster;
/// training rows from official training parts and sources without a split, never from a cluster that has an evaluation or
/// test row: those are refused. The balanced evaluation set is drawn last, from what neither trains nor resembles what
/// trains, so that it changes no other set (or before the training rows, where these are all the rest). Evaluation rows are drawn evenly within strata of source and label, training rows
/// by the rule of the settings; both depend on the seed and the rows alone.
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
    out.test.sort_by(|a, b| (&a.row.raw.source, a.row.raw.row).cmp(&(&b.row.raw.source, b.row.raw.row)));
    refuse_cluster_mates(&mut rows, &clusters(&out.test), "near-duplicate-of-test", rejected);

    let too_few =
        |purpose, have, asked, flag| Error::TooFew { language: language.to_string(), purpose, have, asked, flag };
    let strata = strata(&rows, &first_of_cluster(&rows, may_evaluate, &BTreeSet::new()));
    let have: usize = strata.iter().map(|s| s.rows.len()).sum();
    let want = match config.eval_rows {
        0 => (have / OPEN_EVAL_SHARE).clamp(1, OPEN_EVAL_ROWS),
        n => usize::try_from(n).unwrap_or(usize::MAX),
    };
    let counts = counts(&strata, want, config.eval_balance)
        .ok_or_else(|| too_few("evaluation", have, want as u64, "eval_rows (--eval-rows)"))?;
    let chosen = strata.iter().zip(counts).flat_map(|(s, n)| s.rows.iter().take(n).copied()).collect();
    out.eval = take_chosen(&mut rows, &chosen);
    refuse_cluster_mates(&mut rows, &clusters(&out.eval), "near-duplicate-of-eval", rejected);

    if config.eval_balanced && config.train_rows == 0 {
        // All the rest trains, so the balanced set takes its part before: a quarter of the rarest class at most.
        let want = want_balanced(config, out.eval.len());
        balance(&mut rows, &mut out, |rarest| (rarest / 4).min(want / Sentiment::ALL.len()), rejected);
    }
    let may_train: Vec<bool> = rows.iter().map(|p| matches!(p.row.raw.split, Split::Train | Split::None)).collect();
    let strata = self::strata(&rows, &may_train);
    let have: usize = strata.iter().map(|s| s.rows.len()).sum();
    let want = match config.train_rows {
        0 => have,
        n => usize::try_from(n).unwrap_or(usize::MAX),
    };
    let counts = self::counts(&strata, want.max(1), config.train_balance)
        .ok_or_else(|| too_few("training", have, want.max(1) as u64, "train_rows (--train-rows)"))?;
    let chosen = choose(&rows, &strata, &counts, config.selection, seed.derive("choice"));
    out.strata = strata
        .iter()
        .zip(&counts)
        .map(|(s, n)| Stratum {
            language,
            label: s.label,
            source: s.source.to_owned(),
            available: s.rows.len(),
            chosen: *n,
        })
        .collect();
    drop(strata);
    out.train = take_chosen(&mut rows, &chosen);
    if config.eval_balanced && config.train_rows > 0 {
        let want = want_balanced(config, out.eval.len());
        balance(&mut rows, &mut out, |rarest| rarest.min(want / Sentiment::ALL.len()), rejected);
    }
    out.pool = rows;
    Ok(out)
}

fn want_balanced(config: &SentimentConfig, eval: usize) -> usize {
    if config.eval_rows == 0 { eval } else { usize::try_from(config.eval_rows).unwrap_or(usize::MAX) }
}

/// Takes the balanced evaluation set from the evaluation rows and from what is left, one of a cluster, none of a cluster
/// that trains; what resembles its new rows is refused, so that the rest may be trained on. `each` says how many rows of a
/// class, given how many the rarest has.
fn balance(rows: &mut Vec<Placed>, out: &mut Selection, each: impl Fn(usize) -> usize, rejected: &mut Vec<Rejected>) {
    let mut candidates: Vec<Placed> = out.eval.clone();
    let of_eval = candidates.len();
    candidates.extend(rows.iter().cloned());
    let eligible = first_of_cluster(&candidates, may_evaluate, &clusters(&out.train));
    let mut of_class: BTreeMap<Sentiment, Vec<usize>> =
        Sentiment::ALL.iter().map(|label| (*label, Vec::new())).collect();
    for (i, (placed, _)) in candidates.iter().zip(&eligible).enumerate().filter(|(_, (_, e))| **e) {
        of_class.entry(placed.row.label).or_default().push(i);
    }
    let each = each(of_class.values().map(Vec::len).min().unwrap_or(0));
    let chosen: BTreeSet<usize> = of_class.values().flat_map(|m| m.iter().take(each).copied()).collect();
    let new: BTreeSet<usize> = chosen.iter().filter_map(|i| i.checked_sub(of_eval)).collect();
    out.eval_balanced =
        candidates.into_iter().enumerate().filter(|(i, _)| chosen.contains(i)).map(|(_, p)| p).collect();
    let new = take_chosen(rows, &new);
    refuse_cluster_mates(rows, &clusters(&new), "near-duplicate-of-balanced-eval", rejected);
}

fn may_evaluate(placed: &Placed) -> bool {
    matches!(placed.row.raw.split, Split::Validation | Split::None)
}

fn clusters(rows: &[Placed]) -> BTreeSet<String> {
    rows.iter().map(|p| p.cluster.clone()).collect()
}

/// Which rows are the first wanted one of their cluster, unless the cluster is taken.
fn first_of_cluster(rows: &[Placed], wanted: impl Fn(&Placed) -> bool, taken: &BTreeSet<String>) -> Vec<bool> {
    let mut seen = BTreeSet::new();
    rows.iter().map(|p| wanted(p) && !taken.contains(&p.cluster) && seen.insert(&p.cluster)).collect()
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

/// The eligible rows of one class and source, in their order.
struct Group<'a> {
    label: Sentiment,
    source: &'a str,
    rows: Vec<usize>,
}

fn strata<'a>(rows: &'a [Placed], eligible: &[bool]) -> Vec<Group<'a>> {
    let mut strata: BTreeMap<(Sentiment, &str), Vec<usize>> = BTreeMap::new();
    for (i, (placed, _)) in rows.iter().zip(eligible).enumerate().filter(|(_, (_, e))| **e) {
        strata.entry((placed.row.label, &placed.row.raw.source)).or_default().push(i);
    }
    strata.into_iter().map(|((label, source), rows)| Group { label, source, rows }).collect()
}

/// How many rows of each stratum make `want`; nothing if there are not so many.
fn counts(strata: &[Group<'_>], want: usize, balance: Balance) -> Option<Vec<usize>> {
    let available: Vec<usize> = strata.iter().map(|s| s.rows.len()).collect();
    if available.iter().sum::<usize>() < want {
        return None;
    }
    Some(match balance {
        Balance::Natural => proportional(&available, want),
        Balance::LiftMinority => {
            let labels: Vec<Sentiment> = strata.iter().map(|s| s.label).collect();
            lifted(&labels, &available, want)
        }
    })
}

/// So many rows of each stratum, by the rule.
fn choose(rows: &[Placed], strata: &[Group<'_>], counts: &[usize], rule: Choice, seed: Seed) -> BTreeSet<usize> {
    let texts: Vec<&str> = rows.iter().map(|p| p.row.raw.text.as_str()).collect();
    let space = matches!(rule, Choice::Diverse | Choice::Farthest).then(|| Space::new(&texts));
    let of_stratum = |(stratum, &n): (&Group<'_>, &usize)| -> Vec<usize> {
        let seed = seed.derive(&format!("{}/{}", stratum.label, stratum.source));
        match &space {
            _ if n >= stratum.rows.len() => stratum.rows.clone(),
            Some(space) => space.spread(&stratum.rows, n, rule, seed),
            None if rule == Choice::First => {
                let mut in_order = stratum.rows.clone();
                in_order.sort_by_key(|&i| rows.get(i).map(|p| p.row.raw.row));
                in_order.truncate(n);
                in_order
            }
            None => stratum.rows.iter().take(n).copied().collect(),
        }
    };
    strata.par_iter().zip(counts).flat_map_iter(of_stratum).collect::<Vec<_>>().into_iter().collect()
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
