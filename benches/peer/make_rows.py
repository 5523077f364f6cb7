"""Writes token rows shaped like short-answer instruction tuning, for both sides of the bench to read.

Every row: a prefix all rows share (the instruction), a text of its own, an answer of a few tokens. Only the answer is
learned. Token ids are uniform draws, which cost what real ones cost. The file:
{"prefix": tokens shared by all rows, "rows": [{"tokens": [ids...], "answer": number of learned tokens at the end}, ...]}
"""

import argparse
import json
import random

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--out", required=True)
parser.add_argument("--rows", type=int, default=512)
parser.add_argument("--prefix", type=int, default=60)
parser.add_argument("--text", type=int, nargs=2, default=[20, 76], help="shortest and longest text, both possible")
parser.add_argument("--answer", type=int, nargs=2, default=[2, 4], help="shortest and longest answer, both possible")
parser.add_argument("--vocabulary", type=int, default=128000)
parser.add_argument("--seed", type=int, default=42)
options = parser.parse_args()

draw = random.Random(options.seed)


def tokens(count):
    return [draw.randrange(options.vocabulary) for _ in range(count)]


prefix = tokens(options.prefix)
rows = []
for _ in range(options.rows):
    answer = draw.randint(*options.answer)
    rows.append({"tokens": prefix + tokens(draw.randint(*options.text)) + tokens(answer), "answer": answer})
with open(options.out, "w", encoding="utf-8") as file:
    json.dump({"prefix": options.prefix, "rows": rows}, file)
lengths = [len(row["tokens"]) for row in rows]
print(f"{len(rows)} rows, {sum(lengths) / len(lengths):.1f} tokens each (longest {max(lengths)}), seed {options.seed}")
