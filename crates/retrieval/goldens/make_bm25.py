"""BM25 scores to compare with: bm25s 0.3.16 (method "lucene") and rank_bm25 0.2.2 (Python 3.11, numpy 2.4.6).

rank_bm25 has another inverse document frequency; it is given the one of "lucene" here, and its scores then have a
constant factor k1 + 1 that ours (as bm25s') have not. bm25s computes in float32.

    python make_bm25.py > bm25.json
"""
import json
import math
import random

import bm25s
from rank_bm25 import BM25Okapi

VOCABULARY = (
    "rates rise fall bank exchange hacked profit loss warns beats forecast dividend fund approved regulator halts "
    "trading shares oil gold bitcoin ether miners quiet day inflation cools heats jobs weak strong guidance cut"
).split()
K1, B = 1.2, 0.75


class Lucene(BM25Okapi):
    def _calc_idf(self, nd):
        for word, n in nd.items():
            self.idf[word] = math.log(1 + (self.corpus_size - n + 0.5) / (n + 0.5))


def main():
    rng = random.Random(7)
    weights = [1 / (rank + 1) for rank in range(len(VOCABULARY))]
    texts = [rng.choices(VOCABULARY, weights, k=rng.randint(1, 30)) for _ in range(60)]
    queries = [rng.choices(VOCABULARY, k=rng.randint(1, 6)) for _ in range(12)] + [["unseen", "rates", "rates"]]
    cases = []
    for known in (1, 2, 17, 60):
        corpus = texts[:known]
        okapi = Lucene(corpus, k1=K1, b=B)
        lucene = bm25s.BM25(method="lucene", k1=K1, b=B)
        lucene.index(corpus, show_progress=False)
        for query in queries:
            known_words = [w for w in query if w in lucene.vocab_dict]
            scores = lucene.get_scores(known_words) if known_words else [0.0] * known
            cases.append(
                {
                    "known": known,
                    "query": " ".join(query),
                    "bm25s": [round(float(s), 7) for s in scores],
                    "rank_bm25": [float(s) / (K1 + 1) for s in okapi.get_scores(query)],
                }
            )
    print(json.dumps({"k1": K1, "b": B, "texts": [" ".join(t) for t in texts], "cases": cases}, indent=None))


main()
