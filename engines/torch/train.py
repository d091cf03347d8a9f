"""Trains what a bundle of `mmmlu export training` holds, with PyTorch, transformers, PEFT and bitsandbytes.

    python train.py --out RUN --processes 1
    torchrun --nproc-per-node 8 train.py --out RUN --processes 8
    srun --ntasks 8 python train.py --out RUN --processes 8         (MASTER_ADDR and MASTER_PORT set)

The bundle says which rows and which learning rate every step has, so that nothing is tokenized, drawn or scheduled here. RUN may be
on a disk that all machines share: it gets train-log.jsonl, checkpoint.pt, trained.safetensors and, last, result.json. The same
command goes on from the checkpoint. The format of both folders: docs/training-bundle.md of mmmlu-lab.
"""
import argparse
import contextlib
import errno
import fcntl
import hashlib
import io
import json
import math
import os
import re
import signal
import socket
import sys
import time
import warnings
from datetime import timedelta
from pathlib import Path

FORMAT = 1
STOPPED = 3
# What a further micro-batch costs, in padded tokens that could be computed instead.
CALL_COSTS = {"cpu": 64, "cuda": 2048}


class Refused(Exception):
    """What its reader can act on."""


def arguments(given=None):
    parser = argparse.ArgumentParser(description="Trains a bundle of mmmlu export training.")
    parser.add_argument("--bundle", type=Path, default=Path(__file__).resolve().parent, help="the bundle (default: this program's folder)")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder, on a disk that all processes share")
    parser.add_argument("--processes", type=int, required=True, help="how many processes train together; another number is refused")
    parser.add_argument("--model", help="folder or hub id of the base model, instead of the one that the bundle names")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto", help="of products (default: bfloat16 where the GPU has it)")
    parser.add_argument("--micro-batch", type=int, help="rows of a process that are computed at once at most (default: the recipe's batch size)")
    parser.add_argument("--gradient-checkpointing", action="store_true", help="compute activations twice instead of keeping them")
    parser.add_argument("--threads", type=int, help="threads of a process on the CPU")
    parser.add_argument("--ray", action="store_true", help="start the processes as workers of the Ray cluster that this runs on")
    parser.add_argument("--marker", help="what RUN/marker must hold: that the folder is the one which the sender sees")
    return parser.parse_args(given)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class Told(io.FileIO):
    """A file that remembers why it could not be written: torch.save tells only that it could not."""

    why = None

    def write(self, data):
        rest = memoryview(data).cast("B")
        try:
            while rest:
                rest = rest[super().write(rest):]
        except OSError as error:
            self.why = error
            raise
        return len(data)


