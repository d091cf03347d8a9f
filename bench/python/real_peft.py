"""QLoRA with transformers, PEFT and bitsandbytes on the work that bench/real/peft.ts names; prints one JSON object.

    python bench/python/real_peft.py WORK.json

4-bit base weights, float32 compute (as ours), the adapter's start from WORK, rows, batches and learning rates of each step
from WORK; rows padded on the left to the longest of their batch; the loss is the mean over all target tokens of a step, as
the Trainer has it. Then greedy answers to the test prompts.
"""
import json
import sys
import time

import bitsandbytes
import peft
import torch
import transformers
from peft import PeftModel, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

work = json.load(open(sys.argv[1]))
torch.set_num_threads(work["threads"])
start = time.perf_counter()
config = BitsAndBytesConfig(
    load_in_4bit=True,
    bnb_4bit_quant_type=work["quantization"],
    bnb_4bit_use_double_quant=work["doubleQuantization"],
    bnb_4bit_compute_dtype=torch.float32,
)
model = AutoModelForCausalLM.from_pretrained(work["base"], quantization_config=config, dtype=torch.float32, attn_implementation="eager", device_map="cpu")
model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
model = PeftModel.from_pretrained(model, work["adapter"], is_trainable=True)
model.config.use_cache = False
load_seconds = time.perf_counter() - start
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1.0, betas=tuple(work["betas"]), eps=work["epsilon"], weight_decay=work["weightDecay"])


def padded(rows):
    """Ids, mask and labels, padded on the left."""
    longest = max(len(ids) for ids, _ in rows)
    pad = lambda value, fill: [fill] * (longest - len(value)) + value
    ids = torch.tensor([pad(ids, 0) for ids, _ in rows])
    mask = torch.tensor([pad([1] * len(ids), 0) for ids, _ in rows])
    labels = torch.tensor([pad(labels, -100) for _, labels in rows])
    return ids, mask, labels


model.train()
losses = []
start = time.perf_counter()
for number, step in enumerate(work["steps"]):
    tokens = sum(len(row["target"]) for batch in step["batches"] for row in batch)
    total = 0.0
    for batch in step["batches"]:
        ids, mask, labels = padded([(row["input"] + row["target"], [-100] * len(row["input"]) + row["target"]) for row in batch])
        loss = model(input_ids=ids, attention_mask=mask, labels=labels, num_items_in_batch=torch.tensor(tokens)).loss
        loss.backward()
        total += loss.item()
    if work["maxGradNorm"] is not None:
        torch.nn.utils.clip_grad_norm_(trained, work["maxGradNorm"])
    for group in optimizer.param_groups:
        group["lr"] = step["learningRate"]
    optimizer.step()
    optimizer.zero_grad()
    losses.append(total)
    print(f"step {number + 1} of {len(work['steps'])}: loss {total:.5f}, {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
train_seconds = time.perf_counter() - start

replies = []
start = time.perf_counter()
if work["prompts"]:
    model.eval()
    # On some CPUs a layer that does not train repacks its weight in bfloat16.
    for module in model.modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            module.training = True
    model.config.use_cache = True
    tokenizer = transformers.AutoTokenizer.from_pretrained(work["base"])
    with torch.no_grad():
        for at in range(0, len(work["prompts"]), work["batchSize"]):
            ids, mask, _ = padded([(ids, ids) for ids in work["prompts"][at : at + work["batchSize"]]])
            out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=work["maxNewTokens"], do_sample=False)
            replies += tokenizer.batch_decode(out[:, ids.shape[1] :], skip_special_tokens=True)
print(
    json.dumps(
        {
            "losses": losses,
            "trainSeconds": train_seconds,
            "loadSeconds": load_seconds,
            "answerSeconds": time.perf_counter() - start,
            "replies": replies,
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "bitsandbytes": bitsandbytes.__version__},
        }
    )
)
