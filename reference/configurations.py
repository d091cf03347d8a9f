"""What transformers reads of config.json where keys say a thing twice, or in an older dialect: golden/configurations.json.

    HF_HUB_OFFLINE=1 python reference/configurations.py
"""

import copy
import json
from pathlib import Path

from transformers import AutoConfig

SIZES = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
LINEAR = {"rope_type": "linear", "factor": 4.0}
BY_TYPE = {"full_attention": {**LINEAR, "rope_theta": 2e4}, "sliding_attention": {"rope_type": "linear", "factor": 2.0}}
ROPE = {
    "nothing": {},
    "rope_theta alone": {"rope_theta": 5e5},
    "rope_scaling by its old name": {"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2.0}},
    "an empty rope_scaling beside rope_parameters": {"rope_scaling": {}, "rope_parameters": {**LINEAR, "rope_theta": 2e4}},
    "null beside rope_parameters": {"rope_scaling": None, "rope_parameters": {**LINEAR, "rope_theta": 2e4}},
    "both": {"rope_scaling": LINEAR, "rope_parameters": {"rope_type": "default", "rope_theta": 2e4}},
    "llama3 without its first length": {"rope_scaling": LLAMA3},
    "llama3 with its first length": {"rope_scaling": {**LLAMA3, "original_max_position_embeddings": 128}},
    "a factor of the default type": {"rope_parameters": {"rope_type": "default", "factor": 3.0, "rope_theta": 1e4}},
}
ROPE_BY_TYPE = {
    "rotary positions of each type": {"rope_parameters": BY_TYPE},
    "rotary positions of each type beside older bases": {"rope_parameters": BY_TYPE, "rope_theta": 3e4, "rope_local_base_freq": 500.0},
    "rope_scaling beside them": {"rope_parameters": BY_TYPE, "rope_scaling": {**LLAMA3, "original_max_position_embeddings": 128}},
    "full attention's alone": {"rope_parameters": {"full_attention": LINEAR}, "rope_local_base_freq": 500.0},
    "older bases with rope_scaling": {"rope_theta": 3e4, "rope_local_base_freq": 500.0, "rope_scaling": LINEAR},
}
WINDOWS = {
    "as it is": {},
    "a window": {"sliding_window": 16},
    "use_sliding_window false": {"sliding_window": 16, "use_sliding_window": False},
    "use_sliding_window true": {"sliding_window": 16, "use_sliding_window": True, "max_window_layers": 2},
    "all layers windowed": {"sliding_window": 16, "use_sliding_window": True, "max_window_layers": 0},
}


def read(model_type: str, more: dict) -> dict:
    config = AutoConfig.for_model(model_type, **copy.deepcopy({**SIZES, **more}))
    types = getattr(config, "layer_types", None)
    return {
        "modelType": model_type,
        "keys": more,
        "rope": config.rope_parameters,
        "layerTypes": types,
        "slidingWindow": getattr(config, "sliding_window", None),
    }


def main() -> None:
    cases = {}
    for model_type in ("llama", "qwen2", "qwen3", "gemma2", "gemma3_text"):
        for name, more in ({"nothing": {}} | ROPE_BY_TYPE if model_type == "gemma3_text" else ROPE).items():
            cases[f"{model_type}: {name}"] = read(model_type, more)
        if model_type != "llama":
            for name, more in WINDOWS.items():
                # Gemma has no such key: true is refused here.
                if model_type.startswith("gemma") and more.get("use_sliding_window"):
                    continue
                cases[f"{model_type}: {name}"] = read(model_type, more)
    path = Path(__file__).parent / "golden" / "configurations.json"
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(case, separators=(',', ':'))}" for name, case in cases.items())
    path.write_text(f'{{"sizes":{json.dumps(SIZES)},"cases":{{\n{lines}\n}}}}\n')


main()
