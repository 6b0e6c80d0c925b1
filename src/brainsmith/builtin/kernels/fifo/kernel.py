"""A stream that holds beats."""

from __future__ import annotations

from collections.abc import Sequence

from brainsmith.api import KernelConfig, RTLOp, backend, kernel, param


@kernel(
    name="FIFO",
    operation_type="fifo",
    description="FIFO in registers, LUT RAM or block RAM",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["infrastructure"],
)
class FIFO:
    """Holds at least `depth` beats of PE elements; a beat a cycle in and out."""

    depth = param(2, description="beats that it holds at least (2 or more)")
    ram_style = param(
        "auto", choices=("auto", "distributed", "block"), description="where a deep FIFO lives"
    )

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_fifo`, whose header describes it."""
        return RTLOp(
            top="bs_fifo",
            sources=("../common/bs_skid_buffer.sv", "bs_fifo.sv"),
            parameters={
                "WIDTH": config.stream("x").width,
                "DEPTH": depth_of(config),
                "RAM_STYLE": str(config.params.get("ram_style", "auto")),
            },
        )

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """A register slice takes one cycle, a memory with its register two."""
        return [1 if depth_of(config) <= 2 else 2 for config in configs]


def depth_of(config: KernelConfig) -> int:
    """Beats that the FIFO holds at least."""
    return max(2, int(config.params.get("depth", 2)))
