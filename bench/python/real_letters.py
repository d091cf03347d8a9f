"""Log-probabilities of letters behind prompts, by transformers in float32; prints one JSON object.

    python bench/python/real_letters.py WORK.json

WORK is what bench/real/letters.ts writes. Prompts are padded on the left, a batch to its longest; logits of the last place alone.
"""
import json
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM

work = json.load(open(sys.argv[1]))
torch.set_num_threads(work["threads"])
start = time.perf_counter()
model = AutoModelForCausalLM.from_pretrained(work["folder"], dtype=torch.float32)
model.eval()
load_seconds = time.perf_counter() - start


def letters(prompts):
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    logits = model(input_ids=ids, attention_mask=mask, logits_to_keep=1).logits[:, -1]
    return logits.log_softmax(-1)[:, work["letterIds"]].tolist()


out = []
with torch.no_grad():
    letters(work["prompts"][: work["batchSize"]])
    start = time.perf_counter()
    for at in range(0, len(work["prompts"]), work["batchSize"]):
        out += letters(work["prompts"][at : at + work["batchSize"]])
    seconds = time.perf_counter() - start
print(json.dumps({"logProbabilities": out, "seconds": seconds, "loadSeconds": load_seconds, "versions": {"torch": torch.__version__, "transformers": transformers.__version__}}))
