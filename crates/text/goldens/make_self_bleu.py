"""Makes self_bleu.json: Self-BLEU, distinct-n of small sets of texts.

Made with Python 3.11.7, nltk 3.10.4 (SmoothingFunction.method1).

    python make_self_bleu.py > self_bleu.json
"""

import json
import random

from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

random.seed(5)
WORDS = "profit sales mill bank rose fell order plant year court euros the of in a net group shares said lợi nhuận tăng".split()
sets = []
for texts, longest in [(2, 6), (5, 9), (12, 14), (40, 20), (8, 3)]:
    sets.append([" ".join(random.choices(WORDS, k=random.randint(1, longest))) for _ in range(texts)])
sets.append(sets[1] + sets[1])

smooth = SmoothingFunction().method1
out = []
for texts in sets:
    tokens = [text.split() for text in texts]
    scores = [
        sentence_bleu(tokens[:i] + tokens[i + 1 :], tokens[i], smoothing_function=smooth) for i in range(len(tokens))
    ]
    distinct = []
    for n in (1, 2, 3):
        runs = [tuple(t[i : i + n]) for t in tokens for i in range(len(t) - n + 1)]
        distinct.append(len(set(runs)) / len(runs) if runs else None)
    out.append({"texts": texts, "self_bleu": sum(scores) / len(scores), "distinct": distinct})
print(json.dumps(out, ensure_ascii=False, indent=1))
