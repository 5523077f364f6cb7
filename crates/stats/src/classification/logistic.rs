//! Multinomial logistic regression on sparse rows: the classifier that a language model has to beat.
//!
//! Minimises Σᵢ wᵢ·(−ln p(labelᵢ | rowᵢ)) + ½·l2·‖W‖² over weights W (the intercepts are free), scikit-learn's objective with
//! l2 = 1/C, by L-BFGS (Nocedal & Wright, Numerical Optimization, algorithm 7.5) with a backtracking line search.

use crate::SplitMix64;
use std::collections::VecDeque;

/// How to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticConfig {
    /// Strength of the pull towards zero.
    pub l2: f64,
    /// Most steps of the optimizer.
    pub max_iterations: usize,
    /// Ends when no component of the gradient of the mean loss is larger.
    pub tolerance: f64,
    /// Whether classes count the same, however many rows they have.
    pub balanced: bool,
}

impl Default for LogisticConfig {
    fn default() -> Self {
        Self { l2: 1.0, max_iterations: 200, tolerance: 1e-5, balanced: false }
    }
}

/// Past steps that shape the next one.
const MEMORY: usize = 5;

/// A fitted classifier.
///
/// ```
/// use stats::classification::{LogisticConfig, LogisticRegression};
/// let rows = vec![vec![(0, 1.0)], vec![(0, 0.9)], vec![(1, 1.0)], vec![(1, 0.8)]];
/// let config = LogisticConfig { l2: 0.01, ..LogisticConfig::default() };
/// let model = LogisticRegression::fit(&rows, &[0, 0, 1, 1], 2, 2, &config);
/// assert_eq!(model.predict(&[(1, 1.0)]), 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticRegression {
    classes: usize,
    /// `[features + 1, classes]`; the last row is the intercepts.
    weights: Vec<f64>,
}

impl LogisticRegression {
    /// Fits `rows` (feature, value) with their classes.
    ///
    /// # Panics
    /// If lengths differ, or a label or feature is not below its bound.
    pub fn fit(
        rows: &[Vec<(u32, f32)>],
        labels: &[usize],
        classes: usize,
        features: usize,
        config: &LogisticConfig,
    ) -> Self {
        let rows: Vec<&[(u32, f32)]> = rows.iter().map(Vec::as_slice).collect();
        Self::fit_rows(&rows, labels, classes, features, config)
    }

    fn fit_rows(
        rows: &[&[(u32, f32)]],
        labels: &[usize],
        classes: usize,
        features: usize,
        config: &LogisticConfig,
    ) -> Self {
        assert_eq!(rows.len(), labels.len(), "a label for each row");
        assert!(labels.iter().all(|label| *label < classes), "labels below {classes}");
        let importance = importance(labels, classes, config.balanced);
        let problem = Problem { rows, labels, importance: &importance, classes, features, l2: config.l2 };
        let mut weights = vec![0.0; (features + 1) * classes];
        let scale = importance.iter().sum::<f64>().max(1.0);
        minimise(&problem, &mut weights, config.max_iterations, config.tolerance * scale);
        Self { classes, weights }
    }

    /// The probability of each class.
    ///
    /// # Panics
    /// If a feature is not below the fitted bound.
    pub fn probabilities(&self, row: &[(u32, f32)]) -> Vec<f64> {
        let mut out = vec![0.0; self.classes];
        softmax(&self.weights, row, &mut out);
        out
    }

    /// The likeliest class; the first of equals.
    pub fn predict(&self, row: &[(u32, f32)]) -> usize {
        let probabilities = self.probabilities(row);
        (1..self.classes).fold(0, |best, class| if probabilities[class] > probabilities[best] { class } else { best })
    }
}

