"""Tiny T5 v1.1 models by the real transformers: reference/golden/t5/.

`untied` is a checkpoint like Flan-T5 (an output layer of its own), `tied` one whose output layer is the embedding, scaled.
Beside each checkpoint `golden.safetensors` holds logits and the gradient of every parameter, `golden.json` examples, loss and
greedy replies. `untied` is stored again in bfloat16, float16 and in shards. `run` and `run-accumulated` are Trainer runs with
clipping, warm-up, a linear schedule and weight decay, dropout 0: every step's loss, learning rate and gradient norm, the
order of the rows and the final weights.

    python reference/t5.py
"""
import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import T5Config, T5ForConditionalGeneration, Trainer, TrainerCallback, TrainingArguments

HERE = Path(__file__).parent / "golden" / "t5"
SIZES = dict(vocab_size=64, d_model=24, d_kv=8, d_ff=32, num_layers=2, num_decoder_layers=3, num_heads=3, relative_attention_num_buckets=8,
             relative_attention_max_distance=12, feed_forward_proj="gated-gelu", dropout_rate=0.0, decoder_start_token_id=0)


def make(name, tied):
    """A checkpoint with weights far enough from their first values that every term counts."""
    folder = HERE / name
    torch.manual_seed(1)
    model = T5ForConditionalGeneration(T5Config(**SIZES, tie_word_embeddings=tied))
    with torch.no_grad():
        for key, weight in model.named_parameters():
            weight.copy_(torch.ones_like(weight) + 0.2 * torch.randn_like(weight) if "norm" in key else weight + 0.3 * weight.std() * torch.randn_like(weight))
            if "relative_attention_bias" in key:
                weight.copy_(torch.randn_like(weight))
        model.shared.weight.mul_(0.5)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    if not tied:
        weights = load_file(folder / "model.safetensors")
        weights["lm_head.weight"] = 0.4 * torch.randn(SIZES["vocab_size"], SIZES["d_model"])
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        config = json.loads((folder / "config.json").read_text())
        # As google/flan-t5-base's config says it.
        config["tie_word_embeddings"] = False
        config.pop("scale_decoder_outputs", None)
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return folder


def load(folder):
    model = T5ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    assert (model.lm_head.weight is model.shared.weight) == (folder.name == "tied"), folder
    return model.eval()


def examples(seed, lengths, targets):
    torch.manual_seed(seed)
    draw = lambda n: torch.randint(2, SIZES["vocab_size"], (n,)).tolist()
    return [{"input": draw(n) + [1], "target": draw(t)} for n, t in zip(lengths, targets)]


def batch(rows):
    longest, most = max(len(r["input"]) for r in rows), max(len(r["target"]) for r in rows)
    pad = lambda values, size, fill: values + [fill] * (size - len(values))
    return {
        "input_ids": torch.tensor([pad(r["input"], longest, 0) for r in rows]),
        "attention_mask": torch.tensor([pad([1] * len(r["input"]), longest, 0) for r in rows]),
        "labels": torch.tensor([pad(r["target"], most, -100) for r in rows]),
    }


def golden(folder):
    model = load(folder)
    rows = examples(5, [4, 30, 11, 1, 19], [1, 2, 1, 3, 1])
    inputs = batch(rows)
    out = model(**inputs)
    out.loss.backward()
    tensors = {f"gradient.{name}": p.grad for name, p in model.named_parameters()}
    tensors["logits"] = torch.cat([out.logits[i, : len(r["target"])] for i, r in enumerate(rows)]).detach()
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "golden.safetensors")
    greedy = model.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], max_new_tokens=6, do_sample=False, use_cache=False)
    replies = [[t for t in reply[1:].tolist()] for reply in greedy]
    (folder / "golden.json").write_text(json.dumps({"examples": rows, "loss": out.loss.item(), "greedy": replies}, separators=(",", ":")) + "\n")


