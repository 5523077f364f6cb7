"""Embeddings of a small BERT to compare with: torch 2.15.0, transformers 5.23.0, tokenizers 0.23.3 (Python 3.11).

The weights follow a formula that the test repeats, so no weights are stored: element i of the tensor called `name` is
scale * (2u - 1) + shift, with u = (splitmix64(fnv1a64(name) + i) >> 40) / 2^24, scale 0.5 for embeddings, 0.1 for biases and
LayerNorm weights (shift 1), 0.3 otherwise. Pooling is as in sentence-transformers: mean over tokens, then length 1.

    python make_bert.py > bert.json
"""
import json

import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

MASK = (1 << 64) - 1
MAX_TOKENS = 24
CONFIG = {
    "model_type": "bert", "vocab_size": 48, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
    "intermediate_size": 64, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "max_position_embeddings": 32,
    "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0,
}
WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] the a of and , . % ##s ##ing ##ed 1 2 3 4 5 profit loss rise fall bank rates "
    "share price beat miss fund oil gold coin hack lai suat tang giam ngan hang ##a ##e ##n ##t ##i ##o day"
).split()
TEXTS = [
    "Profit rises, losses fall.",
    "Lãi suất tăng 5%",
    "The bank hacked and the coin falling; share price 12 345",
    "",
    "completely unknown",
    " ".join(["rates rise and gold falls ."] * 12),
    "day",
]


def tokenizer_json():
    def special(token):
        return {
            "id": WORDS.index(token), "content": token, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True,
        }

    return {
        "version": "1.0",
        # As all-MiniLM-L6-v2 has it: settings of whoever saved the file, which the reader must not follow.
        "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": {
            "strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [special(t) for t in WORDS[:5]],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 1}},
            ],
            "special_tokens": {
                t: {"id": t, "ids": [WORDS.index(t)], "tokens": [t]} for t in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": {w: i for i, w in enumerate(WORDS)},
        },
    }


def fnv(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def splitmix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def weight(name, shape):
    norm = "LayerNorm.weight" in name
    scale = 0.1 if norm or name.endswith("bias") else 0.5 if "embeddings" in name else 0.3
    start, count = fnv(name), int(torch.tensor(shape).prod())
    units = [(splitmix((start + i) & MASK) >> 40) / 2**24 for i in range(count)]
    values = [scale * (2 * u - 1) + (1.0 if norm else 0.0) for u in units]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def main():
    assert len(WORDS) == CONFIG["vocab_size"], len(WORDS)
    model = BertModel(BertConfig(**CONFIG), add_pooling_layer=False).eval()
    state = {n: weight(n, t.shape) for n, t in model.state_dict().items() if t.is_floating_point()}
    model.load_state_dict(state, strict=False)
    tokenizer = Tokenizer.from_str(json.dumps(tokenizer_json()))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    rows = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
        vector = torch.nn.functional.normalize(hidden.mean(0), dim=0)
        rows.append({"text": text, "ids": ids, "vector": [float(v) for v in vector]})
    shapes = {n: list(t.shape) for n, t in state.items()}
    golden = {
        "config": CONFIG, "max_seq_length": MAX_TOKENS, "tokenizer": tokenizer_json(), "shapes": shapes, "rows": rows,
    }
    print(json.dumps(golden))


main()
