"""The module around the units of a simulation, with all their streams in a few wide ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brainsmith.errors import ToolError
from brainsmith.toolchains.hdl import Monitor, StreamPort, Unit, literal
from brainsmith.toolchains.packing import words_per_beat

TOP = "brainsmith_bench"
# Verilator keeps a port of more than 64 bits as an array of words, whatever its width.
_LEAST_WORDS = 3


@dataclass(frozen=True)
class Layout:
    """Which stream lies where in the wide ports: the order of sources, sinks and monitors."""

    sources: tuple[tuple[Unit, StreamPort], ...]
    sinks: tuple[tuple[Unit, StreamPort], ...]
    monitors: tuple[tuple[Unit, Monitor], ...]

    @classmethod
    def of(cls, units: Sequence[Unit]) -> Layout:
        """The layout for `units`; raises ToolError for units that cannot be driven together."""
        names = [unit.name for unit in units]
        if not units or len(set(names)) < len(names):
            raise ToolError("a simulation needs units with different names", where=", ".join(names))
        for unit in units:
            _check(unit)
        ports = [(unit, port) for unit in units for port in unit.ports]
        return cls(
            tuple(pair for pair in ports if pair[1].direction == "in"),
            tuple(pair for pair in ports if pair[1].direction == "out"),
            tuple((unit, monitor) for unit in units for monitor in unit.monitors),
        )


def _check(unit: Unit) -> None:
    if {port.direction for port in unit.ports} != {"in", "out"}:
        raise ToolError("a unit needs an input and an output stream", where=unit.name)
    for port in unit.ports:
        if port.elements < 1 or not 1 <= port.bits <= 64:
            raise ToolError(
                f"{port.elements} elements of {port.bits} bits per beat",
                where=f"{unit.name}.{port.name}",
                hint="at least one element of 1 to 64 bits",
            )


def wrapper(units: Sequence[Unit], layout: Layout) -> str:
    """SystemVerilog of the module `TOP` that holds the units."""
    ports = [
        _port("input", "in_data", _words(layout.sources)),
        _port("input", "in_valid", len(layout.sources)),
        _port("output", "in_ready", len(layout.sources)),
        _port("output", "out_data", _words(layout.sinks)),
        _port("output", "out_valid", len(layout.sinks)),
        _port("input", "out_ready", len(layout.sinks)),
        _port("output", "monitor_valid", len(layout.monitors)),
        _port("output", "monitor_ready", len(layout.monitors)),
    ]
    wires = _wires("in", layout.sources) | _wires("out", layout.sinks)
    lines = [
        f"module {TOP} (",
        "  input logic clk,",
        "  input logic rst_n,",
        ",\n".join(ports),
        ");",
    ]
    for index, unit in enumerate(units):
        lines += _instance(index, unit, wires)
    for index, (unit, monitor) in enumerate(layout.monitors):
        instance = f"u{units.index(unit)}"
        lines.append(f"  assign monitor_valid[{32 * index}] = {instance}.{monitor.valid};")
        lines.append(f"  assign monitor_ready[{32 * index}] = {instance}.{monitor.ready};")
    lines.append("endmodule\n")
    return "\n".join(lines)


def _words(streams: Sequence[tuple[Unit, StreamPort]]) -> int:
    return sum(words_per_beat(port) for _, port in streams)


def _port(direction: str, name: str, words: int) -> str:
    return f"  {direction} logic [{32 * max(words, _LEAST_WORDS) - 1}:0] {name}"


def _wires(side: str, streams: Sequence[tuple[Unit, StreamPort]]) -> dict[tuple[str, str], str]:
    """The connections of each port, by unit and port."""
    wires: dict[tuple[str, str], str] = {}
    offset = 0
    for index, (unit, port) in enumerate(streams):
        wires[unit.name, port.name] = ", ".join(
            (
                f".{port.prefix}_tdata({side}_data[{offset} +: {port.width}])",
                f".{port.prefix}_tvalid({side}_valid[{32 * index}])",
                f".{port.prefix}_tready({side}_ready[{32 * index}])",
            )
        )
        offset += 32 * words_per_beat(port)
    return wires


def _instance(index: int, unit: Unit, wires: dict[tuple[str, str], str]) -> Iterator[str]:
    values = ", ".join(f".{name}({literal(value)})" for name, value in unit.parameters.items())
    connections = [".clk(clk)", ".rst_n(rst_n)"]
    connections += [wires[unit.name, port.name] for port in unit.ports]
    yield f"  {unit.top} #({values}) u{index} (" if values else f"  {unit.top} u{index} ("
    yield "    " + ",\n    ".join(connections)
    yield "  );"
