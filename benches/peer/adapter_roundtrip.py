"""Adapters between seafin and Python peft, both ways, in f32.

make:  writes an adapter as peft does (A as peft draws it, B random instead of zero).
check: loads an adapter, ours or theirs, in peft and compares its logits with those `peer logits` wrote; exit 1 beyond
       the tolerance. The tolerance is ten times what f32 and f64 differ by in such a model (3e-5 at most, see the LoRA
       oracles' README).
"""

import argparse
import json
import sys

import peft
import torch
import transformers

TOLERANCE = 1e-4
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("action", choices=["make", "check"])
parser.add_argument("--model", required=True, help="folder of the base checkpoint")
parser.add_argument("--adapter", required=True, help="folder of the adapter: written by make, read by check")
parser.add_argument("--data", help="check: the rows that `peer logits` read")
parser.add_argument("--logits", help="check: what `peer logits` wrote")
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(42)
base = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)

if options.action == "make":
    config = peft.LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM")
    model = peft.get_peft_model(base, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    model.save_pretrained(options.adapter)
    print(f"{options.adapter}: written by peft {peft.__version__}")
    sys.exit()

without = base.eval()
with open(options.data, encoding="utf-8") as file:
    rows = [row["tokens"] for row in json.load(file)["rows"]]
with open(options.logits, encoding="utf-8") as file:
    ours = [torch.tensor(row) for row in json.load(file)]
with torch.inference_mode():
    plain = [without(torch.tensor([row])).logits[0] for row, _ in zip(rows, ours)]
    model = peft.PeftModel.from_pretrained(base, options.adapter).eval()
    theirs = [model(torch.tensor([row])).logits[0] for row, _ in zip(rows, ours)]
difference = max((a - b).abs().max().item() for a, b in zip(ours, theirs))
effect = max((a - b).abs().max().item() for a, b in zip(plain, theirs))
passed = difference <= TOLERANCE
print(
    json.dumps(
        {
            "adapter": options.adapter,
            "rows": len(ours),
            "max_logit_difference": difference,
            "max_effect_of_the_adapter": effect,
            "tolerance": TOLERANCE,
            "passed": passed,
        }
    )
)
sys.exit(0 if passed and effect > 100 * TOLERANCE else 1)
