"""`brainsmith targets`: the devices that can be compiled for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from brainsmith.cli import options as shared
from brainsmith.cli.errors import describe
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from brainsmith.compiler.targets import BrokenTarget, Target


def targets(json: shared.Json = False, debug: shared.Debug = False) -> Outcome:
    """List the devices that can be compiled for."""
    from brainsmith.compiler.targets import list_targets

    found, broken = list_targets()
    value = {
        "success": True,
        "targets": [
            {
                "name": target.name,
                "family": target.family,
                "description": target.description,
                "clock_mhz": target.clock_mhz,
                "resources": dict(target.resources),
                "placeable": target.placeable,
                "board": target.board is not None,
            }
            for target in found
        ],
        "broken": [{"full_name": one.full_name, "error": describe(one.error)} for one in broken],
    }
    return Outcome(value, lambda console: _show(found, broken, console))


def _show(found: Sequence[Target], broken: Sequence[BrokenTarget], console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from brainsmith.report.formatting import figure

    resources = list(dict.fromkeys(name for target in found for name in target.resources))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("target", "family"):
        table.add_column(name, no_wrap=True)
    for name in ("MHz", *resources):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("built up to", "description"):
        table.add_column(name)
    for target in found:
        table.add_row(
            Text(target.name, "bold"),
            target.family,
            figure(target.clock_mhz),
            *(figure(target.resources.get(name, 0)) for name in resources),
            _built_up_to(target),
            Text(target.description),
        )
    console.print(table)
    for one in broken:
        console.print(f"cannot be used: {one.full_name}: {one.error.what}", markup=False)


def _built_up_to(target: Target) -> str:
    if target.board is not None:
        return "bitstream"
    return "place and route" if target.placeable else "synthesis"