def write_whole(path, write):
    """A file whole or not at all. OSError where it cannot be written."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with Told(fresh, "w") as file:
            try:
                write(file)
            except RuntimeError as error:
                raise (file.why or error) from None
            os.fsync(file.fileno())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def read_bundle(folder):
    """job.json and its SHA-256; every file must be as it was written."""
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        raise Refused(f"{folder} is no bundle: it has no SHA256SUMS. Make one with mmmlu export training.")
    for line in sums.read_text().splitlines():
        digest, name = line.split("  ", 1)
        if not (folder / name).is_file():
            raise Refused(f"{folder / name} is missing. Copy the bundle again.")
        if sha256(folder / name) != digest:
            raise Refused(f"{folder / name} is not as it was written: its SHA-256 is another. Copy the bundle again, or export another one.")
    job = json.loads((folder / "job.json").read_text())
    if job["format"] != FORMAT:
        raise Refused(f"{folder} has the format {job['format']}, and this program reads {FORMAT}. Use the train.py that lies in the bundle.")
    return job, sha256(folder / "job.json")


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def place(processes):
    """(rank, world, local rank), as torchrun, Ray or srun tell it; refuses another number of processes than was asked for."""
    env = os.environ
    if "WORLD_SIZE" in env:
        found = int(env["RANK"]), int(env["WORLD_SIZE"]), int(env.get("LOCAL_RANK", 0))
    elif "SLURM_STEP_NUM_TASKS" in env:
        found = int(env["SLURM_PROCID"]), int(env["SLURM_STEP_NUM_TASKS"]), int(env["SLURM_LOCALID"])
    else:
        found = 0, 1, 0
    if found[1] != processes:
        raise Refused(f"--processes says {processes}, and {found[1]} {'runs' if found[1] == 1 else 'run'} here. Start it with torchrun --nproc-per-node {processes} (or srun --ntasks {processes}); accelerate launch may start one alone.")
    return found


def choose_device(torch, asked, local):
    if asked != "cpu" and not torch.cuda.is_available():
        there = any(Path(name).exists() for name in ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd"))
        if there:
            raise Refused(f"this machine has a GPU, and torch {torch.__version__} cannot use it (torch.version.cuda is {torch.version.cuda}). Install a torch for the GPU's driver, or say --device cpu.")
        if asked == "cuda":
            raise Refused(f"there is no GPU that torch {torch.__version__} can use. Say --device cpu, or start it where there is one.")
        return torch.device("cpu")
    if asked == "cpu":
        return torch.device("cpu")
    if local >= torch.cuda.device_count():
        raise Refused(f"process {local} of this machine has no GPU: there are {torch.cuda.device_count()}. Start as many processes as there are GPUs.")
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


def load_model(job, args, device, compute, torch, rank):
    import transformers

    wanted, training, seq2seq = job["model"], job["training"], job["kind"] == "seq2seq-lm"
    source = args.model or (str(args.bundle / wanted["source"]) if wanted["inBundle"] else wanted["source"])
    if rank == 0 and Path(source).is_dir() and not wanted["inBundle"]:
        for name, digest in wanted["files"].items():
            if not (Path(source) / name).is_file() or sha256(Path(source) / name) != digest:
                raise Refused(f"{Path(source) / name} is not that of the bundle's base model. Give its folder with --model.")
    options = {"revision": wanted["revision"], "dtype": getattr(torch, wanted["torchDtype"])}
    config = transformers.AutoConfig.from_pretrained(source, revision=wanted["revision"])
    if training["dropout"] is not None and seq2seq:
        config.dropout_rate = training["dropout"]
    if not seq2seq:
        config.use_cache = False
        config.attention_dropout = 0.0
    if wanted["quantization"] != "none":
        if seq2seq:
            # transformers keeps T5's wo out of 4 bits, because its feed-forward casts what comes to wo's own type.
            from transformers.models.t5 import modeling_t5 as t5

            t5.T5PreTrainedModel._keep_in_fp32_modules = None
            t5.T5DenseGatedActDense.forward = lambda self, x: self.wo(self.dropout(self.act(self.wi_0(x)) * self.wi_1(x)))
        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type=wanted["quantization"], bnb_4bit_use_double_quant=wanted["doubleQuantization"], bnb_4bit_compute_dtype=compute)
        options["device_map"] = {"": device}
    if wanted["modelType"] == "gemma2":
        # Its logits of attention are capped, which sdpa cannot.
        options["attn_implementation"] = "eager"
    kind = transformers.AutoModelForSeq2SeqLM if seq2seq else transformers.AutoModelForCausalLM
    model = kind.from_pretrained(source, config=config, **options)
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.float()
    if job["lora"] is not None:
        from peft import PeftModel

        model.requires_grad_(False)
        model = PeftModel.from_pretrained(model, str(args.bundle / "adapter-start"), is_trainable=True)
    model.to(device)
    for module in four_bit(job, model):
        # It would take the type of what comes first.
        module.compute_dtype, module.compute_type_is_set = compute, True
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model


def four_bit(job, model):
    if job["model"]["quantization"] == "none":
        return []
    from bitsandbytes.nn import Linear4bit

    return [module for module in model.modules() if isinstance(module, Linear4bit)]


def micro_batches(rows, most, cost):
    """Rows in groups of like length, so that padding and calls together cost least; the order within a step changes no number."""
    rows = sorted(rows, key=lambda row: row["length"])
    best = [(0, 0)]
    for end in range(1, len(rows) + 1):
        best.append(min((best[start][0] + (end - start) * rows[end - 1]["length"] + cost, start) for start in range(max(0, end - most), end)))
    groups, end = [], len(rows)
    while end:
        groups.append(rows[best[end][1]:end])
        end = best[end][1]
    return groups


def share(rows, rank, world):
    """A process's rows of a step: the longest first, each to who has least so far."""
    loads, mine = [0] * world, []
    for row in sorted(rows, key=lambda row: -row["length"]):
        least = loads.index(min(loads))
        loads[least] += row["length"]
        if least == rank:
            mine.append(row)
    return mine


