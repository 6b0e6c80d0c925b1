"""A stream regrouped into beats of another number of elements."""

from __future__ import annotations

from collections.abc import Sequence

from brainsmith.api import KernelConfig, RTLOp, backend, kernel


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
