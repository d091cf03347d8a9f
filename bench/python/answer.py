"""Greedy answers by transformers' generate on the work that bench/answer.ts names; prints one JSON object.

    python bench/python/answer.py WORK.json
"""
import json
import resource
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, BitsAndBytesConfig

work = json.load(open(sys.argv[1]))
start = time.perf_counter()
if work["gemma"]:
    model = AutoModelForCausalLM.from_pretrained(work["folder"], quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16), dtype=torch.bfloat16, attn_implementation="eager", device_map="cpu")
else:
    model = AutoModelForSeq2SeqLM.from_pretrained(work["folder"], dtype=torch.float32)
model.eval()
load_seconds = time.perf_counter() - start


def batch(rows):
    longest = max(map(len, rows))
    # The published runs pad Gemma's prompts on the left with <eos>, T5's on the right with <pad>.
    pad = lambda row, fill, value: [fill] * (longest - len(row)) + value if work["gemma"] else value + [fill] * (longest - len(row))
    return {"input_ids": torch.tensor([pad(r, 1 if work["gemma"] else 0, r) for r in rows]), "attention_mask": torch.tensor([pad(r, 0, [1] * len(r)) for r in rows])}


with torch.no_grad():
    model.generate(**batch(work["ids"][:2]), max_new_tokens=work["maximumTokens"], do_sample=False)
    start = time.perf_counter()
    tokens = []
    for at in range(0, len(work["ids"]), work["batchSize"]):
        inputs = batch(work["ids"][at : at + work["batchSize"]])
        out = model.generate(**inputs, max_new_tokens=work["maximumTokens"], do_sample=False)
        tokens += out[:, inputs["input_ids"].shape[1] if work["gemma"] else 0 :].tolist()
    seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "rows": len(work["ids"]), "tokens": tokens, "loadSeconds": load_seconds, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "versions": {"torch": torch.__version__, "transformers": transformers.__version__}}))
