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
target = Path(__file__).parent / "golden" / "quantize.safetensors"
save_file({k: v.contiguous() for k, v in tensors.items() if not k.endswith("many.fp4.double.values") and not k.endswith("many.nf4.double.values")}, target)
print(target, target.stat().st_size)
