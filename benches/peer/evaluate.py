"""The same prompts and labels in transformers: the peer of `cargo run -p evaluator --example speed`, whose `--write` makes the file.

Generate: greedy, up to so many new tokens, rows of about the same length together and padded on the left; what a reader of
answers waits for. Score: the log-probability of each label with its end token, prompt and label run as one row each, as
evaluation harnesses do. Prints one JSON object.
"""

import argparse
import importlib.metadata
import json
import time

import torch
import transformers
from measure import forget_peak_memory, machine, peak_memory_gib

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--questions", required=True, help="what the example wrote with --write")
parser.add_argument("--mode", choices=["generate", "score"], default="generate")
parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
parser.add_argument("--rows", type=int, default=0, help="at most so many, evenly spread; 0: all")
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--max-new-tokens", type=int, default=12)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

with open(options.questions, encoding="utf-8") as file:
    asked = json.load(file)
prompts = asked["prompts"]
if options.rows:
    step = len(prompts) / options.rows
    prompts = [prompts[int(i * step)] for i in range(options.rows)]
torch.set_num_threads(options.threads)
model = transformers.AutoModelForCausalLM.from_pretrained(
    options.model, dtype={"f32": torch.float32, "bf16": torch.bfloat16}[options.dtype]
).eval()
model.generation_config.eos_token_id = asked["ends"]
model.generation_config.pad_token_id = asked["ends"][0]


def padded(rows, side):
    """Token ids and mask, filled up on one side."""
    longest = max(map(len, rows))
    fill = [[asked["ends"][0]] * (longest - len(row)) for row in rows]
    joined = [f + r if side == "left" else r + f for f, r in zip(fill, rows)]
    mask = [[0] * len(f) + [1] * len(r) if side == "left" else [1] * len(r) + [0] * len(f) for f, r in zip(fill, rows)]
    return torch.tensor(joined), torch.tensor(mask)


def generate(rows):
    ids, mask = padded(rows, "left")
    out = model.generate(ids, attention_mask=mask, max_new_tokens=options.max_new_tokens, do_sample=False)
    return int(out.numel() - ids.numel())


def score(rows):
    both = [row + label for row in rows for label in asked["labels"]]
    starts = [len(row) for row in rows for _ in asked["labels"]]
    ids, mask = padded([row[:-1] for row in both], "right")
    logits = model(ids, attention_mask=mask, use_cache=False).logits
    scores = []
    for row, start, log in zip(both, starts, logits):
        log = torch.log_softmax(log[start - 1 : len(row) - 1].float(), -1)
        scores.append(float(log.gather(1, torch.tensor(row[start:])[:, None]).sum()))
    return [scores[i : i + len(asked["labels"])] for i in range(0, len(scores), len(asked["labels"]))]


order = sorted(prompts, key=len) if options.batch > 1 else prompts
batches = [order[i : i + options.batch] for i in range(0, len(order), options.batch)]
work = generate if options.mode == "generate" else score
with torch.inference_mode():
    work(prompts[:1])
    first = score(prompts[:1])[0]
    forget_peak_memory()
    began, busy = time.perf_counter(), time.process_time()
    results = [work(batch) for batch in batches]
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
print(
    json.dumps(
        {
            "side": "transformers",
            "mode": options.mode,
            "dtype": options.dtype,
            "batch": options.batch,
            "rows": len(prompts),
            "seconds": round(seconds, 3),
            "rows_per_second": round(len(prompts) / seconds, 4),
            "cpu_seconds": round(busy, 2),
            "prompt_tokens": sum(map(len, prompts)),
            "max_new_tokens": options.max_new_tokens if options.mode == "generate" else 0,
            "tokens_written": sum(results) if options.mode == "generate" else 0,
            "first_scores": first,
            "peak_gib": round(peak_memory_gib(), 2),
            "versions": {name: importlib.metadata.version(name) for name in ["torch", "transformers"]},
            **machine(),
        }
    )
)