class Batches:
    """Turns rows into the model's input; logits are computed where there are labels."""

    def __init__(self, job, device, torch):
        self.seq2seq, self.device, self.torch = job["kind"] == "seq2seq-lm", device, torch
        self.pad, self.start = job["model"]["padTokenId"], job["model"]["startTokenId"]

    def tensor(self, lists, fill, left=False):
        longest = max(map(len, lists))
        filled = [[fill] * (longest - len(one)) + one if left else one + [fill] * (longest - len(one)) for one in lists]
        tensor = self.torch.tensor(filled)
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor

    def loss_sum(self, model, rows):
        targets = [row["target"] for row in rows]
        if self.seq2seq:
            inputs = [row["input"] for row in rows]
            labels = self.tensor(targets, -100)
            logits = model(input_ids=self.tensor(inputs, self.pad), attention_mask=self.tensor([[1] * len(one) for one in inputs], 0),
                           decoder_input_ids=self.tensor([[self.start, *target[:-1]] for target in targets], self.pad), use_cache=False).logits
        else:
            texts = [row["input"] + row["target"] for row in rows]
            labels = self.tensor(targets, -100, left=True)
            logits = model(input_ids=self.tensor(texts, self.pad, left=True), attention_mask=self.tensor([[1] * len(one) for one in texts], 0, left=True),
                           position_ids=self.tensor([list(range(len(one))) for one in texts], 0, left=True),
                           logits_to_keep=labels.shape[1] + 1, use_cache=False).logits[:, :-1]
        return self.torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum")


