"""Tiny decoder-only models by the real transformers, and (Q)LoRA on them by PEFT and bitsandbytes: reference/golden/<variant>/.

`golden.safetensors` beside the checkpoint holds logits and the gradient of every parameter, `prompts.json` (of Gemma 2) the
log-probabilities of whole rows; `adapter/` is a PEFT adapter, and for each base (float32, fp4, nf4 with double quantization)
`adapter-*.safetensors` the logits and the gradients of its matrices; `run.json` is a Trainer run with accumulation, clipping, a cosine
schedule with warm-up, dropout 0: of the adapter on the fp4 base, or of all weights. Grouped attention, and a sliding window shorter
than the rows where the architecture has one.

    python reference/decoder.py VARIANT...
"""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import bitsandbytes as bnb
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, Trainer, TrainerCallback, TrainingArguments

GOLDEN = Path(__file__).parent / "golden"
COMMON = dict(num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128, pad_token_id=0, eos_token_id=1, bos_token_id=2)
SMALL = dict(vocab_size=48, hidden_size=16, intermediate_size=32, head_dim=8, num_hidden_layers=3) | COMMON
LLAMA3 = dict(rope_type="llama3", rope_theta=500.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
LOCAL_AND_GLOBAL = dict(full_attention=dict(rope_type="linear", factor=2.0, rope_theta=1000.0), sliding_attention=dict(rope_type="default", rope_theta=100.0))
VARIANTS = {
    "gemma2": ("gemma2", dict(vocab_size=80, hidden_size=64, intermediate_size=128, num_hidden_layers=3, head_dim=16, query_pre_attn_scalar=24, sliding_window=8, attn_logit_softcapping=5.0, final_logit_softcapping=4.0) | COMMON),
    # Six layers: the last one's attention is full.
    "gemma3": ("gemma3_text", SMALL | dict(num_hidden_layers=6, query_pre_attn_scalar=12, sliding_window=8, rope_parameters=LOCAL_AND_GLOBAL)),
    "qwen2": ("qwen2", SMALL | dict(hidden_size=32, use_sliding_window=True, max_window_layers=1, sliding_window=8, rope_parameters=dict(rope_type="default", rope_theta=1000.0), bos_token_id=None)),
    "qwen3": ("qwen3", SMALL | dict(tie_word_embeddings=True, rope_parameters=dict(rope_type="default", rope_theta=1000.0), bos_token_id=None)),
    "llama": ("llama", SMALL | dict(tie_word_embeddings=True, rope_parameters=LLAMA3)),
    # The text part of a model that sees.
    "gemma3-sees": ("gemma3", dict(
        text_config=SMALL | dict(num_hidden_layers=2, query_pre_attn_scalar=12, sliding_window=8, layer_types=["sliding_attention", "full_attention"]),
        vision_config=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=16, patch_size=8),
        mm_tokens_per_image=4, image_token_index=0, boi_token_index=0, eoi_token_index=0, eos_token_id=1)),
    "llama-biases": ("llama", SMALL | dict(num_key_value_heads=4, attention_bias=True, mlp_bias=True)),
}
# Those whose run trains all weights instead of the adapter.
WHOLE = {"qwen2", "llama-biases"}
# Those without a run.
STILL = {"gemma3-sees"}
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def load():
    return AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32, attn_implementation="eager").eval()


def make():
    torch.manual_seed(2)
    kind, sizes = VARIANTS[VARIANT]
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **sizes))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                weight.copy_(torch.randn_like(weight) * weight.shape[-1] ** -0.5 * 1.5)
            else:
                weight.copy_(0.3 * torch.randn_like(weight) + (0.0 if "gemma" in kind or "bias" in name else 1.0))
    BASE.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(BASE)
    (BASE / "generation_config.json").unlink(missing_ok=True)


def text_sizes():
    sizes = VARIANTS[VARIANT][1]
    return sizes.get("text_config", sizes)


def examples(seed, lengths, targets):
    torch.manual_seed(seed)
    draw = lambda n: torch.randint(3, text_sizes()["vocab_size"], (n,)).tolist()
    return [{"input": [2] + draw(n), "target": draw(t) + [1]} for n, t in zip(lengths, targets)]


def batch(rows, longest=None):
    """Padded on the left with <eos>, as the published run has it."""
    longest = longest or max(len(r["input"]) + len(r["target"]) for r in rows)
    out = {"input_ids": [], "attention_mask": [], "labels": []}
    for r in rows:
        ids = r["input"] + r["target"]
        pad = longest - len(ids)
        out["input_ids"].append([1] * pad + ids)
        out["attention_mask"].append([0] * pad + [1] * len(ids))
        out["labels"].append([-100] * (pad + len(r["input"])) + r["target"])
    return {k: torch.tensor(v) for k, v in out.items()}


def label_logits(out, inputs):
    return torch.cat([out.logits[i, :-1][inputs["labels"][i, 1:] != -100] for i in range(len(inputs["labels"]))]).detach().float()


