"""PEFT adapters of every kind that is read, on the tiny bases of decoder.py and t5.py: reference/golden/adapters/.

Each folder is an adapter as PEFT saves it, its B matrices filled; `golden.json` says of each which layers PEFT adapted, with which
scaling, and the loss and the norm of the adapters' gradients on some examples; `patterns` what Python's `re.fullmatch` says of
layers' names. PEFT sorts the keys of what it saves, so patterns stand in that order here: in another one it could not load its own file.

    python reference/adapters.py
"""
import json
import re
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import Gemma2ForCausalLM, T5ForConditionalGeneration

HERE = Path(__file__).parent / "golden" / "adapters"
GOLDEN = HERE.parent
BASES = {"gemma2": GOLDEN / "gemma2" / "base", "t5": GOLDEN / "t5" / "untied"}

CASES = {
    "rank-stabilized": ("gemma2", dict(r=3, lora_alpha=4, use_rslora=True, target_modules=["q_proj", "down_proj"])),
    "rank-pattern": ("gemma2", dict(rank_pattern={"q_proj": 3, r"layers\.[02]\.self_attn\.v_proj": 1, "model.layers.1.self_attn.v_proj": 4}, target_modules=["q_proj", "v_proj"])),
    "alpha-pattern": ("gemma2", dict(alpha_pattern={"layers.1.self_attn.q_proj": 9, "self_attn.q_proj": 2.5}, target_modules=["q_proj", "o_proj"])),
    "patterns-stabilized": ("gemma2", dict(use_rslora=True, rank_pattern={r".*\.2\..*": 1, "v_proj": 4}, alpha_pattern={"(q|v)_proj": 5}, target_modules=["q_proj", "v_proj", "up_proj"])),
    "expression": ("gemma2", dict(target_modules=r".*layers\.(0|2)\.(self_attn\.(q|v)_proj|mlp\.down_proj)")),
    "expression-of-python": ("gemma2", dict(target_modules=r"(?P<stack>model)\.layers\.\d+\.self_attn\.[^]vo_]_proj\Z")),
    "expression-of-unsloth": ("gemma2", dict(target_modules=r"(?:.*?(?:language|text|model).*?(?:self_attn|attention|attn|mlp|feed_forward|ffn|dense).*?(?:q_proj|gate_proj|down_proj).*?)|(?:\bmodel\.layers\.[\d]{1,}\.(?:self_attn)\.(?:(?:k_proj|o_proj)))")),
    "whole-names": ("gemma2", dict(target_modules=["model.layers.1.self_attn.q_proj", "layers.0.mlp.up_proj"])),
    "some-layers": ("gemma2", dict(layers_to_transform=[0, 2], target_modules=["q_proj", "gate_proj"])),
    "one-layer": ("gemma2", dict(layers_to_transform=1, layers_pattern="layers", target_modules=["q_proj", "gate_proj"])),
    "excluded": ("gemma2", dict(exclude_modules=["layers.1.self_attn.q_proj", "up_proj"], target_modules=["q_proj", "up_proj", "down_proj"])),
    "excluded-by-expression": ("gemma2", dict(exclude_modules=r".*\.[12]\..*", target_modules="all-linear")),
    "gaussian": ("gemma2", dict(init_lora_weights="gaussian", target_modules=["k_proj"])),
    "orthogonal": ("gemma2", dict(init_lora_weights="orthogonal", target_modules=["k_proj"])),
    "t5-all-linear": ("t5", dict(r=1, target_modules="all-linear")),
    "t5-some-layers": ("t5", dict(layers_to_transform=[1], target_modules=["q", "wo"])),
    "t5-layers-pattern": ("t5", dict(layers_to_transform=[0, 1], layers_pattern=["layer"], target_modules=["q", "wo", "o"])),
    "t5-expression": ("t5", dict(target_modules=r"decoder\..*(SelfAttention|EncDecAttention)\.(q|v)", alpha_pattern={r"decoder\.block\.2\..*": 7})),
}

