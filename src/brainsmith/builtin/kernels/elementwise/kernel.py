"""Addition and multiplication of integers, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from brainsmith.api import KernelConfig, Resources, RTLOp, backend, kernel, param
from brainsmith.builtin.kernels.elementwise.costs import resources_of
from brainsmith.builtin.kernels.elementwise.lanes import implement, lane_of


@kernel(
    name="Add",
    operation_type="add",
    description="Adds or subtracts two streams, or a stream and a constant",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["elementwise"],
)
class Add:
    """PE elements a beat, in every cycle."""

    constraints: ClassVar = {"max_a_bits": 62, "max_b_bits": 62}
    ram_style = param(
        "auto", choices=("auto", "distributed", "block"), description="where constants live"
    )

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_elementwise` or `bs_elementwise_constant`, whose headers describe them."""
        return implement(config, multiply=False)

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """One cycle: the register of the sum."""
        return [lane_of(config, multiply=False).latency for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [
            resources_of(lane_of(config, multiply=False), config.pe, config.family)
            for config in configs
        ]


@kernel(
    name="Mul",
    operation_type="mul",
    description="Multiplies two streams, or a stream and a constant",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["elementwise"],
)
class Mul:
    """PE elements a beat, in every cycle."""

    constraints: ClassVar = {"max_a_bits": 32, "max_b_bits": 32}
    ram_style = param(
        "auto", choices=("auto", "distributed", "block"), description="where constants live"
    )
    multiplier = param(
        "auto", choices=("auto", "lut", "dsp"), description="auto: LUTs up to 5 bits an operand"
    )

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_elementwise` or `bs_elementwise_constant`, whose headers describe them."""
        return implement(config, multiply=True)

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """Two cycles: the registers of the operands and of the product."""
        return [lane_of(config, multiply=True).latency for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [
            resources_of(lane_of(config, multiply=True), config.pe, config.family)
            for config in configs
        ]
