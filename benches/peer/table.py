"""Prints results of run.sh (JSON objects, one a line) as Markdown, each row with its ratio to the best stock and tuned peer."""

import argparse
import json
import statistics

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("results")
options = parser.parse_args()
with open(options.results, encoding="utf-8") as file:
    every = [json.loads(line) for line in file if line.startswith("{")]
# What clients of a service measured has its own table.
results, loads = ([r for r in every if (r.get("task") == "service") == wanted] for wanted in (False, True))


def name_of(result):
    """What was measured; results of the same name are repetitions."""
    words = [result["side"], result["precision"]]
    if "prefill_tokens" in result:
        return ", ".join(words + ([result["malloc"]] if result["side"] == "transformers" else []))
    if result["side"] == "seafin":
        words += [f"savings {result['savings']}", f"recompute {result['recompute']}"]
    else:
        words += [f"{result['adapter']} adapters", result["malloc"]]
        words += [word for word in ("checkpointing", "compile") if result[word]]
    return ", ".join(words + [f"{result['rows']} rows a step"])


def medians(kind, fields):
    """Each name with the median of each field over its repetitions."""
    groups = {}
    for result in results:
        if ("prefill_tokens" in result) == (kind == "infer"):
            groups.setdefault(name_of(result), []).append(result)
    return [
        (name, group[0], {field: statistics.median(r[field] for r in group if r.get(field) is not None) for field in fields})
        for name, group in groups.items()
    ]


def ratio(value, peers):
    return f"{value / max(peers):.2f}" if peers else "–"


def print_table(kind, title, fields, compared, peer):
    """`fields`: (key, heading, format); `compared`: those whose ratios are shown."""
    rows = medians(kind, [key for key, _, _ in fields])
    if not rows:
        return
    headings = ["run"] + [heading for _, heading, _ in fields]
    headings += [f"{heading} ÷ {malloc} {peer}" for key, heading, _ in fields if key in compared for malloc in ("stock", "tuned")]
    print(f"\n### {title}\n\n| {' | '.join(headings)} |\n|{'---|' * len(headings)}")
    for name, first, values in rows:
        cells = [name] + [form.format(values[key]) for key, _, form in fields]
        for key in compared:
            for malloc in ("stock", "tuned"):
                peers = [v[key] for _, r, v in rows if r["side"] == peer and r["malloc"] == malloc]
                cells.append(ratio(values[key], peers) if first["side"] == "seafin" else "")
        print(f"| {' | '.join(cells)} |")


print_table(
    "train",
    "LoRA training steps",
    [
        ("seconds_per_step", "s a step", "{:.2f}"),
        ("tokens_per_second", "tokens/s", "{:.1f}"),
        ("rows_per_second", "rows/s", "{:.2f}"),
        ("peak_gib", "peak GiB", "{:.2f}"),
    ],
    ["tokens_per_second"],
    "transformers+peft",
)
print_table(
    "infer",
    "Prefill and decode, batch 1",
    [
        ("prefill_tokens_per_second", "prefill tokens/s", "{:.1f}"),
        ("decode_tokens_per_second", "decode tokens/s", "{:.2f}"),
        ("peak_gib", "peak GiB", "{:.2f}"),
    ],
    ["prefill_tokens_per_second", "decode_tokens_per_second"],
    "transformers",
)
if loads:
    print("\n### The service\n\n| service | clients | texts a request | texts/s | median s | slowest s |\n|---|---|---|---|---|---|")
    for engine, clients, each in dict.fromkeys((r["engine"], r["clients"], r["texts_each"]) for r in loads):
        same = [r for r in loads if (r["engine"], r["clients"], r["texts_each"]) == (engine, clients, each)]
        figures = [statistics.median(r[key] for r in same) for key in ("texts_per_second", "median_seconds", "slowest_seconds")]
        print(f"| {engine} | {clients} | {each} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")
versions = {name: version for result in results for name, version in result.get("versions", {}).items() if isinstance(version, str)}
print("\nVersions: " + ", ".join(f"{name} {version}" for name, version in sorted(versions.items())))
