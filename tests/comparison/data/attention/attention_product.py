"""Products of two streams, as the core of attention has two of them."""

import math

import numpy as np

from brainsmith.api import (
    Loop,
    Match,
    NoMatch,
    Resources,
    RTLOp,
    backend,
    kernel,
    operation,
    stream_in,
    stream_out,
)


@operation(
    name="stream_matmul",
    version="1.0.0",
    description="y[b, n, m] = sum over k of a[b, n, k] * b[b, k, m]",
)
class StreamMatMul:
    loops = (Loop("B"), Loop("N"), Loop("M"), Loop("K"))
    ports = (
        stream_in("a", "B", "N", "K"),
        stream_in("b", "B", "K", "M"),
        stream_out("y", "B", "N", "M"),
    )

    def match(self, node):
        if node.op_type != "MatMul":
            return NoMatch("no MatMul")
        a, b = node.inputs
        if a.constant is not None or b.constant is not None:
            return NoMatch("an operand is constant")
        for operand in (a, b):
            if operand.dtype is None:
                return NoMatch(f"the operand '{operand.name}' is a real number", close=True)
        *outer, N, K = a.shape
        return Match(
            dims={"B": math.prod(outer), "N": N, "M": b.shape[-1], "K": K},
            ports={"a": a.name, "b": b.name, "y": node.outputs[0].name},
        )

    def infer(self, match, ranges):
        ends = [x * y for x in ranges["a"] for y in ranges["b"]]
        return {"y": (match.dims["K"] * min(ends), match.dims["K"] * max(ends))}

    def reference(self, config, inputs):
        return {"y": np.einsum("fbnk,fbkm->fbnm", inputs["a"], inputs["b"])}


@kernel(
    name="StreamProduct",
    operation_type="stream_matmul",
    version="1.0.0",
    description="Keeps the matrix b, then each row of a, and multiplies one pair a cycle",
)
class StreamProduct:
    constraints = {"max_a_bits": 8, "max_b_bits": 8, "supported_dtypes": ["INT4", "INT8"]}  # noqa: RUF012

    @backend("rtl")
    def rtl(self, config):
        return RTLOp(
            top="stream_product",
            sources=["stream_product.sv"],
            parameters={
                **{name: config.dims[name] for name in ("N", "M", "K")},
                **{f"{port.upper()}_BITS": config.dtypes[port].bits for port in ("a", "b", "y")},
            },
        )

    def interval(self, configs):
        return [_cycles(config) for config in configs]

    def latency(self, configs):
        """The schedule's last iteration comes before the cycles in which operands are kept."""
        return [_cycles(config) - config.cycles + 1 for config in configs]

    def resources(self, configs):
        return [Resources(LUT=1000, FF=100, DSP=1) for _ in configs]


def _cycles(config):
    B, N, M, K = (config.dims[name] for name in ("B", "N", "M", "K"))
    return B * (K * M + N * (K + M * K))
