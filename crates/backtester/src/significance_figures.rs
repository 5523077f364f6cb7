//! The figures of [`crate::significance`].

use crate::significance::{About, Returns, SignificanceConfig};
use crate::{Error, Figures};
use artifacts::rows::Trial;
use stats::distribution::{mean, std};
use stats::selection::{
    Interval, Overfitting, Resampling, Superior, block_length, deflated_sharpe, effective_trials,
    expected_maximum_sharpe, mean_correlation, minimum_track_record, overfitting, paired_difference,
    stationary_interval, superior,
};
use stats::trading::{probabilistic_sharpe, sharpe, total_return};

/// The subject that is assessed.
const STRATEGY: &str = "strategy";

/// One figure, as it goes to the table of metrics.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    pub(crate) subject: String,
    pub(crate) slice: String,
    pub(crate) metric: &'static str,
    pub(crate) value: Option<f64>,
    pub(crate) n: u64,
}

/// The strategy against one benchmark.
#[derive(Debug, Clone)]
pub(crate) struct Against {
    pub(crate) name: String,
    /// Difference of the mean returns per year, in shares.
    pub(crate) mean: Option<Interval>,
    /// Difference of the Sharpe ratios per year.
    pub(crate) sharpe: Option<Interval>,
    /// Is the best of the strategy and all variants better than it?
    pub(crate) superior: Option<Superior>,
    /// The same without studentising: its upper value is the reality check.
    pub(crate) plain: Option<Superior>,
}

/// What is known of the trials of this market.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tried {
    pub(crate) count: usize,
    /// Whether this very variant is among them.
    pub(crate) registered: bool,
    /// Variance of the trials' Sharpe ratios per bar.
    pub(crate) variance: f64,
    /// What the best of them would show without skill, per bar.
    pub(crate) best_by_luck: Option<f64>,
    pub(crate) origins: Vec<(String, usize)>,
    /// The same with trials that resemble each other counted as fewer; none without the returns of several variants.
    pub(crate) effective: Option<Effective>,
}

/// Trials counted by how much the variants at hand resemble each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effective {
    /// Mean correlation of the returns of the variants.
    pub(crate) correlation: f64,
    /// So many independent trials the counted ones are worth.
    pub(crate) trials: f64,
    pub(crate) best_by_luck: Option<f64>,
    pub(crate) deflated: Option<f64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Assessment {
    pub(crate) bars: usize,
    pub(crate) mean_block: f64,
    pub(crate) sharpe: Option<f64>,
    pub(crate) probabilistic: Option<f64>,
    pub(crate) deflated: Option<f64>,
    pub(crate) track_record: Option<f64>,
    pub(crate) tried: Option<Tried>,
    /// Name and interval of each subject: Sharpe ratio per year, total return.
    pub(crate) intervals: Vec<(String, Option<Interval>, Option<Interval>)>,
    pub(crate) against: Vec<Against>,
    /// Strategies that took part in the tests against benchmarks.
    pub(crate) contestants: usize,
    pub(crate) overfitting: Option<Overfitting>,
    pub(crate) variants: Option<usize>,
    pub(crate) figures: Vec<Figure>,
}

impl Assessment {
    pub(crate) fn figure(&self, subject: &str, metric: &str) -> Option<f64> {
        let same = |f: &&Figure| f.subject == subject && f.metric == metric && f.slice == "all";
        self.figures.iter().find(same).and_then(|f| f.value)
    }
}