def lock(out):
    """Held until this process ends, however it ends; on a disk without locks two runs are not told apart."""
    file = open(out / "lock", "a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            file.seek(0)
            raise Refused(f"{out} is in use by another run ({file.read(200).strip()}). Wait for it, stop it, or give another --out.") from None
        print(f"train.py: {out} is on a disk without locks ({error.strerror}): start no second run into it", file=sys.stderr)
        return file
    file.truncate(0)
    file.write(f"{socket.gethostname()}, process {os.getpid()}\n")
    file.flush()
    return file


class Run:
    """The files of a run's folder. The first process alone writes."""

    def __init__(self, out, job, digest, first):
        self.out, self.first, self.job, self.digest = out, first, job, digest
        self.state = {"step": 0, "rows": 0, "lossSum": 0.0, "seconds": 0.0, "since": [0.0, 0], "validations": [], "bestEpoch": None}

    def open(self):
        self.out.mkdir(parents=True, exist_ok=True)
        self.held = lock(self.out)
        mark = self.out / "bundle.json"
        if mark.is_file() and json.loads(mark.read_text())["job"] != self.digest:
            raise Refused(f"{self.out} holds a run of another bundle. Give another --out.")
        if not mark.is_file():
            write_whole(mark, lambda file: file.write(json.dumps({"job": self.digest, "identity": self.job["identity"]}).encode()))

    def done(self):
        return (self.out / "result.json").is_file()

    def resume(self, named, optimizer, torch, device):
        path = self.out / "checkpoint.pt"
        if path.is_file():
            try:
                kept = torch.load(path, map_location="cpu", weights_only=True)
            except Exception as error:
                raise Refused(f"{path} cannot be read ({error}). Remove it to train from the first step.") from error
            if kept["job"] != self.digest:
                raise Refused(f"{path} is of another bundle. Give another --out.")
            with torch.no_grad():
                for name, parameter in named.items():
                    parameter.copy_(kept["weights"][name])
            optimizer.load_state_dict(kept["optimizer"])
            self.state = kept["state"]
        log = self.out / "train-log.jsonl"
        if self.first and log.is_file():
            # Steps after the checkpoint are taken again; a last line may be torn.
            keep = []
            for line in log.read_bytes().splitlines(keepends=True):
                with contextlib.suppress(ValueError):
                    told = json.loads(line)
                    if (told["epoch"] <= len(self.state["validations"])) if "validationLoss" in told else (told["step"] <= self.state["step"]):
                        keep.append(line)
            write_whole(log, lambda file: file.writelines(keep))

    def log(self, line):
        if self.first:
            with open(self.out / "train-log.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def checkpoint(self, named, optimizer, torch):
        if self.first:
            kept = {"job": self.digest, "state": self.state, "weights": {name: parameter.detach() for name, parameter in named.items()}, "optimizer": optimizer.state_dict()}
            write_whole(self.out / "checkpoint.pt", lambda file: torch.save(kept, file))
            for old in self.out.glob("best-*.safetensors"):
                if old.name != f"best-{self.state['bestEpoch']}.safetensors":
                    old.unlink(missing_ok=True)

    def save_weights(self, name, named):
        from safetensors.torch import save

        data = save({key: parameter.detach().float().cpu().contiguous() for key, parameter in named.items()})
        write_whole(self.out / name, lambda file: file.write(data))


def train(args):
    """One process's part of a run; the same for every way in which processes are started."""
    job, digest = read_bundle(args.bundle)
    rank, world, local = place(args.processes)
    if args.micro_batch is not None and args.micro_batch < 1:
        raise Refused(f"--micro-batch {args.micro_batch} is no number of rows. Give 1 or more.")
    if args.marker is not None:
        there = args.out / "marker"
        if not there.is_file() or there.read_text().strip() != args.marker:
            raise Refused(f"{args.out} here ({socket.gethostname()}) is not the folder that the sender sees. Give a folder that all machines share.")
    run = Run(args.out, job, digest, rank == 0)
    if rank == 0:
        run.open()
    try:
        import torch
        import transformers
        from torch import distributed
        if job["lora"] is not None:
            import peft  # noqa: F401
        if job["model"]["quantization"] != "none":
            import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise Refused(f"{sys.executable} cannot load {error.name} ({error}). Install what the bundle's requirements.txt lists: {sys.executable} -m pip install -r {args.bundle / 'requirements.txt'}") from error
    warnings.filterwarnings("ignore", category=FutureWarning)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if args.threads:
        torch.set_num_threads(args.threads)
    device = choose_device(torch, args.device, local)
    halves = args.precision == "bfloat16" or (args.precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported())
    compute = torch.bfloat16 if halves else torch.float32
    own_group = world > 1 and not distributed.is_initialized()
    if own_group:
        if "MASTER_ADDR" not in os.environ:
            raise Refused("MASTER_ADDR is not set, so that the processes cannot find each other. Set it and MASTER_PORT, as the job file in mmmlu-lab's docs does.")
        os.environ.setdefault("MASTER_PORT", "29500")
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", rank=rank, world_size=world, timeout=timedelta(minutes=30))
    stop = []
    with contextlib.suppress(ValueError):
        # Ray's workers train in a thread of their own, which may set none; Ray stops them itself.
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.append(True))
    try:
        if world > 1:
            distributed.barrier()
        if run.done():
            if rank == 0:
                print(f"train.py: {args.out} holds this run's result already", flush=True)
            return
        loop(args, job, run, stop, device, compute, rank, world, torch, distributed)
    except torch.OutOfMemoryError as error:
        raise Refused(f"the GPU's memory is too small ({error}). Give a smaller --micro-batch, or --gradient-checkpointing; the result is the same.") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO):
            raise Refused(f"cannot write {args.out}: {error.strerror}. The last checkpoint is kept: make room and start the same command again.") from error
        raise
    finally:
        if own_group:
            distributed.destroy_process_group()


