"""The whole board in simulation, behind a pseudo-terminal: hosts talk to it as to a real one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brainsmith.board.clocking import direct
from brainsmith.board.description import Board
from brainsmith.board.shell import TOP, Shell, sources, top
from brainsmith.errors import ToolError
from brainsmith.sandbox.levels import Level
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.confined import Confined
from brainsmith.toolchains.families import family as family_named
from brainsmith.toolchains.flat import flat_verilog
from brainsmith.toolchains.hdl import Hdl, Source, write_files
from brainsmith.toolchains.netlist import primitives
from brainsmith.toolchains.process import BuildLog, background
from brainsmith.toolchains.tools import Tool
from brainsmith.toolchains.verilator import Driver, build_model
from brainsmith.toolchains.yosys import count

DRIVER = Driver(TOP, Path(__file__).parent, "line.cpp")
_BARE = Board(oscillator_mhz=1, baud=1, constraints="")
_TRAFFIC = re.compile(r"^line (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Traffic:
    """What was on the line for a while.

    Attributes:
        cycles: from the first bit to the last one.
        bytes_in, bytes_out: to the board and from it.
        baud, clock_hz: of the board.
    """

    cycles: int
    bytes_in: int
    bytes_out: int
    baud: int
    clock_hz: int

    @property
    def use(self) -> float:
        """The share of its time in which the busier direction carried bits: ten a byte."""
        bits = 10 * max(self.bytes_in, self.bytes_out)
        return bits / self.baud * self.clock_hz / self.cycles if self.cycles else 0.0


@dataclass(frozen=True)
class SimulatedBoard:
    """A board that runs.

    Attributes:
        port: the name of its serial device.
        process: the simulation.
    """

    port: str
    process: subprocess.Popen[bytes]
    shell: Shell
    _told: Path

    def traffic(self) -> Traffic:
        """What was on the line since the last time that this was asked."""
        before = len(self._lines())
        self.process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 10
        while len(lines := self._lines()) == before:
            if time.monotonic() > end or self.process.poll() is not None:
                raise ToolError("the simulation of the board does not answer", where=self.port)
            time.sleep(0.01)
        cycles, bytes_in, bytes_out, _ = map(int, lines[-1])
        return Traffic(cycles, bytes_in, bytes_out, self.shell.baud, self.shell.clock_hz)

    def said(self) -> str:
        """What the simulation has said, an assertion that failed included."""
        return self._told.read_text(errors="replace").strip()

    def _lines(self) -> list[tuple[str, ...]]:
        return _TRAFFIC.findall(self.said())


def board_program(
    accelerator: Hdl, shell: Shell, cache: BuildCache, log: BuildLog | None = None
) -> Path:
    """The compiled simulation of an accelerator behind its shell.

    Raises:
        ToolError: a tool is missing, or the sources do not compile.
    """
    around = (*sources(), top(shell, _BARE, direct(shell.clock_hz / 1e6)))
    whole = Hdl((*accelerator.sources, *around), accelerator.files)
    return build_model(whole, DRIVER, cache=cache, log=log)


def netlist_program(
    netlist: Path, family: str, level: Level, cache: BuildCache, log: BuildLog | None = None
) -> Path:
    """The compiled simulation of the netlist of a whole board, memory images included.

    Args:
        netlist: as Yosys writes it (JSON).
        level: the level at which tools on it are confined.

    Raises:
        ToolError: a tool is missing, there is no model of a primitive, or the build failed.
    """
    cells, _ = count(netlist, TOP, family_named(family))
    flat = Source("netlist.v", flat_verilog(netlist, TOP), level)
    return build_model(Hdl((primitives(family, cells), flat)), DRIVER, cache=cache, log=log)


@contextmanager
def simulated_board(program: Path, accelerator: Hdl, shell: Shell) -> Iterator[SimulatedBoard]:
    """The board, running for as long as the block.

    Args:
        program: of `board_program`.
        accelerator: what it was made from: its memory images are read at the start.
    """
    ours, theirs = os.openpty()
    with tempfile.TemporaryDirectory(prefix="brainsmith-board-") as name:
        folder = Path(name)
        try:
            tty.setraw(theirs)
            write_files(accelerator.files, folder)
            tool = Tool("simulation", "", "", (str(program),), program)
            how = Confined(accelerator.confined, folder, starts=False)
            arguments = (str(shell.clock_hz), str(shell.baud))
            told = folder / "told.txt"
            with (
                told.open("wb") as errors,
                background(
                    tool, arguments, cwd=folder, confined=how, line=ours, errors=errors
                ) as process,
            ):
                yield SimulatedBoard(os.ttyname(theirs), process, shell, told)
        finally:
            os.close(ours)
            os.close(theirs)
