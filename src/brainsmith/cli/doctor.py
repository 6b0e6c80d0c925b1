"""`brainsmith doctor`: which tools are there, and what to install."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from brainsmith.toolchains.doctor import ToolStatus


def doctor(json: shared.Json = False, debug: shared.Debug = False) -> Outcome:
    """Say which tools are there, what to install.

    Ends with exit code 7 where a tool is missing.
    """
    import brainsmith
    from brainsmith.errors import ToolError
    from brainsmith.toolchains.doctor import inspect

    tools = inspect()
    healthy = all(tool.found for tool in tools)
    value = {
        "success": healthy,
        "brainsmith": brainsmith.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "tools": [
            {
                "name": tool.name,
                "found": tool.found,
                "version": tool.version,
                "path": None if tool.path is None else str(tool.path),
                "needed_for": tool.needed_for,
                "install_hint": tool.install_hint,
            }
            for tool in tools
        ],
    }
    exit_code = 0 if healthy else ToolError.exit_code
    return Outcome(value, lambda console: _show(tools, console), exit_code)


def _show(tools: Sequence[ToolStatus], console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", "tool", "version", "needed for", "where, or what to install"):
        table.add_column(name, overflow="fold")
    for tool in tools:
        mark = Text("✔", "green") if tool.found else Text("✘", "bold red")
        where = str(tool.path or "") if tool.found else tool.install_hint
        table.add_row(
            mark, Text(tool.name), Text(tool.version or ""), Text(tool.needed_for), Text(where)
        )
    console.print(table)
    missing = [tool.name for tool in tools if not tool.found]
    console.print(f"missing: {', '.join(missing)}" if missing else "everything is there")
