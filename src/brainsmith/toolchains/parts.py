"""Parts: modules with their parameters, each synthesized as a module of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from brainsmith.toolchains.cache import canonical_json, digest
from brainsmith.toolchains.hdl import Hdl, StreamPort, Unit, Value, literal


@dataclass(frozen=True)
class Part:
    """A module with its parameters, to be synthesized as a module of its own."""

    hdl: Hdl
    unit: Unit

    @cached_property
    def module(self) -> str:
        """The name of the module in the netlist: the same for parts that are the same."""
        content = {
            "sources": [(source.name, digest(source.text)) for source in self.hdl.sources],
            "files": sorted(digest(data) for data in self.hdl.files.values()),
            "top": self.unit.top,
            "parameters": {name: self._value(value) for name, value in self._sorted()},
            "ports": [(p.name, p.direction, p.width) for p in self.unit.ports],
        }
        return f"{_identifier(self.unit.top)}_{digest(canonical_json(content))[:12]}"

    @property
    def files(self) -> dict[str, bytes]:
        """Memory images under names of their content, as parts of one call lie in one folder."""
        return {_image(data): data for data in self.hdl.files.values()}

    def wrapper(self) -> str:
        """SystemVerilog of the module that holds the instance."""
        values = [f".{name}({literal(self._value(value))})" for name, value in self._sorted()]
        parameters = f" #({', '.join(values)})" if values else ""
        return (
            f"module {self.module} (\n{declarations(self.unit.ports)}\n);\n"
            f"  {self.unit.top}{parameters} i (.*);\nendmodule\n"
        )

    def _sorted(self) -> list[tuple[str, Value]]:
        return sorted(self.unit.parameters.items())

    def _value(self, value: Value) -> Value:
        if isinstance(value, str) and value in self.hdl.files:
            return _image(self.hdl.files[value])
        return value


def declarations(ports: Sequence[StreamPort]) -> str:
    """The port list of a module with the wire contract of a kernel."""
    lines = ["  input  logic clk", "  input  logic rst_n"]
    for port in ports:
        forth, back = ("input ", "output") if port.direction == "in" else ("output", "input ")
        lines += [
            f"  {forth} logic [{port.width - 1}:0] {port.prefix}_tdata",
            f"  {forth} logic {port.prefix}_tvalid",
            f"  {back} logic {port.prefix}_tready",
        ]
    return ",\n".join(lines)


def stub(module: str, unit: Unit) -> str:
    """A module with the ports of `unit` and no contents, for a top that instantiates it."""
    return f"(* blackbox *)\nmodule {module} (\n{declarations(unit.ports)}\n);\nendmodule\n"


def group_module(group: Sequence[Part]) -> str:
    """Verilog of the module `group`: the parts side by side, all their ports as its own."""
    header: list[str] = []
    body: list[str] = []
    for index, part in enumerate(group):
        names = []
        for line in declarations(part.unit.ports).replace("logic ", "").split(",\n"):
            name = line.split()[-1]
            header.append(line[: -len(name)] + f"p{index}_{name}")
            names.append(f".{name}(p{index}_{name})")
        body.append(f"  {part.module} p{index} ({', '.join(names)});")
    return "module group (\n" + ",\n".join(header) + "\n);\n" + "\n".join(body) + "\nendmodule\n"


def weight(part: Part) -> int:
    """A rough measure of the work that a part makes: its wires and its memories."""
    wires = sum(port.width for port in part.unit.ports)
    return 50 + wires + sum(map(len, part.hdl.files.values())) // 8


def _image(data: bytes) -> str:
    return f"{digest(data)[:16]}.hex"


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)
