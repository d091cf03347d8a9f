"""Splits by the real `datasets`, on random rows: reference/golden/splits.json.

Each case holds its labels (as places in `names`) and what `train_test_split(..., stratify_by_column)` gave, or, for
`published` and `zero_shot`, what the whole protocol of the experiments gave. Long lists are hashed (SHA-256 of little-endian
int32).

    python reference/splits.py
"""
import hashlib
import json
import random
from pathlib import Path

import numpy as np
from datasets import Dataset

NAMES = ["abstract_algebra", "anatomy", "Zoology", "économie", "数学", "\U0001d4b6lgebra", "\ufb03x", "a", "A", "_", "world_religions", "b c"]


def stored(indices):
    indices = [int(i) for i in indices]
    if len(indices) <= 300:
        return indices
    return {"length": len(indices), "sha256": hashlib.sha256(np.asarray(indices, dtype="<i4").tobytes()).hexdigest()}


def dataset(labels):
    return Dataset.from_dict({"row": list(range(len(labels))), "Subject": [NAMES[i] for i in labels]})


def case(name, labels, kind, test_size, seed):
    rows = dataset(labels)
    if kind == "zero_shot":
        rows = rows.shuffle(seed=seed)
    rows = rows.class_encode_column("Subject")
    out = {"name": name, "kind": kind, "labels": labels, "test_size": test_size, "seed": seed}
    if kind == "published":
        first = rows.train_test_split(test_size=0.2, seed=seed, stratify_by_column="Subject")
        second = first["test"].train_test_split(test_size=0.5, seed=seed, stratify_by_column="Subject")
        parts = {"train": first["train"], "validation": second["train"], "test": second["test"]}
    else:
        split = rows.train_test_split(test_size=test_size, seed=seed, stratify_by_column="Subject")
        parts = {"train": split["train"], "test": split["test"]}
    return out | {part: stored(of["row"]) for part, of in parts.items()}


def main():
    draw = random.Random(7)
    cases = []
    for number in range(24):
        classes = draw.randint(2, len(NAMES))
        chosen = draw.sample(range(len(NAMES)), classes)
        labels = [label for label in chosen for _ in range(draw.randint(4, 40))]
        draw.shuffle(labels)
        test_size = draw.choice([0.1, 0.2, 0.25, 0.5, 0.33, classes + draw.randint(0, 5)])
        if test_size < 1 and test_size * len(labels) < classes:
            test_size = 0.5
        cases.append(case(f"stratified {number}", labels, "stratified", test_size, draw.choice([0, 1, 42, 12345, 2**32 - 1, 2**40 + 3])))
    for kind, rows in (("published", 2400), ("published", 700), ("zero_shot", 1500), ("zero_shot", 640)):
        labels = [draw.randrange(len(NAMES)) for _ in range(rows)]
        cases.append(case(f"{kind} {rows}", labels, kind, None if kind == "published" else 0.1, 42))
    target = Path(__file__).parent / "golden" / "splits.json"
    target.write_text(json.dumps({"names": NAMES, "cases": cases}, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(target, target.stat().st_size)


main()
