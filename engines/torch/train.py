"""Trains what a bundle of `mmmlu export training` holds, with PyTorch, transformers, PEFT and bitsandbytes.

    python train.py --out RUN --processes 1
    torchrun --nproc-per-node 8 train.py --out RUN --processes 8
    srun --ntasks 8 python train.py --out RUN --processes 8         (MASTER_ADDR and MASTER_PORT set)

The bundle says which rows and which learning rate every step has, so that nothing is tokenized, drawn or scheduled here.
RUN may be on a disk that all machines share: it gets train-log.jsonl, a checkpoint, trained.safetensors and, last,
result.json. The same command goes on from the checkpoint. The format of both folders: docs/training-bundle.md of mmmlu-lab.
"""
import argparse, contextlib, ctypes, errno, fcntl, hashlib, importlib, json, math, os, re, shutil, signal, socket, sys, time, warnings
from datetime import timedelta
from pathlib import Path

FORMAT, STOPPED = 1, 3
# What a further micro-batch costs, in padded tokens that could be computed instead.
CALL_COSTS = {"cpu": 64, "cuda": 2048}


class Refused(Exception):
    """What its reader can act on."""


def arguments():
    parser = argparse.ArgumentParser(description="Trains a bundle of mmmlu export training.")
    add = parser.add_argument
    add("--bundle", type=Path, default=Path(__file__).resolve().parent, help="the bundle (default: this program's folder)")
    add("--out", type=Path, required=True, help="the run's folder, on a disk that all processes share")
    add("--processes", type=int, required=True, help="how many processes train together; another number is refused")
    add("--model", help="folder or hub id of the base model, instead of the one that the bundle names")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto")
    add("--precision", choices=["auto", "float32", "bfloat16"], default="auto", help="of products (default: bfloat16 where the GPU has it)")
    add("--micro-batch", type=int, help="rows that a process computes at once at most (default: the recipe's batch size)")
    add("--gradient-checkpointing", action="store_true", help="compute activations twice instead of keeping them")
    add("--ray", action="store_true", help="start the processes as workers of the Ray cluster that this runs on")
    add("--marker", help="what RUN/marker must hold: that the folder is the one which the sender sees")
    return parser.parse_args()


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_whole(path, write):
    """Makes a file whole or not at all; `write` is given where. What cannot be written is told with the room left."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        write(fresh)
        with open(fresh, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except Exception as error:
        room = shutil.disk_usage(path.parent).free >> 20
        raise Refused(f"cannot write {path} ({error}; {room} MiB are free there). The last checkpoint is kept: make room and start the same command again.") from error
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


def place(processes):
    """(rank, world, local rank), as torchrun, Ray or srun tell it; refuses another number of processes than was asked for."""
    env = os.environ
    if "WORLD_SIZE" in env:
        found = int(env["RANK"]), int(env["WORLD_SIZE"]), int(env.get("LOCAL_RANK", 0))
    elif "SLURM_STEP_NUM_TASKS" in env:
        # A process that Slurm has bound to a GPU of its own (--gpus-per-task, --gpu-bind) sees that one alone.
        bound = "SLURMD_TRES_BIND" in env and env.get("SLURM_STEP_GPUS", "").isdigit()
        found = int(env["SLURM_PROCID"]), int(env["SLURM_STEP_NUM_TASKS"]), 0 if bound else int(env["SLURM_LOCALID"])
    else:
        found = 0, 1, 0
    if found[1] != processes:
        if found[0] > 0:
            # The first process says it for all; one that ended before it would have the launcher end it unheard.
            signal.signal(signal.SIGTERM, lambda *_: os._exit(2))
            time.sleep(60)
            sys.exit(2)
        raise Refused(f"--processes says {processes}, and {found[1]} {'runs' if found[1] == 1 else 'run'} here. Start it with torchrun --nproc-per-node {processes} (or srun --ntasks {processes}); accelerate launch may start one alone.")
    return found


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
    else:
        file.truncate(0)
        file.write(f"{socket.gethostname()}, process {os.getpid()}\n")
        file.flush()
    return file


def open_run(out, job, digest):
    """Makes the run's folder, and holds it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"cannot make the folder {out} ({error}). Give another --out.") from error
    held, mark = lock(out), out / "bundle.json"
    if not mark.is_file():
        write_whole(mark, lambda path: path.write_text(json.dumps({"job": digest, "identity": job["identity"]})))
    elif json.loads(mark.read_text())["job"] != digest:
        raise Refused(f"{out} holds a run of another bundle. Give another --out, or the bundle that it began with (also its loggingSteps and saveSteps).")
    return held


