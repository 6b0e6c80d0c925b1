"""Linters: ruff for Python; what the compiler refuses and Verilator warns of for SystemVerilog."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from brainsmith.errors import BrainsmithError, PluginError, ToolError
from brainsmith.pdk.develop.verdict import Check, Finding
from brainsmith.plugins.packing import package_files
from brainsmith.sandbox.levels import Level
from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check import check_sources
from brainsmith.toolchains.lint import lint

HDL = (".sv", ".v", ".svh", ".vh")
_TIMEOUT = 60.0


def check_python(folder: Path) -> Check:
    """Ruff, with the plugin's own settings."""
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "json", "."]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    if "No module named ruff" in done.stderr:
        return Check("python", "skipped", "ruff is not installed")
    try:
        said = json.loads(done.stdout)
    except ValueError:
        what = done.stderr.strip() or "ruff gave no answer"
        return Check("python", "failed", "ruff failed", (Finding(what),), ToolError.exit_code)
    findings = [
        Finding.at(
            f"{one['code'] or 'syntax'}: {one['message']}",
            _relative(one["filename"], folder), one["location"]["row"],
        )
        for one in said
    ]  # fmt: skip
    return _check("python", findings, "lint clean")


def check_hdl(folder: Path) -> Check:
    """The plugin's SystemVerilog, each folder of it as one design."""
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in package_files(folder).values():
        if path.suffix in HDL:
            by_folder[path.parent].append(path)
    if not by_folder:
        return Check("hdl", "skipped", "no SystemVerilog")
    findings = [found for paths in by_folder.values() for found in _lint(sorted(paths), folder)]
    return _check("hdl", findings, "lint clean")


def _lint(paths: list[Path], folder: Path) -> Iterable[Finding]:
    places = {path.name: path.relative_to(folder).as_posix() for path in paths}
    try:
        sources = [Source(path.name, path.read_text(), confined=Level.L3) for path in paths]
        check_sources(sources)
        for remark in lint(sources):
            rule = f"{remark.rule}: " if remark.rule else ""
            yield Finding.at(rule + remark.what, str(folder / places[remark.file]), remark.line)
    except UnicodeDecodeError as error:
        yield Finding(f"a source is no text: {error}", str(paths[0].parent))
    except BrainsmithError as error:
        yield Finding(error.what, error.where or "", error.hint or "")


def _check(name: str, findings: list[Finding], fine: str) -> Check:
    if findings:
        summary = f"{len(findings)} remarks" if len(findings) > 1 else "1 remark"
        return Check(name, "failed", summary, tuple(findings), PluginError.exit_code)
    return Check(name, "passed", fine)


def _relative(file: str, folder: Path) -> str:
    path = Path(file)
    return str(path if path.is_absolute() else folder / path)
