"""What lm-evaluation-harness itself measures of MMMLU, for test/lm-eval.test.ts, and held against a run of ours.

python -m venv /tmp/lm-eval && /tmp/lm-eval/bin/pip install "lm-eval[api]==0.4.13" torch transformers accelerate
node --import tsx test/lm-eval-files.ts /tmp/lm-eval-files
/tmp/lm-eval/bin/python reference/harness.py /tmp/lm-eval-files > reference/golden/lm-eval.json

With --run, the harness measures the rows of that run (of `mmmlu run mmmlu-lm-eval --data FOLDER/data`) on the same
weights, and both are held against each other; with --url it asks a server (`mmmlu serve`) as `local-completions` does.

python reference/harness.py FOLDER --model MODEL --shots 5 --run outputs/mmmlu-lm-eval [--url http://localhost:1234/v1/ --name MODEL]
"""
import argparse
import hashlib
import json
import logging
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")
import datasets

arguments = argparse.ArgumentParser()
arguments.add_argument("folder", type=Path)
arguments.add_argument("--model", type=Path)
arguments.add_argument("--shots", type=int, action="append")
arguments.add_argument("--run", type=Path)
arguments.add_argument("--url")
arguments.add_argument("--name")
arguments.add_argument("--tasks", nargs="*")
# A row of a batch holds the logits of all its tokens: 262,144 numbers each where the vocabulary is Gemma's.
arguments.add_argument("--batch", type=int, default=8)
given = arguments.parse_args()
model = given.model or given.folder / "model"
data = given.folder / "data" / "test"

load_dataset = datasets.load_dataset


def from_folder(path, name=None, **options):
    """The data set in a folder of the hub's layout instead of the hub."""
    assert path == "openai/MMMLU", path
    return load_dataset("csv", data_files={"test": str(data / f"mmlu_{name.replace('_', '-')}.csv")})


datasets.load_dataset = from_folder
import lm_eval

logging.disable(logging.WARNING)
languages = sorted(path.stem.removeprefix("mmlu_").replace("-", "_").lower() for path in data.glob("mmlu_*.csv"))
tasks = given.tasks or [f"mmmlu_{language}" for language in languages]


def subject_of(name):
    for marker in ("_test.csv", "_test-"):
        name = name.split(marker)[0]
    return name


def measured(shots, kind):
    if kind == "hf":
        options = {"pretrained": str(model), "dtype": "float32", "trust_remote_code": False}
    else:
        options = {"model": given.name, "base_url": given.url.rstrip("/") + "/completions", "tokenizer": str(model), "tokenizer_backend": "huggingface",
                   "add_bos_token": True, "num_concurrent": 4, "max_length": 8192, "max_retries": 3}
    result = lm_eval.simple_evaluate(model=kind, model_args=options, tasks=tasks, num_fewshot=shots, batch_size=given.batch if kind == "hf" else 1, device="cpu", bootstrap_iters=0)
    rows = {}
    for task, samples in result["samples"].items():
        language = task.removeprefix("mmmlu_")[:5].upper()
        for sample in samples:
            doc = sample["doc"]
            index = doc["Unnamed: 0"] if "Unnamed: 0" in doc else doc[""]
            identity = f"{language}/{subject_of(doc['Subject'])}/{index}"
            context = sample["arguments"]["gen_args_0"]["arg_0"] if isinstance(sample["arguments"], dict) else sample["arguments"][0][0]
            values = [float(answer[0][0]) for answer in sample["resps"]]
            rows[identity] = (hashlib.sha256(context.encode()).hexdigest(), values, sample["acc"])
    groups = {}
    for name, figures in {**result["results"], **result.get("groups", {})}.items():
        groups[name] = figures["acc,none"]
    return rows, groups


def held_against(shots, kind):
    rows, groups = measured(shots, kind)
    ours = {}
    with open(given.run / "predictions.jsonl") as file:
        for line in file:
            row = json.loads(line)
            if row["stage"] == "test":
                ours[row["id"]] = row
    assert set(ours) <= set(rows), sorted(set(ours) - set(rows))[:3]
    near, other, most = [], [], 0.0
    for identity, row in ours.items():
        values = rows[identity][1]
        most = max(most, *(abs(a - b) for a, b in zip(values, row["logProbabilities"])))
        first, second = sorted(values, reverse=True)[:2]
        if "ABCD"[values.index(max(values))] != row["prediction"]:
            (near if first - second < 1e-3 else other).append((identity, first - second))
    metrics = json.loads((given.run / "metrics.json").read_text())["groups"]
    apart = {name: (accuracy, metrics[name]["accuracy"]) for name, accuracy in groups.items() if name in metrics and abs(accuracy - metrics[name]["accuracy"]) > 1e-6}
    print(f"{kind}, {shots} shots: {len(ours)} rows, {len(other)} other letters, {len(near)} near ties {near[:5]}; largest difference of a log-likelihood {most:.2e}; "
          f"{len(groups)} groups, of which {len(apart)} differ {list(apart.items())[:3]}")
    return not other and (bool(near) or not apart)


if given.run:
    sys.exit(0 if all([held_against(shots, kind) for shots in given.shots for kind in (["local-completions"] if given.url else ["hf"])]) else 1)
else:
    out = {"lm_eval": lm_eval.__version__, "shots": {}}
    for shots in (0, 5):
        rows, groups = measured(shots, "hf")
        out["shots"][str(shots)] = {
            "rows": {identity: [context[:16], [round(value, 5) for value in values]] for identity, (context, values, _) in sorted(rows.items())},
            "groups": {name: accuracy for name, accuracy in sorted(groups.items())},
        }
    json.dump(out, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")