PATTERNS = [
    r".*\.q_proj", r"q_proj", r"model\.layers\.[0-9]+\.mlp\.(up|down)_proj", r"(?i)MODEL.*Q_PROJ", r"\Amodel\..*\Z", r"(?P<a>l)ayers", r".*(?P<a>[a-z])(?P=a).*",
    r"[]a-z._0-9]+", r"[^]]+", r"[[\]a-z._\d]*", r".*\.(?!1)\d\..*", r".*(?<=self_attn)\.o_proj", r"model.layers.1.self_attn.q_proj", r".*\-.*", r"model\.layers\.\d{1,2}\..*_proj$",
    r"(?:.*\.)?(?:k|v)_proj", r".*[\w\.]+_norm", r".*layers\.(?:1|2)\.(?:self_attn|mlp)\..*", r"", r".*\_proj",
]
NAMES = ["model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj", "model.layers.12.mlp.up_proj", "model.layers.2.self_attn.o_proj", "q_proj", "a-b.k_proj", "model.norm_norm", "encoder.block.0.layer.0.SelfAttention.q"]


def load(kind):
    if kind == "t5":
        return T5ForConditionalGeneration.from_pretrained(BASES[kind], dtype=torch.float32).eval()
    return Gemma2ForCausalLM.from_pretrained(BASES[kind], dtype=torch.float32, attn_implementation="eager").eval()


def inputs(kind):
    rows = json.loads((BASES[kind] / "golden.json" if kind == "t5" else GOLDEN / "gemma2" / "golden.json").read_text())["examples"][:3]
    out = []
    for row in rows:
        if kind == "t5":
            out.append(dict(input_ids=torch.tensor([row["input"]]), labels=torch.tensor([row["target"]])))
        else:
            out.append(dict(input_ids=torch.tensor([row["input"] + row["target"]]), labels=torch.tensor([[-100] * len(row["input"]) + row["target"]])))
    return out, sum(len(row["target"]) for row in rows)


def case(name, kind, options):
    torch.manual_seed(11)
    model = get_peft_model(load(kind), LoraConfig(**({"task_type": "SEQ_2_SEQ_LM" if kind == "t5" else "CAUSAL_LM", "r": 2, "lora_alpha": 3, "lora_dropout": 0.0} | options)))
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if "lora_B" in key:
                weight.copy_(0.2 * torch.randn_like(weight))
    folder = HERE / name
    model.save_pretrained(folder)
    config = json.loads((folder / "adapter_config.json").read_text()) | {"base_model_name_or_path": kind}
    for key in ("target_modules", "exclude_modules"):
        if isinstance(config[key], list):
            config[key] = sorted(config[key])
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "README.md").unlink(missing_ok=True)
    # As a user loads it, not as it was made.
    model = PeftModel.from_pretrained(load(kind), folder, is_trainable=True).eval()
    rows, tokens = inputs(kind)
    loss = sum(model(**row).loss * (row["labels"] != -100).sum() for row in rows) / tokens
    loss.backward()
    norm = torch.stack([p.grad.norm() for p in model.parameters() if p.requires_grad]).norm()
    layers = {key.removeprefix("base_model.model."): module.scaling["default"] for key, module in model.named_modules() if hasattr(module, "lora_A") and "default" in module.lora_A}
    return dict(base=kind, layers=layers, loss=loss.item(), norm=norm.item())


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    patterns = [[pattern, [bool(re.fullmatch(pattern, name)) for name in NAMES]] for pattern in PATTERNS]
    cases = {name: case(name, kind, options) for name, (kind, options) in CASES.items()}
    (HERE / "golden.json").write_text(json.dumps({"cases": cases, "names": NAMES, "patterns": patterns}, indent=1) + "\n")
    print(sum(p.stat().st_size for p in HERE.rglob("*") if p.is_file()))


main()
