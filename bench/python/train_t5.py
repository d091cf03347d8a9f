"""Trains T5 with Hugging Face's Trainer on the work that bench/train.ts names, and prints one JSON object.

    python bench/python/train_t5.py WORK.json [grouped]

Padding to the longest row of each batch, float32, AdamW, clipping at 1.0: as the published run. Rows come in the Trainer's
own order (seed 42), which is also ours; with `grouped` those of like lengths come together.
"""
import json
import resource
import sys
import tempfile
import time

import accelerate
import torch
import transformers
from transformers import T5Config, T5ForConditionalGeneration, Trainer, TrainerCallback, TrainingArguments

work = json.load(open(sys.argv[1]))
grouped = "grouped" in sys.argv[2:]
shape = work["config"]
torch.manual_seed(1)
model = T5ForConditionalGeneration(T5Config(
    vocab_size=shape["vocabSize"], d_model=shape["dModel"], d_kv=shape["dKv"], d_ff=shape["dFf"], num_layers=shape["numLayers"], num_decoder_layers=shape["numDecoderLayers"],
    num_heads=shape["numHeads"], dropout_rate=shape["dropoutRate"], feed_forward_proj="gated-gelu", decoder_start_token_id=0))
# transformers 5 ties the output layer of a model made anew; Flan-T5 has one of its own.
model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.shared.weight))
padded, ids = [], []


class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return len(work["examples"])

    def __getitem__(self, index):
        # Where the Trainer looks for lengths.
        return {**work["examples"][index], "input_ids": work["examples"][index]["input"]}


def collate(items):
    longest = max(len(i["input"]) for i in items)
    padded.append(longest * len(items))
    ids.append([i["id"] for i in items])
    pad = lambda fill, of: torch.tensor([of(i) + [fill] * (longest - len(i["input"])) for i in items])
    return {"input_ids": pad(0, lambda i: i["input"]), "attention_mask": pad(0, lambda i: [1] * len(i["input"])), "labels": torch.tensor([i["target"] for i in items])}


class Clock(TrainerCallback):
    def __init__(self):
        self.last, self.seconds = None, []

    def on_train_begin(self, *args, **kwargs):
        self.last = time.perf_counter()

    def on_step_end(self, *args, **kwargs):
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.last = now


clock = Clock()
with tempfile.TemporaryDirectory() as out:
    Trainer(model=model, train_dataset=Rows(), data_collator=collate, callbacks=[clock], args=TrainingArguments(
        output_dir=out, num_train_epochs=1, per_device_train_batch_size=work["batchSize"], learning_rate=2e-5, weight_decay=0.01, max_grad_norm=1.0, seed=42, report_to="none", **({"train_sampling_strategy": "group_by_length"} if grouped else {}),
        save_strategy="no", logging_steps=100, use_cpu=not torch.cuda.is_available(), bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(), disable_tqdm=True, remove_unused_columns=False)).train()
print(json.dumps({
    "steps": [{"seconds": s, "paddedTokens": p, "rows": r} for s, p, r in zip(clock.seconds, padded, ids)],
    "stepSeconds": clock.seconds,
    "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "accelerate": accelerate.__version__},
}))
