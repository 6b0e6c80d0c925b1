"""`brainsmith doctor`: which tools are there, what to install, and how plugins are confined."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from brainsmith.sandbox.report import SandboxReport
    from brainsmith.toolchains.doctor import ToolStatus


def doctor(json: shared.Json = False, debug: shared.Debug = False) -> Outcome:
    """Say which tools are there, what to install.

    And how well plugins are confined here. Ends with exit code 7 where a tool is missing.
    """
    import brainsmith
    from brainsmith.errors import ToolError
    from brainsmith.plugins.sandboxing import DEFAULT_LEVEL
    from brainsmith.sandbox.report import report
    from brainsmith.toolchains.doctor import inspect

    tools, sandbox = inspect(), report()
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
        "sandbox": {
            "level": sandbox.level.name,
            "meaning": sandbox.level.title,
            "required": DEFAULT_LEVEL.name,
            "protections": [
                {"name": one.name, "active": one.active, "detail": one.detail}
                for one in sandbox.protections
            ],
            "why_not_higher": sandbox.why_not_higher or None,
        },
    }
    exit_code = 0 if healthy else ToolError.exit_code
    return Outcome(value, lambda console: _show(tools, sandbox, console), exit_code)


def _show(tools: Sequence[ToolStatus], sandbox: SandboxReport, console: Console) -> None:
    _show_tools(tools, console)
    console.print()
    _show_sandbox(sandbox, console)


def _show_tools(tools: Sequence[ToolStatus], console: Console) -> None:
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


def _show_sandbox(sandbox: SandboxReport, console: Console) -> None:
    from rich.text import Text

    from brainsmith.plugins.sandboxing import DEFAULT_LEVEL

    enough = sandbox.level >= DEFAULT_LEVEL
    level = Text(sandbox.level.name, "bold green" if enough else "bold red")
    console.print(Text.assemble("sandbox of plugins: ", level, f", {sandbox.level.title}"))
    for one in sandbox.protections:
        mark = ("  ✔ ", "green") if one.active else ("  ✘ ", "bold red")
        console.print(Text.assemble(mark, one.name, (f"  {one.detail}", "dim")))
    if not enough:
        console.print(
            f"plugins need {DEFAULT_LEVEL.name}: they are refused here, unless `--sandbox "
            f"{sandbox.level.name}` says that less is enough"
        )
    if sandbox.why_not_higher:
        console.print(Text(f"no higher level: {sandbox.why_not_higher}"))
