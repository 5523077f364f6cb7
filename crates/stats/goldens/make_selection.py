"""Reference values for stats::selection.

Made with Python 3.11: arch 8.0.0, skfolio 1.12.2, vectorbt 1.2.0, scipy 1.17.1, pandas 3.1.1, numpy 2.4.6:
python make_selection.py > selection.json

What comes from where:
* block lengths: arch.bootstrap.optimal_block_length.
* stationary bootstrap: arch.bootstrap.StationaryBootstrap, in distribution (mean, standard deviation and quantiles of
  the Sharpe ratio over 20,000 resamples; share of steps that go on).
* tests against a benchmark: arch.bootstrap.SPA on given resamples. arch 8.0.0 computes the variance of each strategy
  but compares means that are not divided by it, so its p-values are those of the test without studentising; the
  studentised ones (Hansen 2005, section 3) are written out here in numpy, on the same resamples.
* deflated Sharpe ratio: vectorbt.returns.metrics, given bias-corrected moments and kurtosis with 3 for a normal
  distribution. (vectorbt's accessor defaults to moments without bias correction, so its own call differs in the third
  digit.) Minimum track record length: no library at hand; the formula of Bailey and Lopez de Prado (2012) in scipy.
* PBO by CSCV: no library at hand; the paper's algorithm in numpy, ranks by scipy.
* purged combinatorial splits and walk-forward: skfolio.model_selection.
* rank correlation and t: scipy.stats.spearmanr. Wilson's interval: scipy.stats.binomtest.
* drawdowns: pandas.
"""

import itertools
import json
import math

import numpy as np
import pandas as pd
from arch.bootstrap import SPA, StationaryBootstrap, optimal_block_length
from scipy import stats
from skfolio.model_selection import CombinatorialPurgedCV, WalkForward
from vectorbt.returns import metrics

random = np.random.default_rng(20140707)


def ar(n, phi, mean, scale, df=5):
    noise = random.standard_t(df, n + 200) * scale
    x = np.zeros(n + 200)
    for i in range(1, n + 200):
        x[i] = phi * x[i - 1] + noise[i]
    return x[200:] + mean


def sharpe(x):
    return x.mean() / x.std(ddof=1)


series = {
    "independent": ar(300, 0.0, 0.001, 0.01),
    "persistent": ar(500, 0.7, 0.0, 0.01),
    "reverting": ar(257, -0.4, 0.002, 0.02, df=3),
    "short": ar(40, 0.2, 0.001, 0.01),
    "wave": np.sin(np.arange(400) / 30.0) + 0.1 * random.standard_normal(400),
}
out = {"series": {}}
for name, x in series.items():
    block = optimal_block_length(x).iloc[0]
    moments = pd.Series(x)
    skew, kurt = moments.skew(), moments.kurt() + 3
    sr, n = sharpe(x), len(x)
    case = {"x": x.tolist(), "stationary": block["stationary"], "circular": block["circular"]}
    case["deflated"] = [
        [trials, variance, float(metrics.approx_exp_max_sharpe(0, variance, trials)),
         float(metrics.deflated_sharpe_ratio(est_sharpe=sr, var_sharpe=variance, nb_trials=trials, backtest_horizon=n, skew=skew, kurtosis=kurt))]
        for trials, variance in [(2, 0.01), (10, 0.0004), (1000, 0.001), (100_000, 0.0001)]
    ]
    case["track_record"] = [
        [benchmark, confidence, 1 + (1 - skew * sr + (kurt - 1) / 4 * sr**2) * (stats.norm.ppf(confidence) / (sr - benchmark)) ** 2]
        for benchmark in (-0.3, 0.0, 0.05) for confidence in (0.9, 0.95) if sr > benchmark
    ]
    out["series"][name] = case

x = series["persistent"]
bootstrap = StationaryBootstrap(12, x, seed=1)
drawn, steps = [], []
for (resample,), _ in bootstrap.bootstrap(20_000):
    drawn.append(sharpe(resample))
    index = bootstrap.index
    steps.append((np.diff(index) % len(x) == 1).mean())
out["bootstrap"] = {
    "mean_block": 12, "mean": np.mean(drawn), "std": np.std(drawn), "goes_on": np.mean(steps),
    "quantiles": [[q, np.quantile(drawn, q)] for q in (0.025, 0.25, 0.5, 0.75, 0.975)],
}

out["superior"] = []
for k, edge, seed in [(4, 0.0, 1), (6, 0.0006, 2), (3, -0.003, 3)]:
    n, block, reps = 100, 6, 60
    common = ar(n, 0.3, 0.0, 0.01)
    models = np.stack([common * (0.4 + 0.2 * j) + ar(n, 0.1, edge * (j - 1), 0.004 * (1 + j)) for j in range(k)], axis=1)
    spa = SPA(-common, -models, block_size=block, reps=reps, bootstrap="stationary", studentize=True, seed=seed)
    spa.compute()
    again = StationaryBootstrap(block, models, seed=seed)
    draws = []
    for _ in again.bootstrap(reps):
        draws.append(np.array(again.index).tolist())
    d = models - common[:, None]
    mean, omega = d.mean(0), np.sqrt(spa._loss_diff_var)
    relevant = np.sqrt(n) * mean >= -omega * np.sqrt(2 * np.log(np.log(n)))
    assert (relevant == spa._check_column_validity()).all()
    centres = [np.maximum(mean, 0), np.where(relevant, mean, 0), mean]
    statistic = max((np.sqrt(n) * mean / omega).max(), 0)
    stars = np.array([d[i].mean(0) for i in draws])
    studentised = [
        int((np.maximum((np.sqrt(n) * (stars - c) / omega).max(1), 0) > statistic).sum()) for c in centres
    ]
    plain = [int(((stars - c).max(1) > mean.max()).sum()) for c in centres]
    # the same resamples: arch's p-values are shares of them
    assert np.allclose(np.array(plain) / reps, list(spa.pvalues)), (plain, spa.pvalues)
    out["superior"].append({
        "advantages": d.T.tolist(), "mean_block": block, "draws": draws, "relevant": relevant.tolist(),
        "arch": [float(p) for p in spa.pvalues], "plain_statistic": float(np.sqrt(n) * mean.max()),
        "studentised": studentised, "studentised_statistic": float(statistic),
    })