def golden():
    model = load()
    inputs = batch(ROWS, 40)
    out = model(**inputs)
    out.loss.backward()
    save_file({"logits": label_logits(out, inputs)} | {f"gradient.{n}": p.grad.contiguous() for n, p in model.named_parameters() if p.grad is not None}, HERE / "golden.safetensors")
    greedy = []
    for row in ROWS:
        reply = model.generate(input_ids=torch.tensor([row["input"]]), max_new_tokens=12, do_sample=False)[0].tolist()[len(row["input"]):]
        greedy.append(reply[: reply.index(1)] if 1 in reply else reply)
    (HERE / "golden.json").write_text(json.dumps({"examples": ROWS, "loss": out.loss.item(), "greedy": greedy}, separators=(",", ":")) + "\n")


def prompts():
    """The log-probabilities of each prompt's own tokens, the five likeliest at each place, and the token after it."""
    model = load()
    told = []
    for row in ROWS:
        ids = row["input"] + row["target"]
        with torch.no_grad():
            log_probabilities = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0].float(), dim=-1)
        top = log_probabilities.topk(5)
        told.append({
            "tokens": ids,
            "logProbabilities": [log_probabilities[i, token].item() for i, token in enumerate(ids[1:])],
            "top": [list(zip(*pair)) for pair in zip(top.indices.tolist(), top.values.tolist())],
            "next": log_probabilities[-1].argmax().item(),
        })
    (HERE / "prompts.json").write_text(json.dumps(told, separators=(",", ":")) + "\n")


def quantized(model, **options):
    """The linear layers' weights as bitsandbytes quantizes them, given back as float32: products are the same, and run here."""
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, torch.nn.Linear) and "lm_head" not in name and "vision" not in name:
                # Flat: on the CPU bitsandbytes 0.50 dequantizes rows shorter than a block wrongly.
                packed, state = bnb.functional.quantize_4bit(module.weight.data.reshape(1, -1), blocksize=64, **options)
                module.weight.copy_(bnb.functional.dequantize_4bit(packed, state).reshape(module.weight.shape))
    return model


BASES = {"none": None, "fp4": dict(quant_type="fp4"), "nf4-double": dict(quant_type="nf4", compress_statistics=True)}


def base(name):
    return load() if BASES[name] is None else quantized(load(), **BASES[name])


def adapters():
    torch.manual_seed(3)
    model = get_peft_model(load(), LoraConfig(task_type="CAUSAL_LM", r=RANK, lora_alpha=6, lora_dropout=0.0, bias="none", target_modules=MODULES if VARIANT not in STILL else r".*language_model.*\.(" + "|".join(MODULES) + ")"))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.copy_(0.1 * torch.randn_like(weight))
    model.save_pretrained(HERE / "adapter")
    config = json.loads((HERE / "adapter" / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "base"
    if isinstance(config["target_modules"], list):
        config["target_modules"] = sorted(config["target_modules"])
    (HERE / "adapter" / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (HERE / "adapter" / "README.md").unlink(missing_ok=True)
    losses = {}
    for name in BASES:
        model = PeftModel.from_pretrained(base(name), HERE / "adapter", is_trainable=True)
        inputs = batch(ROWS)
        out = model(**inputs)
        out.loss.backward()
        losses[name] = out.loss.item()
        grads = {n.replace(".default", ""): p.grad for n, p in model.named_parameters() if p.requires_grad}
        save_file({"logits": label_logits(out, inputs)} | {f"gradient.{n}": g.contiguous() for n, g in grads.items() if "layers.1." in n or name == "none"}, HERE / f"adapter-{name}.safetensors")
    (HERE / "adapters.json").write_text(json.dumps(losses) + "\n")


class Rows(torch.utils.data.Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


class Recorder(TrainerCallback):
    def __init__(self):
        self.steps = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            self.steps.append({"loss": logs["loss"], "learningRate": logs["learning_rate"], "gradientNorm": float(logs["grad_norm"])})


def trainer_run():
    model = load() if VARIANT in WHOLE else PeftModel.from_pretrained(base("fp4"), HERE / "adapter", is_trainable=True)
    rows = examples(9, [3 + (7 * i) % 29 for i in range(59)], [1 + (i % 4 == 0) for i in range(59)])
    settings = dict(num_train_epochs=4, per_device_train_batch_size=2, gradient_accumulation_steps=4, learning_rate=3e-3, weight_decay=0.0, max_grad_norm=1.0, lr_scheduler_type="cosine", warmup_steps=2, seed=42, logging_steps=1)
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as out:
        Trainer(model=model, train_dataset=Rows(rows), data_collator=lambda items: batch(items, 40), callbacks=[recorder], args=TrainingArguments(
            output_dir=out, report_to="none", save_strategy="no", remove_unused_columns=False, use_cpu=True, disable_tqdm=True, optim="adamw_torch", **settings)).train()
    (HERE / "run.json").write_text(json.dumps({"settings": settings, "examples": rows, "steps": recorder.steps}, separators=(",", ":")) + "\n")


def main():
    global VARIANT, HERE, BASE, RANK, ROWS
    for VARIANT in sys.argv[1:]:
        HERE = GOLDEN / VARIANT
        BASE = HERE / "base"
        RANK = 4 if VARIANT == "gemma2" else 2
        ROWS = examples(5, [4, 25, 11, 1, 17], [1, 2, 1, 3, 1])
        shutil.rmtree(HERE, ignore_errors=True)
        make()
        golden()
        if VARIANT == "gemma2":
            prompts()
        adapters()
        if VARIANT not in STILL:
            trainer_run()
        print(VARIANT, sum(p.stat().st_size for p in HERE.rglob("*") if p.is_file()))


main()
