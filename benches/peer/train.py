"""LoRA training steps of transformers + peft on given token rows: the peer of `cargo run -p benches --bin peer -- train`.

One step: a padded batch, the loss on the answers, backward, AdamW. Prints one JSON object.
"""

import argparse
import json
import statistics
import time

import peft
import torch
import transformers

from measure import forget_peak_memory, machine, peak_memory_gib

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def batch_of(rows):
    """Rows padded on the right to the longest: ids, attention mask, labels (-100 where nothing is learned)."""
    longest = max(len(row["tokens"]) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), longest), -100, dtype=torch.long)
    for r, row in enumerate(rows):
        length = len(row["tokens"])
        ids[r, :length] = torch.tensor(row["tokens"])
        mask[r, :length] = 1
        labels[r, length - row["answer"] : length] = ids[r, length - row["answer"] : length]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True, help="folder of the checkpoint")
parser.add_argument("--data", required=True, help="file that make_rows.py wrote")
parser.add_argument("--dtype", choices=DTYPES, default="bf16", help="of the frozen weights and activations")
parser.add_argument("--adapter-dtype", choices=DTYPES, default="f32", help="f32 is PEFT's default")
parser.add_argument("--checkpointing", action="store_true", help="recompute activations in the backward pass")
parser.add_argument("--compile", action="store_true", help="torch.compile; pads every batch to the longest row of the file")
parser.add_argument("--rows", type=int, default=8, help="rows in a step")
parser.add_argument("--steps", type=int, default=5, help="timed steps")
parser.add_argument("--warm-up", type=int, default=2, help="steps before the timed ones")
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(42)
with open(options.data, encoding="utf-8") as file:
    data = json.load(file)["rows"]

model = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype=DTYPES[options.dtype])
config = peft.LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM")
model = peft.get_peft_model(model, config, autocast_adapter_dtype=options.adapter_dtype == "f32")
if options.checkpointing:
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
model.config.use_cache = False
model.train()
trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
assert all(parameter.dtype == DTYPES[options.adapter_dtype] for parameter in trainable)
optimizer = torch.optim.AdamW(trainable, lr=2e-4)
step_model = torch.compile(model) if options.compile else model
longest = max(data, key=lambda row: len(row["tokens"]))

seconds, tokens, losses = [], [], []
for step in range(options.warm_up + options.steps):
    if step == options.warm_up:
        forget_peak_memory()
    rows = [data[(step * options.rows + r) % len(data)] for r in range(options.rows)]
    batch = batch_of(rows + [longest] if options.compile else rows)
    if options.compile:
        batch = {name: tensor[:-1].contiguous() for name, tensor in batch.items()}
    began = time.perf_counter()
    loss = step_model(**batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
    if step >= options.warm_up:
        seconds.append(time.perf_counter() - began)
        tokens.append(sum(len(row["tokens"]) for row in rows))

print(
    json.dumps(
        {
            "side": "transformers+peft",
            "precision": options.dtype,
            "adapter": options.adapter_dtype,
            "checkpointing": options.checkpointing,
            "compile": options.compile,
            "rows": options.rows,
            "threads": options.threads,
            **machine(),
            "seconds_per_step": round(statistics.median(seconds), 4),
            "tokens_per_second": round(statistics.median(t / s for t, s in zip(tokens, seconds)), 2),
            "rows_per_second": round(options.rows / statistics.median(seconds), 3),
            "peak_gib": round(peak_memory_gib(), 2),
            "losses": [round(loss, 4) for loss in losses],
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
        }
    )
)