out["overfitting"] = []
for n, k, blocks, edge in [(96, 8, 8, 0.0), (103, 5, 6, 0.004), (64, 3, 4, 0.0)]:
    m = np.stack([ar(n, 0.1, edge * j, 0.01) for j in range(k)])
    m[1] = 0.0  # never traded
    parts = np.array_split(np.arange(n), blocks)
    logits, chosen, inside, outside = [], [], [], []

    def ratio(y):
        s = y.std(axis=1, ddof=1)
        return np.where(s > 0, y.mean(axis=1) / np.where(s > 0, s, 1), 0.0)

    for past in itertools.combinations(range(blocks), blocks // 2):
        before = np.concatenate([parts[b] for b in past])
        after = np.concatenate([parts[b] for b in range(blocks) if b not in past])
        a, b = ratio(m[:, before]), ratio(m[:, after])
        best = int(np.argmax(a))
        omega = stats.rankdata(b)[best] / (k + 1)
        logits.append(math.log(omega / (1 - omega)))
        chosen.append(best)
        inside.append(a[best])
        outside.append(b[best])
    logits = np.array(logits)
    out["overfitting"].append({
        "variants": m.tolist(), "blocks": blocks, "probability": float((logits <= 1e-12).mean()), "logits": logits.tolist(),
        "chosen": chosen, "loss": float((np.array(outside) < 0).mean()),
        "slope": float(stats.linregress(inside, outside).slope), "chosen_in": float(np.median(inside)), "chosen_out": float(np.median(outside)),
    })

out["combinatorial"] = []
for n, folds, tests, purge, embargo in [(60, 6, 2, 0, 0), (60, 6, 2, 2, 1), (80, 5, 3, 3, 4), (48, 4, 2, 1, 0)]:
    cv = CombinatorialPurgedCV(n_folds=folds, n_test_folds=tests, purged_size=purge, embargo_size=embargo)
    splits = [[train.tolist(), [t.tolist() for t in test]] for train, test in cv.split(np.zeros((n, 1)))]
    out["combinatorial"].append({
        "n": n, "folds": folds, "tests": tests, "purge": purge, "embargo": embargo, "splits": splits,
        "paths": cv.recombined_paths.T.tolist(),
    })

out["walk_forward"] = []
for n, train, test, purge, expand in [(50, 20, 7, 0, False), (50, 20, 7, 3, False), (61, 10, 10, 2, True)]:
    cv = WalkForward(test_size=test, train_size=train, purged_size=purge, expand_train=expand)
    splits = [[int(a[0]), int(a[-1]) + 1, int(b[0]), int(b[-1]) + 1] for a, b in cv.split(np.zeros((n, 1)))]
    out["walk_forward"].append({"n": n, "train": train, "test": test, "purge": purge, "expand": expand, "splits": splits})

out["spearman"] = []
for n, ties in [(50, False), (200, True), (9, True)]:
    a = random.standard_normal(n)
    b = 0.3 * a + random.standard_normal(n)
    if ties:
        a, b = np.round(a), np.round(b, 1)
    rho = stats.spearmanr(a, b).statistic
    out["spearman"].append({"a": a.tolist(), "b": b.tolist(), "rho": rho, "t": rho * math.sqrt((n - 2) / (1 - rho**2))})

out["wilson"] = []
for hits, calls in [(52, 100), (1, 7), (700, 1300)]:
    interval = stats.binomtest(hits, calls).proportion_ci(0.95, method="wilson")
    out["wilson"].append([hits, calls, interval.low, interval.high])

x = series["reverting"]
equity = pd.concat([pd.Series([1.0]), (1 + pd.Series(x)).cumprod()], ignore_index=True)
under = equity / equity.cummax() - 1
groups = (under >= -1e-12).cumsum()[under < -1e-12]
rows = []
for _, member in groups.groupby(groups):
    part = under.loc[member.index]
    last = int(part.index[-1])
    rows.append([int(part.index[0]) - 1, int(part.idxmin()) - 1, last if last < len(x) else None, float(part.min())])
rows.sort(key=lambda r: r[3])
out["drawdowns"] = {"series": "reverting", "worst": rows[:10]}
rolling = pd.Series(x).rolling(30)
out["rolling_sharpe"] = {"window": 30, "per_period": [None if np.isnan(v) else float(v) for v in rolling.mean() / rolling.std()]}
print(json.dumps(out, default=float))
