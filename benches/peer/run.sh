#!/bin/sh
# seafin next to transformers + peft (training, inference) and llama.cpp (inference): the same random checkpoint of
# Llama-3.2-1B's shape, the same token rows, one run, turn by turn. Needs python3, 16 GiB of memory, 20 GB of disk.
#
#   benches/peer/run.sh                   everything, about an hour on two cores
#   PARTS="train" benches/peer/run.sh     only train | infer | roundtrip | ablation | service | table
#   PARTS=service TEXTS=FILE CHAT_MODEL=DIR benches/peer/run.sh    the service next to FastAPI: texts as a JSON list, a model with tokenizer
#
# Settings (environment): WORK folder for venv, checkpoint and results (default target/peer); ROUNDS repetitions of each
# (2); STEPS timed steps a repetition (3); ROWS rows a step of theirs and of our equal-batch run (8); LARGE rows a step of our own (32);
# PEER_DTYPES what theirs run in ("bf16 f32", or f32 alone on a processor without bf16); PRECISIONS what ours run in ("bf16 int8"); THREADS (2).
set -eu
export PYTHONDONTWRITEBYTECODE=1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${WORK:-$root/target/peer}
rounds=${ROUNDS:-2}
steps=${STEPS:-3}
rows=${ROWS:-8}
large=${LARGE:-32}
threads=${THREADS:-2}
# Without AVX-512, torch 2.15 multiplies bf16 matrices at a hundredth of its f32 speed: f32 is then its best.
if grep -qE 'avx512|amx|bf16' /proc/cpuinfo; then dtypes="bf16 f32"; else dtypes=f32; fi
peer_dtypes=${PEER_DTYPES:-$dtypes}
precisions=${PRECISIONS:-bf16 int8}
parts=${PARTS:-train ablation infer roundtrip table}
python=$work/venv/bin/python
results=$work/results.jsonl
# Blocks above 128 KiB are mapped and given back at every use in stock glibc; these settings keep them (and use huge pages).
tuned=glibc.malloc.mmap_threshold=34359738368:glibc.malloc.trim_threshold=34359738368:glibc.malloc.hugetlb=1

mkdir -p "$work"
if [ ! -x "$python" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet -r "$here/requirements.txt"
fi
cd "$root"
cargo build --quiet -p benches --bin peer
ours=${CARGO_TARGET_DIR:-$root/target}/debug/peer
model=$work/model
[ -f "$model/config.json" ] || cargo run --quiet -p trainer -- random-model --shape llama-3.2-1b --dtype bf16 --out "$model"
[ -f "$work/rows.json" ] || "$python" "$here/make_rows.py" --out "$work/rows.json"

measure() { # prints and keeps the last line that a measurement wrote
    echo "> $*" >&2
    "$@" 2>>"$work/log.txt" | tail -1 | tee -a "$results" || echo "failed, see $work/log.txt" >&2
}
our_training() { measure env RAYON_NUM_THREADS="$threads" "$ours" train --model "$model" --data "$work/rows.json" --steps "$steps" --warm-up 1 "$@"; }
our_inference() { measure env RAYON_NUM_THREADS="$threads" "$ours" infer --model "$model" "$@"; }
peer_training() { # malloc settings, options
    malloc=$1 && shift
    measure env GLIBC_TUNABLES="$malloc" "$python" "$here/train.py" --model "$model" --data "$work/rows.json" --steps "$steps" --warm-up 1 --threads "$threads" --rows "$rows" "$@"
}
has() { case " $parts " in *" $1 "*) true ;; *) false ;; esac }

round=1
while [ "$round" -le "$rounds" ]; do
    if has train; then
        for dtype in $peer_dtypes; do
            peer_training "" --dtype "$dtype"
            peer_training "$tuned" --dtype "$dtype" --adapter-dtype "$dtype"
        done
        for precision in $precisions; do
            our_training --precision "$precision" --savings logits,packing,last-block --rows "$rows"
            our_training --precision "$precision" --savings all --rows "$rows"
            our_training --precision "$precision" --savings all --rows "$large"
        done
    fi
    if has infer; then
        for dtype in $peer_dtypes; do
            for malloc in "" "$tuned"; do
                measure env GLIBC_TUNABLES="$malloc" "$python" "$here/infer.py" --model "$model" --dtype "$dtype" --threads "$threads"
            done
        done
        for type in bf16 q8_0 q4_0; do
            gguf=$work/model-$type.gguf
            [ -f "$gguf" ] || "$python" "$here/make_gguf.py" --model "$model" --out "$gguf" --type "$type"
            measure "$python" "$here/infer.py" --engine llama.cpp --model "$gguf" --dtype "$type" --threads "$threads"
        done
        for precision in f32 bf16 int8 w8a8 nf4; do our_inference --precision "$precision"; done
    fi
    round=$((round + 1))
done

if has ablation; then
    for savings in none logits packing logits,packing logits,packing,last-block logits,packing,prefix logits,prefix,last-block all; do
        our_training --savings "$savings" --rows "$large"
    done
    for recompute in attention block; do our_training --recompute "$recompute" --rows "$large"; done
fi

if has roundtrip; then
    small=$root/fixtures/model
    small=${ROUNDTRIP_MODEL:-$small}
    "$python" "$here/make_rows.py" --out "$work/small_rows.json" --rows 16 --vocabulary 500 --prefix 20 --text 10 30 --seed 7
    "$ours" train --model "$small" --precision f32 --data "$work/small_rows.json" --steps 20 --adapter-out "$work/adapter-ours" >/dev/null
    "$python" "$here/adapter_roundtrip.py" make --model "$small" --adapter "$work/adapter-theirs" 2>>"$work/log.txt"
    for side in ours theirs; do
        "$ours" logits --model "$small" --adapter "$work/adapter-$side" --data "$work/small_rows.json" --out "$work/logits-$side.json" >/dev/null
        "$python" "$here/adapter_roundtrip.py" check --model "$small" --adapter "$work/adapter-$side" \
            --data "$work/small_rows.json" --logits "$work/logits-$side.json" 2>>"$work/log.txt"
    done
fi

if has service; then
    cargo build --quiet -p service
    service=${CARGO_TARGET_DIR:-$root/target}/debug/seafin-service
    served() { # name, port, command: starts it, asks it as many do and as few do, stops it
        name=$1 && port=$2 && shift 2
        "$@" >>"$work/log.txt" 2>&1 &
        started=$!
        for load in "8 1 ${REQUESTS:-48}" "1 1 8" "1 32 2"; do
            set -- $load
            measure "$python" "$here/load.py" --url "http://127.0.0.1:$port" --name "$name" --texts "$TEXTS" \
                --clients "$1" --each "$2" --requests "$3"
        done
        kill "$started" && wait "$started" || true
    }
    round=1
    while [ "$round" -le "$rounds" ]; do
        served fastapi-bf16 8081 env GLIBC_TUNABLES="$tuned" "$python" "$here/service.py" --model "$CHAT_MODEL" --threads "$threads" --port 8081
        for precision in bf16 w8a8; do
            served "seafin-$precision" 8082 env RAYON_NUM_THREADS="$threads" "$service" --quiet --model "$CHAT_MODEL" --precision "$precision" --listen 127.0.0.1:8082
        done
        round=$((round + 1))
    done
fi

if has table; then "$python" "$here/table.py" "$results"; fi
