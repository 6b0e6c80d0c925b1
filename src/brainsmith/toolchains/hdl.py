"""Records of hardware descriptions: sources, modules with streams, memory images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from brainsmith.errors import ToolError
from brainsmith.sandbox.levels import Level

Value = int | str
_HEADERS = (".svh", ".vh")


@dataclass(frozen=True, slots=True)
class Source:
    """A SystemVerilog file. A name that ends in .svh or .vh is a header: included, not compiled.

    Attributes:
        confined: the level at which tools that read it are confined; L0, where it is ours, does not
            confine them. It is no part of what the text means.
    """

    name: str
    text: str
    confined: Level = field(default=Level.L0, compare=False)


@dataclass(frozen=True, slots=True)
class StreamPort:
    """An AXI4-Stream port of a module.

    Args:
        name: its wires are `s_axis_NAME_*` for an input and `m_axis_NAME_*` for an output.
        elements: elements per beat; element 0 lies in the lowest bits.
        bits: bits per element, 1 to 64.
        signed: two's complement.
        bipolar: one bit, of which 0 stands for -1 and 1 for +1.
    """

    name: str
    direction: Literal["in", "out"]
    elements: int
    bits: int
    signed: bool = False
    bipolar: bool = False

    @property
    def width(self) -> int:
        """Bits of tdata."""
        return self.elements * self.bits

    @property
    def prefix(self) -> str:
        return f"{'s' if self.direction == 'in' else 'm'}_axis_{self.name}"


@dataclass(frozen=True, slots=True)
class Monitor:
    """A stream inside a unit that a simulation watches: hierarchical names below the top."""

    name: str
    valid: str
    ready: str


@dataclass(frozen=True)
class Unit:
    """A module with its parameters and its streams, as one instance is driven.

    Args:
        name: unique in a simulation; no path.
        top: name of the module; ports `clk`, `rst_n` and those of the streams.
        parameters: integers, or strings passed as string literals.
        monitors: streams inside, for counting stalls.
    """

    name: str
    top: str
    parameters: Mapping[str, Value]
    ports: tuple[StreamPort, ...]
    monitors: tuple[Monitor, ...] = ()


@dataclass(frozen=True)
class Hdl:
    """Sources in order of compilation, and memory images by the names that parameters give."""

    sources: tuple[Source, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def confined(self) -> Level:
        """The level at which tools on these sources are confined."""
        return max((source.confined for source in self.sources), default=Level.L0)

    def merge(self, other: Hdl) -> Hdl:
        """Both, equal sources and files once.

        Raises:
            ToolError: two memory images of one name differ.
        """
        for name in self.files.keys() & other.files.keys():
            if self.files[name] != other.files[name]:
                raise ToolError("two memory images of one name differ", where=name)
        sources = dict.fromkeys((*self.sources, *other.sources))
        return Hdl(tuple(sources), {**self.files, **other.files})


def write_sources(sources: Iterable[Source], folder: Path) -> list[str]:
    """Writes the sources below `folder`; returns those to compile, in order, as relative paths.

    Two different sources of one name are kept apart.
    """
    written: dict[str, str] = {}
    names: list[str] = []
    for index, source in enumerate(sources):
        name = plain_name(source.name)
        if written.get(name) == source.text:
            continue
        if name in written:
            name = f"{index}/{name}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source.text)
        written[name] = source.text
        if not name.endswith(_HEADERS):
            names.append(name)
    return names


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Writes memory images into `folder`."""
    for name, data in files.items():
        (folder / plain_name(name)).write_bytes(data)


def plain_name(name: str) -> str:
    """`name` if it is a file name without a folder.

    Raises:
        ToolError: it is not.
    """
    if not name or PurePosixPath(name).name != name or "\\" in name:
        raise ToolError(
            f"'{name}' is not a plain file name", hint="sources and memory images have no folders"
        )
    return name


def literal(value: Value) -> str:
    """A parameter's value as SystemVerilog: a string literal or an integer of any size."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if -(1 << 31) <= value < 1 << 31:
        return str(int(value))
    bits = max(64, value.bit_length() + 1)
    if value < 0:
        return f"-{bits}'sh{-value:x}"
    return f"{bits}'h{value:x}"
