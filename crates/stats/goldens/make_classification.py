"""Makes classification.json: random predictions with the figures that scikit-learn, statsmodels and scipy give them.

    python make_classification.py > classification.json

Made with Python 3.11.7, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, statsmodels 0.15.0. Running it again gives the same file.
Answers that could not be read are null: for scikit-learn they are a class of their own that is never true and not among `labels`.
Probabilities are multiples of 1/1024, which both sides read exactly.
"""

import json
import warnings

import numpy as np
import scipy.stats
from scipy.optimize import brentq
from scipy.special import softmax
from sklearn import metrics
from sklearn.calibration import calibration_curve
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

UNREAD = -1


class SplitMix(np.random.Generator):
    """The generator of crates/stats, so that scipy draws the same resamples."""

    def __init__(self, seed):
        super().__init__(np.random.PCG64(0))
        self.state = seed

    def integers(self, low, high=None, size=None, dtype=np.int64, endpoint=False):
        assert low == 0 and not endpoint
        mask = (1 << 64) - 1
        drawn = []
        for _ in range(int(np.prod(size))):
            self.state = (self.state + 0x9E3779B97F4A7C15) & mask
            z = self.state
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
            drawn.append(((z ^ (z >> 31)) * int(high)) >> 64)
        return np.array(drawn, dtype=dtype).reshape(size)


def macro_f1(truth, answer):
    labels = sorted((set(truth.tolist()) | set(answer.tolist())) - {UNREAD})
    return metrics.f1_score(truth, answer, labels=labels, average="macro", zero_division=0)


def expected_calibration_error(confidence, right, bins):
    # scikit-learn gives the curve; the error weighs its points by their rows.
    share, mean = calibration_curve(right, confidence, n_bins=bins, strategy="uniform")
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence), minlength=bins)
    return float(np.sum(np.abs(share - mean) * counts[counts > 0]) / len(right))


def figures(seed, rows, classes, skill, unread, weights):
    draw = np.random.default_rng(seed)
    truth = draw.choice(classes, size=rows, p=weights)
    answer = np.where(draw.random(rows) < skill, truth, draw.integers(0, classes, rows))
    answer = np.where(draw.random(rows) < unread, UNREAD, answer)
    labels = list(range(classes))
    per_class = metrics.precision_recall_fscore_support(truth, answer, labels=labels, zero_division=0)

    # Probabilities: parts of 1024 that lean to the truth.
    lean = np.ones((rows, classes)) + 6 * skill * np.eye(classes)[truth]
    parts = np.array([draw.multinomial(1024, draw.dirichlet(row)) for row in lean])
    probabilities = parts / 1024
    chosen = probabilities.argmax(1)
    confidence, right = probabilities.max(1), chosen == truth
    scores = np.round(draw.normal(size=(rows, classes)) * 3 + (1 + 2 * skill) * np.eye(classes)[truth], 3)
    slope = lambda log_inverse: float(
        np.sum(scores[np.arange(rows), truth] - np.sum(softmax(scores * np.exp(log_inverse), axis=1) * scores, axis=1))
    )
    return {
        "seed": seed,
        "classes": classes,
        "truth": truth.tolist(),
        "answer": [None if a == UNREAD else int(a) for a in answer],
        "accuracy": metrics.accuracy_score(truth, answer),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, answer),
        "macro_f1": macro_f1(truth, answer),
        "weighted_f1": metrics.f1_score(truth, answer, labels=labels, average="weighted", zero_division=0),
        "precision": per_class[0].tolist(),
        "recall": per_class[1].tolist(),
        "f1": per_class[2].tolist(),
        "matthews": metrics.matthews_corrcoef(truth, answer),
        "wilson_95": list(proportion_confint(int((truth == answer).sum()), rows, 0.05, "wilson")),
        "probabilities_of_1024": parts.tolist(),
        "brier": metrics.brier_score_loss(truth, probabilities, labels=labels, scale_by_half=False),
        "ece_10": expected_calibration_error(confidence, right, 10),
        "ece_15": expected_calibration_error(confidence, right, 15),
        "scores": scores.tolist(),
        "temperature": float(np.exp(-brentq(slope, np.log(1e-2), np.log(1e2), xtol=1e-15, rtol=1e-14))),
    }


def pair(seed, rows, first_skill, second_skill):
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 3, rows)
    make = lambda skill: np.where(draw.random(rows) < skill, truth, draw.integers(0, 3, rows))
    first, second = make(first_skill), make(second_skill)
    a, b = first == truth, second == truth
    table = [[int((a & b).sum()), int((a & ~b).sum())], [int((~a & b).sum()), int((~a & ~b).sum())]]
    gain = lambda t, x, y: macro_f1(t, y) - macro_f1(t, x)
    common = {"vectorized": False, "paired": True, "n_resamples": 400, "confidence_level": 0.95, "method": "percentile"}
    difference = scipy.stats.bootstrap((truth, first, second), gain, rng=SplitMix(seed), **common)
    alone = scipy.stats.bootstrap((truth, second), macro_f1, rng=SplitMix(seed), **common)
    return {
        "seed": seed,
        "truth": truth.tolist(),
        "first": first.tolist(),
        "second": second.tolist(),
        "only_first": table[0][1],
        "only_second": table[1][0],
        "mcnemar_p": float(mcnemar(table, exact=True).pvalue),
        "resamples": 400,
        "difference": [float(gain(truth, first, second)), *map(float, difference.confidence_interval)],
        "macro_f1_of_second": [float(macro_f1(truth, second)), *map(float, alone.confidence_interval)],
    }


warnings.simplefilter("ignore")  # the class of unread answers is never true, which is meant
print(
    json.dumps(
        {
            "made_by": "make_classification.py",
            "figures": [
                figures(1, 12, 2, 0.2, 0.0, [0.5, 0.5]),
                figures(2, 150, 3, 0.5, 0.0, [0.4, 0.2, 0.4]),
                figures(3, 300, 3, 0.7, 0.2, [0.5, 0.04, 0.46]),
                figures(4, 250, 5, 0.0, 0.5, [0.2] * 5),
                figures(5, 80, 3, 1.0, 0.0, [0.3, 0.3, 0.4]),
            ],
            "pairs": [pair(11, 60, 0.2, 0.8), pair(12, 120, 0.5, 0.5), pair(13, 200, 0.6, 0.7)],
            "mcnemar": [
                [b, c, float(mcnemar([[0, b], [c, 0]], exact=True).pvalue)]
                for b, c in [(0, 0), (0, 1), (1, 9), (5, 5), (30, 60), (240, 260), (3, 400), (700, 800)]
            ],
        },
        separators=(",", ":"),
    )
)