def loop(args, job, run, stop, device, compute, rank, world, torch, distributed):
    training, batches = job["training"], Batches(job, device, torch)
    rows, validation = (read_lines(args.bundle / f"{name}.jsonl") for name in ("train", "validation"))
    for row in rows + validation:
        row["length"] = len(row["input"]) + len(row["target"])
    steps = read_lines(args.bundle / "steps.jsonl")
    model = load_model(job, args, device, compute, torch, rank)
    named = {name.replace(".default.weight", ".weight"): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    plain = re.compile(training["notDecayed"], re.IGNORECASE)
    optimizer = torch.optim.AdamW(
        [{"params": [p for n, p in named.items() if not plain.search(n)], "weight_decay": training["weightDecay"]},
         {"params": [p for n, p in named.items() if plain.search(n)], "weight_decay": 0.0}],
        lr=0.0, betas=tuple(training["betas"]), eps=training["epsilon"], fused=True)
    run.resume(named, optimizer, torch, device)
    state, parameters = run.state, list(named.values())
    together = torch.nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True, broadcast_buffers=False) if world > 1 else model
    most, cost = args.micro_batch or training["batchSize"], CALL_COSTS[device.type]
    cast = lambda: torch.autocast(device.type, dtype=torch.bfloat16) if compute is torch.bfloat16 else contextlib.nullcontext()
    per_epoch, began = training["stepsPerEpoch"], time.monotonic() - state["seconds"]
    pending, norm = [], None
    if rank == 0:
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
        print(f"train.py: begin step {state['step']} of {len(steps)}, {world} processes, {name}, {str(compute)[6:]}", flush=True)

    def owes_validation():
        # An epoch that the last step cuts short ends there.
        ended = state["step"] // per_epoch if state["step"] < len(steps) else -(-len(steps) // per_epoch)
        return training["validateEachEpoch"] and len(state["validations"]) < ended

    def out_of_patience():
        return None not in (training["earlyStoppingPatience"], state["bestEpoch"]) and len(state["validations"]) - state["bestEpoch"] >= training["earlyStoppingPatience"]

    def settle():
        """The losses since the last call, summed over processes, and whether any was asked to stop: one synchronisation."""
        told = torch.stack([*pending, norm / world, torch.tensor(float(bool(stop)), device=device)])
        pending.clear()
        if world > 1:
            distributed.all_reduce(told)
        *losses, total_norm, stops = told.tolist()
        for back, loss in enumerate(reversed(losses)):
            if not math.isfinite(loss):
                raise Refused(f"the loss is {loss} in step {state['step'] - back}. The last checkpoint is kept. A lower training.learningRate or training.maxGradNorm, or more training.warmupRatio, may help.")
        if not math.isfinite(total_norm):
            raise Refused(f"the gradients' norm is {total_norm} in step {state['step']}. The last checkpoint is kept. A lower training.learningRate may help.")
        state["lossSum"] += sum(losses)
        state["since"] = [state["since"][0] + sum(losses), state["since"][1] + len(losses)]
        state["seconds"] = time.monotonic() - began
        if stops:
            run.checkpoint(named, optimizer, torch)
            if rank == 0:
                print(f"train.py: stopped at step {state['step']}; the same command goes on from there", flush=True)
            sys.exit(STOPPED)
        return total_norm

    def validate():
        model.eval()
        for module in four_bit(job, model):
            # On some CPUs it would repack its weight for inference in bfloat16, and gradients would be lost from then on.
            module.training = True
        mine = sorted(validation, key=lambda row: row["length"])[rank::world]
        total = torch.zeros((), dtype=torch.float64, device=device)
        with torch.no_grad(), cast():
            for group in micro_batches(mine, max(most, 8), cost):
                total += batches.loss_sum(model, group)
        if world > 1:
            distributed.all_reduce(total)
        model.train()
        loss, epoch = total.item() / sum(len(row["target"]) for row in validation), len(state["validations"]) + 1
        if not math.isfinite(loss):
            raise Refused(f"the validation loss is {loss} after epoch {epoch}. The last checkpoint is kept.")
        if all(loss < one["loss"] for one in state["validations"]):
            state["bestEpoch"] = epoch
            if rank == 0 and training["keepBest"]:
                run.save_weights(f"best-{epoch}.safetensors", named)
        state["validations"].append({"epoch": epoch, "step": state["step"], "loss": loss})
        run.log({"validationLoss": loss, "perplexity": math.exp(min(loss, 700)), "epoch": epoch, "step": state["step"]})
        run.checkpoint(named, optimizer, torch)

    model.train()
    while (state["step"] < len(steps) or owes_validation()) and not out_of_patience():
        if owes_validation():
            validate()
            continue
        line = steps[state["step"]]
        chosen = [rows[index] for index in line["rows"]]
        tokens = sum(len(row["target"]) for row in chosen)
        # Masks depend on seed, step and process alone: a run that went on has those of one that never stopped.
        torch.manual_seed(int.from_bytes(hashlib.sha256(f"{training['seed']} {state['step']} {rank}".encode()).digest()[:7], "big"))
        mine = share(chosen, rank, world)
        # A process without rows takes part with one row that counts nothing, else the others would wait for it.
        groups, weight = (micro_batches(mine, most, cost), 1.0) if mine else ([chosen[:1]], 0.0)
        loss = torch.zeros((), device=device)
        for number, group in enumerate(groups):
            with together.no_sync() if world > 1 and number < len(groups) - 1 else contextlib.nullcontext():
                with cast():
                    summed = batches.loss_sum(together, group) * weight
                # The mean over the target tokens of the whole step; DDP divides by the number of processes.
                (summed * (world / tokens)).backward()
            loss += summed.detach() / tokens
        norm = torch.nn.utils.clip_grad_norm_(parameters, training["maxGradNorm"] or math.inf)
        for group in optimizer.param_groups:
            group["lr"] = line["learningRate"]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        pending.append(loss)
        state["step"] += 1
        state["rows"] += len(chosen)
        step, last = state["step"], state["step"] == len(steps)
        logs, saves = step % training["loggingSteps"] == 0 or last, step % training["saveSteps"] == 0 or last or owes_validation()
        if logs or saves or device.type == "cpu" or step % 10 == 0:
            total_norm = settle()
        if logs:
            run.log({"step": step, "epoch": step / per_epoch, "loss": state["since"][0] / state["since"][1], "learningRate": line["learningRate"],
                     "gradientNorm": total_norm, "rowsPerSecond": state["rows"] / max(state["seconds"], 1e-9), "seconds": state["seconds"]})
            state["since"] = [0.0, 0]
        if saves:
            run.checkpoint(named, optimizer, torch)
    if world > 1:
        distributed.barrier()
    if rank == 0:
        finish(args, job, run, named, device, compute, world, torch)