def stored_otherwise(folder):
    model = load(folder)
    for name, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        target = HERE / name
        target.mkdir(exist_ok=True)
        save_file({k: v.to(dtype).contiguous() for k, v in load_file(folder / "model.safetensors").items()}, target / "model.safetensors", metadata={"format": "pt"})
        shutil.copy(folder / "config.json", target / "config.json")
        again = T5ForConditionalGeneration.from_pretrained(target, dtype=torch.float32).eval()
        rows = json.loads((folder / "golden.json").read_text())["examples"]
        (target / "golden.json").write_text(json.dumps({"examples": rows, "loss": again(**batch(rows)).loss.item()}, separators=(",", ":")) + "\n")
    with tempfile.TemporaryDirectory() as folder_of_shards:
        model.save_pretrained(folder_of_shards, max_shard_size="30KB")
        target = HERE / "sharded"
        target.mkdir(exist_ok=True)
        for path in Path(folder_of_shards).iterdir():
            if "safetensors" in path.name or path.name == "config.json":
                shutil.copy(path, target / path.name)
    config = json.loads((folder / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n")


class Rows(torch.utils.data.Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return {**self.rows[index], "row": index}


class Recorder(TrainerCallback):
    def __init__(self):
        self.steps = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            self.steps.append({"loss": logs["loss"], "learningRate": logs["learning_rate"], "gradientNorm": float(logs["grad_norm"])})


def mean_over_all_tokens(outputs, labels, num_items_in_batch=None):
    return torch.nn.functional.cross_entropy(outputs.logits.flatten(0, 1).float(), labels.flatten(), ignore_index=-100, reduction="sum") / num_items_in_batch


def trainer_run(folder, name, accumulation):
    """
    T5's own loss takes the mean of each batch and leaves `num_items_in_batch` aside, while the Trainer, which sees that the
    model takes loss keywords, does not divide by the number of batches: with accumulation its loss is the sum of means (5.23.0).
    So the accumulated run is given the loss over all target tokens, which is what the Trainer means to do; the plain run, as
    the published one, takes no accumulation and the model's own loss.
    """
    model = load(folder)
    # 59 rows: batches of 4, two of them a step; the last step of an epoch has one batch of three rows. Some targets have two tokens.
    rows = examples(9, [3 + (7 * i) % 29 for i in range(59)], [1 + (i % 3 == 0) for i in range(59)])
    order = []

    def collate(items):
        order.append([item["row"] for item in items])
        inputs = batch(items)
        # The Trainer takes the labels away where it computes the loss itself.
        return inputs | {"decoder_input_ids": model._shift_right(inputs["labels"])}

    settings = dict(num_train_epochs=4 if accumulation > 1 else 2, per_device_train_batch_size=4, gradient_accumulation_steps=accumulation, learning_rate=5e-3, weight_decay=0.05, max_grad_norm=0.7,
                    lr_scheduler_type="linear", warmup_steps=4, seed=42, logging_steps=1)
    with tempfile.TemporaryDirectory() as out:
        recorder = Recorder()
        trainer = Trainer(model=model, train_dataset=Rows(rows), data_collator=collate, callbacks=[recorder], compute_loss_func=mean_over_all_tokens if accumulation > 1 else None,
                          args=TrainingArguments(output_dir=out, report_to="none", save_strategy="no", remove_unused_columns=False, use_cpu=True, disable_tqdm=True, logging_nan_inf_filter=False, optim="adamw_torch", **settings))
        trainer.train()
    target = HERE / name
    target.mkdir(exist_ok=True)
    if accumulation > 1:
        save_file({k: v.detach().contiguous() for k, v in model.named_parameters()}, target / "final.safetensors")
    (target / "golden.json").write_text(json.dumps({"settings": settings, "examples": rows, "order": order, "steps": recorder.steps}, separators=(",", ":")) + "\n")


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    for name, tied in (("untied", False), ("tied", True)):
        golden(make(name, tied))
    stored_otherwise(HERE / "untied")
    trainer_run(HERE / "untied", "run", 1)
    trainer_run(HERE / "untied", "run-accumulated", 2)
    for extra in HERE.rglob("generation_config.json"):
        extra.unlink()
    print(sum(p.stat().st_size for p in HERE.rglob("*") if p.is_file()))


main()
