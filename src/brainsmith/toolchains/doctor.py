"""Which tools are there, without starting any that takes long to start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brainsmith.errors import ToolError
from brainsmith.toolchains import tools
from brainsmith.toolchains.tools import Tool


@dataclass(frozen=True)
class ToolStatus:
    """A tool: whether it was found, where, and what to do if it was not."""

    name: str
    found: bool
    version: str | None
    path: Path | None
    needed_for: str
    install_hint: str


def inspect() -> list[ToolStatus]:
    """Every tool that a compile may need."""
    return [
        _status("g++", tools.compiler, "simulation", tools.COMPILER_HINT),
        _status("verilator", tools.verilator, "simulation", tools.FPGA_HINT),
        _status("yosys", tools.yosys, "synthesis", tools.FPGA_HINT),
        _status("nextpnr-ecp5", lambda: tools.nextpnr("ecp5"), "placing ECP5", tools.FPGA_HINT),
        _status("nextpnr-ice40", lambda: tools.nextpnr("ice40"), "placing iCE40", tools.FPGA_HINT),
    ]


def _status(name: str, find: Callable[[], Tool], needed_for: str, hint: str) -> ToolStatus:
    try:
        tool = find()
    except ToolError as error:
        return ToolStatus(name, False, None, None, needed_for, error.hint or hint)
    return ToolStatus(tool.name, True, tool.version, tool.path, needed_for, hint)
