"""The published Gemma 2 recipe with transformers, PEFT and bitsandbytes, on a GPU where there is one; prints one JSON object.

    python bench/python/train_gemma.py WORK.json [longest]

FP4 base weights, bfloat16 compute, LoRA of rank 32 on all linear layers, gradient checkpointing, eager attention, rows padded on
the left to 300 tokens with <eos>; with `longest` to the longest row of the batch. One batch, or optimizer steps of several:
"order" in WORK.json has the rows of each.
"""
import json
import resource
import sys
import time

import bitsandbytes
import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

work = json.load(open(sys.argv[1]))
device = "cuda" if torch.cuda.is_available() else "cpu"
start = time.perf_counter()
model = AutoModelForCausalLM.from_pretrained(work["folder"], quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16), dtype=torch.bfloat16, attn_implementation="eager", device_map={"": device})
model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=True, gradient_checkpointing_kwargs={"use_reentrant": False})
model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=32, lora_alpha=16, lora_dropout=0.05, bias="none", target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))
model.config.use_cache = False
load_seconds = time.perf_counter() - start
steps = [[work["examples"][at] for at in step] for step in work["order"]] if "order" in work else [work["examples"][: work["batchSize"]]]


def padded(rows):
    longest = max(len(row["input"]) + len(row["target"]) for row in rows) if "longest" in sys.argv[2:] else 300
    out = {"input_ids": [], "attention_mask": [], "labels": []}
    for row in rows:
        ids = row["input"] + row["target"]
        pad = longest - len(ids)
        out["input_ids"].append([1] * pad + ids)
        out["attention_mask"].append([0] * pad + [1] * len(ids))
        out["labels"].append([-100] * (pad + len(row["input"])) + row["target"])
    return {k: torch.tensor(v).to(device) for k, v in out.items()}


trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.0)
model.train()
step_seconds = []
for rows in steps:
    start = time.perf_counter()
    batches = [rows[at : at + work["batchSize"]] for at in range(0, len(rows), work["batchSize"])]
    for batch in batches:
        (model(**padded(batch)).loss / len(batches)).backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    if device == "cuda":
        torch.cuda.synchronize()
    step_seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": sum(step_seconds), "stepSeconds": step_seconds, "rows": sum(map(len, steps)), "loadSeconds": load_seconds,
                  "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                  "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "bitsandbytes": bitsandbytes.__version__}}))
