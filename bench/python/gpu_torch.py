"""The PyTorch engine's own steps on a model whose random weights are made where they lie.

    python bench/python/gpu_torch.py CONFIG.json RESULT.json [--profile] --bundle BUNDLE --out OUT --processes 1 [--device cpu]

CONFIG.json is a model's config.json; the bundle's job says how it is held and trained. RESULT.json gets what the steps do not tell: the
rate of a large product in the same type on the same device, peak memory, and with --profile the shares of the time.
"""
import json
import sys
import time
from pathlib import Path

config_file, result_file = (Path(sys.argv.pop(1)) for _ in range(2))
profiles = "--profile" in sys.argv and not sys.argv.remove("--profile")
sys.path.insert(0, sys.argv[sys.argv.index("--bundle") + 1])
import train  # noqa: E402

found = {}


def random_model(job, args, device, compute, check):
    torch, transformers = train.torch, train.transformers
    told = json.loads(config_file.read_text())
    # JavaScript writes 30.0 as 30, and transformers wants a float.
    told.update({key: float(told[key]) for key in ("final_logit_softcapping", "attn_logit_softcapping") if key in told})
    found["product"] = product(torch, device, compute, small=told["vocab_size"] < 1024)
    config = transformers.AutoConfig.for_model(**told)
    seq2seq, kind = job["kind"] == "seq2seq-lm", job["model"]["quantization"]
    if not seq2seq:
        config.use_cache = False
    made = transformers.AutoModelForSeq2SeqLM if seq2seq else transformers.AutoModelForCausalLM
    options = {"attn_implementation": "eager"} if job["model"]["modelType"] == "gemma2" else {}
    with torch.device(device):
        model = made.from_config(config, **options)
    if kind != "none":
        from bitsandbytes.nn import Linear4bit, Params4bit

        for name, module in list(model.named_modules()):
            if isinstance(module, torch.nn.Linear) and name != "lm_head":
                held = Linear4bit(module.in_features, module.out_features, bias=False, compute_dtype=compute, quant_type=kind, device="meta")
                held.weight = Params4bit(module.weight.data, requires_grad=False, quant_type=kind, module=held).to(device)
                parent, _, leaf = name.rpartition(".")
                setattr(model.get_submodule(parent), leaf, held)
    if job["lora"] is not None:
        from peft import LoraConfig, get_peft_model

        model.requires_grad_(False)
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **job["lora"]))
    model.to(device)
    for module in train.four_bit(model):
        module.compute_dtype, module.compute_type_is_set = compute, True
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if profiles:
        activities = [torch.profiler.ProfilerActivity.CPU, *([torch.profiler.ProfilerActivity.CUDA] if device.type == "cuda" else [])]
        found["profiler"] = torch.profiler.profile(activities=activities)
        found["profiler"].start()
    found["torch"], found["device"] = torch, device
    return model


def product(torch, device, compute, small):
    """10^12 floating-point operations a second of Gemma's feed-forward product."""
    rows, inner, columns = (64, 64, 128) if small else (2400, 2304, 9216)
    x, w = torch.randn(rows, inner, device=device, dtype=compute), torch.randn(columns, inner, device=device, dtype=compute)
    best, wait = float("inf"), torch.cuda.synchronize if device.type == "cuda" else lambda: None
    for _ in range(4):
        wait()
        start = time.perf_counter()
        for _ in range(8):
            x @ w.T
        wait()
        best = min(best, time.perf_counter() - start)
    return 8 * 2 * rows * inner * columns / best / 1e12


def shares(profiler, gpu):
    time_of = lambda event: event.self_device_time_total if gpu else event.self_cpu_time_total
    events = sorted(profiler.key_averages(), key=time_of, reverse=True)
    total = sum(map(time_of, events)) or 1
    return {event.key: time_of(event) / total for event in events[:20]}


train.load_model = random_model
train.main()
torch, gpu = found["torch"], found["device"].type == "cuda"
told = {"productTflops": found["product"], "peakBytes": torch.cuda.max_memory_allocated() if gpu else None}
if profiles:
    found["profiler"].stop()
    told["profile"] = shares(found["profiler"], gpu)
result_file.write_text(json.dumps(told))
