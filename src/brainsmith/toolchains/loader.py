"""Loads bitstreams onto boards with openFPGALoader."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from brainsmith.errors import ToolError
from brainsmith.toolchains.process import run
from brainsmith.toolchains.tools import Tool

_NAME = "openFPGALoader"
_TIMEOUT = 600.0


def load_bitstream(bitstream: Path, board: str) -> str:
    """Loads a bitstream onto a board that is plugged in; returns what the loader said.

    Args:
        board: its name in openFPGALoader.

    Raises:
        ToolError: openFPGALoader is missing, with the command to type where it is, or failed.
    """
    arguments = ("-b", board, str(bitstream))
    path = shutil.which(_NAME)
    if path is None:
        raise ToolError(
            f"{_NAME} is not installed",
            where="PATH",
            hint="apt install openfpgaloader, brew install openfpgaloader; or, where it is "
            f"installed: {shlex.join((_NAME, *arguments))}",
        )
    hint = "is the board plugged in, and may you use it (openFPGALoader --detect)?"
    tool = Tool(_NAME, "", "", (path,), Path(path), hint=hint)
    _, said = run(tool, arguments, purpose="load", cwd=Path.cwd(), timeout=_TIMEOUT)
    return said
