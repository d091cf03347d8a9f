"""Float32, FP4 and NF4 weights of a model by transformers and bitsandbytes, with what it then answers; prints one JSON object.

    python bench/python/real_quantized.py WORK.json

WORK is what bench/real/quantized.ts writes. All products are float32.
"""
import hashlib
import json
import sys

import bitsandbytes
import torch
import transformers
from bitsandbytes.functional import dequantize_4bit
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

work = json.load(open(sys.argv[1]))
torch.set_num_threads(work["threads"])


def side(kind):
    config = {} if kind == "none" else {
        "quantization_config": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=kind, bnb_4bit_compute_dtype=torch.float32),
        "device_map": "cpu",
    }
    model = AutoModelForCausalLM.from_pretrained(work["folder"], dtype=torch.float32, **config)
    model.eval()
    # On some CPUs a layer that does not train repacks its weight in bfloat16.
    for module in model.modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            module.training = True
    weights = {}
    for name, module in model.named_modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            dense = dequantize_4bit(module.weight.data, module.weight.quant_state).to(torch.float32).contiguous()
            weights[name + ".weight"] = hashlib.sha256((dense + 0.0).numpy().tobytes()).hexdigest()
    letters, tokens = [], []
    with torch.no_grad():
        for prompt in work["prompts"]:
            ids = torch.tensor([prompt])
            logits = model(input_ids=ids, logits_to_keep=1).logits[0, -1]
            letters.append(logits.log_softmax(-1)[work["letterIds"]].tolist())
            out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=work["new"], do_sample=False)
            end = model.generation_config.eos_token_id
            ends = end if isinstance(end, list) else [end]
            new = out[0, len(prompt) :].tolist()
            # Ours do not count the token that ends a text.
            tokens.append(new[: next((i for i, token in enumerate(new) if token in ends), len(new))])
    return {"weights": weights, "letters": letters, "tokens": tokens}


print(json.dumps({kind: side(kind) for kind in work["kinds"]} | {"versions": {"torch": torch.__version__, "transformers": transformers.__version__, "bitsandbytes": bitsandbytes.__version__}}))
