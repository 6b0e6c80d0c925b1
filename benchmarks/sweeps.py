"""Sweeps: a kernel at many configurations, measured with Yosys and kept as a table.

A table is the `measured.json` beside a kernel: the tool with its version, and each point with its
LUT, FF, DSP and BRAM. Resource models are fitted to it, and the tests compare the two and measure
a sample anew.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsmith.compiler.codegen import project
from brainsmith.compiler.design import Instance
from brainsmith.compiler.implement import implement
from brainsmith.toolchains import tools
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.yosys import Part, synthesize_all

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

KERNELS = Path(__file__).parents[1] / "src/brainsmith/builtin/kernels"
FAMILIES = ("ecp5", "xc7", "ice40")

Figures = dict[str, int]


def measure(instances: Sequence[Instance], cache: BuildCache | None = None) -> list[Figures]:
    """LUT, FF, DSP and BRAM of kernels, each synthesized by Yosys for its configuration's family.

    Args:
        instances: of any kernels and families.
        cache: where results are looked up and kept; default the user's.
    """
    modules = implement(instances)
    parts = [Part(project([module]), module.unit) for module in modules]
    figures: dict[int, Figures] = {}
    for family in {instance.config.family for instance in instances}:
        chosen = [i for i, instance in enumerate(instances) if instance.config.family == family]
        netlists = synthesize_all([parts[i] for i in chosen], family, cache=cache or BuildCache())
        figures |= {i: dict(netlists[parts[i].module].resources) for i in chosen}
    return [figures[index] for index in range(len(instances))]


def write(folder: str, points: Iterable[DataclassInstance], measured: Iterable[Figures]) -> None:
    """The table of a kernel's folder, one line a point."""
    entries = [
        json.dumps({"point": dataclasses.asdict(point), "measured": figures})
        for point, figures in zip(points, measured, strict=True)
    ]
    tool = json.dumps(_tool())
    lines = ",\n".join(entries)
    _path(folder).write_text(f'{{"tool": {tool}, "points": [\n{lines}\n]}}\n')


def read(folder: str) -> list[tuple[dict[str, Any], Figures]]:
    """The points of a kernel's folder that were measured, by their fields, with the figures."""
    table = json.loads(_path(folder).read_text())
    return [(entry["point"], entry["measured"]) for entry in table["points"]]


def is_current(folder: str) -> bool:
    """Whether the table was measured with the version of Yosys that is there now."""
    return bool(json.loads(_path(folder).read_text())["tool"] == _tool())


def _path(folder: str) -> Path:
    return KERNELS / folder / "measured.json"


def _tool() -> str:
    tool = tools.yosys()
    return f"{tool.name} {tool.version}"
