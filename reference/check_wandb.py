"""Reads a run's .wandb file with the real wandb package: its records by wandb's own protobuf, `wandb leet inspect`, which is
wandb's own reader of the file, and `wandb sync`, which sends the run to a server in this process that counts what arrives.

    python reference/check_wandb.py wandb/offline-run-…/run-….wandb
"""
import collections
import json
import os
import struct
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
config, history, summary, system, output, exit_code = {}, collections.Counter(), {}, set(), [], None
for record in records():
    kind = record.WhichOneof("record_type")
    kinds[kind] += 1
    if kind == "run":
        config = {key(i): json.loads(i.value_json) for i in record.run.config.update}
        print(f"run {record.run.run_id} of project {record.run.project}, named {record.run.display_name}, group {record.run.run_group or '-'}, tags {', '.join(record.run.tags) or '-'}")
    elif kind == "history":
        history.update(key(i) for i in record.history.item)
    elif kind == "summary":
        summary.update({key(i): json.loads(i.value_json) for i in record.summary.update})
    elif kind == "stats":
        system.update(i.key for i in record.stats.item)
    elif kind == "output_raw":
        output.append(record.output_raw.line.rstrip())
    elif kind == "exit":
        exit_code = record.exit.exit_code
print("records", dict(kinds))
print("config keys", sorted(config)[:12])
print("history", dict(history))
print("summary", summary)
print("system metrics", sorted(system))
print("output", output)
print("exit code", exit_code)
# An exploration and a zero-shot run have no steps: their figures stand in the summary.
assert config and (history or kinds["stats"]) and summary and exit_code is not None
inspected = subprocess.run([str(Path(sys.executable).parent / "wandb"), "leet", "inspect", str(path)], capture_output=True, text=True, timeout=120)
print("wandb leet inspect:", "reads it" if inspected.returncode == 0 else inspected.stderr.strip())
assert inspected.returncode == 0

arrived, uploads, ended, identity = collections.defaultdict(dict), {}, [], {}


class Server(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        reply = {}
        if self.path == "/graphql":
            asked = json.loads(body)
            if asked.get("operationName") == "UpsertBucket":
                given = asked["variables"]
                identity.update({name: value for name, value in given.items() if value})
                project = {"id": "2", "name": given["project"], "entity": {"id": "3", "name": "team"}}
                reply = {"data": {"upsertBucket": {"bucket": {"id": "1", "name": given["name"], "config": given.get("config") or "{}", "historyLineCount": 0, "project": project}, "inserted": True}}}
            elif asked.get("operationName") == "CreateRunFiles":
                files = [{"name": name, "uploadUrl": f"{base}/upload/{name}"} for name in asked["variables"]["files"]]
                reply = {"data": {"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": files}}}
            else:
                reply = {"data": {"serverInfo": {"features": []}}}
        elif self.path.endswith("/file_stream"):
            sent = json.loads(body)
            for name, part in sent.get("files", {}).items():
                arrived[name].update({part["offset"] + i: line for i, line in enumerate(part["content"])})
            if sent.get("complete"):
                ended.append(sent["exitcode"])
        elif self.path.startswith("/upload/"):
            uploads[self.path.removeprefix("/upload/")] = body
        text = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
base = f"http://127.0.0.1:{server.server_address[1]}"
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = {**os.environ, "WANDB_BASE_URL": base, "WANDB_API_KEY": "k" * 40, "WANDB_MODE": "online"}
command = [str(Path(sys.executable).parent / "wandb"), "sync", "--yes", "--include-synced", "--include-online", str(path)]
synced = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
print(synced.stdout + synced.stderr)
assert synced.returncode == 0, synced.stderr
assert len(arrived["wandb-history.jsonl"]) == kinds["history"], "lines of history are missing"
steps = [json.loads(line)["_step"] for _, line in sorted(arrived["wandb-history.jsonl"].items())]
assert steps == sorted(set(steps)), "steps repeat"
assert len(arrived["wandb-events.jsonl"]) == kinds["stats"], "system metrics are missing"
assert len(arrived["output.log"]) == kinds["output_raw"], "lines of output are missing"
assert ended == [exit_code], "the exit code is missing"
sent = json.loads(uploads["wandb-summary.json"])
assert all(sent[name] == value or name == "_wandb" for name, value in summary.items()), "the summary differs"
print("wandb sync: took", {name: len(lines) for name, lines in arrived.items()}, "and ended with exit code", exit_code)
print("the run on the server:", {name: identity.get(name) for name in ("name", "displayName", "project", "groupName", "tags", "jobType", "host")})
