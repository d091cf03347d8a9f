"""Loads what mmmlu-lab saved with the real libraries and compares logits: the largest difference of each is printed.

    node --import tsx reference/save-for-check.ts FOLDER && python reference/check_saved.py FOLDER
"""
import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

folder = Path(sys.argv[1])
work = json.loads((folder / "logits.json").read_text())
worst = 0.0
for one in work:
    kind = AutoModelForSeq2SeqLM if one["architecture"] == "t5" else AutoModelForCausalLM
    extra = {} if one["architecture"] == "t5" else {"attn_implementation": "eager"}
    model = kind.from_pretrained(folder / one["model"], dtype=torch.float32, **extra)
    if one["adapter"]:
        model = PeftModel.from_pretrained(model, folder / one["adapter"])
    model.eval()
    difference = 0.0
    for prompt, expected in zip(one["prompts"], one["logProbabilities"]):
        ids = torch.tensor([prompt])
        inputs = {"input_ids": ids, "decoder_input_ids": torch.tensor([[0]])} if one["architecture"] == "t5" else {"input_ids": ids}
        with torch.no_grad():
            ours = torch.log_softmax(model(**inputs).logits[0, -1].float(), -1)
        difference = max(difference, (ours - torch.tensor(expected)).abs().max().item())
    worst = max(worst, difference)
    print(f"{one['name']}: log-probabilities differ by at most {difference:.2e}")
sys.exit(0 if worst < 1e-3 else 1)
