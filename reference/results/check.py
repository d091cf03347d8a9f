"""Holds what `mmmlu export inspect|lm-eval|every-eval-ever` and a run wrote against the real tools and schemas.

    python reference/results/check.py RUN SCHEMAS

RUN is a run's folder with the three exports in it; SCHEMAS the folder every_eval_ever/schemas of a clone of
evaleval/every_eval_ever (schema 0.3.0). Needs inspect_ai 0.3.285, lm-eval 0.4.13, jsonschema, pandas and pyarrow.
"""

import json
import sys
from pathlib import Path

import jsonschema
import pandas
from inspect_ai.log import list_eval_logs, read_eval_log, read_eval_log_sample, read_eval_log_sample_summaries
from lm_eval.utils import get_file_datetime, get_results_filenames, get_sample_results_filenames, make_table

run, schemas = Path(sys.argv[1]), Path(sys.argv[2])
rows = [json.loads(line) for line in (run / "predictions.jsonl").read_text("utf-8").splitlines()]
right = {row["id"]: row["prediction"] == row["answer"] for row in rows}

# predictions.parquet: the same rows in the same order.
frame = pandas.read_parquet(run / "predictions.parquet")
assert list(frame["id"]) == [row["id"] for row in rows]
assert [None if pandas.isna(one) else one for one in frame["prediction"]] == [row["prediction"] for row in rows]
print("predictions.parquet:", len(frame), "rows, pandas", pandas.__version__)

# Inspect: listed, read whole and by sample; the accuracy is that of its own samples.
logs = list_eval_logs(str(run / "export-inspect"))
seen = 0
for info in logs:
    log = read_eval_log(info)
    assert log.status == "success" and log.samples and log.results
    values = [sample.scores["choice"].value for sample in log.samples]
    assert abs(values.count("C") / len(values) - log.results.scores[0].metrics["accuracy"].value) < 1e-12
    for sample in log.samples:
        assert (sample.scores["choice"].value == "C") == right[sample.id]
        assert sample.choices and sample.input
    assert len(read_eval_log_sample_summaries(info)) == len(log.samples)
    first = log.samples[0]
    assert read_eval_log_sample(info, id=first.id, epoch=1).output.completion == first.output.completion
    seen += len(log.samples)
assert seen == len(rows)
print("Inspect:", len(logs), "logs,", seen, "samples")

# lm-evaluation-harness: its own functions find the files, and print the table of the results.
folder = next(path for path in (run / "export-lm-eval").iterdir() if path.is_dir())
names = [str(path) for path in folder.iterdir()]
results = get_results_filenames(names)
samples = get_sample_results_filenames(names)
assert len(results) == 1 and samples
assert all(get_file_datetime(name) == get_file_datetime(results[0]).removesuffix(".json") for name in samples)
told = json.loads(Path(results[0]).read_text("utf-8"))
assert make_table(told).count("|") > len(told["results"])
lines = [json.loads(line) for name in samples for line in Path(name).read_text("utf-8").splitlines()]
assert len(lines) == len(rows)
for line in lines:
    assert (line.get("acc", line.get("exact_match")) == 1) == right[line["doc"]["mmmlu_lab_id"]]
print("lm-evaluation-harness:", len(samples), "files,", len(lines), "samples")

# Every Eval Ever: each record against its schema.
aggregate_schema = json.loads((schemas / "eval.schema.json").read_text("utf-8"))
instance_schema = json.loads((schemas / "instance_level_eval.schema.json").read_text("utf-8"))
[aggregate] = (run / "export-every-eval-ever").rglob("*-*[0-9a-f].json")
record = json.loads(aggregate.read_text("utf-8"))
jsonschema.Draft7Validator(aggregate_schema).validate(record)
validator = jsonschema.Draft7Validator(instance_schema)
path = run / "export-every-eval-ever" / record["detailed_evaluation_results"]["file_path"]
instances = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
results = {one["evaluation_result_id"]: one for one in record["evaluation_results"]}
for one in instances:
    validator.validate(one)
    assert one["evaluation_result_id"] in results and one["evaluation"]["is_correct"] == right[one["sample_id"]]
assert len(instances) == len(rows) == record["detailed_evaluation_results"]["total_rows"]
print("Every Eval Ever:", len(instances), "instances, schema", aggregate_schema["version"])
