"""What the elementwise kernels share: parameters of a lane, constants, the implementation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainsmith.api import IntType, KernelConfig, RTLOp
from brainsmith.builtin.kernels.common.constants import LUT_INPUTS
from brainsmith.builtin.kernels.common.packing import rows_of

# Below this a product of LUTs is smaller than what a multiplier block costs elsewhere.
_LUT_BITS = 5
_BLOCK_BITS = 8192
# The lane multiplies as the matrix-vector unit does.
PRODUCT = (
    "../matmul/bs_matmul_adder.sv",
    "../matmul/bs_matmul_digit.sv",
    "../matmul/bs_matmul_product.sv",
)


@dataclass(frozen=True)
class Lane:
    """How a configuration is computed.

    Attributes:
        a, b, y: datatypes; that of constants is the smallest that holds them.
        multiply: a product, else a sum or difference.
        blocks: in multiplier blocks.
        constants: int64 (folds, lanes), or None where b is a stream.
        block: constants in block RAM.
    """

    a: IntType
    b: IntType
    y: IntType
    multiply: bool
    blocks: bool
    constants: np.ndarray | None
    block: bool

    @property
    def latency(self) -> int:
        """Cycles from the operands to the result."""
        return 2 if self.multiply else 1


def lane_of(config: KernelConfig, *, multiply: bool) -> Lane:
    """How to compute a configuration."""
    a, b = config.dtypes["a"], config.dtypes["b"]
    constants = None
    if "b" in config.statics:
        given = config.static("b")
        b = IntType.covering(int(given.min()), int(given.max()))
        constants = folded(given, config.pe)
    block = constants is not None and _in_block(constants, b, config)
    return Lane(
        a, b, config.dtypes["y"], multiply,
        blocks=multiply and in_multiplier(a, b, config), constants=constants, block=block,
    )  # fmt: skip


def implement(config: KernelConfig, *, multiply: bool) -> RTLOp:
    """The module for two streams, or that for a stream and constants."""
    lane = lane_of(config, multiply=multiply)
    parameters = _parameters(lane, config)
    if lane.constants is None:
        top, memories = "bs_elementwise", {}
    else:
        top = "bs_elementwise_constant"
        memories = {"MEMORY": rows_of(lane.constants, lane.b.bits)}
        parameters |= {"FOLDS": len(lane.constants), "BLOCK": int(lane.block)}
    return RTLOp(
        top=top,
        sources=(*PRODUCT, "bs_elementwise_lane.sv", f"{top}.sv"),
        parameters=parameters,
        memories=memories,
    )


def _parameters(lane: Lane, config: KernelConfig) -> dict[str, int | str]:
    parameters: dict[str, int | str] = {
        "SUBTRACT": int(bool(config.attributes.get("subtract"))),
        "MULTIPLY": int(lane.multiply),
        "BLOCKS": int(lane.blocks),
        "LUT_INPUTS": LUT_INPUTS[config.family],
        "LANES": config.pe,
        "Y_BITS": lane.y.bits,
        "Y_BIPOLAR": int(lane.y.bipolar),
        "OPERANDS": int(lane.multiply),
    }
    for name, dtype in (("A", lane.a), ("B", lane.b)):
        parameters[f"{name}_BITS"] = dtype.bits
        parameters[f"{name}_SIGNED"] = int(dtype.signed and not dtype.bipolar)
        parameters[f"{name}_BIPOLAR"] = int(dtype.bipolar)
    return parameters


def folded(constants: np.ndarray, lanes: int) -> np.ndarray:
    """Rows of a beat each; one row where all beats are alike."""
    rows = constants.reshape(-1, lanes)
    return rows[:1] if (rows == rows[:1]).all() else rows


def _in_block(constants: np.ndarray, dtype: IntType, config: KernelConfig) -> bool:
    style = config.params.get("ram_style", "auto")
    if style == "auto":
        return constants.size * dtype.bits >= _BLOCK_BITS and len(constants) >= 256
    return style == "block" and len(constants) > 1


def in_multiplier(a: IntType, b: IntType, config: KernelConfig) -> bool:
    """Whether products are made in multiplier blocks, as the parameter `multiplier` says."""
    style = config.params.get("multiplier", "auto")
    if config.family == "ice40":  # Yosys maps to none of its multiplier blocks
        return False
    return min(a.bits, b.bits) > _LUT_BITS if style == "auto" else style == "dsp"
