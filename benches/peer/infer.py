"""Prefill and greedy decode at batch 1, in transformers or llama.cpp: the peer of `cargo run -p benches --bin peer -- infer`.

Prefill: the time of one pass over the prompt that leaves a cache and the last position's logits. Decode: tokens after that,
one at a time. Prints one JSON object.
"""

import argparse
import importlib.metadata
import json
import random
import statistics
import time

from measure import forget_peak_memory, machine, peak_memory_gib


def with_transformers(prompt):
    """(versions, seconds of a prefill, seconds of each decoded token)"""
    import torch
    import transformers

    torch.set_num_threads(options.threads)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[options.dtype]
    model = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype=dtype).eval()
    forget_peak_memory()
    prefills, decodes = [], []
    with torch.inference_mode():
        for run in range(1 + options.runs):
            began = time.perf_counter()
            out = model(torch.tensor([prompt]), use_cache=True, logits_to_keep=1)
            token = out.logits[:, -1:].argmax(-1)
            token.item()
            if run > 0:
                prefills.append(time.perf_counter() - began)
            for _ in range(options.decode if run > 0 else 1):
                began = time.perf_counter()
                out = model(token, past_key_values=out.past_key_values, use_cache=True)
                token = out.logits[:, -1:].argmax(-1)
                token.item()
                if run > 0:
                    decodes.append(time.perf_counter() - began)
    return {"torch": torch.__version__, "transformers": transformers.__version__}, prefills, decodes


def with_llama_cpp(prompt):
    """The same through llama.cpp's own server and its own clock."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = options.model
    parameters.n_ctx = options.prefill + options.decode + 8
    parameters.n_batch = parameters.n_ubatch = options.prefill
    parameters.n_parallel = 1
    parameters.n_gpu_layers = 0
    parameters.cpuparams.n_threads = options.threads
    parameters.cpuparams_batch.n_threads = options.threads
    server = xllamacpp.Server(parameters)
    forget_peak_memory()
    prefills, decodes = [], []
    for run in range(1 + options.runs):
        answer = server.handle_completions(
            {"prompt": prompt, "n_predict": options.decode, "temperature": 0.0, "ignore_eos": True, "cache_prompt": False}
        )
        timings = answer["timings"]
        assert timings["prompt_n"] == len(prompt) and timings["predicted_n"] == options.decode, timings
        if run > 0:
            prefills.append(timings["prompt_ms"] / 1000)
            decodes.append(timings["predicted_ms"] / 1000 / options.decode)
    # What the prebuilt program was compiled for and found: it may use less than the processor has.
    units = [unit.strip() for unit in xllamacpp.get_system_info().split("|") if unit.strip()]
    return {"xllamacpp": importlib.metadata.version("xllamacpp"), "build": xllamacpp.BUILD_INFO, "units": units}, prefills, decodes


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--engine", choices=["transformers", "llama.cpp"], default="transformers")
parser.add_argument("--model", required=True, help="folder of the checkpoint, or the GGUF file for llama.cpp")
parser.add_argument("--dtype", default="bf16", help="transformers: f32, f16 or bf16; llama.cpp: a name for what the file holds")
parser.add_argument("--prefill", type=int, default=512, help="tokens of the prompt")
parser.add_argument("--decode", type=int, default=64, help="tokens after it")
parser.add_argument("--vocabulary", type=int, default=128000, help="ids of the prompt are below it")
parser.add_argument("--runs", type=int, default=3, help="timed runs, after one that is not")
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

draw = random.Random(42)
prompt = [draw.randrange(options.vocabulary) for _ in range(options.prefill)]
engine = with_transformers if options.engine == "transformers" else with_llama_cpp
versions, prefills, decodes = engine(prompt)
print(
    json.dumps(
        {
            "side": options.engine,
            "precision": options.dtype,
            "threads": options.threads,
            **machine(),
            "prefill_tokens": options.prefill,
            "prefill_tokens_per_second": round(options.prefill / statistics.median(prefills), 2),
            "decode_tokens_per_second": round(1 / statistics.median(decodes), 3),
            "peak_gib": round(peak_memory_gib(), 2),
            "versions": versions,
        }
    )
)