pub(crate) fn assess(
    config: &SignificanceConfig,
    about: &About,
    subjects: &Returns,
    variants: Option<&Returns>,
    trials: Option<&[Trial]>,
    seed: u64,
) -> Result<Assessment, Error> {
    let own = subjects.names.iter().position(|n| n == STRATEGY).and_then(|i| subjects.series.get(i));
    let no_strategy = || Error::Unreadable { message: "no returns of `strategy`; run the backtest again".to_owned() };
    let own = own.ok_or_else(no_strategy)?.as_slice();
    let n = about.periods;
    let mean_block = config.mean_block.unwrap_or_else(|| automatic_block(own));
    let settings = Resampling { resamples: config.resamples, level: config.level, seed, mean_block };
    let yearly = |x: &[f64]| sharpe(x, 0.0, n);

    let mut tried = trials.map(|t| tried(t, &about.key));
    if let Some(tried) = &mut tried {
        tried.effective = variants.and_then(|v| mean_correlation(&v.series)).map(|r| tried.worth(r, own));
    }
    let deflated = match &tried {
        Some(t) => deflated_sharpe(own, t.count.max(1), t.variance),
        None => None,
    };
    let interval = |series: &[f64], figure: &dyn Fn(&[f64]) -> Option<f64>| {
        let resampled =
            |rows: &[usize]| figure(&rows.iter().filter_map(|r| series.get(*r).copied()).collect::<Vec<_>>());
        stationary_interval(series.len(), &settings, resampled).ok()
    };
    let intervals = subjects.names.iter().zip(&subjects.series);
    let intervals = intervals.map(|(name, x)| (name.clone(), interval(x, &yearly), interval(x, &|x| total_return(x))));
    let mut intervals: Vec<_> = intervals.collect();
    intervals.sort_by_key(|(name, ..)| name != STRATEGY);

    let contestants = contestants(own, subjects, variants);
    let zero = vec![0.0; own.len()];
    let mut opponents: Vec<(&str, &[f64])> = vec![("cash", &zero)];
    let others = subjects.names.iter().zip(&subjects.series).filter(|(name, _)| *name != STRATEGY);
    opponents.extend(others.map(|(name, x)| (name.as_str(), x.as_slice())));
    let against = opponents.into_iter().map(|(name, other)| {
        let difference = |figure: &dyn Fn(&[f64]) -> Option<f64>| {
            paired_difference(other, own, Some(mean_block), &settings, figure).ok()
        };
        let advantage = |x: &Vec<f64>| x.iter().zip(other).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let advantages: Vec<Vec<f64>> = contestants.iter().map(advantage).collect();
        let test = |studentised| superior(&advantages, mean_block, config.resamples, seed, studentised).ok();
        // cash has no Sharpe ratio to differ from
        let sharpe = if name == "cash" { None } else { difference(&yearly) };
        Against {
            name: name.to_owned(),
            mean: difference(&|x| mean(x).map(|m| m * n.get())),
            sharpe,
            superior: test(true),
            plain: test(false),
        }
    });
    let against: Vec<Against> = against.collect();

    let found_overfitting = match variants {
        Some(v) if v.series.len() > 1 => Some(overfitting(&v.series, config.blocks)?),
        _ => None,
    };
    let mut found = Assessment {
        bars: own.len(),
        mean_block,
        sharpe: yearly(own),
        probabilistic: probabilistic_sharpe(own, 0.0),
        deflated,
        track_record: minimum_track_record(own, 0.0, config.level),
        tried,
        intervals,
        against,
        contestants: contestants.len(),
        overfitting: found_overfitting,
        variants: variants.map(|v| v.series.len()),
        figures: Vec::new(),
    };
    found.figures = figures(&found);
    Ok(found)
}

/// What the returns and their squares ask for: volatility comes in longer spells than returns do.
fn automatic_block(returns: &[f64]) -> f64 {
    let squares: Vec<f64> = returns.iter().map(|x| x * x).collect();
    let length = |x: &[f64]| block_length(x).map_or(1.0, |b| b.stationary);
    length(returns).max(length(&squares)).max(1.0)
}

fn tried(trials: &[Trial], key: &str) -> Tried {
    let ratios: Vec<f64> = trials.iter().filter_map(|t| t.sharpe_per_bar).collect();
    let variance = std(&ratios, 1).map_or(0.0, |s| s * s);
    let mut origins = std::collections::BTreeMap::new();
    for trial in trials {
        *origins.entry(trial.origin.clone()).or_insert(0) += 1;
    }
    let registered = trials.iter().any(|t| t.key == key);
    // this variant was tried too, whether or not somebody wrote it down
    let count = trials.len() + usize::from(!registered);
    let best_by_luck = expected_maximum_sharpe(count, variance);
    Tried { count, registered, variance, best_by_luck, origins: origins.into_iter().collect(), effective: None }
}

impl Tried {
    /// What the trials are worth where all resemble each other as the variants at hand do.
    fn worth(&self, correlation: f64, own: &[f64]) -> Effective {
        let trials = effective_trials(self.count, correlation);
        // a part of a trial counts as one: the stricter way
        let whole = (trials.ceil() as usize).max(1);
        Effective {
            correlation,
            trials,
            best_by_luck: expected_maximum_sharpe(whole, self.variance),
            deflated: deflated_sharpe(own, whole, self.variance),
        }
    }
}

