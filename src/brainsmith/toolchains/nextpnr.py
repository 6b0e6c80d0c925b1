"""Place and route with nextpnr, for the clock and the utilization of a design.

A design's ports are its streams, far more bits than a package has pins. For ecp5 it is placed out
of context: no pins, and the clock is the slowest path between registers. nextpnr-ice40 has no such
mode: there the design is placed inside a harness of shift registers, whose cells are subtracted.
The top of a board has pins, and what is placed for it can be packed into a bitstream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brainsmith.errors import TargetError, ToolError
from brainsmith.sandbox.levels import Level
from brainsmith.toolchains import tools
from brainsmith.toolchains.cache import BuildCache, digest
from brainsmith.toolchains.confined import Confined
from brainsmith.toolchains.harness import MODULE, Harness, harness
from brainsmith.toolchains.hdl import Unit
from brainsmith.toolchains.process import BuildLog, failure, run
from brainsmith.toolchains.tools import Tool
from brainsmith.toolchains.yosys import LinkedNetlist, link_under

_TIMEOUT = 4 * 3600.0
_UTILIZATION = re.compile(r"Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s+\d+%")
_INPUT, _REPORT, _LOG = "design.json", "report.json", "nextpnr.log"
_PINS, _PLACED = "pins.txt", "placed.txt"
# How pins are given, and how the placed design is written.
_PINNED = {"ecp5": ("--lpf", "--textcfg"), "ice40": ("--pcf", "--asc")}

# The families whose nextpnr places without pins.
_OUT_OF_CONTEXT = ("ecp5",)
# What nextpnr calls the cells that the harness takes.
_LOGIC = "ICESTORM_LC"


@dataclass(frozen=True)
class Device:
    """A device as nextpnr is told of it.

    Args:
        name: as the target is called.
        family: whose nextpnr places it.
        device, package, speed: nextpnr's names; without a speed grade, its default.
    """

    name: str
    family: str
    device: str
    package: str
    speed: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """Those of nextpnr that name the device."""
        speed = ("--speed", self.speed) if self.speed else ()
        return (f"--{self.device}", "--package", self.package, *speed)


@dataclass(frozen=True)
class Placement:
    """A placed and routed design.

    Args:
        fmax_mhz: the clock that its slowest path between registers allows.
        utilization: used and available, by nextpnr's name of the resource.
        critical_path: the slowest path, a line for each step, delays in ns.
        critical_instances: the instances below the top that it runs through, in order.
        seed: of the placement.
        notes: what to know about the figures.
    """

    device: str
    fmax_mhz: float
    utilization: Mapping[str, tuple[int, int]]
    critical_path: tuple[str, ...]
    critical_instances: tuple[str, ...]
    seed: int
    notes: tuple[str, ...] = ()


def place_and_route(
    netlist: LinkedNetlist,
    unit: Unit,
    device: Device,
    *,
    clock_mhz: float,
    cache: BuildCache,
    log: BuildLog | None = None,
    seed: int = 1,
) -> Placement:
    """Places and routes a design.

    Args:
        unit: the streams of the netlist's module.
        clock_mhz: the clock to aim at; missing it is no error.

    Raises:
        TargetError: the design does not fit; names what is needed and there.
        ToolError: nextpnr is missing or failed.
        StorageError: the disk is full.
    """
    free = device.family in _OUT_OF_CONTEXT
    around = None if free else harness(netlist.module, unit)
    if around is not None:
        netlist = link_under(netlist, unit, (around.source,), MODULE, cache=cache, log=log)
    options = (*(("--out-of-context",) if free else ()), *_aim(clock_mhz, seed))
    entry = _Run(device, log).fetch(netlist, options, {}, cache)
    if around is None:
        note = "placed out of context: paths from and to the ports are not timed"
        return _placement(entry.report, device.name, seed, (note,), within="")
    return _less(_placement(entry.report, device.name, seed, (), within="dut"), around)


def place_board(
    netlist: LinkedNetlist,
    constraints: str,
    device: Device,
    *,
    within: str,
    clock_mhz: float,
    level: Level = Level.L0,
    cache: BuildCache,
    log: BuildLog | None = None,
    seed: int = 1,
) -> tuple[Placement, Path]:
    """Places and routes the top of a board with its pins.

    Args:
        constraints: the pins, in the form of the family.
        within: the instance whose parts are named in the critical path.
        level: the level at which tools on the constraints are confined.

    Returns:
        The placement, and the file that a bitstream is packed from.

    Raises:
        TargetError: the design does not fit; names what is needed and there.
        ToolError: nextpnr is missing or failed.
        StorageError: the disk is full.
    """
    pins, placed = _PINNED[device.family]
    options = (pins, _PINS, placed, _PLACED, *_aim(clock_mhz, seed))
    entry = _Run(device, log, level).fetch(netlist, options, {_PINS: constraints}, cache)
    placement = _placement(entry.report, device.name, seed, (), within=within)
    return placement, entry.path / _PLACED


def _aim(clock_mhz: float, seed: int) -> tuple[str, ...]:
    return ("--freq", f"{clock_mhz:g}", "--timing-allow-fail", "--seed", str(seed))


@dataclass(frozen=True)
class _Placed:
    """What nextpnr left: the folder and its report."""

    path: Path

    @property
    def report(self) -> Mapping[str, Any]:
        loaded: Mapping[str, Any] = json.loads((self.path / _REPORT).read_text())
        return loaded


@dataclass(frozen=True)
class _Run:
    """nextpnr for one device."""

    device: Device
    log: BuildLog | None
    level: Level = Level.L0

    def fetch(
        self,
        netlist: LinkedNetlist,
        options: Sequence[str],
        files: Mapping[str, str],
        cache: BuildCache,
    ) -> _Placed:
        """The result for a netlist, from the cache or of a run beside `files`."""
        if self.device.family != netlist.family:
            raise ToolError(
                f"a netlist for {netlist.family} cannot be placed on {self.device.name}",
                where=netlist.module,
            )
        tool = tools.nextpnr(self.device.family)
        arguments = (*self.device.options, *options)
        key = {
            "what": "place and route",
            "tool": tool.identity,
            "netlist": digest(netlist.json.read_bytes()),
            "arguments": list(arguments),
            **({"files": {name: digest(text) for name, text in files.items()}} if files else {}),
        }

        def make(folder: Path) -> None:
            for name, text in files.items():
                (folder / name).write_text(text)
            how = Confined(max(netlist.confined, self.level), folder)
            _run(tool, netlist, arguments, how, self.device.name, self.log)

        entry = cache.fetch(key, make)
        if entry.cached and self.log is not None:
            self.log.cached(tool, f"placement on {self.device.name}")
        return _Placed(entry.path)


def _run(
    tool: Tool,
    netlist: LinkedNetlist,
    arguments: Sequence[str],
    how: Confined,
    device: str,
    log: BuildLog | None,
) -> None:
    folder = how.folder
    source = folder / _INPUT
    source.write_bytes(netlist.json.read_bytes())
    files = ("--json", _INPUT, "--report", _REPORT, "--log", _LOG, "--quiet")
    purpose = f"placement on {device}"
    command = (*arguments, *files)
    status, output = run(
        tool, command, purpose=purpose, cwd=folder, confined=how, timeout=_TIMEOUT, log=log,
        check=False,
    )  # fmt: skip
    source.unlink()
    if status:
        said = (folder / _LOG).read_text(errors="replace") if (folder / _LOG).exists() else output
        _check_fit(said, device)
        raise failure(tool, purpose, (*tool.command, *command), status, output)


def _check_fit(said: str, device: str) -> None:
    """Raises TargetError if what nextpnr said shows that the device is too small."""
    rows = {name: (int(used), int(there)) for name, used, there in _UTILIZATION.findall(said)}
    over = {name: row for name, row in rows.items() if row[0] > row[1]}
    if not over:
        return
    table = "".join(
        f"\n    {name:<16} needs {used:>8}   there are {there:>8}"
        for name, (used, there) in over.items()
    )
    raise TargetError(
        f"the design does not fit {device}:{table}",
        hint="choose a larger device, or less folding parallelism",
    )


def _placement(
    report: Mapping[str, Any], device: str, seed: int, notes: tuple[str, ...], *, within: str
) -> Placement:
    utilization = {
        name: (row["used"], row["available"])
        for name, row in report["utilization"].items()
        if row["used"]
    }
    path = _critical_path(report)
    clocks = [clock["achieved"] for clock in report["fmax"].values()]
    if not clocks:
        raise ToolError("nextpnr found no path between registers", where=device)
    return Placement(
        device,
        min(clocks),
        utilization,
        tuple(_step(step) for step in path),
        _instances(path, within),
        seed,
        notes,
    )


def _less(placement: Placement, around: Harness) -> Placement:
    """The placement without what its harness takes."""
    utilization = dict(placement.utilization)
    used, there = utilization[_LOGIC]
    utilization[_LOGIC] = (used - around.cells, there)
    utilization.pop("SB_IO", None)
    note = (
        f"placed in a harness of shift registers, whose {around.cells} logic cells are "
        f"subtracted from {used}"
    )
    return replace(placement, utilization=utilization, notes=(note,))


def _critical_path(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The slowest path from a register to a register."""
    paths = [
        path for path in report["critical_paths"] if "edge" in path["from"] and "edge" in path["to"]
    ]
    return max((path["path"] for path in paths), key=_delay, default=[])


def _delay(path: Sequence[Mapping[str, Any]]) -> float:
    return sum(float(step["delay"]) for step in path)


def _step(step: Mapping[str, Any]) -> str:
    source, sink = step["from"], step["to"]
    where = f"{source['cell']}.{source['port']}"
    if source["cell"] != sink["cell"] or source["port"] != sink["port"]:
        where += f" -> {sink['cell']}.{sink['port']}"
    return f"{step['delay']:7.3f} ns  {step['type']:<8}  {where}"


def _instances(path: Sequence[Mapping[str, Any]], within: str) -> tuple[str, ...]:
    """The first part of the hierarchical names below `within`, without repetitions."""
    names = []
    for step in path:
        words = step["to"]["cell"].split(".")
        if words[0] == within:
            words = words[1:]
        if len(words) > 1:
            names.append(words[0])
    return tuple(dict.fromkeys(names))
