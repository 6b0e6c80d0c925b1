"""What a build says of its board (`board.json`): enough to simulate it, and to talk to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from brainsmith.board.description import Board
from brainsmith.board.shell import Shell, Stream, digest_of
from brainsmith.compiler.codegen import Rtl
from brainsmith.compiler.design import Design, HostStep, Partition, PartitionPort
from brainsmith.compiler.targets import Target
from brainsmith.errors import ConfigurationError
from brainsmith.sandbox.levels import Level
from brainsmith.storage import write_atomic
from brainsmith.toolchains.hdl import StreamPort

FILE, NETLIST = "board.json", "board.netlist.json"


class Port(BaseModel):
    """A stream of the accelerator: its value in the model, and its elements."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: str
    elements: int
    size: int
    bits: int
    signed: bool
    bipolar: bool

    @classmethod
    def of(cls, port: PartitionPort) -> Port:
        """The record of a partition's port."""
        return cls(**{name: getattr(port, name) for name in cls.model_fields})

    @property
    def in_partition(self) -> PartitionPort:
        """What it is the record of."""
        return PartitionPort(**self.model_dump())

    def stream(self, direction: Literal["in", "out"]) -> Stream:
        """As the shell sees it."""
        port = StreamPort(
            self.name, direction, self.elements, self.bits, signed=self.signed, bipolar=self.bipolar
        )
        return Stream(port, self.size)


class Deployment(BaseModel):
    """An accelerator on a board.

    Attributes:
        target: the board.
        family: of its device.
        loader: what openFPGALoader calls it; "" where it does not know it.
        module: the accelerator's.
        clock_hz: its clock.
        baud: of the serial line.
        digest: of the accelerator.
        source, sink: its streams.
        steps: what is done for a frame, in order: nodes on the host, or None for the accelerator.
        alias: values that are views of others, as in `Design`.
        confined: the level at which tools on its sources are confined.
        bitstream: the file's name in the build; None where none was made.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    target: str
    family: str
    loader: str
    module: str
    clock_hz: int
    baud: int
    digest: str
    source: Port
    sink: Port
    steps: tuple[tuple[str, ...] | None, ...]
    alias: Mapping[str, str]
    confined: str
    bitstream: str | None = None

    @property
    def shell(self) -> Shell:
        """The shell around the accelerator."""
        return Shell(
            self.module, self.source.stream("in"), self.sink.stream("out"), self.clock_hz,
            self.baud, self.digest,
        )  # fmt: skip

    @property
    def design(self) -> Design:
        """The design, as far as running it needs it: partitions without instances."""
        inputs, outputs = (self.source.in_partition,), (self.sink.in_partition,)
        partition = Partition(self.module, (), (), inputs, outputs)
        steps = tuple(partition if step is None else HostStep(step) for step in self.steps)
        return Design(self.module, steps, self.alias)

    @property
    def level(self) -> Level:
        """The level at which tools on its sources are confined."""
        return Level[self.confined]

    def save(self, folder: Path) -> None:
        """Writes the record into a build."""
        write_atomic(folder / FILE, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, build: Path) -> Deployment:
        """The record in the folder of a build.

        Raises:
            ConfigurationError: there is none, or it cannot be read.
        """
        path = build / FILE
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise ConfigurationError(
                "no build for a board" if build.is_dir() else "there is no such build",
                where=str(build),
                hint="make one: brainsmith compile MODEL --target ulx3s-85f --output BUILD "
                "(`brainsmith targets` lists the boards)",
            ) from error
        except (OSError, ValidationError) as error:
            raise ConfigurationError(
                "the record of the board cannot be read", where=str(path), hint="compile again"
            ) from error


def check_board(design: Design, target: Target) -> None:
    """Whether a board can carry a design, before anything is built.

    Raises:
        ConfigurationError: it has several partitions, or several streams.
    """
    if target.board is None:
        return
    partitions = design.partitions
    if len(partitions) != 1:
        host = [node for step in design.steps if isinstance(step, HostStep) for node in step.nodes]
        raise ConfigurationError(
            f"{target.name} carries one accelerator, and the nodes on the host cut this design "
            f"into {len(partitions)}: {', '.join(host)}",
            where=design.name,
            hint="`brainsmith explain` says why they are on the host; without a board: "
            "--target ecp5-85k",
        )
    ports = len(partitions[0].inputs), len(partitions[0].outputs)
    if ports != (1, 1):
        raise ConfigurationError(
            f"{target.name} carries accelerators with one input and one output stream, this one "
            f"has {ports[0]} and {ports[1]}",
            where=design.name,
            hint="without a board: --target ecp5-85k",
        )


def deployment_of(
    design: Design, rtl: Rtl, target: Target, board: Board, clock_hz: int
) -> Deployment:
    """The record of a design on a board, without a bitstream."""
    partition = rtl.partition
    hdl = rtl.hdl
    return Deployment(
        target=target.name,
        family=target.family,
        loader=board.loader,
        module=partition.name,
        clock_hz=clock_hz,
        baud=board.rate(clock_hz),
        digest=digest_of(hdl),
        source=Port.of(partition.inputs[0]),
        sink=Port.of(partition.outputs[0]),
        steps=tuple(step.nodes if isinstance(step, HostStep) else None for step in design.steps),
        alias=dict(design.alias),
        confined=hdl.confined.name,
    )
