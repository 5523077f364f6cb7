"""Near duplicates of the same texts: ours against datasketch, with the truth by brute force.

    pip install datasketch==2.0.0 numpy scipy pyarrow
    cargo build -p text --example near_duplicates
    python benches/peer/near_duplicates.py FILE.parquet --column input --ours target/debug/examples/near_duplicates

Both sides read the same texts (one a line), cut them into character 5-grams, and name every pair whose sets of 5-grams have a
Jaccard similarity of the threshold or more. Both decide by the exact similarity, so both have precision 1; datasketch may
overlook pairs. The truth is the whole matrix of shared 5-grams (a sparse product).
Runs of the two sides alternate; medians are compared. datasketch runs as its manual says (128 permutations, bands chosen for
the threshold, SHA-1), with CRC-32 instead, which is faster, and with the 20 bands of 4 that our MinHash has, which find more;
the fastest one is compared.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import datasketch
import numpy as np
import pyarrow.parquet as pq
import scipy.sparse as sp
from datasketch import MinHash, MinHashLSH

GRAM = 5


def grams(text: str) -> frozenset:
    if len(text) <= GRAM:
        return frozenset([text]) if text else frozenset()
    return frozenset(text[i : i + GRAM] for i in range(len(text) - GRAM + 1))


def crc32(data: bytes) -> int:
    return zlib.crc32(data)


def peer(texts: list, threshold: float, hashfunc=None, bands=None) -> set:
    """The pairs that datasketch proposes and exact similarity keeps."""
    sets = [grams(t) for t in texts]
    options = {} if hashfunc is None else {"hashfunc": hashfunc}
    options["num_perm"] = 128 if bands is None else bands[0] * bands[1]
    lsh = MinHashLSH(threshold=threshold, num_perm=options["num_perm"], params=bands)
    signatures = []
    for members in sets:
        signature = MinHash(**options)
        if members:
            signature.update_batch([g.encode("utf-8") for g in members])
        signatures.append(signature)
    with lsh.insertion_session() as session:
        for i, signature in enumerate(signatures):
            if sets[i]:
                session.insert(i, signature)
    pairs = set()
    for i, signature in enumerate(signatures):
        if not sets[i]:
            continue
        a = sets[i]
        for j in lsh.query(signature):
            if j <= i:
                continue
            b = sets[j]
            shared = len(a & b)
            if shared / (len(a) + len(b) - shared) >= threshold:
                pairs.add((i, j))
    return pairs


def truth(texts: list, threshold: float) -> set:
    """Every pair there is, from the matrix of shared 5-grams."""
    sets = [grams(t) for t in texts]
    vocabulary = {}
    rows, columns = [], []
    for i, members in enumerate(sets):
        for g in members:
            rows.append(i)
            columns.append(vocabulary.setdefault(g, len(vocabulary)))
    shape = (len(texts), max(len(vocabulary), 1))
    x = sp.csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)
    sizes = np.array([len(s) for s in sets])
    transposed = x.T.tocsr()
    pairs = set()
    for start in range(0, len(texts), 500):
        shared = (x[start : start + 500] @ transposed).tocoo()
        i, j, n = shared.row + start, shared.col, shared.data
        similar = (i < j) & (n / (sizes[i] + sizes[j] - n) >= threshold)
        pairs.update(zip(i[similar].tolist(), j[similar].tolist()))
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--column", default="input")
    parser.add_argument("--ours", required=True)
    parser.add_argument("--threshold", type=float, default=0.7)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    column = pq.read_table(args.file, columns=[args.column]).column(args.column).to_pylist()
    every = [" ".join(t.split()) for t in column]
    unique = [t for t in dict.fromkeys(every) if t]
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "texts.txt"
        lines.write_text("\n".join(unique) + "\n", encoding="utf-8")
        whole = Path(folder) / "every.txt"
        whole.write_text("\n".join(every) + "\n", encoding="utf-8")

        def ours(file: Path) -> dict:
            command = [args.ours, str(file), str(args.threshold), "3"]
            return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

        ways = {
            "datasketch, SHA-1": {},
            "datasketch, CRC-32": {"hashfunc": crc32},
            "datasketch, 20 bands of 4": {"hashfunc": crc32, "bands": (20, 4)},
        }
        seconds = {name: [] for name in ["exact", "minhash", *ways]}
        theirs = {}
        for _ in range(args.runs):
            mine = ours(lines)
            seconds["exact"] += mine["exact"]
            seconds["minhash"] += mine["minhash"]
            for name, options in ways.items():
                start = time.perf_counter()
                theirs[name] = peer(unique, args.threshold, **options)
                seconds[name].append(time.perf_counter() - start)
        found = {tuple(map(int, line.split())) for line in Path(f"{lines}.pairs").read_text().splitlines()}
        joined = {tuple(map(int, line.split())) for line in Path(f"{lines}.minhash").read_text().splitlines()}
        copies = ours(whole)
        start = time.perf_counter()
        peer(every, args.threshold, crc32)
        with_copies = time.perf_counter() - start
    all_pairs = truth(unique, args.threshold)

    def quality(pairs: set) -> str:
        right = len(pairs & all_pairs)
        return f"recall {right / max(len(all_pairs), 1):.5f}, precision {right / max(len(pairs), 1):.5f}"

    median = {name: statistics.median(values) for name, values in seconds.items()}
    fastest = min(v for name, v in median.items() if name.startswith("datasketch"))
    print(f"{platform.machine()}, Python {sys.version.split()[0]}, datasketch {datasketch.__version__}, threshold {args.threshold}")
    print(f"{len(unique)} different texts of {len(every)}; {len(all_pairs)} pairs in truth (brute force)")
    for name, values in seconds.items():
        spread = f"{min(values):.3f} to {max(values):.3f}"
        print(f"  {name:25} median {median[name]:8.3f} s of {len(values)} ({spread}), {fastest / median[name]:6.1f} x")
    print(f"ours, exact join: {quality(found)}")
    print(f"ours, MinHash:    {len(joined & all_pairs) / max(len(all_pairs), 1):.5f} of the pairs in one cluster")
    for name, pairs in theirs.items():
        print(f"{name}: {quality(pairs)}")
    exact = statistics.median(copies["exact"])
    print(f"all {len(every)} rows, copies included: ours {exact:.3f} s, datasketch (CRC-32, one run) {with_copies:.1f} s")


if __name__ == "__main__":
    main()
