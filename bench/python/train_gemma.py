"""One batch of the published Gemma 2 recipe with transformers, PEFT and bitsandbytes on the CPU; prints one JSON object.

    python bench/python/train_gemma.py WORK.json

FP4 base weights, bfloat16 compute, LoRA of rank 32 on all linear layers, gradient checkpointing, eager attention, rows padded on
the left to 300 tokens with <eos>.
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
start = time.perf_counter()
model = AutoModelForCausalLM.from_pretrained(work["folder"], quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16), dtype=torch.bfloat16, attn_implementation="eager", device_map="cpu")
model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=True, gradient_checkpointing_kwargs={"use_reentrant": False})
model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=32, lora_alpha=16, lora_dropout=0.05, bias="none", target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))
model.config.use_cache = False
load_seconds = time.perf_counter() - start
rows = work["examples"][: work["batchSize"]]
longest = 300
out = {"input_ids": [], "attention_mask": [], "labels": []}
for row in rows:
    ids = row["input"] + row["target"]
    pad = longest - len(ids)
    out["input_ids"].append([1] * pad + ids)
    out["attention_mask"].append([0] * pad + [1] * len(ids))
    out["labels"].append([-100] * (pad + len(row["input"])) + row["target"])
inputs = {k: torch.tensor(v) for k, v in out.items()}
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, weight_decay=0.0)
model.train()
start = time.perf_counter()
model(**inputs).loss.backward()
torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
optimizer.step()
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "rows": len(rows), "loadSeconds": load_seconds, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                  "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "bitsandbytes": bitsandbytes.__version__}}))
