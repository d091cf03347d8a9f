"""Serves a GGUF file by the real llama.cpp until its input is closed: `python serve.py MODEL.gguf [NAME] [THREADS]` writes the server's
address as its only line of output.

Needs xllamacpp, which is llama.cpp's own server in a Python process: pip install xllamacpp==2026.10.11549
"""

import os
import sys

import xllamacpp

# What llama.cpp prints belongs to stderr.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
if len(sys.argv) > 2:
    params.model_alias = {sys.argv[2]}
params.n_ctx = 2048
params.n_parallel = 1
params.n_gpu_layers = 0
params.cpuparams.n_threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
params.warmup = False
params.fit_params = False
params.verbosity = 0
params.use_jinja = True
params.hostnames = ["127.0.0.1"]
params.port = 0
server = xllamacpp.Server(params)
answers.write(server.listening_address + "\n")
answers.flush()
sys.stdin.read()
os._exit(0)
