"""Resources of kernels that bring no model of them, guessed from what runs at once.

Against the tables of synthesis of the built-in kernels four of five guesses are within a factor of
four. What a kernel decides for itself, as the use of DSP blocks or block RAM, no guess can know.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from brainsmith.api import IntType, KernelConfig, Port, Resources

NO_MODEL = "the kernel has no resource model: guessed from its lanes and the widths of its ports"

# Bits of constants for which a LUT is counted, between those of 4 inputs and of 6.
_BITS_A_LUT = 32


def has_model(kernel: Any) -> bool:
    """Whether a kernel says what it needs, so that its figures are more than a guess."""
    return getattr(kernel, "resources", None) is not None


def guess(configs: Sequence[KernelConfig]) -> list[Resources]:
    """LUTs and flip-flops at each configuration of a node.

    A lane multiplies where lanes are summed up, or where the result is as wide as all operands
    together; otherwise it handles the widest operand. Streams are registered once, products half.
    """
    bits: dict[int, int] = {}
    for config in configs:
        for values in config.statics.values():
            if id(values) not in bits:
                bits[id(values)] = _bits_of(values)
    return [_guess(config, bits) for config in configs]


def _guess(config: KernelConfig, bits: dict[int, int]) -> Resources:
    ports = [port for port in config.nest.ports if config.has(port.name)]
    streams = [port.name for port in ports if config.is_stream(port.name)]
    inputs = [port for port in ports if port.direction == "in"]
    results = [port for port in ports if port.direction == "out"]
    widths = [
        bits.get(id(config.statics.get(port.name)), config.dtypes[port.name].bits)
        for port in inputs
    ]
    iterations = config.nest.cycles(config.dims, {})
    reduces = all(iterations > _elements(config, port) for port in results)
    widest = max((config.dtypes[port.name].bits for port in results), default=0)
    multiplies = len(widths) > 1 and (reduces or widest >= sum(widths))
    at_once = max((math.prod(config.dims[d] for d in port.extra) for port in inputs), default=1)
    lanes = iterations // config.cycles * at_once
    work = lanes * (math.prod(widths) if multiplies else max(widths, default=1))
    constants = sum(values.size * bits[id(values)] for values in config.statics.values())
    return Resources(
        LUT=work + constants / _BITS_A_LUT,
        FF=sum(config.stream(name).width for name in streams) + (work / 2 if multiplies else 0),
    )


def _elements(config: KernelConfig, port: Port) -> int:
    return math.prod(config.dims[dim] for dim in port.dims)


def _bits_of(values: np.ndarray) -> int:
    """What the constants need, which is often less than their datatype."""
    return IntType.covering(int(values.min()), int(values.max())).bits if values.size else 0
