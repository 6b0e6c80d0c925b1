"""A stream that holds beats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainsmith.api import (
    KernelConfig,
    Resources,
    RTLOp,
    backend,
    kernel,
    param,
)
from brainsmith.builtin.kernels.common.memories import (
    SIX_INPUTS,
    block_banks,
    block_rams,
    lut_ram,
    multiplexer,
    ram_style,
)


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
        "auto",
        choices=("auto", "distributed", "block"),
        description="where a deep FIFO lives: distributed is LUT RAM, of which ice40 has none",
    )

    limit_file = param(
        0,
        choices=(0, 1),
        description="whether a simulation reads from a file how many beats it holds at most, so "
        "that depths can be tried without a build; for depths of 3 or more",
    )

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_fifo`, whose header describes it."""
        limited = int(config.params.get("limit_file", 0))
        return RTLOp(
            top="bs_fifo",
            sources=("../common/bs_skid_buffer.sv", "bs_fifo.sv"),
            parameters={
                "WIDTH": config.stream("x").width,
                "DEPTH": depth_of(config),
                "RAM_STYLE": style_of(config),
                "LIMITED": limited,
            },
            memories={"LIMIT_FILE": _word(depth_of(config))} if limited else {},
        )

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """A register slice takes one cycle, a memory with its register two."""
        return [1 if depth_of(config) <= 2 else 2 for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [_resources(config) for config in configs]


def depth_of(config: KernelConfig) -> int:
    """Beats that the FIFO holds at least."""
    return max(2, int(config.params.get("depth", 2)))


def _word(number: int) -> np.ndarray:
    return (number >> np.arange(32)[None, :] & 1).astype(np.uint8)


def rows_of(config: KernelConfig) -> int:
    """Rows of the memory of a FIFO deeper than 2: a power of two up to a block RAM's 1024."""
    depth = depth_of(config)
    return 1 << (depth - 2).bit_length() if depth <= 1025 else depth - 1


def style_of(config: KernelConfig) -> str:
    """Where the memory lies: as asked for, or where it is cheaper on the device.

    Raises:
        ConfigurationError: LUT RAM is asked for, and the device has none.
    """
    asked = str(config.params.get("ram_style", "auto"))
    return ram_style(asked, config.family, config.stream("x").width, rows_of(config), config.node)


def _resources(config: KernelConfig) -> Resources:
    width, family = config.stream("x").width, config.family
    wide = family in SIX_INPUTS
    if depth_of(config) <= 2:
        return Resources(LUT=width + (4 if wide else 5), FF=2 * width + 2)
    rows, style = rows_of(config), style_of(config)
    address = max(1, (rows - 1).bit_length())
    luts, flops = _control(rows, address, family), 2 * address + 3
    if style == "block":
        banks = block_banks(family, width, rows)
        return Resources(
            LUT=luts + multiplexer(family, banks, width),
            FF=flops + (banks - 1).bit_length(),
            BRAM=block_rams(family, width, rows),
        )
    if style == "logic":  # an enable a row, and a multiplexer
        return Resources(
            LUT=luts + rows + multiplexer(family, rows, width), FF=flops + width * (rows + 1)
        )
    return Resources(LUT=luts + lut_ram(family, width, rows), FF=flops + width)


def _control(rows: int, address: int, family: str) -> float:
    """LUTs of the pointers and flags; other sizes than powers of two compare to wrap."""
    wrap = 0 if rows & (rows - 1) == 0 else 35
    if family in SIX_INPUTS:
        return 9 + 1.2 * address + wrap
    if family == "ice40":  # whose carry chains cost nothing to enter and leave
        return 9 + 3.5 * address + wrap
    return wrap + (9 + 3 * address if address <= 4 else 26 + 2.6 * address)
