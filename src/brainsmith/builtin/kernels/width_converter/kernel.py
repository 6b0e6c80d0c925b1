"""A stream regrouped into beats of another number of elements."""

from __future__ import annotations

import math
from collections.abc import Sequence

from brainsmith.api import KernelConfig, Resources, RTLOp, backend, kernel
from brainsmith.builtin.kernels.common.memories import SIX_INPUTS


@kernel(
    name="WidthConverter",
    operation_type="width_converter",
    description="Regroups a stream: IN elements a beat become OUT",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["infrastructure"],
)
class WidthConverter:
    """Any IN and OUT; a beat a cycle on the side that has more beats a frame."""

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_width_converter`, whose header describes it."""
        x, y = config.stream("x"), config.stream("y")
        return RTLOp(
            top="bs_width_converter",
            sources=("bs_width_converter.sv",),
            parameters={"IN": x.elements, "OUT": y.elements, "BITS": x.bits},
        )

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """One cycle: the buffer."""
        return [1] * len(configs)

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [_resources(config) for config in configs]


def _resources(config: KernelConfig) -> Resources:
    x, y = config.stream("x"), config.stream("y")
    unit = math.gcd(x.elements, y.elements)
    a, b = x.elements // unit, y.elements // unit
    units, bits = a + b - 1, unit * x.bits
    count = units.bit_length()
    wide = config.family in SIX_INPUTS
    if b == 1:
        control: float = (4 if wide else 3) * count
    elif a == 1:
        control = 1.6 * b + 3 if wide else 2.3 * b + 2
    else:
        control = (5 if wide else 5.6) * b
    choices = sum(_choice(i, a, b, wide) for i in range(units))
    return Resources(LUT=control + bits * choices, FF=units * bits + count)


def _choice(i: int, a: int, b: int, wide: bool) -> int:
    """LUTs a bit of unit `i`, which chooses among landing units and the one that moves down."""
    sources = min(i + 1, a, b, a + b - 1 - i) + (i + b < a + b - 1)
    return sources // 2 if wide else sources - 1