def load_libraries(job, bundle):
    """Once what needs none of them is in order; torch and transformers become this module's own."""
    global distributed, torch, transformers
    needed = ["torch", "transformers", "safetensors", *(["peft"] if job["lora"] else []), *(["bitsandbytes"] if job["model"]["quantization"] != "none" else [])]
    try:
        torch, transformers, *_ = map(importlib.import_module, needed)
        from torch import distributed
    except ImportError as error:
        raise Refused(f"{sys.executable} cannot load {error.name} ({error}). Install what the bundle's requirements.txt lists: {sys.executable} -m pip install -r {bundle / 'requirements.txt'}") from error
    warnings.filterwarnings("ignore", category=FutureWarning)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return {name: importlib.metadata.version(name) for name in needed}


def choose_device(asked, local):
    if asked == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        if local >= torch.cuda.device_count():
            raise Refused(f"process {local} of this machine has no GPU: there are {torch.cuda.device_count()}. Start as many processes as there are GPUs.")
        torch.cuda.set_device(local)
        return torch.device("cuda", local)
    if any(Path(name).exists() for name in ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd")):
        raise Refused(f"this machine has a GPU, and torch {torch.__version__} cannot use it (torch.version.cuda is {torch.version.cuda}). Install a torch for the GPU's driver, or say --device cpu.")
    if asked == "cuda":
        raise Refused(f"there is no GPU that torch {torch.__version__} can use. Say --device cpu, or start it where there is one.")
    return torch.device("cpu")


def keep_freed_memory():
    """glibc would give large tensors back when freed, and take them anew page by page: a tenth of a step on a CPU."""
    with contextlib.suppress(AttributeError, OSError):
        for option, value in ((-4, 0), (-1, 2**31 - 1), (-2, 1 << 28)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
            ctypes.CDLL(None).mallopt(option, value)


def load_model(job, args, device, compute, check):
    wanted, seq2seq = job["model"], job["kind"] == "seq2seq-lm"
    source = args.model or (str(args.bundle / wanted["source"]) if wanted["inBundle"] else wanted["source"])
    if check and Path(source).is_dir():
        for name, digest in wanted["files"].items():
            if not (Path(source) / name).is_file() or sha256(Path(source) / name) != digest:
                raise Refused(f"{Path(source) / name} is not that of the bundle's base model. Give its folder with --model.")
    config = transformers.AutoConfig.from_pretrained(source, revision=wanted["revision"])
    if not seq2seq:
        config.use_cache, config.attention_dropout = False, 0.0
    elif job["training"]["dropout"] is not None:
        config.dropout_rate = job["training"]["dropout"]
    options = {}
    if wanted["quantization"] != "none":
        if seq2seq:
            # transformers keeps T5's wo out of 4 bits, because its feed-forward casts what comes to wo's own type.
            from transformers.models.t5 import modeling_t5 as t5

            t5.T5PreTrainedModel._keep_in_fp32_modules = None
            t5.T5DenseGatedActDense.forward = lambda self, x: self.wo(self.dropout(self.act(self.wi_0(x)) * self.wi_1(x)))
        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type=wanted["quantization"],
            bnb_4bit_use_double_quant=wanted["doubleQuantization"], bnb_4bit_compute_dtype=compute)
        options["device_map"] = {"": device}
    if wanted["modelType"] == "gemma2":
        # Its logits of attention are capped, which sdpa cannot.
        options["attn_implementation"] = "eager"
    kind = transformers.AutoModelForSeq2SeqLM if seq2seq else transformers.AutoModelForCausalLM
    model = kind.from_pretrained(source, config=config, revision=wanted["revision"], dtype=getattr(torch, wanted["torchDtype"]), **options)
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.float()
    if job["lora"] is not None:
        from peft import PeftModel

        model.requires_grad_(False)
        model = PeftModel.from_pretrained(model, str(args.bundle / "adapter-start"), is_trainable=True)
    model.to(device)
    for width in sorted({module.in_features for module in four_bit(model)}):
        refuse_wrong_width(width, wanted["quantization"], device)
    for module in four_bit(model):
        # It would take the type of what comes first.
        module.compute_dtype, module.compute_type_is_set = compute, True
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model


def refuse_wrong_width(width, kind, device):
    """bitsandbytes' program for CPUs mixes up the scales of rows that are no whole number of blocks: tried with rows that 4 bits hold exactly."""
    from bitsandbytes import functional

    values = torch.arange(64 * width, device=device).div(64, rounding_mode="floor").add(1.0).view(64, width)
    packed, state = functional.quantize_4bit(values, blocksize=64, quant_type=kind)
    if not torch.allclose(functional.dequantize_4bit(packed, state), values):
        raise Refused(f"bitsandbytes {sys.modules['bitsandbytes'].__version__} misreads 4-bit weights of {width} columns on a {device.type.upper()}, which are no multiple of 64. Train on another device, or export the bundle with model.quantization=none.")


def four_bit(model):
    return [module for module in model.modules() if type(module).__name__ == "Linear4bit"]


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
    """A process's part of rows: from the longest to the shortest and back, each process in turn."""
    rows = sorted(rows, key=lambda row: -row["length"])
    return rows[rank::2 * world] + rows[2 * world - 1 - rank::2 * world]


class Training:
    """A run in one process, from its checkpoint on. The first process alone writes."""

    def __init__(self, args, job, digest, rank, world, device):
        self.args, self.job, self.digest, self.rank, self.world, self.device = args, job, digest, rank, world, device
        self.recipe, self.out, self.seq2seq = job["training"], args.out, job["kind"] == "seq2seq-lm"
        halves = args.precision == "bfloat16" or args.precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported()
        self.compute = torch.bfloat16 if halves else torch.float32
        self.rows, self.validation, self.steps = (read_lines(args.bundle / f"{name}.jsonl") for name in ("train", "validation", "steps"))
        for row in self.rows + self.validation:
            row["length"] = len(row["input"]) + len(row["target"])
        self.device_name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
        self.most = args.micro_batch or self.recipe["batchSize"]
        self.model = load_model(job, args, device, self.compute, rank == 0)
        self.named = {name.replace(".default.weight", ".weight"): p for name, p in self.model.named_parameters() if p.requires_grad}
        plain = re.compile(self.recipe["notDecayed"], re.IGNORECASE)
        self.optimizer = torch.optim.AdamW(
            [{"params": [p for name, p in self.named.items() if not plain.search(name)], "weight_decay": self.recipe["weightDecay"]},
             {"params": [p for name, p in self.named.items() if plain.search(name)], "weight_decay": 0.0}],
            lr=0.0, betas=tuple(map(float, self.recipe["betas"])), eps=self.recipe["epsilon"], fused=True)
        self.state = {"step": 0, "lossSum": 0.0, "logged": [0, 0.0], "logBytes": 0, "seconds": 0.0, "validations": [], "bestEpoch": None}
        self.resume()
        self.together = torch.nn.parallel.DistributedDataParallel(self.model, gradient_as_bucket_view=True, broadcast_buffers=False) if world > 1 else self.model
        self.began, self.pending, self.stop = time.monotonic() - self.state["seconds"], [], False

    def resume(self):
        from safetensors import SafetensorError, safe_open

        path, log = self.out / "checkpoint.safetensors", self.out / "train-log.jsonl"
        if path.is_file():
            try:
                with safe_open(path, "pt", device=str(self.device)) as kept:
                    if kept.metadata()["job"] != self.digest:
                        raise Refused(f"{path} is of another bundle. Give another --out.")
                    self.state = json.loads(kept.metadata()["state"])
                    for name, parameter in self.named.items():
                        parameter.data.copy_(kept.get_tensor(name))
                        self.optimizer.state[parameter] = {key: kept.get_tensor(f"{key} {name}") for key in ("step", "exp_avg", "exp_avg_sq")}
            except (SafetensorError, KeyError) as error:
                raise Refused(f"{path} cannot be read ({error}). Remove it to train from the first step.") from error
        if self.rank == 0 and log.is_file():
            # Steps after the checkpoint are taken again.
            os.truncate(log, min(log.stat().st_size, self.state["logBytes"]))

    def checkpoint(self):
        if self.rank > 0:
            return
        moments = {f"{key} {name}": value for name, p in self.named.items() for key, value in self.optimizer.state[p].items()}
        self.save("checkpoint", {"job": self.digest, "state": json.dumps(self.state)}, moments)
        for old in self.out.glob("best-*.safetensors"):
            if old.name != f"best-{self.state['bestEpoch']}.safetensors":
                old.unlink(missing_ok=True)

    def save(self, name, metadata=None, more=None):
        from safetensors.torch import save_file

        tensors = {key: parameter.detach().contiguous() for key, parameter in self.named.items()}
        write_whole(self.out / f"{name}.safetensors", lambda path: save_file({**tensors, **(more or {})}, path, metadata))

    def tell(self, text):
        if self.rank == 0:
            print(f"train.py: {text}", flush=True)

    def log(self, line):
        if self.rank == 0:
            path = self.out / "train-log.jsonl"
            try:
                with open(path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                    file.flush()
                    self.state["logBytes"] = file.tell()
            except OSError as error:
                raise Refused(f"cannot write {path} ({error}). The last checkpoint is kept: make room and start the same command again.") from error

    def padded(self, lists, fill, left=False):
        longest = max(map(len, lists))
        tensor = torch.tensor([[fill] * (longest - len(one)) + one if left else one + [fill] * (longest - len(one)) for one in lists])
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor

    def loss_sum(self, model, rows):
        """The summed loss of rows; logits are computed where there are labels."""
        pad, targets = self.job["model"]["padTokenId"], [row["target"] for row in rows]
        left = not self.seq2seq
        texts = [row["input"] if self.seq2seq else row["input"] + row["target"] for row in rows]
        labels, mask = self.padded(targets, -100, left), self.padded([[1] * len(text) for text in texts], 0, left)
        if self.seq2seq:
            starts = [[self.job["model"]["startTokenId"], *target[:-1]] for target in targets]
            more = {"decoder_input_ids": self.padded(starts, pad)}
        else:
            more = {"position_ids": (mask.cumsum(-1) - 1).clamp(min=0), "logits_to_keep": labels.shape[1] + 1}
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.compute is torch.bfloat16):
            logits = model(input_ids=self.padded(texts, pad, left), attention_mask=mask, use_cache=False, **more).logits
        logits = logits if self.seq2seq else logits[:, :-1]
        return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum")

    def summed(self, tensor):
        if self.world > 1:
            distributed.all_reduce(tensor)
        return tensor

    def step(self):
        """One optimizer step. Nothing of it is read back, so that a GPU need not be waited for. Returns the gradients' norm."""
        line = self.steps[self.state["step"]]
        chosen = [self.rows[index] for index in line["rows"]]
        tokens = sum(len(row["target"]) for row in chosen)
        # Masks depend on seed, step and process alone: a run that went on has those of one that never stopped.
        seed = f"{self.recipe['seed']} {self.state['step']} {self.rank}"
        torch.manual_seed(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:7], "big"))
        mine = share(chosen, self.rank, self.world)
        # A process without rows takes part with one row that counts nothing, else the others would wait for it.
        groups, weight = (micro_batches(mine, self.most, CALL_COSTS[self.device.type]), 1.0) if mine else ([chosen[:1]], 0.0)
        loss = torch.zeros((), device=self.device)
        for number, group in enumerate(groups, 1):
            with self.together.no_sync() if self.world > 1 and number < len(groups) else contextlib.nullcontext():
                # The mean over the target tokens of the whole step; DDP divides by the number of processes.
                mean = self.loss_sum(self.together, group) * (weight / tokens)
                (mean * self.world).backward()
            loss += mean.detach()
        norm = torch.nn.utils.clip_grad_norm_(self.named.values(), self.recipe["maxGradNorm"] or math.inf)
        for group in self.optimizer.param_groups:
            group["lr"] = line["learningRate"]
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.pending.append(loss)
        self.state["step"] += 1
        return norm

    def settle(self, norm):
        """Reads back the losses since the last call, summed over processes, and whether one was asked to stop: the one synchronisation."""
        told = torch.stack([*self.pending, norm / self.world, torch.tensor(float(self.stop), device=self.device)])
        *losses, norm, stops = self.summed(told).tolist()
        state, self.pending = self.state, []
        if not all(map(math.isfinite, [*losses, norm])):
            step = state["step"] - next((back for back, loss in enumerate(reversed(losses)) if not math.isfinite(loss)), 0)
            raise Refused(f"the loss or the gradients' norm is not finite in step {step}. The last checkpoint is kept. A lower training.learningRate or training.maxGradNorm, or more training.warmupRatio, may help.")
        state["lossSum"] += sum(losses)
        state["seconds"] = time.monotonic() - self.began
        return norm, stops > 0

    def owes_validation(self):
        # An epoch that the last step cuts short ends there.
        step, per_epoch = self.state["step"], self.recipe["stepsPerEpoch"]
        ended = math.ceil(step / per_epoch) if step == len(self.steps) else step // per_epoch
        return self.recipe["validateEachEpoch"] and len(self.state["validations"]) < ended

    def out_of_patience(self):
        patience, best = self.recipe["earlyStoppingPatience"], self.state["bestEpoch"]
        return None not in (patience, best) and len(self.state["validations"]) - best >= patience

    def validate(self):
        self.model.eval()
        for module in four_bit(self.model):
            # On some CPUs it would repack its weight for inference in bfloat16, and gradients would be lost from then on.
            module.training = True
        mine = sorted(self.validation, key=lambda row: row["length"])[self.rank::self.world]
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        with torch.no_grad():
            for group in micro_batches(mine, max(self.most, 8), CALL_COSTS[self.device.type]):
                total += self.loss_sum(self.model, group)
        self.model.train()
        validations, step = self.state["validations"], self.state["step"]
        loss, epoch = self.summed(total).item() / sum(len(row["target"]) for row in self.validation), len(validations) + 1
        if not math.isfinite(loss):
            raise Refused(f"the validation loss is {loss} after epoch {epoch}. The last checkpoint is kept.")
        if all(loss < one["loss"] for one in validations):
            self.state["bestEpoch"] = epoch
            if self.rank == 0 and self.recipe["keepBest"]:
                self.save(f"best-{epoch}")
        validations.append({"epoch": epoch, "step": step, "loss": loss})
        self.log({"validationLoss": loss, "perplexity": math.exp(min(loss, 700)), "epoch": epoch, "step": step})
        self.checkpoint()

    def run(self):
        state, recipe, count = self.state, self.recipe, len(self.steps)
        self.tell(f"begin step {state['step']} of {count}, {self.world} processes, {self.device_name}, {str(self.compute)[6:]}")
        self.model.train()
        while (state["step"] < count or self.owes_validation()) and not self.out_of_patience():
            if self.owes_validation():
                self.validate()
                continue
            norm = self.step()
            step, last = state["step"], state["step"] == count
            logs = step % recipe["loggingSteps"] == 0 or last
            saves = step % recipe["saveSteps"] == 0 or last or self.owes_validation()
            stops = False
            if logs or saves or step % 10 == 0 or self.device.type == "cpu":
                norm, stops = self.settle(norm)
            if logs:
                since, before = state["logged"]
                state["logged"] = [step, state["lossSum"]]
                self.log({"step": step, "epoch": step / recipe["stepsPerEpoch"], "loss": (state["lossSum"] - before) / (step - since),
                          "learningRate": self.steps[step - 1]["learningRate"], "gradientNorm": norm,
                          "rowsPerSecond": self.rows_done() / state["seconds"], "seconds": state["seconds"]})
            if saves or stops:
                self.checkpoint()
            if stops:
                self.leave()

    def leave(self):
        """Ends as one that was asked to stop, the checkpoint being written."""
        if self.world > 1:
            # The first end of a process has the launcher end the others, who may be at writing; and SIGTERM is how it does.
            distributed.barrier()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.tell(f"stopped at step {self.state['step']}; the same command goes on from there")
        sys.exit(STOPPED)

    def rows_done(self):
        return sum(len(line["rows"]) for line in self.steps[:self.state["step"]])

    def finish(self, versions):
        """The weights, whole, and then what came of the run: its existence means complete."""
        state, best = self.state, self.out / f"best-{self.state['bestEpoch']}.safetensors"
        if not self.recipe["keepBest"] or state["bestEpoch"] is None:
            self.save("trained")
        elif best.is_file():
            write_whole(self.out / "trained.safetensors", lambda path: shutil.copyfile(best, path))
        else:
            raise Refused(f"{best}, the weights of the best epoch, is missing. Give another --out.")
        result = {
            "format": FORMAT, "job": self.digest, "identity": self.job["identity"], "files": self.job["files"],
            "steps": state["step"], "rows": self.rows_done(), "loss": state["lossSum"] / state["step"],
            "seconds": state["seconds"], "rowsPerSecond": self.rows_done() / state["seconds"],
            "validations": state["validations"], "bestEpoch": state["bestEpoch"],
            "weights": sha256(self.out / "trained.safetensors"), "processes": self.world,
            "precision": str(self.compute)[6:], "device": self.device_name,
            "engine": {"program": sha256(__file__), **versions},
        }
        write_whole(self.out / "result.json", lambda path: path.write_text(json.dumps(result, indent=2, allow_nan=False)))
        self.tell(f"{state['step']} steps, loss {result['loss']:.4f}, {result['rowsPerSecond']:.1f} rows/s; {self.out / 'result.json'}")


