"""The kernel `MatMul`: a matrix-vector unit in SystemVerilog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from brainsmith.api import KernelConfig, PluginError, Resources, RTLOp, backend, kernel, param
from brainsmith.builtin.kernels.matmul.resources import resources_of
from brainsmith.builtin.kernels.matmul.shape import Shape

_SOURCES = (
    "bs_matmul_adder.sv",
    "bs_matmul_adder_tree.sv",
    "bs_matmul_digit.sv",
    "bs_matmul_product.sv",
    "bs_matmul_group.sv",
    "bs_matmul_popcount.sv",
    "bs_matmul_pe.sv",
    "bs_matmul_input.sv",
    "bs_matmul_weights.sv",
    "bs_matmul_sequencer.sv",
    "bs_matmul_output.sv",
    "bs_matmul.sv",
)


@kernel(
    name="MatMul",
    operation_type="matmul",
    description="Matrix-vector unit: PE dot products of SIMD lanes, any integer widths, bipolar",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["gemm", "linear", "xnor-popcount"],
)
class MatMul:
    """Takes a vector in K/SIMD beats, makes its M outputs in M/PE passes, without bubbles."""

    constraints: ClassVar = {"max_x_bits": 32, "max_w_bits": 32, "max_y_bits": 64}

    ram_style = param(
        "auto",
        choices=("auto", "distributed", "block"),
        description="where the weights lie: auto takes what is cheaper on the device",
    )
    multiplier = param(
        "auto",
        choices=("auto", "lut", "dsp"),
        description="auto: LUTs up to products of 10 bits, DSP blocks above. Operands of one bit "
        "never take DSP blocks, nor do products below 9 bits on xc7 and xcup, nor any on ice40",
    )
    levels_per_stage = param(
        1, choices=(1, 2, 3), description="levels of adders between two registers"
    )

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """The unit, with its weights packed.

        Raises:
            PluginError: the datatype of y cannot hold two's complement sums.
        """
        shape = Shape.of(config)
        if shape.y.bipolar:
            raise PluginError("the sums of a matmul are no bipolar values", where=config.node)
        return RTLOp(
            top="bs_matmul",
            sources=_SOURCES,
            parameters={
                "K": shape.K,
                "M": shape.M,
                "PE": shape.PE,
                "SIMD": shape.SIMD,
                "X_BITS": shape.x.bits,
                "X_SIGNED": int(shape.x.signed),
                "X_BIPOLAR": int(shape.x.bipolar),
                "W_BITS": shape.w.bits,
                "W_SIGNED": int(shape.w.signed),
                "W_BIPOLAR": int(shape.w.bipolar),
                "Y_BITS": shape.y.bits,
                "WEIGHTS_BLOCK": int(shape.weights_block),
                "BUFFER_BLOCK": int(shape.buffer_block),
                "LUT_STYLE": "auto" if config.family == "ice40" else "distributed",
                "COUNT": int(shape.count),
                "LANES": shape.lanes,
                "TERM_BITS": shape.term_bits,
                "TERM_SIGNED": int(shape.term_signed),
                "DSP": int(shape.dsp),
                "LEVELS_PER_STAGE": shape.levels_per_stage,
                "LUT_INPUTS": shape.lut_inputs,
            },
            memories={"WEIGHTS": pack_weights(config.static("w"), shape)},
        )

    def latency(self, configs: Sequence[KernelConfig]) -> Sequence[int]:
        """Cycles from the last input beat of an output beat to the cycle in which it is there."""
        return [Shape.of(config).stages + 1 for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> Sequence[Resources]:
        """Estimates, fitted to synthesis."""
        return [resources_of(Shape.of(config), config.family) for config in configs]


def pack_weights(w: np.ndarray, shape: Shape) -> np.ndarray:
    """The weight memory: (depth, PE * SIMD * bits) of 0 and 1, least significant bit first.

    Word p * (K/SIMD) + s holds w[s * SIMD + lane, p * PE + pe], lane 0 of PE 0 lowest.
    """
    folded = w.astype(np.int64).reshape(shape.beats, shape.SIMD, shape.passes, shape.PE)
    words = folded.transpose(2, 0, 3, 1).reshape(shape.depth, shape.PE * shape.SIMD)
    codes = (words + 1) // 2 if shape.w.bipolar else words
    bits = (codes[:, :, np.newaxis] >> np.arange(shape.w.bits)) & 1
    return bits.reshape(shape.depth, -1).astype(np.uint8)
