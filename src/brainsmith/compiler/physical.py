"""Synthesis, the netlist's simulation, placement and routing of a design."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from brainsmith.api import Resources
from brainsmith.compiler.boards import BoardBuild, build_board
from brainsmith.compiler.codegen import Rtl, linked_top
from brainsmith.compiler.deployment import NETLIST, Deployment
from brainsmith.compiler.host import Frames
from brainsmith.compiler.implement import Module
from brainsmith.compiler.progress import Progress
from brainsmith.compiler.simulate import Tally, compare, run_partition
from brainsmith.compiler.targets import Target
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl
from brainsmith.toolchains.netlist import netlist_simulation
from brainsmith.toolchains.nextpnr import Device, Placement, place_and_route
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.yosys import LinkedNetlist, Part, link, synthesize_all


@dataclass(frozen=True)
class Physical:
    """A design after synthesis, and after placement where it was placed.

    Attributes:
        resources: measured, by instance. Equal instances were synthesised once.
        totals: measured, by partition, of the linked netlist.
        netlists: by partition.
        placements: by partition; empty where nothing was placed.
        board: the board that carries the design; None where it is placed without one.
    """

    resources: Mapping[str, Resources]
    totals: Mapping[str, Resources]
    netlists: Mapping[str, LinkedNetlist]
    placements: Mapping[str, Placement] = field(default_factory=dict)
    board: BoardBuild | None = None


def distinct_parts(rtls: Sequence[Rtl]) -> int:
    """How many parts `synthesize` tells of: equal ones are synthesised once."""
    return len({_part(module).module for rtl in rtls for module in rtl.modules})


def synthesize(
    rtls: Sequence[Rtl], target: Target, cache: BuildCache, log: BuildLog, progress: Progress
) -> Physical:
    """Synthesises every instance out of context, each distinct one once, and links them.

    Raises:
        ToolError: Yosys is missing or refuses a source.
    """
    parts = {m.instance.name: _part(m) for rtl in rtls for m in rtl.modules}
    done = 0

    def on_parts(count: int, total: int) -> None:
        nonlocal done
        progress.advance(count - done, f"synthesis, {count} of {total} parts")
        done = count

    netlists = synthesize_all(
        list(parts.values()), target.family, cache=cache, log=log, progress=on_parts
    )
    linked = {}
    for rtl in rtls:
        own = {m.instance.name: parts[m.instance.name] for m in rtl.modules}
        used = {part.module: netlists[part.module] for part in own.values()}
        top = linked_top(rtl, {name: part.module for name, part in own.items()})
        linked[rtl.partition.name] = link(
            list(own.values()), used, top, rtl.unit, target.family, cache=cache, log=log
        )
    return Physical(
        resources={n: _resources(netlists[p.module].resources) for n, p in parts.items()},
        totals={name: _resources(netlist.resources) for name, netlist in linked.items()},
        netlists=linked,
    )


def check_netlist(
    rtls: Sequence[Rtl], physical: Physical, values: Frames, cache: BuildCache, log: BuildLog
) -> dict[str, Tally]:
    """One frame on the synthesised netlist of each partition, compared with the reference."""
    tallies = {}
    for rtl in rtls:
        name = rtl.partition.name
        ports = (*rtl.partition.inputs, *rtl.partition.outputs)
        frame = {
            p.value: np.asarray(values[p.value])[:1].reshape(1, -1).astype(np.int64) for p in ports
        }
        simulation = netlist_simulation(physical.netlists[name], rtl.unit, cache=cache, log=log)
        tallies[name] = compare(rtl, run_partition(simulation, rtl, frame), frame)
    return tallies


def place(
    physical: Physical,
    rtls: Sequence[Rtl],
    target: Target,
    clock_mhz: float,
    seed: int,
    cache: BuildCache,
    log: BuildLog,
) -> Physical:
    """The design placed and routed, for its clock.

    Raises:
        TargetError: it does not fit.
        ToolError: nextpnr is missing or failed.
    """
    told = target.place
    assert told is not None, "checked before anything was built"
    device = Device(target.name, target.family, told.device, told.package, told.speed)
    placements = {}
    for rtl in rtls:
        name = rtl.partition.name
        placements[name] = place_and_route(
            physical.netlists[name], rtl.unit, device,
            clock_mhz=clock_mhz, seed=seed, cache=cache, log=log,
        )  # fmt: skip
    return dataclasses.replace(physical, placements=placements)


def place_on_board(
    physical: Physical,
    deployment: Deployment,
    target: Target,
    seed: int,
    cache: BuildCache,
    log: BuildLog,
) -> Physical:
    """The design placed and routed behind the shell of a board, up to its bitstream.

    Raises:
        TargetError: it does not fit, or does not reach its clock.
        ToolError: a tool is missing or failed.
    """
    name = deployment.module
    build = build_board(deployment, physical.netlists[name], target, seed, cache, log)
    return dataclasses.replace(
        physical,
        totals={name: _resources(build.netlist.resources)},
        placements={name: build.placement},
        board=build,
    )


def save(physical: Physical, folder: Path) -> dict[str, str]:
    """Netlists and slowest paths into a folder; returns the files by the name of the artifact."""
    names = {}
    for name, netlist in physical.netlists.items():
        shutil.copyfile(netlist.json, folder / f"{name}.netlist.json")
        names[f"netlist_{name}"] = f"{name}.netlist.json"
    for name, placement in physical.placements.items():
        path = "\n".join((f"{placement.fmax_mhz:.2f} MHz", *placement.critical_path, ""))
        (folder / f"{name}.timing.txt").write_text(path, encoding="utf-8")
        names[f"timing_{name}"] = f"{name}.timing.txt"
    if physical.board is not None:
        shutil.copyfile(physical.board.bitstream, folder / physical.board.name)
        shutil.copyfile(physical.board.netlist.json, folder / NETLIST)
        names |= {"bitstream": physical.board.name, "netlist_board": NETLIST}
    return names


def _part(module: Module) -> Part:
    return Part(Hdl(module.sources, module.files), module.unit)


def _resources(counts: Mapping[str, int]) -> Resources:
    return Resources(counts["LUT"], counts["FF"], counts["DSP"], counts["BRAM"])