/// For each row, the probabilities by a model that was fitted without it: `folds` parts with like shares of the classes.
///
/// # Panics
/// As [`LogisticRegression::fit`], and if `folds` is below 2.
pub fn out_of_fold(
    rows: &[Vec<(u32, f32)>],
    labels: &[usize],
    classes: usize,
    features: usize,
    folds: usize,
    seed: u64,
    config: &LogisticConfig,
) -> Vec<Vec<f64>> {
    assert!(folds >= 2, "{folds} folds");
    let fold = stratified(labels, classes, folds, seed);
    let mut out = vec![Vec::new(); rows.len()];
    let parts: Vec<Vec<(usize, Vec<f64>)>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..folds)
            .map(|held_out| {
                let fold = &fold;
                scope.spawn(move || {
                    let kept: Vec<usize> = (0..rows.len()).filter(|i| fold[*i] != held_out).collect();
                    let inside: Vec<&[(u32, f32)]> = kept.iter().map(|i| rows[*i].as_slice()).collect();
                    let of_them: Vec<usize> = kept.iter().map(|i| labels[*i]).collect();
                    let model = LogisticRegression::fit_rows(&inside, &of_them, classes, features, config);
                    let judged = (0..rows.len()).filter(|i| fold[*i] == held_out);
                    judged.map(|i| (i, model.probabilities(&rows[i]))).collect()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    for (i, probabilities) in parts.into_iter().flatten() {
        out[i] = probabilities;
    }
    out
}

/// The fold of each row: within a class, shuffled rows take turns.
fn stratified(labels: &[usize], classes: usize, folds: usize, seed: u64) -> Vec<usize> {
    let mut random = SplitMix64::new(seed);
    let mut out = vec![0; labels.len()];
    let mut turn = 0;
    for class in 0..classes {
        let mut members: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] == class).collect();
        for i in (1..members.len()).rev() {
            members.swap(i, (random.next_u64() % (i as u64 + 1)) as usize);
        }
        for member in members {
            out[member] = turn % folds;
            turn += 1;
        }
    }
    out
}

fn importance(labels: &[usize], classes: usize, balanced: bool) -> Vec<f64> {
    if !balanced {
        return vec![1.0; labels.len()];
    }
    let mut counts = vec![0usize; classes];
    for label in labels {
        counts[*label] += 1;
    }
    labels.iter().map(|label| labels.len() as f64 / (classes * counts[*label]) as f64).collect()
}

/// Scores, then probabilities, into `out`.
fn softmax(weights: &[f64], row: &[(u32, f32)], out: &mut [f64]) {
    let classes = out.len();
    out.copy_from_slice(&weights[weights.len() - classes..]);
    for (feature, value) in row {
        let weights = &weights[*feature as usize * classes..][..classes];
        for (score, weight) in out.iter_mut().zip(weights) {
            *score += weight * f64::from(*value);
        }
    }
    normalise(out);
}

/// Scores become probabilities.
fn normalise(scores: &mut [f64]) {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

struct Problem<'a> {
    rows: &'a [&'a [(u32, f32)]],
    labels: &'a [usize],
    importance: &'a [f64],
    classes: usize,
    features: usize,
    l2: f64,
}

impl Problem<'_> {
    /// The objective; its gradient into `gradient`.
    fn value(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        match self.classes {
            2 => self.value_of::<2>(weights, gradient),
            3 => self.value_of::<3>(weights, gradient),
            _ => self.value_of_any(weights, gradient),
        }
    }

    /// The same sums in the same order as for any number of classes, for one that is known when this is compiled.
    fn value_of<const K: usize>(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let (weights, gradient) = (weights.as_chunks::<K>().0, gradient.as_chunks_mut::<K>().0);
        let ((intercepts, weights), Some((free, gradient))) =
            (weights.split_last().unwrap_or((&[0.0; K], &[])), gradient.split_last_mut())
        else {
            return 0.0;
        };
        let penalised = weights.as_flattened();
        for (target, weight) in gradient.as_flattened_mut().iter_mut().zip(penalised) {
            *target = self.l2 * weight;
        }
        let mut value = 0.5 * self.l2 * dot(penalised, penalised);
        *free = [0.0; K];
        for ((row, label), importance) in self.rows.iter().zip(self.labels).zip(self.importance) {
            let mut p = *intercepts;
            for (feature, x) in *row {
                let x = f64::from(*x);
                for (score, weight) in p.iter_mut().zip(&weights[*feature as usize]) {
                    *score += weight * x;
                }
            }
            normalise(&mut p);
            value -= importance * p[*label].max(f64::MIN_POSITIVE).ln();
            p[*label] -= 1.0;
            for p in &mut p {
                *p *= importance;
            }
            for (feature, x) in *row {
                let x = f64::from(*x);
                for (target, p) in gradient[*feature as usize].iter_mut().zip(&p) {
                    *target += p * x;
                }
            }
            for (target, p) in free.iter_mut().zip(&p) {
                *target += p;
            }
        }
        value
    }

    fn value_of_any(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let classes = self.classes;
        let penalised = self.features * classes;
        for (target, weight) in gradient.iter_mut().zip(&weights[..penalised]) {
            *target = self.l2 * weight;
        }
        let mut value = 0.5 * self.l2 * dot(&weights[..penalised], &weights[..penalised]);
        gradient[penalised..].fill(0.0);
        let mut probabilities = vec![0.0; classes];
        for ((row, label), importance) in self.rows.iter().zip(self.labels).zip(self.importance) {
            softmax(weights, row, &mut probabilities);
            value -= importance * probabilities[*label].max(f64::MIN_POSITIVE).ln();
            probabilities[*label] -= 1.0;
            for p in &mut probabilities {
                *p *= importance;
            }
            for (feature, x) in *row {
                let target = &mut gradient[*feature as usize * classes..][..classes];
                for (target, p) in target.iter_mut().zip(&probabilities) {
                    *target += p * f64::from(*x);
                }
            }
            for (target, p) in gradient[penalised..].iter_mut().zip(&probabilities) {
                *target += p;
            }
        }
        value
    }
}

