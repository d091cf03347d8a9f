"""Golden values from Python's gguf: `python gguf_files.py` writes golden/gguf/: kinds.json, small.gguf and tokenizers.

Blocks are random bytes with scales that are finite; numbers to quantize have outliers, zeros, ties and tiny values among them.
"""

import base64
import json
import pathlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Kind, GGUFWriter
from gguf.quants import dequantize, quantize
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

GOLDEN = pathlib.Path(__file__).parent / "golden" / "gguf"
READ = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
WRITTEN = ["F32", "F16", "BF16", "Q8_0", "Q4_0"]
#: Where float16 scales stand in a block.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
BLOCKS = 12


def text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def stored(kind: str, random: np.random.Generator) -> np.ndarray:
    elements, width = GGML_QUANT_SIZES[Kind[kind]]
    if kind == "F32":
        return random.standard_normal(96).astype(np.float32).view(np.uint8)
    if kind == "BF16":
        return random.integers(0, 256, 192, dtype=np.uint8)
    if kind == "F16":
        # Every tenth number is subnormal.
        bits = random.integers(0, 0x7C00, 96, dtype=np.uint16) | (random.integers(0, 2, 96, dtype=np.uint16) << 15)
        bits[::10] &= 0x83FF
        return bits.view(np.uint8)
    blocks = random.integers(0, 256, (BLOCKS, width), dtype=np.uint8)
    for at in SCALES[kind]:
        scales = random.standard_normal(BLOCKS).astype(np.float16)
        scales[0], scales[1], scales[2] = 0, 3e-6, 300
        blocks[:, at : at + 2] = scales.view(np.uint8).reshape(BLOCKS, 2)
    return blocks.reshape(-1)


def numbers(random: np.random.Generator) -> np.ndarray:
    rows = random.standard_normal((BLOCKS, 32)).astype(np.float32)
    rows[1] = 0
    rows[2] *= 1e-6
    rows[3] *= 1e-9
    rows[4, 7] = 70_000
    rows[5] = np.round(rows[5] * 4) / 4
    rows[6] = np.arange(32) - 16
    rows[7] = -rows[6]
    rows[8] = rows[6] / 8
    rows[9] = np.float32(65519.996) * np.sign(rows[9])
    rows[10] = 2.0 ** -25 * np.arange(32)
    return rows


def main() -> None:
    random = np.random.default_rng(11)
    kinds = {}
    for kind in READ:
        blocks = stored(kind, random)
        kinds[kind] = {"bytes": text(blocks), "values": text(dequantize(blocks, Kind[kind]).astype(np.float32))}
    rows = numbers(random)
    with np.errstate(all="ignore"):
        written = {kind: text(quantize(rows, Kind[kind])) for kind in WRITTEN}
    out = {"dequantized": kinds, "quantized": {"values": text(rows), "bytes": written}}
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / "kinds.json").write_text(json.dumps(out, indent=1) + "\n")


def small_file() -> None:
    """Every type of metadata and some tensors."""
    writer = GGUFWriter(GOLDEN / "small.gguf", "test")
    writer.add_uint8("a.uint8", 200)
    writer.add_int8("a.int8", -100)
    writer.add_uint16("a.uint16", 60_000)
    writer.add_int16("a.int16", -30_000)
    writer.add_uint32("a.uint32", 4_000_000_000)
    writer.add_int32("a.int32", -2_000_000_000)
    writer.add_float32("a.float32", 0.1)
    writer.add_uint64("a.uint64", 2**53 - 1)
    writer.add_int64("a.int64", -(2**53 - 1))
    writer.add_float64("a.float64", 0.1)
    writer.add_bool("a.true", True)
    writer.add_string("a.text", "Grüße, 世界 \U0001f600")
    writer.add_array("a.texts", ["", "a", "ß"])
    writer.add_array("a.ints", [1, -2, 3])
    writer.add_array("a.floats", [0.5, -0.25])
    rows = np.random.default_rng(3).standard_normal((3, 64)).astype(np.float32)
    writer.add_tensor("matrix.f32", rows[:, :5])
    for kind in ["F16", "BF16", "Q8_0", "Q4_0"]:
        writer.add_tensor(f"matrix.{kind.lower()}", quantize(rows, Kind[kind]), raw_dtype=Kind[kind])
    writer.add_tensor("vector", rows[0, :7])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


TEXTS = [
    "The capital of France is Paris, isn't it?  We'll see: 12345 + 67 = 12412.\n\nA. yes\nB. no",
    "Die Größe der Straße beträgt 100 m; das weiß man nicht genau.",
    "La réponse est « l'élève » ; ça coûte 3,50 €.",
    "¿Qué es el ADN? Una molécula que contiene información.",
    "人口はどのくらいですか。東京は日本の首都です。",
    "Вода кипит при 100 градусах Цельсия.",
    "ما هي عاصمة مصر؟ القاهرة",
    "भारत की राजधानी नई दिल्ली है।",
]
CUT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_level(name: str, before: list, begin: bool) -> None:
    """A byte-level BPE, trained on the texts, as the models of that name have it."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama-bpe"))
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not before)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*before, last]) if before else last
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ["<|begin|>", "<|end|>"]])
    tokenizer.add_tokens([AddedToken("<tool>", special=False, normalized=False)])
    if begin:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|begin|> $A", pair="<|begin|> $A <|begin|> $B", special_tokens=[("<|begin|>", tokenizer.token_to_id("<|begin|>"))]
        )
    tokenizer.save(str(GOLDEN / f"tokenizer-{name}.json"), pretty=False)


def sentence_piece(prefix: bool) -> None:
    """SentencePiece's BPE with byte fallback as Gemma (and, with a blank before a text, Llama 2) has it; all merges that its tokens allow."""
    words = sorted({piece for text in TEXTS for piece in text.replace(" ", "\u2581").split("\n") for piece in piece.replace("\u2581", " \u2581").split()})
    characters = sorted({c for text in TEXTS for c in text.replace(" ", "\u2581") if c < "\u3000"})
    parts = {word[:end] for word in words[::2] for end in range(2, min(len(word), 7) + 1)}
    vocabulary = {}
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<turn>"]
    blanks = ["\u2581" * n for n in range(2, 5)]
    for token in [*specials, *[f"<0x{b:02X}>" for b in range(256)], *blanks, *sorted(parts, key=lambda p: (len(p), p)), *characters]:
        vocabulary.setdefault(token, len(vocabulary))
    order = [*sorted(blanks, key=len, reverse=True), *[t for t in vocabulary if t not in blanks]]
    merges = [(t[:i], t[i:]) for t in order for i in range(1, len(t)) if t[:i] in vocabulary and t[i:] in vocabulary]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    replace = normalizers.Replace(" ", "\u2581")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), replace]) if prefix else replace
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), *([decoders.Strip(" ", 1, 0)] if prefix else [])])
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in specials])
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", 2)])
    tokenizer.save(str(GOLDEN / f"tokenizer-spm{'-prefix' if prefix else ''}.json"), pretty=False)


if __name__ == "__main__":
    main()
    small_file()
    split = lambda digits: [pre_tokenizers.Split(Regex(CUT % digits), "isolated")]  # noqa: E731
    byte_level("gpt-2", [], False)
    byte_level("qwen2", split(r"\p{N}"), False)
    byte_level("llama-bpe", split(r"\p{N}{1,3}"), True)
    sentence_piece(False)
    sentence_piece(True)
