"""Writes a Llama checkpoint as a GGUF file, for llama.cpp's speed alone.

Its vocabulary is made up (a token's text is its number), because a random checkpoint has no tokenizer: use token ids.
The command `trainer export-gguf` makes real ones.
"""

import argparse
import json
import pathlib

import gguf
import safetensors.torch
import torch

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
    "input_layernorm.weight": "attn_norm.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
}
TYPES = {
    "bf16": gguf.GGMLQuantizationType.BF16,
    "f16": gguf.GGMLQuantizationType.F16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
    "q4_0": gguf.GGMLQuantizationType.Q4_0,
}


def gguf_name(name):
    """Our name of a tensor in GGUF's words: model.layers.3.mlp.up_proj.weight -> blk.3.ffn_up.weight"""
    if name in NAMES:
        return NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{NAMES[rest]}"


def split_rotation_pairs(weight, heads):
    """llama.cpp rotates neighbouring coordinates, checkpoints rotate halves: reorders each head's rows."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True, type=pathlib.Path)
parser.add_argument("--out", required=True)
parser.add_argument("--type", choices=TYPES, default="bf16", help="of the matrices; vectors stay f32")
options = parser.parse_args()

config = json.loads((options.model / "config.json").read_text(encoding="utf-8"))
rope = config.get("rope_parameters") or {"rope_theta": config["rope_theta"]}
heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
writer = gguf.GGUFWriter(options.out, "llama")
writer.add_context_length(config["max_position_embeddings"])
writer.add_embedding_length(config["hidden_size"])
writer.add_block_count(config["num_hidden_layers"])
writer.add_feed_forward_length(config["intermediate_size"])
writer.add_head_count(heads)
writer.add_head_count_kv(kv_heads)
writer.add_rope_dimension_count(config["hidden_size"] // heads)
writer.add_rope_freq_base(rope["rope_theta"])
writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
writer.add_vocab_size(config["vocab_size"])
writer.add_tokenizer_model("gpt2")
writer.add_tokenizer_pre("llama-bpe")
writer.add_token_list([f"t{i}" for i in range(config["vocab_size"])])
writer.add_token_types([gguf.TokenType.NORMAL] * config["vocab_size"])
writer.add_token_merges(["t 0"])
writer.add_eos_token_id(config["vocab_size"] - 1)
for path in sorted(options.model.glob("*.safetensors")):
    for name, tensor in safetensors.torch.load_file(path).items():
        values = tensor.to(torch.float32).numpy()
        if "q_proj" in name or "k_proj" in name:
            values = split_rotation_pairs(values, heads if "q_proj" in name else kv_heads)
        kind = TYPES[options.type] if values.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(gguf_name(name), gguf.quants.quantize(values, kind), raw_dtype=kind)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
