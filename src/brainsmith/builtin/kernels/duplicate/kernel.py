"""A stream for two readers."""

from __future__ import annotations

from collections.abc import Sequence

from brainsmith.api import KernelConfig, Resources, RTLOp, backend, kernel
from brainsmith.builtin.kernels.common.memories import SIX_INPUTS


@kernel(
    name="Duplicate",
    operation_type="duplicate",
    description="Copies a stream to two readers, each at its own pace within a beat",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["infrastructure"],
)
class Duplicate:
    """Two flip-flops and no register for data."""

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_duplicate`, whose header describes it."""
        return RTLOp(
            top="bs_duplicate",
            sources=("bs_duplicate.sv",),
            parameters={"WIDTH": config.stream("x").width},
        )

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """None: a beat is on offer in the cycle in which it comes."""
        return [0] * len(configs)

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """The same at any width; xcup is taken for xc7."""
        return [Resources(LUT=5 if config.family in SIX_INPUTS else 6, FF=2) for config in configs]
