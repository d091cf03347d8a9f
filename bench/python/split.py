"""Filter and split of the Flan-T5 experiment with datasets and transformers; prints one JSON object.

    python bench/python/split.py CORPUS TOKENIZER batches|rows

`rows` filters one row after the other, as published; `batches` tokenizes 1,000 prompts at once.
"""
import json
import os
import sys
import tempfile
import time

os.environ["HF_DATASETS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "true"
cache = tempfile.TemporaryDirectory()
os.environ["HF_HOME"] = cache.name
folder, vocabulary, way = sys.argv[1:4]
began = time.time()
import datasets
import transformers
from datasets import concatenate_datasets, load_dataset
from transformers import PreTrainedTokenizerFast

datasets.disable_progress_bars()
tokenizer = PreTrainedTokenizerFast(tokenizer_file=os.path.join(vocabulary, "tokenizer.json"))
names = ("Question", "A", "B", "C", "D", "Answer", "Subject")
parts = []
for language in ("DE-DE", "FR-FR"):
    part = load_dataset("csv", data_files=os.path.join(folder, "test", f"mmlu_{language}.csv"), split="train", keep_default_na=False)
    part = part.cast(datasets.Features({**part.features, **{name: datasets.Value("string") for name in names}}))
    parts.append(part.add_column("language", [language.replace("-", "_")] * len(part)))
rows = concatenate_datasets(parts)


def prompt(row):
    return f"Question: {row['Question']}\nA) {row['A']}\nB) {row['B']}\nC) {row['C']}\nD) {row['D']}\nAnswer:"


if way == "rows":
    rows = rows.filter(lambda row: len(tokenizer(prompt(row))["input_ids"]) < 256)
else:
    def short(batch):
        texts = [prompt(dict(zip(batch, cells))) for cells in zip(*batch.values())]
        return [len(ids) < 256 for ids in tokenizer(texts)["input_ids"]]

    rows = rows.filter(short, batched=True)
kept = len(rows)
# The column without a name is the row's number within its subject.
number = next(name for name in rows.column_names if name not in (*names, "language"))
subjects = rows["Subject"]
rows = rows.add_column("id", [f"{language}/{subject}/{at}" for language, subject, at in zip(rows["language"], subjects, rows[number])])
rows = rows.class_encode_column("Subject")
first = rows.train_test_split(0.2, seed=42, stratify_by_column="Subject")
second = first["test"].train_test_split(0.5, seed=42, stratify_by_column="Subject")
ids = {"train": list(first["train"]["id"]), "validation": list(second["train"]["id"]), "test": list(second["test"]["id"])}
print(json.dumps({"seconds": time.time() - began, "kept": kept, "ids": ids, "versions": {"datasets": datasets.__version__, "transformers": transformers.__version__}}))
