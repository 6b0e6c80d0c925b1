"""Verilator's warnings about sources, without a simulation of them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brainsmith.sandbox.levels import Level
from brainsmith.storage import storage_errors
from brainsmith.toolchains import tools
from brainsmith.toolchains.confined import Confined
from brainsmith.toolchains.hdl import Source, write_sources
from brainsmith.toolchains.hdl_check import declared_names
from brainsmith.toolchains.process import run

_MESSAGE = re.compile(r"%(Warning|Error)(?:-(\w+))?: src/([^:]+):(\d+):(?:\d+:)? (.*)")
# A file is called after its first module only; widths of parameters are 32 bits for a reason.
_OFF = ("-Wno-DECLFILENAME", "-Wno-UNUSEDPARAM", "-Wno-MULTITOP")
_TIMEOUT = 60.0


@dataclass(frozen=True)
class Remark:
    """Something that Verilator says of a source.

    Attributes:
        file: the source's name.
        line: from 1.
        rule: the warning's name, such as WIDTHTRUNC; "" for an error.
        what: in its words.
    """

    file: str
    line: int
    rule: str
    what: str


def lint(sources: Sequence[Source]) -> list[Remark]:
    """Everything that Verilator remarks, each module with the defaults of its parameters.

    Args:
        sources: in an order of compilation; those whose modules no other uses are the tops.

    Raises:
        ToolError: Verilator is missing, or failed without a word on a source.
        PluginSecurityError: it cannot be confined as the sources must be.
    """
    level = max((source.confined for source in sources), default=Level.L0)
    remarks: dict[Remark, None] = {}
    with storage_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory() as folder:
        names = write_sources(sources, Path(folder, "src"))
        tool = tools.verilator()
        how = Confined(level, Path(folder), (Path(tool.env["VERILATOR_ROOT"]),))
        for top in _tops(sources):
            arguments = ["--lint-only", "-Wall", *_OFF, "--top-module", top, "-Isrc"]
            arguments += [f"src/{name}" for name in names]
            status, output = run(
                tool, arguments, purpose=f"lint {top}", cwd=Path(folder), confined=how,
                timeout=_TIMEOUT, check=False,
            )  # fmt: skip
            found = [_remark(match) for match in _MESSAGE.finditer(output)]
            if status and not found:
                found = [Remark(sources[0].name, 1, "", output.strip().partition("\n")[0])]
            remarks.update(dict.fromkeys(found))
    return list(remarks)


def _tops(sources: Sequence[Source]) -> list[str]:
    """Modules that no other source names."""
    declared = {name: source for source in sources for name in declared_names(source)}
    return [
        name
        for name, own in declared.items()
        if re.search(rf"\bmodule\s+{name}\b", own.text)
        and not any(re.search(rf"\b{name}\b", other.text) for other in sources if other is not own)
    ]


def _remark(match: re.Match[str]) -> Remark:
    kind, rule, file, line, what = match.groups()
    return Remark(file, int(line), (rule or "") if kind == "Warning" else "", what)
