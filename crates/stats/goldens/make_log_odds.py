"""Log-odds with an informative Dirichlet prior, written straight from Monroe, Colaresi and Quinn (2008), equations 16, 20 and 22.

Made with Python 3.11 and numpy 2.3.5: python make_log_odds.py > log_odds.json
"""

import json

import numpy as np

random = np.random.default_rng(20081115)
cases = []
for items, size, prior in [(5, 40, 10.0), (200, 5_000, 500.0), (1_000, 300, 0.5), (50, 100_000, 25_000.0)]:
    shares = random.dirichlet(np.full(items, 0.3), size=2)
    inside, outside = (random.multinomial(size * k, s) for k, s in zip((1, 3), shares))
    alpha = prior * (inside + outside) / (inside + outside).sum()
    with np.errstate(all="ignore"):
        odds_in = np.log((inside + alpha) / (inside.sum() + prior - inside - alpha))
        odds_out = np.log((outside + alpha) / (outside.sum() + prior - outside - alpha))
        difference = odds_in - odds_out
        z = difference / np.sqrt(1 / (inside + alpha) + 1 / (outside + alpha))
    # Items that occur nowhere have no odds; ours says 0.
    nowhere = inside + outside == 0
    difference[nowhere], z[nowhere] = 0.0, 0.0
    cases.append(
        {
            "prior": prior,
            "inside": inside.tolist(),
            "outside": outside.tolist(),
            "difference": difference.tolist(),
            "z": z.tolist(),
        }
    )
print(json.dumps(cases))
