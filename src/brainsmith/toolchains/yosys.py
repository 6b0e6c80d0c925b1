"""Synthesis with Yosys, out of context, of parts that are then linked.

Each part is a module of its own in its netlist, so that a design in which one part changed
synthesizes only that one anew. Small parts share a call, as reading the libraries of a family
costs more than mapping them (ecp5 0.6 s, xc7 3 s). What a part shares its call with can sway the
mapper's heuristics a little: up to 2 % of a part's LUTs were seen, never what it computes.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from brainsmith.errors import ToolError
from brainsmith.sandbox.levels import Level
from brainsmith.toolchains import tools
from brainsmith.toolchains.cache import BuildCache, digest
from brainsmith.toolchains.confined import Confined
from brainsmith.toolchains.families import MAP, Family, family
from brainsmith.toolchains.hdl import (
    Hdl,
    Source,
    Unit,
    write_files,
    write_sources,
)
from brainsmith.toolchains.parts import Part as Part
from brainsmith.toolchains.parts import group_module, stub, weight
from brainsmith.toolchains.process import BuildLog, Stop, run
from brainsmith.toolchains.tools import Tool

# Changes whenever this module writes other scripts or other results.
_FORMAT = 2
_TIMEOUT = 7200.0
_WORKERS = 2
_SCRIPT = "run.ys"
_NETLIST, _REPORT, _JSON, _VERILOG = "netlist.il", "report.json", "netlist.json", "netlist.v"


@dataclass(frozen=True)
class Netlist:
    """A synthesized module.

    Args:
        module: its name.
        path: the netlist, as Yosys writes it (RTLIL).
        cells: number of each primitive.
        resources: LUT, FF, DSP and BRAM (see `families`).
        confined: the level at which tools that read it are confined: its names are its sources'.
    """

    module: str
    family: str
    path: Path
    cells: Mapping[str, int]
    resources: Mapping[str, int]
    confined: Level = Level.L0


@dataclass(frozen=True)
class LinkedNetlist:
    """A whole design as one flat module: for nextpnr (`json`) and for simulation (`verilog`)."""

    module: str
    family: str
    path: Path
    json: Path
    verilog: Path
    cells: Mapping[str, int]
    resources: Mapping[str, int]
    confined: Level = Level.L0


def synthesize(
    hdl: Hdl,
    unit: Unit,
    family_name: str,
    *,
    cache: BuildCache,
    log: BuildLog | None = None,
    options: Sequence[str] = (),
) -> Netlist:
    """Synthesizes one module out of context. See `synthesize_all`."""
    part = Part(hdl, unit)
    return synthesize_all([part], family_name, cache=cache, log=log, options=options)[part.module]


def synthesize_all(
    parts: Sequence[Part],
    family_name: str,
    *,
    cache: BuildCache,
    log: BuildLog | None = None,
    options: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Netlist]:
    """Synthesizes parts, equal ones once, two calls of Yosys at a time.

    Args:
        family_name: ecp5, ice40, xc7 or xcup.
        options: further options of the synthesis command, such as `-nodsp`.
        progress: called with the parts that are done, and their number.

    Returns:
        The netlists by `Part.module`.

    Raises:
        TargetError: no such family.
        ToolError: Yosys is missing, or the sources cannot be synthesized; with what it said.
        StorageError: the disk is full.
    """
    flow = _Flow(tools.yosys(), family(family_name), tuple(options), cache, log)
    unique = {part.module: part for part in parts}
    done = {name: found for name, part in unique.items() if (found := flow.find(part))}
    if done and log is not None:
        log.cached(flow.tool, f"synthesis of {len(done)} parts for {family_name}")
    missing = [part for name, part in unique.items() if name not in done]
    if progress is not None:
        progress(len(done), len(unique))
    with ThreadPoolExecutor(_WORKERS) as pool:
        stop = Stop()
        futures: list[Future[list[Netlist]]] = [
            pool.submit(flow.make_group, group, stop) for group in _groups(missing)
        ]
        try:
            for future in as_completed(futures):
                done |= {netlist.module: netlist for netlist in future.result()}
                if progress is not None:
                    progress(len(done), len(unique))
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return {name: done[name] for name in unique}


def link(
    parts: Sequence[Part],
    netlists: Mapping[str, Netlist],
    top: Source,
    unit: Unit,
    family_name: str,
    *,
    cache: BuildCache,
    log: BuildLog | None = None,
) -> LinkedNetlist:
    """Joins netlists under a top into one flat netlist.

    Args:
        parts: what `top` instantiates, by `Part.module` as the name of the module, without
            parameters.
        top: SystemVerilog of the top, which may hold some logic of its own.
        unit: the top with its streams.

    Raises:
        ToolError: a netlist is missing, or the top does not fit the parts.
    """
    flow = _Flow(tools.yosys(), family(family_name), (), cache, log)
    unique = {part.module: part for part in parts}
    for name in unique:
        if name not in netlists:
            raise ToolError("a part was not synthesized", where=name)
    stubs = "".join(stub(part.module, part.unit) for part in unique.values())
    return flow.link(stubs, {name: netlists[name] for name in unique}, (top,), unit.top)


def link_under(
    netlist: LinkedNetlist,
    unit: Unit,
    sources: Sequence[Source],
    module: str,
    *,
    cache: BuildCache,
    log: BuildLog | None = None,
) -> LinkedNetlist:
    """A linked design as an instance in a top called `module`, with the logic of `sources`."""
    flow = _Flow(tools.yosys(), family(netlist.family), (), cache, log)
    return flow.link(stub(netlist.module, unit), {netlist.module: netlist}, sources, module)


def link_one(netlist: Netlist, *, cache: BuildCache, log: BuildLog | None = None) -> LinkedNetlist:
    """One part as a whole design, to place it or to simulate its netlist."""
    flow = _Flow(tools.yosys(), family(netlist.family), (), cache, log)
    return flow.link("", {netlist.module: netlist}, (), netlist.module)


@dataclass(frozen=True)
class _Flow:
    """Yosys for one family."""

    tool: Tool
    family: Family
    options: tuple[str, ...]
    cache: BuildCache
    log: BuildLog | None

    @property
    def command(self) -> str:
        return " ".join((self.family.command, *self.options))

    def find(self, part: Part) -> Netlist | None:
        folder = self.cache.find(self._key(part))
        return None if folder is None else self._netlist(part, folder)

    def make_group(self, group: Sequence[Part], stop: Stop) -> list[Netlist]:
        """Synthesizes the parts in one call, and keeps each as an entry of its own."""
        with self.cache.scratch() as work:
            script = self._group_script(group, work)
            how = Confined(max(part.hdl.confined for part in group), work)
            self._run(script, how, f"synthesis of {_names(group)}", stop)
            return [self._keep(part, work) for part in group]

    def link(
        self,
        stubs: str,
        netlists: Mapping[str, Netlist | LinkedNetlist],
        tops: Sequence[Source],
        module: str,
    ) -> LinkedNetlist:
        level = max((netlist.confined for netlist in netlists.values()), default=Level.L0)
        key = {
            **self._base_key("link"),
            "netlists": sorted(netlists),
            "paths": sorted(digest(netlist.path.read_bytes()) for netlist in netlists.values()),
            "tops": [digest(source.text) for source in tops],
            "module": module,
        }

        def make(folder: Path) -> None:
            work = folder / "work"
            work.mkdir()
            for name, netlist in netlists.items():
                shutil.copy(netlist.path, work / f"{name}.il")
            sources = [*tops, Source("stubs.sv", stubs)] if tops else []
            names = write_sources(sources, work)
            script = self._link_script(module, list(netlists), names)
            self._run(script, Confined(level, work), f"link of {module}")
            self._report(work / _JSON, folder / _REPORT, module)
            for name in (_NETLIST, _JSON, _VERILOG):
                (work / name).rename(folder / name)
            shutil.rmtree(work)

        entry = self.cache.fetch(key, make)
        if entry.cached and self.log is not None:
            self.log.cached(self.tool, f"link of {module}")
        report = json.loads((entry.path / _REPORT).read_text())
        return LinkedNetlist(
            module,
            self.family.name,
            entry.path / _NETLIST,
            entry.path / _JSON,
            entry.path / _VERILOG,
            report["cells"],
            report["resources"],
            level,
        )

    def _base_key(self, what: str) -> dict[str, object]:
        return {
            "what": what,
            "format": _FORMAT,
            "tool": self.tool.identity,
            "family": self.family.name,
            "command": self.command,
            "script": MAP,
        }

    def _key(self, part: Part) -> dict[str, object]:
        return {**self._base_key("synthesis"), "part": part.module}

    def _write_part(self, index: int, part: Part, work: Path) -> str:
        """Writes the inputs of a part; returns the command that reads them."""
        folder = work / f"p{index}"
        folder.mkdir()
        write_files(part.files, work)
        names = write_sources((*part.hdl.sources, Source("part.sv", part.wrapper())), folder)
        files = " ".join(f"p{index}/{name}" for name in names)
        return f"read_slang --threads 1 -I p{index} --top {part.module} {files}"

    def _group_script(self, group: Sequence[Part], work: Path) -> list[str]:
        lines = [self._write_part(index, part, work) for index, part in enumerate(group)]
        top = group[0].module
        if len(group) > 1:
            top = "group"
            (work / "group.v").write_text(group_module(group))
            lines.append("read_verilog group.v")
            lines += [f"setattr -mod -set keep_hierarchy 1 {part.module}" for part in group]
        lines += self._synthesis(top)
        for part in group:
            lines += [f"select {part.module}", f"write_rtlil -selected {part.module}.il"]
            lines += [f"write_json -selected {part.module}.json", "select -clear"]
        return lines

    def _synthesis(self, top: str) -> list[str]:
        return [
            f'scratchpad -set abc9.script "+{MAP}"',
            # ABC would prove its result by SAT, which takes minutes where there are multipliers;
            # the simulation of the netlist checks more than that.
            "scratchpad -set abc9.verify 0",
            f"{self.command} -top {top}",
        ]

    def _link_script(
        self, module: str, netlists: Sequence[str], sources: Sequence[str]
    ) -> list[str]:
        lines = []
        if sources:
            lines.append(f"read_slang --threads 1 --top {module} {' '.join(sources)}")
            lines += self._synthesis(module)
            lines += [f"delete {name}" for name in netlists]
        else:
            # The directions of the primitives' ports, which nextpnr wants in the netlist.
            lines += [
                f"read_verilog -lib +/{name}" for name in (*self.family.models, *self.family.boxes)
            ]
        lines += [f"read_rtlil {name}.il" for name in netlists]
        lines += [f"setattr -mod -unset keep_hierarchy {name}" for name in netlists]
        lines += [f"hierarchy -top {module}", "flatten", "delete t:$scopeinfo", "clean"]
        return [
            *lines,
            f"select {module}",
            f"write_rtlil -selected {_NETLIST}",
            f"write_json -selected {_JSON}",
            f"write_verilog -noattr -selected {_VERILOG}",
        ]

    def _run(
        self, script: Sequence[str], how: Confined, purpose: str, stop: Stop | None = None
    ) -> None:
        (how.folder / _SCRIPT).write_text("\n".join(script) + "\n")
        # Without -q the WebAssembly build stops printing after its call of ABC.
        run(
            self.tool,
            ["-q", "-s", _SCRIPT, "-l", "yosys.log"],
            purpose=f"{purpose} for {self.family.name}",
            cwd=how.folder,
            confined=how,
            timeout=_TIMEOUT,
            log=self.log,
            stop=stop,
        )

    def _keep(self, part: Part, work: Path) -> Netlist:
        def make(folder: Path) -> None:
            (work / f"{part.module}.il").rename(folder / _NETLIST)
            self._report(work / f"{part.module}.json", folder / _REPORT, part.module)

        return self._netlist(part, self.cache.fetch(self._key(part), make).path)

    def _report(self, netlist: Path, report: Path, module: str) -> None:
        cells, resources = count(netlist, module, self.family)
        report.write_text(json.dumps({"cells": cells, "resources": resources}))

    def _netlist(self, part: Part, folder: Path) -> Netlist:
        report = json.loads((folder / _REPORT).read_text())
        return Netlist(
            part.module,
            self.family.name,
            folder / _NETLIST,
            report["cells"],
            report["resources"],
            part.hdl.confined,
        )


def count(netlist: Path, module: str, target: Family) -> tuple[dict[str, int], dict[str, int]]:
    """Primitives and resources of a module in a JSON netlist of Yosys."""
    cells = json.loads(netlist.read_bytes())["modules"][module]["cells"].values()
    kinds = Counter(cell["type"] for cell in cells if not cell["type"].startswith("$"))
    return dict(sorted(kinds.items())), target.resources(kinds, cells)


def _groups(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts in groups of about equal work, those with the largest parts first.

    Two groups for each worker: what a part costs is known roughly, and the largest of a network
    often outweighs all others together.
    """
    groups: list[list[Part]] = [[] for _ in range(min(2 * _WORKERS, len(parts)))]
    loads = [0] * len(groups)
    for part in sorted(parts, key=weight, reverse=True):
        least = loads.index(min(loads))
        groups[least].append(part)
        loads[least] += weight(part)
    return groups


def _names(group: Sequence[Part]) -> str:
    names = ", ".join(part.unit.name for part in group)
    return names if len(names) <= 80 else f"{len(group)} parts"
