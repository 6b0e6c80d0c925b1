"""A netlist of Yosys (JSON) as flat Verilog that Verilator compiles quickly.

Yosys' own Verilog keeps names and vectors of the sources. Here a net is a bit called n123: vectors
that are driven bit by bit look like loops of logic, and names of 80 characters are most of the C++.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from brainsmith.errors import ToolError

_BITS = re.compile(r"[01xz]+")
# Yosys marks a text that looks like bits by a space at its end.
_TEXT_OF_BITS = re.compile(r"[01xz]* +")
_PER_LINE = 12


def flat_verilog(netlist: Path, module: str) -> str:
    """Verilog of a flat module: its ports under their names, a scalar per net, cells as instances.

    Args:
        netlist: as `write_json` of Yosys writes it.
        module: the name of the module.

    Raises:
        ToolError: the module is not in the netlist.
    """
    modules = json.loads(netlist.read_bytes())["modules"]
    if module not in modules:
        raise ToolError("there is no such module in the netlist", where=module)
    record = modules[module]
    cells = [cell for cell in record["cells"].values() if not cell["type"].startswith("$")]
    lines = [f"module {module} ({', '.join(record['ports'])});"]
    for name, port in record["ports"].items():
        lines.append(f"  {port['direction']} [{len(port['bits']) - 1}:0] {name};")
    lines += _wires(record["ports"], cells)
    lines += (_port(name, port) for name, port in record["ports"].items())
    lines += (_cell(index, cell) for index, cell in enumerate(cells))
    return "\n".join([*lines, "endmodule", ""])


def _wires(
    ports: Mapping[str, Mapping[str, Any]], cells: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Declarations of all nets."""
    used = {bit for port in ports.values() for bit in port["bits"]}
    used |= {bit for cell in cells for bits in cell["connections"].values() for bit in bits}
    names = [_net(bit) for bit in sorted(bit for bit in used if isinstance(bit, int))]
    for start in range(0, len(names), _PER_LINE):
        yield f"  wire {', '.join(names[start : start + _PER_LINE])};"


def _port(name: str, port: Mapping[str, Any]) -> str:
    if port["direction"] == "output":
        return f"  assign {name} = {_nets(port['bits'])};"
    return f"  assign {_nets(port['bits'])} = {name};"


def _cell(index: int, cell: Mapping[str, Any]) -> str:
    values = [f".{name}({_value(text)})" for name, text in cell["parameters"].items()]
    pins = [f".{name}({_nets(bits)})" for name, bits in cell["connections"].items()]
    parameters = f" #({', '.join(values)})" if values else ""
    return f"  {cell['type']}{parameters} c{index} ({', '.join(pins)});"


def _nets(bits: Sequence[int | str]) -> str:
    """Nets as one expression, the last one in the highest bit."""
    if len(bits) == 1:
        return _net(bits[0])
    return "{" + ", ".join(_net(bit) for bit in reversed(bits)) + "}"


def _net(bit: int | str) -> str:
    return f"n{bit}" if isinstance(bit, int) else f"1'b{bit}"


def _value(text: str) -> str:
    """A parameter as Verilog: bits, or a text."""
    if _BITS.fullmatch(text):
        unknown = "x" in text or "z" in text
        return f"{len(text)}'b{text}" if unknown else f"{len(text)}'h{int(text, 2):x}"
    plain = text[:-1] if _TEXT_OF_BITS.fullmatch(text) else text
    return json.dumps(plain)
