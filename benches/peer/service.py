"""The sentiment service as one would write it with FastAPI and transformers: the peer of `cargo run -p service`.

A request's texts run as one batch, padded on the left, and only the logits after the prompt are computed. The probability of a
label is that of its first token among the first tokens of all labels; ours also counts the token that ends the answer, which is
more work. Requests are answered one after another: two at a time on the same cores are slower.
"""

import argparse
import threading

import torch
import transformers
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

LABELS = ["negative", "neutral", "positive"]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--dtype", choices=["f32", "bf16"], default="bf16")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--port", type=int, default=8081)
options = parser.parse_args()

torch.set_num_threads(options.threads)
tokenizer = transformers.AutoTokenizer.from_pretrained(options.model, padding_side="left")
tokenizer.pad_token = tokenizer.eos_token
model = transformers.AutoModelForCausalLM.from_pretrained(
    options.model, dtype={"f32": torch.float32, "bf16": torch.bfloat16}[options.dtype]
).eval()
first = [tokenizer.encode(label, add_special_tokens=False)[0] for label in LABELS]
one_at_a_time = threading.Lock()
app = FastAPI()


class Question(BaseModel):
    texts: list[str]


def prompt(text: str) -> str:
    messages = [{"role": "user", "content": f"Sentiment of this text?\n{text}"}]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024")


@app.get("/health")
def health() -> dict:
    return {"status": "ok"}


@app.post("/v1/sentiment")
def sentiment(question: Question) -> dict:
    prompts = [prompt(text) for text in question.texts]
    batch = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
    with one_at_a_time, torch.inference_mode():
        logits = model(**batch, logits_to_keep=1, use_cache=False).logits[:, -1, first].float()
    results = []
    for shares in logits.softmax(-1).tolist():
        shares = dict(zip(LABELS, shares))
        results.append({"label": max(shares, key=shares.get), "probabilities": shares})
    return {"results": results}


uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning")
