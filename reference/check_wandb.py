"""Reads a run's .wandb file with the real wandb package: its records by wandb's own protobuf, and `wandb leet inspect`, which is
wandb's own reader of the file.

    python reference/check_wandb.py wandb/offline-run-…/run-….wandb
"""
import collections
import json
import struct
import subprocess
import sys
from pathlib import Path

from wandb.proto import wandb_internal_pb2 as pb

path = Path(sys.argv[1])
data = path.read_bytes()
assert data[:4] == b":W&B", "not a wandb file"
BLOCK = 32768


def records():
    """LevelDB's log format: blocks of 32 KiB, each piece with a CRC, a length and whether it is first, middle, last or whole."""
    at, whole = 7, b""
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        crc, length, kind = struct.unpack("<IHB", data[at : at + 7])
        piece = data[at + 7 : at + 7 + length]
        assert kind in (1, 2, 3, 4), f"piece of kind {kind} at {at}"
        whole = piece if kind in (1, 2) else whole + piece
        if kind in (1, 4):
            record = pb.Record()
            record.ParseFromString(whole)
            yield record
        at += 7 + length


def key(item):
    return item.key or ".".join(item.nested_key)


kinds = collections.Counter()
config, history, summary, system, exit_code = {}, collections.Counter(), {}, set(), None
for record in records():
    kind = record.WhichOneof("record_type")
    kinds[kind] += 1
    if kind == "run":
        config = {key(i): json.loads(i.value_json) for i in record.run.config.update}
        print(f"run {record.run.run_id} of project {record.run.project}, named {record.run.display_name}")
    elif kind == "history":
        history.update(key(i) for i in record.history.item)
    elif kind == "summary":
        summary.update({key(i): json.loads(i.value_json) for i in record.summary.update})
    elif kind == "stats":
        system.update(i.key for i in record.stats.item)
    elif kind == "exit":
        exit_code = record.exit.exit_code
print("records", dict(kinds))
print("config keys", sorted(config)[:12])
print("history", dict(history))
print("summary", summary)
print("system metrics", sorted(system))
print("exit code", exit_code)
assert config and history and summary and exit_code is not None
inspected = subprocess.run([str(Path(sys.executable).parent / "wandb"), "leet", "inspect", str(path)], capture_output=True, text=True, timeout=120)
print("wandb leet inspect:", "reads it" if inspected.returncode == 0 else inspected.stderr.strip())
sys.exit(inspected.returncode)
