"""Makes rouge.json: pairs of answer and reference with the ROUGE-L that Google's rouge-score gives them.

    python make_rouge.py > rouge.json

Made with Python 3.11.7, rouge-score 0.1.2, without stemming. Texts are ASCII: rouge-score drops all other letters, ours keeps them.
Running it again gives the same file.
"""

import json
import random

from rouge_score.rouge_scorer import RougeScorer

WORDS = "the profit of nokia rose fell by 5 percent in q3 2024 while oil and gas debts shrank, net sales were flat. A U.S.-based bank!".split()
draw = random.Random(7)
scorer = RougeScorer(["rougeL"], use_stemmer=False)


def text(longest):
    return " ".join(draw.choice(WORDS) for _ in range(draw.randint(0, longest)))


pairs = []
for _ in range(60):
    answer = text(14)
    words = answer.split()
    if words and draw.random() < 0.7:  # a reference that has much in common
        reference = " ".join(w for w in words if draw.random() < 0.7) + " " + text(4)
    else:
        reference = text(14)
    pairs.append([answer, reference, scorer.score(reference, answer)["rougeL"].fmeasure])
print(json.dumps(pairs, indent=0))
