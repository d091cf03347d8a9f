"""bitsandbytes' quantization of small arrays: reference/golden/quantize.safetensors.

    python reference/quantize.py
"""
from pathlib import Path

import bitsandbytes.functional as F
import torch
from safetensors.torch import save_file

torch.manual_seed(4)
tensors = {}


def four_bit(name, values, **options):
    packed, state = F.quantize_4bit(values, **options)
    tensors[f"{name}.packed"] = packed.flatten()
    if state.nested:
        tensors[f"{name}.codes"] = state.absmax
        tensors[f"{name}.absmax"] = state.state2.absmax
        tensors[f"{name}.offset"] = state.offset.reshape(1)
    else:
        tensors[f"{name}.absmax"] = state.absmax
    tensors[f"{name}.values"] = F.dequantize_4bit(packed, state).float()


normal = torch.randn(64, 128) * 0.02
tensors["normal"] = normal
bf16 = normal.to(torch.bfloat16)
tensors["bf16"] = bf16.float()
# A block of zeros, one with a single value, ones at the bounds between codes, and a last block that is not whole.
edges = torch.randn(64 * 6 + 37)
edges[:64] = 0
edges[64:128] = 0
edges[70] = -3.0
code = F.get_4bit_type("fp4", device="cpu").sort()[0]
edges[128:143] = (code[1:] + code[:-1]) / 2
edges[143] = 1.0
edges[144:192] = edges[144:192].clamp(-1, 1)
tensors["edges"] = edges
many = torch.randn(64 * 64 * 9)
tensors["many"] = many
for kind in ("fp4", "nf4"):
    four_bit(f"normal.{kind}", normal, quant_type=kind, blocksize=64)
    four_bit(f"bf16.{kind}", bf16, quant_type=kind, blocksize=64)
    four_bit(f"edges.{kind}", edges, quant_type=kind, blocksize=64)
    four_bit(f"normal.{kind}.128", normal, quant_type=kind, blocksize=128)
    four_bit(f"many.{kind}.double", many, quant_type=kind, blocksize=64, compress_statistics=True)
codes, absmax, _ = F.int8_vectorwise_quant(normal.to(torch.float16))
tensors["int8.source"] = normal.to(torch.float16).float()
tensors["int8.codes"] = codes
tensors["int8.absmax"] = absmax
tensors["dynamic_map"] = F.create_dynamic_map()
# As transformers loads a 4-bit model when no type is asked for: float32 weights become float16 first, and that is quantized; what is
# not quantized is raised to float32 again for training.
stored = torch.cat([
    torch.randn(64 * 120) * 0.02,
    # Where float16 has no fraction left, none at all, and halfway between two of its values.
    torch.randn(64) * 1e-5,
    torch.randn(64) * 3e-8,
    (1 + torch.arange(64) * 2.0 ** -11) * torch.tensor([1.0, -1.0]).repeat(32),
    torch.arange(64) * 2.0 ** -25,
    torch.tensor([65504.0, -65519.0, 6.1035e-05, 6.0976e-05, 2.0 ** -24, 2.0 ** -25, -(2.0 ** -25), 0.0]).repeat(8),
])
half = stored.to(torch.float16)
tensors["stored"] = stored
tensors["stored.float16"] = half
tensors["stored.raised"] = half.to(torch.float32)
for kind in ("fp4", "nf4"):
    four_bit(f"stored.float16.{kind}", half, quant_type=kind, blocksize=64)
target = Path(__file__).parent / "golden" / "quantize.safetensors"
save_file({k: v.contiguous() for k, v in tensors.items() if not k.endswith("many.fp4.double.values") and not k.endswith("many.nf4.double.values")}, target)
print(target, target.stat().st_size)
