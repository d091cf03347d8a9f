"""Asks the real llama.cpp: `python ask.py MODEL.gguf < questions.json` reads {"prompts": [text or token ids], "tokens": n, "top": n} and
writes, for each prompt, llama.cpp's ids of its text (where it is one), n greedy tokens, and the log-probabilities of the likeliest ones after the
first `at` of them.

Needs xllamacpp, which is llama.cpp's own server in a Python process: pip install xllamacpp==2026.10.11549
"""

import json
import os
import sys
import urllib.request

import xllamacpp

question = json.load(sys.stdin)
# What llama.cpp prints belongs to stderr.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = 1024
params.n_parallel = 1
params.n_gpu_layers = 0
params.cpuparams.n_threads = 1
params.warmup = False
params.fit_params = False
params.verbosity = 0
params.hostnames = ["127.0.0.1"]
params.port = 0
params.cache_type_k = xllamacpp.ggml_type.GGML_TYPE_F32
params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
server = xllamacpp.Server(params)


def post(path: str, body: dict) -> dict:
    request = urllib.request.Request(server.listening_address + path, json.dumps(body).encode(), {"content-type": "application/json"})
    # No proxy: the server is in this process.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=300) as reply:
        return json.load(reply)


out = []
for prompt in question["prompts"]:
    ids = prompt
    if isinstance(prompt, str):
        ids = post("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
    reply = post(
        "/completion",
        {
            "prompt": ids,
            "n_predict": question["tokens"],
            "temperature": 0,
            "samplers": ["top_k"],
            "top_k": 1,
            "n_probs": question["top"],
            "cache_prompt": False,
            "return_tokens": True,
            "ignore_eos": False,
        },
    )
    # The server does not tell of a token that is part of a character: the first that it tells of is taken.
    told = reply["completion_probabilities"][0]
    at = reply["tokens"].index(told["id"])
    out.append({"ids": ids, "tokens": reply["tokens"], "at": at, "top": [[one["id"], one["logprob"]] for one in told["top_logprobs"]]})
json.dump(out, answers)
answers.flush()
os._exit(0)