def train(args):
    """One process's part of a run; the same for every way in which processes are started."""
    job, digest = read_bundle(args.bundle)
    rank, world, local = place(args.processes)
    if args.micro_batch is not None and args.micro_batch < 1:
        raise Refused(f"--micro-batch {args.micro_batch} is no number of rows. Give 1 or more.")
    marker = args.out / "marker"
    if args.marker is not None and not (marker.is_file() and marker.read_text().strip() == args.marker):
        raise Refused(f"{args.out} here ({socket.gethostname()}) is not the folder that the sender sees. Give a folder that all machines share.")
    held = open_run(args.out, job, digest) if rank == 0 else None
    versions = load_libraries(job, args.bundle)
    device = choose_device(args.device, local)
    if device.type == "cpu":
        keep_freed_memory()
    own_group = world > 1 and not distributed.is_initialized()
    if own_group:
        if "MASTER_ADDR" not in os.environ:
            raise Refused("MASTER_ADDR is not set, so that the processes cannot find each other. Set it and MASTER_PORT, as the job file in mmmlu-lab's docs does.")
        os.environ.setdefault("MASTER_PORT", "29500")
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", rank=rank, world_size=world, timeout=timedelta(minutes=30))
    try:
        if world > 1:
            distributed.barrier()
        if (args.out / "result.json").is_file():
            if rank == 0:
                print(f"train.py: {args.out} holds this run's result already", flush=True)
            return
        training = Training(args, job, digest, rank, world, device)
        with contextlib.suppress(ValueError):
            # Ray's workers train in a thread of their own, which may set none; Ray stops them itself.
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: setattr(training, "stop", True))
        training.run()
        if world > 1:
            distributed.barrier()
        if rank == 0:
            training.finish(versions)
        if world > 1:
            # Not before the result is there: where writing it fails, all must be started again.
            distributed.barrier()
    except torch.OutOfMemoryError as error:
        raise Refused(f"the GPU's memory is too small ({error}). Give a smaller --micro-batch, or --gradient-checkpointing; the result is the same.") from error
    finally:
        if own_group:
            distributed.destroy_process_group()
        if held:
            held.close()


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

    gpu, out = args.device != "cpu", args.out.resolve()
    TorchTrainer(worker, train_loop_config={**vars(args), "out": out},
                 torch_config=TorchConfig(backend="nccl" if gpu else "gloo"),
                 scaling_config=ScalingConfig(num_workers=args.processes, use_gpu=gpu),
                 run_config=RunConfig(name="run", storage_path=str(out / "ray"), failure_config=FailureConfig(max_failures=3))).fit()


def main():
    args = arguments()
    try:
        under_ray(args) if args.ray else train(args)
    except Refused as error:
        print(f"train.py: {error}", file=sys.stderr, flush=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
