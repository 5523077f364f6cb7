"""Vectors and speed of all-MiniLM-L6-v2 in torch 2.15.0, transformers 5.23.0 (Python 3.11), to compare with.

As sentence-transformers does it: sorted by length, batches of 32 padded to their longest, mean pooling over the tokens,
length 1, at most max_seq_length tokens. Reads texts, one a line; writes reference.json (the first 40 and the 10
longest) into the model's folder and prints texts a second.

    python make_minilm.py MODEL_FOLDER TEXTS
"""
import json
import pathlib
import sys
import time

import torch
from tokenizers import Tokenizer
from transformers import BertModel


def main(folder, path):
    folder = pathlib.Path(folder)
    texts = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    limit = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(limit)
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()

    def embed(batch):
        tokens = tokenizer.encode_batch(batch)
        ids = torch.tensor([t.ids for t in tokens])
        mask = torch.tensor([t.attention_mask for t in tokens])
        with torch.inference_mode():
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).float()
        return torch.nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)

    def embed_all(texts):
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        vectors = [None] * len(texts)
        for start in range(0, len(order), 32):
            batch = order[start : start + 32]
            for i, vector in zip(batch, embed([texts[i] for i in batch])):
                vectors[i] = vector
        return torch.stack(vectors)

    embed(texts[:32])
    start = time.perf_counter()
    embed_all(texts)
    seconds = time.perf_counter() - start
    print(f"torch, {torch.get_num_threads()} threads: {len(texts)} texts in {seconds:.2f} s, {len(texts) / seconds:.1f} texts/s")

    longest = sorted(range(len(texts)), key=lambda i: -len(texts[i]))[:10]
    chosen = [texts[i] for i in list(range(min(40, len(texts)))) + longest]
    rows = [{"text": text, "vector": embed([text])[0].tolist()} for text in chosen]
    (folder / "reference.json").write_text(json.dumps(rows))


main(*sys.argv[1:])
