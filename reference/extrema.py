"""Gradients of torch's maximum and minimum, equal elements included, for the engine's tests.

    python reference/extrema.py > reference/golden/extrema.json
"""

import json

import torch

torch.manual_seed(11)


def case(op, a_shape, b_shape):
    # Few different values, so that many elements are equal.
    a = torch.randint(-2, 3, a_shape).double().requires_grad_()
    b = torch.randint(-2, 3, b_shape).double().requires_grad_()
    y = getattr(torch, op)(a, b)
    dy = torch.randint(1, 9, y.shape).double()
    y.backward(dy)
    flat = lambda t: t.detach().flatten().tolist()
    return {
        "op": op,
        "a": {"shape": list(a_shape), "data": flat(a)},
        "b": {"shape": list(b_shape), "data": flat(b)},
        "y": {"shape": list(y.shape), "data": flat(y)},
        "dy": flat(dy),
        "da": flat(a.grad),
        "db": flat(b.grad),
    }


shapes = [((4, 5), (4, 5)), ((3, 4, 2), (4, 1)), ((6,), ()), ((3, 1), (1, 4))]
cases = [case(op, a, b) for op in ("maximum", "minimum") for a, b in shapes]
print(json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}))