/// The strategy and those variants that have returns of all its bars.
fn contestants(own: &[f64], subjects: &Returns, variants: Option<&Returns>) -> Vec<Vec<f64>> {
    let mut all = vec![own.to_vec()];
    let Some(variants) = variants else { return all };
    let places: Option<Vec<usize>> = subjects.at.iter().map(|at| variants.at.binary_search(at).ok()).collect();
    if let Some(places) = places {
        let taken = |x: &Vec<f64>| places.iter().filter_map(|p| x.get(*p).copied()).collect::<Vec<f64>>();
        all.extend(variants.series.iter().map(taken));
    }
    all
}

fn figures(found: &Assessment) -> Vec<Figure> {
    let mut all = Vec::new();
    let n = found.bars as u64;
    let mut put = |subject: &str, slice: &str, n: u64, figures: Figures| {
        all.extend(figures.into_iter().map(|(metric, value)| Figure {
            subject: subject.to_owned(),
            slice: slice.to_owned(),
            metric,
            value,
            n,
        }));
    };
    let tried = found.tried.as_ref();
    put(
        STRATEGY,
        "all",
        n,
        vec![
            ("sharpe_ratio", found.sharpe),
            ("probabilistic_sharpe", found.probabilistic),
            ("deflated_sharpe", found.deflated),
            ("minimum_track_record_bars", found.track_record),
            ("trials", tried.map(|t| t.count as f64)),
            ("trials_sharpe_variance", tried.map(|t| t.variance)),
            ("best_sharpe_by_luck_per_bar", tried.and_then(|t| t.best_by_luck)),
            ("mean_block", Some(found.mean_block)),
        ],
    );
    if let Some(e) = tried.and_then(|t| t.effective) {
        let figures = vec![
            ("variants_mean_correlation", Some(e.correlation)),
            ("effective_trials", Some(e.trials)),
            ("effective_best_sharpe_by_luck_per_bar", e.best_by_luck),
            ("effective_deflated_sharpe", e.deflated),
        ];
        put(STRATEGY, "all", found.variants.unwrap_or(0) as u64, figures);
    }
    // against everything at once: the largest p-value of all benchmarks
    let worst = |p: &dyn Fn(&Against) -> Option<f64>| {
        found.against.iter().map(p).collect::<Option<Vec<f64>>>().and_then(|p| p.into_iter().reduce(f64::max))
    };
    put(
        STRATEGY,
        "all",
        found.contestants as u64,
        vec![
            ("spa_p_value", worst(&|a| a.superior.as_ref().map(|s| s.p.consistent))),
            ("reality_check_p_value", worst(&|a| a.plain.as_ref().map(|s| s.p.upper))),
        ],
    );
    if let (Some(o), Some(variants)) = (&found.overfitting, found.variants) {
        let figures = vec![
            ("overfitting_probability", Some(o.probability)),
            ("overfitting_loss_probability", Some(o.loss_probability)),
            ("overfitting_slope", o.slope),
        ];
        put(STRATEGY, "all", variants as u64, figures);
    }
    for (name, sharpe, total) in &found.intervals {
        let ends = |i: &Option<Interval>, f: fn(&Interval) -> f64| i.as_ref().map(f);
        put(
            name,
            "all",
            n,
            vec![
                ("sharpe_ratio_low", ends(sharpe, |i| i.low)),
                ("sharpe_ratio_high", ends(sharpe, |i| i.high)),
                ("total_return", ends(total, |i| i.estimate)),
                ("total_return_low", ends(total, |i| i.low)),
                ("total_return_high", ends(total, |i| i.high)),
            ],
        );
    }
    for a in &found.against {
        let slice = format!("against {}", a.name);
        let of = |i: &Option<Interval>, f: fn(&Interval) -> f64| i.as_ref().map(f);
        put(
            STRATEGY,
            &slice,
            n,
            vec![
                ("mean_difference", of(&a.mean, |i| i.estimate)),
                ("mean_difference_low", of(&a.mean, |i| i.low)),
                ("mean_difference_high", of(&a.mean, |i| i.high)),
                ("mean_difference_p_value", of(&a.mean, |i| i.p_value)),
                ("sharpe_difference", of(&a.sharpe, |i| i.estimate)),
                ("sharpe_difference_low", of(&a.sharpe, |i| i.low)),
                ("sharpe_difference_high", of(&a.sharpe, |i| i.high)),
                ("sharpe_difference_p_value", of(&a.sharpe, |i| i.p_value)),
                ("spa_p_lower", a.superior.as_ref().map(|s| s.p.lower)),
                ("spa_p_consistent", a.superior.as_ref().map(|s| s.p.consistent)),
                ("spa_p_upper", a.superior.as_ref().map(|s| s.p.upper)),
                ("reality_check_p", a.plain.as_ref().map(|s| s.p.upper)),
            ],
        );
    }
    all
}
