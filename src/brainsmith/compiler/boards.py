"""A board's bitstream: shell and accelerator placed with the board's pins, and packed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from brainsmith.board.clocking import clock
from brainsmith.board.shell import INSIDE, TOP, board_sources
from brainsmith.compiler.deployment import Deployment
from brainsmith.compiler.targets import Target
from brainsmith.errors import TargetError
from brainsmith.toolchains.bitstream import PACKERS, pack
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.nextpnr import Device, Placement, place_board
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.yosys import LinkedNetlist, link_under


@dataclass(frozen=True)
class BoardBuild:
    """A board with its accelerator.

    Attributes:
        deployment: its record.
        netlist: the whole board, accelerator included.
        placement: with the board's pins.
        bitstream: the file.
    """

    deployment: Deployment
    netlist: LinkedNetlist
    placement: Placement
    bitstream: Path

    @property
    def name(self) -> str:
        """What the bitstream is called in a build."""
        return f"{self.deployment.module}{PACKERS[self.deployment.family].suffix}"


def build_board(
    deployment: Deployment,
    netlist: LinkedNetlist,
    target: Target,
    seed: int,
    cache: BuildCache,
    log: BuildLog,
) -> BoardBuild:
    """The bitstream of an accelerator that was synthesised.

    Args:
        deployment: the accelerator's record.
        netlist: the accelerator.

    Raises:
        TargetError: it does not fit, or does not reach its clock.
        ToolError: a tool is missing or failed.
    """
    board, place = target.board, target.place
    assert board is not None and place is not None, "checked before anything was built"
    shell = deployment.shell
    made = clock(target.family, board.oscillator_mhz, deployment.clock_hz / 1e6)
    whole = link_under(
        netlist, shell.unit, board_sources(shell, board, made), TOP, cache=cache, log=log
    )
    device = Device(target.name, target.family, place.device, place.package, place.speed)
    placement, placed = place_board(
        whole, board.constraints, device,
        within=INSIDE, clock_mhz=made.mhz, level=target.level, seed=seed, cache=cache, log=log,
    )  # fmt: skip
    check_timing(placement, made.mhz)
    level = max(netlist.confined, target.level)
    bitstream = pack(placed, target.family, cache=cache, level=level, log=log)
    return BoardBuild(deployment, whole, placement, bitstream)


def check_timing(placement: Placement, clock_mhz: float) -> None:
    """Raises TargetError for a clock that was not reached: what such a board computes is luck."""
    if placement.fmax_mhz >= clock_mhz:
        return
    late = 1e3 / placement.fmax_mhz - 1e3 / clock_mhz
    through = ", ".join(placement.critical_instances)
    raise TargetError(
        f"the timing is not met: {placement.fmax_mhz:.1f} MHz of {clock_mhz:g} MHz were reached, "
        f"the slowest path, through {through or 'the top'}, is {late:.2f} ns too long",
        where=placement.device,
        hint=f"--clock-mhz {math.floor(placement.fmax_mhz)}, another --seed, or less parallelism "
        "in that layer (a folding file with smaller PE and SIMD)",
    )
