"""Simulates a synthesized netlist: Verilator on the primitives that synthesis left.

A primitive's model is the one that Yosys brings along, or one of `primitives/`, where Yosys has a
black box only: block RAM and multipliers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from brainsmith.errors import ToolError
from brainsmith.toolchains import tools
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.families import family
from brainsmith.toolchains.flat import flat_verilog
from brainsmith.toolchains.hdl import Hdl, Source, Unit
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import Simulation
from brainsmith.toolchains.verilator import build_simulation
from brainsmith.toolchains.yosys import LinkedNetlist

_PRIMITIVES = Path(__file__).parent / "primitives"
_SHARED = ("byte_ram.sv", "ramb.sv")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_MODULE = re.compile(r"\bmodule\s+(\\?\S+?)\s*(?=[\s(#;]).*?\bendmodule\b", re.DOTALL)
_SPECIFY = re.compile(r"\bspecify\b.*?\bendspecify\b", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*`(?:[^\n]*\\\n)*[^\n]*\n", re.MULTILINE)
_INCLUDE = re.compile(r'^[ \t]*`include\s+"([^"]+)"[^\n]*$', re.MULTILINE)
_BEHAVIOUR = re.compile(r"\b(assign|always\w*|initial)\b")
_WORD = re.compile(r"[A-Za-z_]\w*")


def netlist_simulation(
    netlist: LinkedNetlist, unit: Unit, *, cache: BuildCache, log: BuildLog | None = None
) -> Simulation:
    """Compiles a netlist into a simulation that is driven as the unit it was made from.

    Args:
        netlist: a flat netlist, of `link` or `link_one`.
        unit: the unit with its streams. Ports of the netlist may be wider than these, as those of
            an accelerator are, which are padded to bytes.

    Returns:
        A simulation of one unit, called `unit.name`. A primitive in a configuration that its model
        does not cover fails an assertion of the simulation (VerificationError) or its build.

    Raises:
        ToolError: a tool is missing, there is no model of a primitive, or the build failed.
    """
    models = primitives(netlist.family, netlist.cells)
    flat = flat_verilog(netlist.json, netlist.module)
    sources = (models, Source("netlist.v", flat, netlist.confined))
    top = Unit(unit.name, netlist.module, {}, unit.ports)
    return build_simulation(Hdl(sources), [top], cache=cache, log=log)


def primitives(family_name: str, cells: Mapping[str, int]) -> Source:
    """The models of the primitives in `cells`, and of all that these instantiate.

    Raises:
        ToolError: there is no model of one of them.
    """
    share = tools.yosys_share(tools.yosys())
    own = [_PRIMITIVES / name for name in (*_SHARED, f"{family_name}.sv")]
    files = [share / name for name in family(family_name).models]
    library = _library(tuple(path for path in own if path.exists()), tuple(files))
    wanted, used = [cell for cell in cells if not cell.startswith("$")], dict[str, str]()
    while wanted:
        name = wanted.pop()
        if name in used:
            continue
        if name not in library.modules:
            raise ToolError(
                f"there is no simulation model of the primitive {name}",
                where=family_name,
                hint="leave the simulation of the netlist out",
            )
        used[name] = library.modules[name]
        wanted += sorted(set(_WORD.findall(used[name])) & library.modules.keys())
    text = "\n".join([*library.directives, *(used[name] for name in sorted(used)), ""])
    return Source(f"primitives_{family_name}.sv", text)


@dataclass(frozen=True)
class _Library:
    """Modules that have a behaviour, by name, and the directives of their files."""

    modules: Mapping[str, str]
    directives: tuple[str, ...]


@lru_cache(maxsize=8)
def _library(own: tuple[Path, ...], files: tuple[Path, ...]) -> _Library:
    """The modules of all files; where two have one name, that of `own` counts."""
    modules: dict[str, str] = {}
    directives: list[str] = []
    for path in (*files, *own):
        text = _SPECIFY.sub("", _COMMENT.sub("", "".join(_expand(path, set()))))
        for match in _MODULE.finditer(text):
            modules[match[1]] = match[0]
        directives += _DIRECTIVE.findall(_MODULE.sub("", text))
    behave = {name: text for name, text in modules.items() if _behaves(text, modules)}
    return _Library(behave, tuple(directive.rstrip("\n") for directive in directives))


def _behaves(text: str, modules: Mapping[str, str]) -> bool:
    """Whether a module is more than the ports of a black box."""
    words = _WORD.findall(text)
    return bool(_BEHAVIOUR.search(text)) or any(word in modules for word in words[2:])


def _expand(path: Path, seen: set[Path]) -> Iterator[str]:
    """The text of a file with its includes, each once."""
    seen.add(path)
    text, start = path.read_text(), 0
    for match in _INCLUDE.finditer(text):
        yield text[start : match.start()]
        start = match.end()
        if path.parent / match[1] not in seen:
            yield from _expand(path.parent / match[1], seen)
    yield text[start:]
