"""The accelerator on a board: arrays in, arrays out, over a serial line."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import numpy as np

from brainsmith.board.line import Line, open_port
from brainsmith.board.protocol import Status
from brainsmith.board.shell import Stream
from brainsmith.board.simulated import (
    SimulatedBoard,
    board_program,
    netlist_program,
    simulated_board,
)
from brainsmith.compiler.accelerator import run_model
from brainsmith.compiler.artifacts import FILES, MODEL, RTL
from brainsmith.compiler.deployment import NETLIST, Deployment
from brainsmith.compiler.design import Partition
from brainsmith.errors import ConfigurationError
from brainsmith.model.model import Model
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl, Source, StreamPort
from brainsmith.toolchains.packing import pack, unpack
from brainsmith.toolchains.process import BuildLog


@dataclass
class BoardAccelerator:
    """Runs a design on its board, and what is left of the model on the host.

    Attributes:
        deployment: what the build says of the board.
        model: the compiled integer model.
        line: to the board.
        frames_per_second: of the last run, over the line, as this host saw them; 0 before it.
    """

    deployment: Deployment
    model: Model
    line: Line
    frames_per_second: float = 0.0

    @classmethod
    def open(cls, build: str | Path, port: str) -> BoardAccelerator:
        """The accelerator of a build, on a board at a serial device.

        Raises:
            ConfigurationError: the folder holds no build for a board.
            BoardError: the board cannot be reached, or carries another bitstream.
        """
        folder = Path(build)
        deployment = Deployment.load(folder)
        return cls.connect(deployment, Model.load(folder / MODEL), port)

    @classmethod
    def connect(cls, deployment: Deployment, model: Model, port: str) -> BoardAccelerator:
        """As `open`, for what is loaded already."""
        line = Line(port, open_port(port, deployment.baud))
        try:
            line.check(deployment.digest)
        except BaseException:
            line.close()
            raise
        return cls(deployment, model, line)

    def __enter__(self) -> BoardAccelerator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.line.close()

    @property
    def status(self) -> Status:
        """What the board says of itself: its clock, the cycles of a frame, its errors."""
        return self.line.status()

    def run(
        self,
        inputs: np.ndarray | Mapping[str, np.ndarray],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray | dict[str, np.ndarray]:
        """The outputs for some input frames; see `Accelerator.run`.

        Raises:
            ConfigurationError: an array does not fit the model's input.
            BoardError: the board stopped answering.
        """

        def ask(partition: Partition, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            shell = self.deployment.shell
            frames = given[self.deployment.source.value]
            start = time.perf_counter()
            answers = self.line.run(
                packed(frames, shell.source), shell.sink.octets, shell.slots, progress
            )
            self.frames_per_second = len(frames) / (time.perf_counter() - start)
            return {self.deployment.sink.value: unpacked(answers, shell.sink)}

        return run_model(self.deployment.design, self.model, inputs, ask)


def packed(frames: np.ndarray, stream: Stream) -> list[bytes]:
    """Frames as they travel: int64 of shape (frames, elements) to bytes of each."""
    words = pack(frames.reshape(len(frames), stream.size), _whole(stream))
    return [row.astype("<u4").tobytes()[: stream.octets] for row in words]


def unpacked(payloads: list[bytes], stream: Stream) -> np.ndarray:
    """The other way round: int64 of shape (frames, elements)."""
    padding = bytes(-stream.octets % 4)
    words = np.frombuffer(b"".join(one + padding for one in payloads), "<u4")
    return unpack(words.reshape(len(payloads), -1), _whole(stream))


def _whole(stream: Stream) -> StreamPort:
    """A frame as one beat: the line knows no others."""
    return replace(stream.port, elements=stream.size)


@dataclass(frozen=True)
class BoardSimulation:
    """The board of a build, compiled for simulation."""

    deployment: Deployment
    accelerator: Hdl
    program: Path

    @classmethod
    def of(
        cls,
        build: str | Path,
        *,
        netlist: bool = False,
        cache: BuildCache | None = None,
        log: BuildLog | None = None,
    ) -> BoardSimulation:
        """The simulation of a build.

        Args:
            netlist: simulate what was synthesized, primitive by primitive, instead of the sources.

        Raises:
            ConfigurationError: the folder holds no build for a board, or no netlist of it.
            ToolError: a tool is missing or failed.
        """
        folder, cache = Path(build), cache or BuildCache()
        deployment = Deployment.load(folder)
        hdl = _hdl(folder / RTL, deployment)
        if not netlist:
            return cls(deployment, hdl, board_program(hdl, deployment.shell, cache, log))
        path = folder / NETLIST
        if not path.exists():
            raise ConfigurationError(
                "the build has no netlist of its board", where=str(path), hint="compile and place"
            )
        program = netlist_program(path, deployment.family, deployment.level, cache, log)
        return cls(deployment, hdl, program)

    def running(self) -> AbstractContextManager[SimulatedBoard]:
        """The board, for a `with` block."""
        return simulated_board(self.program, self.accelerator, self.deployment.shell)


def _hdl(folder: Path, deployment: Deployment) -> Hdl:
    """The accelerator as the build keeps it."""
    try:
        names = (folder / FILES).read_text().split()
        sources = [Source(n, (folder / n).read_text(), deployment.level) for n in names]
        rest = [path for path in sorted(folder.iterdir()) if path.name not in {*names, FILES}]
        headers = [Source(p.name, p.read_text(), deployment.level) for p in rest if _header(p)]
        files = {path.name: path.read_bytes() for path in rest if not _header(path)}
    except OSError as error:
        raise ConfigurationError(
            f"the sources of the build cannot be read: {error.strerror}",
            where=str(error.filename),
            hint="compile again",
        ) from error
    return Hdl((*headers, *sources), files)


def _header(path: Path) -> bool:
    return path.suffix in (".svh", ".vh")