/// A step of the past.
struct Step {
    moved: Vec<f64>,
    turned: Vec<f64>,
    /// moved·turned.
    curvature: f64,
    /// turned·turned.
    turn: f64,
}

/// L-BFGS from `weights` on.
fn minimise(problem: &Problem<'_>, weights: &mut Vec<f64>, iterations: usize, tolerance: f64) {
    let size = weights.len();
    let mut gradient = vec![0.0; size];
    let mut value = problem.value(weights, &mut gradient);
    let mut past: VecDeque<Step> = VecDeque::new();
    let [mut direction, mut next, mut next_gradient, mut moved, mut turned] = [(); 5].map(|()| vec![0.0; size]);
    for _ in 0..iterations {
        if gradient.iter().all(|g| g.abs() <= tolerance) {
            return;
        }
        let (slope, square) = descend(&gradient, &past, &mut direction);
        let mut step = if past.is_empty() { (1.0 / square.sqrt()).min(1.0) } else { 1.0 };
        let next_value = loop {
            for ((next, w), d) in next.iter_mut().zip(weights.iter()).zip(&direction) {
                *next = w + step * d;
            }
            let next_value = problem.value(&next, &mut next_gradient);
            if next_value <= value + 1e-4 * step * slope {
                break next_value;
            }
            step *= 0.5;
            // No step downhill can be told from rounding any more.
            if step < 1e-12 {
                return;
            }
        };
        let points = next.iter().zip(weights.iter()).zip(next_gradient.iter().zip(&gradient));
        for ((moved, turned), ((w, before), (g, g_before))) in moved.iter_mut().zip(&mut turned).zip(points) {
            *moved = w - before;
            *turned = g - g_before;
        }
        let (curvature, turn) = (dot(&moved, &turned), dot(&turned, &turned));
        if curvature > 0.0 {
            let full = past.len() == MEMORY;
            let oldest = if full { past.pop_front() } else { None };
            let free = oldest.map_or_else(|| (vec![0.0; size], vec![0.0; size]), |step| (step.moved, step.turned));
            past.push_back(Step { moved, turned, curvature, turn });
            (moved, turned) = free;
        }
        std::mem::swap(weights, &mut next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        value = next_value;
    }
}

/// −H·gradient by the two-loop recursion, into `q`; its products with the gradient and with itself.
fn descend(gradient: &[f64], past: &VecDeque<Step>, q: &mut [f64]) -> (f64, f64) {
    q.copy_from_slice(gradient);
    let mut factors = Vec::with_capacity(past.len());
    let mut product = past.back().map_or(0.0, |newest| dot(&newest.moved, q));
    for (place, step) in past.iter().enumerate().rev() {
        let factor = 1.0 / step.curvature * product;
        let older = place.checked_sub(1).and_then(|older| past.get(older));
        product = add_and_dot(q, -factor, &step.turned, older.map_or(&[], |older| &older.moved));
        factors.push(factor);
    }
    if let (Some(newest), Some(oldest)) = (past.back(), past.front()) {
        let scale = newest.curvature / newest.turn;
        for q in q.iter_mut() {
            *q *= scale;
        }
        product = dot(&oldest.turned, q);
    }
    for (place, (step, factor)) in past.iter().zip(factors.into_iter().rev()).enumerate() {
        let other = 1.0 / step.curvature * product;
        product = add_and_dot(q, factor - other, &step.moved, past.get(place + 1).map_or(&[], |newer| &newer.turned));
    }
    for q in q.iter_mut() {
        *q = -*q;
    }
    (dot(q, gradient), dot(q, q))
}

/// Sums side by side: one sum alone would wait at each addition for the one before.
const LANES: usize = 8;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// a += factor·b; then a·c, or 0 where `c` is empty.
fn add_and_dot(a: &mut [f64], factor: f64, b: &[f64], c: &[f64]) -> f64 {
    if c.is_empty() {
        for (a, b) in a.iter_mut().zip(b) {
            *a += factor * b;
        }
        return 0.0;
    }
    let (a, a_rest) = a.as_chunks_mut::<LANES>();
    let ((b, b_rest), (c, c_rest)) = (b.as_chunks::<LANES>(), c.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        for (((sum, a), b), c) in sums.iter_mut().zip(a).zip(b).zip(c) {
            *a += factor * b;
            *sum += c * *a;
        }
    }
    let mut rest = 0.0;
    for ((a, b), c) in a_rest.iter_mut().zip(b_rest).zip(c_rest) {
        *a += factor * b;
        rest += c * *a;
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random rows whose class follows hidden weights.
    fn problem(count: usize, seed: u64) -> (Vec<Vec<(u32, f32)>>, Vec<usize>) {
        let mut random = SplitMix64::new(seed);
        let mut uniform = move || (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let hidden: Vec<f64> = (0..60).map(|_| 6.0 * uniform() - 3.0).collect();
        let mut rows = Vec::new();
        let mut labels = Vec::new();
        for _ in 0..count {
            let mut row: Vec<(u32, f32)> = Vec::new();
            for feature in 0..20 {
                if uniform() < 0.4 {
                    row.push((feature, uniform() as f32));
                }
            }
            let score =
                |class: usize| row.iter().map(|(f, v)| hidden[*f as usize * 3 + class] * f64::from(*v)).sum::<f64>();
            let best = (0..3).max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap();
            labels.push(best);
            rows.push(row);
        }
        (rows, labels)
    }

    #[test]
    fn the_gradient_vanishes_and_equals_finite_differences_elsewhere() {
        let (rows, labels) = problem(80, 1);
        let importance = vec![1.0; 80];
        let rows: Vec<&[(u32, f32)]> = rows.iter().map(Vec::as_slice).collect();
        let problem =
            Problem { rows: &rows, labels: &labels, importance: &importance, classes: 3, features: 20, l2: 0.5 };
        let mut weights: Vec<f64> = (0..63).map(|i| f64::from(i % 7) / 7.0 - 0.4).collect();
        let mut gradient = vec![0.0; 63];
        let mut unused = vec![0.0; 63];
        problem.value(&weights, &mut gradient);
        for i in 0..63 {
            let at = |delta: f64, unused: &mut [f64]| {
                let mut moved = weights.clone();
                moved[i] += delta;
                problem.value(&moved, unused)
            };
            let numeric = (at(1e-5, &mut unused) - at(-1e-5, &mut unused)) / 2e-5;
            assert!((numeric - gradient[i]).abs() < 1e-6, "{i}: {numeric} {}", gradient[i]);
        }
        minimise(&problem, &mut weights, 500, 1e-7);
        problem.value(&weights, &mut gradient);
        assert!(gradient.iter().all(|g| g.abs() < 1e-5), "{gradient:?}");
    }

    #[test]
    fn a_known_number_of_classes_gives_the_sums_of_any_number_to_the_last_bit() {
        let (rows, labels) = problem(200, 3);
        let rows: Vec<&[(u32, f32)]> = rows.iter().map(Vec::as_slice).collect();
        let importance: Vec<f64> = (0..200).map(|i| 0.5 + f64::from(i % 3)).collect();
        for classes in [2, 3] {
            let labels: Vec<usize> = labels.iter().map(|label| label % classes).collect();
            let problem =
                Problem { rows: &rows, labels: &labels, importance: &importance, classes, features: 20, l2: 0.3 };
            let weights: Vec<f64> = (0..21 * classes).map(|i| (i % 11) as f64 / 7.0 - 0.6).collect();
            let (mut known, mut any) = (vec![0.0; weights.len()], vec![1.0; weights.len()]);
            let values = (problem.value(&weights, &mut known), problem.value_of_any(&weights, &mut any));
            assert_eq!(values.0.to_bits(), values.1.to_bits());
            assert_eq!(known, any);
        }
    }

    #[test]
    fn it_learns_what_can_be_learned_and_its_probabilities_sum_to_one() {
        let (rows, labels) = problem(600, 2);
        let config = LogisticConfig { l2: 0.1, ..LogisticConfig::default() };
        let judged = out_of_fold(&rows, &labels, 3, 20, 5, 7, &config);
        let right = judged.iter().zip(&labels).filter(|(p, label)| {
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            (0..3).all(|class| p[class] <= p[**label])
        });
        let right = right.count();
        assert!(right > 480, "{right} of 600");
        assert_eq!(judged, out_of_fold(&rows, &labels, 3, 20, 5, 7, &config));
    }

    #[test]
    fn balanced_classes_raise_the_rare_one() {
        let mut rows = vec![vec![(0, 1.0)]; 95];
        rows.extend(vec![vec![(0, 1.0)]; 5]);
        let labels: Vec<usize> = (0..100).map(|i| usize::from(i >= 95)).collect();
        let fit = |balanced| {
            let config = LogisticConfig { balanced, ..LogisticConfig::default() };
            LogisticRegression::fit(&rows, &labels, 2, 1, &config).probabilities(&rows[0])[1]
        };
        assert!((fit(false) - 0.05).abs() < 1e-3, "{}", fit(false));
        assert!((fit(true) - 0.5).abs() < 1e-3, "{}", fit(true));
    }
}
