"""The same EDA as `npm run bench:eda`, as a Python user would do it. Prints one JSON object.

    python bench/python/eda.py CORPUS TOKENIZER batches|rows

`batches`: pandas and tokenizers, 1,024 texts at once on all cores. `rows`: the published notebook's own steps, datasets' map
over one row after the other with transformers' fast tokenizer.
"""
import glob
import json
import os
import resource
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "true"
os.environ["HF_DATASETS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
cache = tempfile.TemporaryDirectory()
os.environ["HF_HOME"] = cache.name
folder, vocabulary, way = sys.argv[1:4]
began = time.time()
import pandas as pd
import tokenizers
from tokenizers import ByteLevelBPETokenizer, Tokenizer

whole = os.path.join(vocabulary, "tokenizer.json")
if os.path.exists(whole):
    tokenizer = Tokenizer.from_file(whole)
else:
    tokenizer = ByteLevelBPETokenizer(os.path.join(vocabulary, "vocab.json"), os.path.join(vocabulary, "merges.txt"))._tokenizer
paths = sorted(glob.glob(os.path.join(folder, "test", "mmlu_*.csv")))
versions = {"tokenizers": tokenizers.__version__, "pandas": pd.__version__}


def text(row):
    return f"Question: {row['Question']}\nChoices:\nA: {row['A']}\nB: {row['B']}\nC: {row['C']}\nD: {row['D']}"


def in_batches():
    frames = []
    for path in paths:
        frame = pd.read_csv(path, keep_default_na=False, dtype=str)
        frame["language"] = os.path.basename(path)[5:10]
        frames.append(frame)
    rows = pd.concat(frames, ignore_index=True)
    loaded = time.time()
    both = ("Question: " + rows.Question + "\nChoices:\nA: " + rows.A + "\nB: " + rows.B + "\nC: " + rows.C + "\nD: " + rows.D).tolist()

    def count(texts):
        lengths = []
        for start in range(0, len(texts), 1024):
            lengths += [len(e) for e in tokenizer.encode_batch(texts[start : start + 1024], add_special_tokens=False)]
        return pd.Series(lengths)

    return loaded, rows, count(rows.Question.tolist()), count(both)


def by_row():
    import datasets
    import transformers
    from datasets import concatenate_datasets, load_dataset
    from transformers import PreTrainedTokenizerFast

    versions.update(datasets=datasets.__version__, transformers=transformers.__version__)
    datasets.disable_progress_bars()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    parts = [load_dataset("csv", data_files=path, split="train", keep_default_na=False) for path in paths]
    parts = [part.add_column("language", [os.path.basename(path)[5:10]] * len(part)) for path, part in zip(paths, parts)]
    # A column of numbers alone is read as numbers in one language and as texts in another.
    names = ("Question", "A", "B", "C", "D", "Answer", "Subject")
    parts = [part.cast(datasets.Features({**part.features, **{name: datasets.Value("string") for name in names}})) for part in parts]
    rows = concatenate_datasets(parts)
    loaded = time.time()
    rows = rows.map(lambda row: {
        "question_tokens": len(fast.encode(row["Question"], add_special_tokens=False)),
        "tokens": len(fast.encode(text(row), add_special_tokens=False)),
    })
    frame = rows.to_pandas()
    return loaded, frame, frame.question_tokens, frame.tokens


loaded, rows, question, both = in_batches() if way == "batches" else by_row()
tables = [question.describe(), both.describe(), rows.groupby("Subject").Answer.value_counts(), rows.language.value_counts(), rows.isna().sum()]
ended = time.time()
print(json.dumps({
    "rows": len(rows), "loadSeconds": loaded - began, "exploreSeconds": ended - loaded, "seconds": ended - began,
    "peakGiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, "meanTokens": both.mean(), "shareAtMost256": float((both <= 256).mean()),
    "versions": versions,
}))
