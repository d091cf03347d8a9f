"""Inspect on the rows that bench/http.ts writes, against the server that LOCAL_BASE_URL names.

    python bench/python/inspect_http.py ROWS.jsonl MODEL CONCURRENCY OUT
"""
import json
import os
import sys

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample, json_dataset
from inspect_ai.scorer import match
from inspect_ai.solver import generate

path, model, concurrency, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
os.makedirs(out, exist_ok=True)


def sample(row):
    options = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCD", row["choices"]))
    text = f"{row['question']}\n{options}\nAnswer with the letter only."
    return Sample(input=text, target=row["answer"], id=row["number"])


task = Task(dataset=json_dataset(path, sample), solver=generate(), scorer=match(location="exact"))
(log,) = eval(
    task, model=f"openai-api/local/{model}", max_connections=concurrency, max_samples=concurrency, display="none",
    log_dir=out, temperature=0, max_tokens=8,
)
assert log.status == "success", log.error
json.dump({"accuracy": log.results.scores[0].metrics["accuracy"].value}, open(os.path.join(out, "accuracy.json"), "w"))
