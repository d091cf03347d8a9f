"""Reads model cards as the hub's own library reads them, and runs the Python that each shows, in its folder.

    python reference/check_model_card.py FOLDER...

Prints one JSON object per folder: what the card's metadata are, what its Python printed, and what results its
.eval_results/ hold; each of those must come out of the library as it went in.
"""
import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path

import yaml
from huggingface_hub import ModelCard, eval_result_entries_to_yaml, parse_eval_result_entries

for folder in sys.argv[1:]:
    card = ModelCard.load(Path(folder) / "README.md")
    results = [
        {"type": one.dataset_type, "config": one.dataset_config, "metric": one.metric_type, "value": one.metric_value}
        for one in card.data.eval_results or []
    ]
    (code,) = re.findall(r"^```python\n(.*?)\n```$", card.content, re.M | re.S)
    evaluations = []
    for path in sorted((Path(folder) / ".eval_results").glob("*.yaml")):
        written = yaml.safe_load(path.read_text("utf-8"))
        entries = parse_eval_result_entries(written)
        assert eval_result_entries_to_yaml(entries) == written, path
        evaluations += [vars(one) for one in entries]
    printed = io.StringIO()
    os.chdir(folder)  # the Python of a card runs in its folder
    with contextlib.redirect_stdout(printed):
        exec(compile(code, f"{folder}/README.md", "exec"), {})
    print(json.dumps({"data": card.data.to_dict(), "results": results, "printed": printed.getvalue(), "evaluations": evaluations}))