def finish(args, job, run, named, device, compute, world, torch):
    """The weights, whole, and then what came of the run: its existence means complete."""
    from importlib.metadata import version

    state = run.state
    best = run.out / f"best-{state['bestEpoch']}.safetensors"
    if job["training"]["keepBest"] and state["bestEpoch"] is not None:
        if not best.is_file():
            raise Refused(f"{best}, the weights of the best epoch, is missing. Give another --out.")
        data = best.read_bytes()
        write_whole(run.out / "trained.safetensors", lambda file: file.write(data))
    else:
        run.save_weights("trained.safetensors", named)
    used = ["torch", "transformers", *(["peft"] if job["lora"] else []), *(["bitsandbytes"] if job["model"]["quantization"] != "none" else [])]
    result = {
        "format": FORMAT, "job": run.digest, "identity": job["identity"], "files": job["files"], "steps": state["step"], "rows": state["rows"],
        "loss": state["lossSum"] / max(state["step"], 1), "seconds": state["seconds"], "rowsPerSecond": state["rows"] / max(state["seconds"], 1e-9),
        "validations": state["validations"], "bestEpoch": state["bestEpoch"], "weights": sha256(run.out / "trained.safetensors"), "processes": world,
        "precision": str(compute)[6:], "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "engine": {"program": sha256(__file__), **{name: version(name) for name in used}},
    }
    write_whole(run.out / "result.json", lambda file: file.write(json.dumps(result, indent=2, allow_nan=False).encode()))
    print(f"train.py: {state['step']} steps, loss {result['loss']:.4f}, {result['rowsPerSecond']:.1f} rows/s; {run.out / 'result.json'}", flush=True)


def ray_worker(config):
    train(argparse.Namespace(**config))


def under_ray(args):
    """Ray's TorchTrainer starts the processes, and starts them again where one dies: they go on from the checkpoint."""
    read_bundle(args.bundle)
    try:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer
    except ImportError as error:
        raise Refused(f"{sys.executable} has no Ray Train ({error}). Install ray[train], or name the cluster's Python with --python.") from error
    # By name, so that it is not pickled with what __main__ has imported.
    from train import ray_worker as worker

    gpu = args.device != "cpu"
    config = {**vars(args), "bundle": args.bundle, "out": args.out.resolve()}
    TorchTrainer(worker, train_loop_config=config, torch_config=TorchConfig(backend="nccl" if gpu else "gloo"), scaling_config=ScalingConfig(num_workers=args.processes, use_gpu=gpu),
                 run_config=RunConfig(name="run", storage_path=str(args.out.resolve() / "ray"), failure_config=FailureConfig(max_failures=3))).fit()


def main():
    args = arguments()
    try:
        under_ray(args) if args.ray else train(args)
    except Refused as error:
        print(f"train.py: {error}", file=sys.stderr, flush=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
