"""A line buffer: where its beats lie, and the module that it is."""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.api import KernelConfig, RTLOp
from brainsmith.builtin.kernels.common.elements import element_parameters
from brainsmith.builtin.kernels.common.memories import block_rams, lut_ram, ram_style
from brainsmith.builtin.kernels.line_buffer.walk import LEVELS, Walk


@dataclass(frozen=True)
class Buffer:
    """The memory behind a walk.

    Attributes:
        walk: what it reads.
        family: of the device.
        width: bits of a beat, of the narrower of both datatypes.
        rows: beats that it holds; a multiple of the greatest power of two that costs no more
            memory, since addresses then wrap in few bits.
        style: "distributed", "block" or "logic" (registers).
    """

    walk: Walk
    family: str
    width: int
    rows: int
    style: str


def buffer_of(config: KernelConfig, walk: Walk) -> Buffer:
    """The buffer of a configuration."""
    family, x = config.family, config.stream("x")
    width = x.elements * min(x.bits, config.dtypes["y"].bits)
    least = max(2, walk.depth)
    asked = str(config.params.get("ram_style", "auto"))
    if (family, asked) == ("ice40", "distributed"):
        style = "logic"
    else:
        style = ram_style(asked, family, width, least, config.node)
    cost = {"block": block_rams, "distributed": lut_ram}.get(style, _registers)
    wanted = cost(family, width, least)
    steps = (1 << bits for bits in reversed(range((least - 1).bit_length() + 1)))
    sizes = (-(-least // step) * step for step in steps)
    rows = next(rows for rows in sizes if cost(family, width, rows) == wanted)
    return Buffer(walk, family, width, rows, style)


def implement(config: KernelConfig, buffer: Buffer) -> RTLOp:
    """`bs_line_buffer`, whose header describes it."""
    walk, x, y = buffer.walk, config.dtypes["x"], config.dtypes["y"]
    return RTLOp(
        top="bs_line_buffer",
        sources=("../common/bs_cast.sv", "bs_trip_counter.sv", "bs_line_buffer.sv"),
        parameters={
            "ELEMENTS": config.stream("x").elements,
            **element_parameters("X", x),
            "Y_BITS": y.bits,
            "Y_BIPOLAR": int(y.bipolar),
            "ROWS": buffer.rows,
            "FRAME": walk.frame,
            **{f"TRIP{level}": walk.trips[level] for level in range(LEVELS)},
            **{f"STRIDE{level}": walk.strides[level] for level in range(LEVELS)},
            "RAM_STYLE": buffer.style,
        },
    )


def _registers(family: str, width: int, rows: int) -> int:
    return width * rows
