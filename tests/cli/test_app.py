"""Help, version, usage errors: what comes before any command runs."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brainsmith import errors
from brainsmith.cli.errors import EXIT_CODES

if TYPE_CHECKING:
    from conftest import Brainsmith

DOCS = Path(__file__).parent.parent.parent / "docs" / "cli.md"


def test_help_lists_commands_and_exit_codes(brainsmith: Brainsmith) -> None:
    ran = brainsmith("--help")
    assert ran.code == 0
    for command in ("compile", "explain", "targets", "doctor", "plugins", "search", "info"):
        assert re.search(rf"^  {command}  ", ran.out, re.M)
    assert "130  interrupted" in ran.out
    assert "...\n" not in ran.out.partition("Commands:")[2]


def test_every_exit_code_is_in_the_help() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.BrainsmithError)}
    documented = {int(code) for code in re.findall(r"^  (\d+) ", EXIT_CODES, re.M)}
    assert documented == codes | {0, 2, errors.INTERRUPTED_EXIT_CODE, 128 + signal.SIGTERM}


@pytest.mark.parametrize(
    "command",
    [
        "compile",
        "explain",
        "targets",
        "doctor",
        "plugins",
        "search",
        "info",
        "install",
        "uninstall",
        "lock",
        "verify",
    ],
)
def test_every_option_is_documented(brainsmith: Brainsmith, command: str) -> None:
    ran = brainsmith(command, "--help")
    assert ran.code == 0
    page = DOCS.read_text(encoding="utf-8")
    for option in set(re.findall(r"--[a-z][a-z-]+", ran.out)) - {"--help"}:
        assert f"`{option}" in page or f" {option}" in page, option


def test_help_loads_neither_the_compiler_nor_heavy_packages() -> None:
    code = (
        "import sys; from brainsmith.cli import run; run(['--help']);"
        "heavy = {'numpy', 'onnx', 'qonnx', 'onnxruntime', 'pydantic', 'rich', 'jinja2', 'yaml',"
        " 'brainsmith.compiler', 'brainsmith.report', 'brainsmith.api'};"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_loads_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import brainsmith;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "sys.exit(', '.join(sorted(new - {'brainsmith', *sys.stdlib_module_names})) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_version(brainsmith: Brainsmith) -> None:
    ran = brainsmith("--version")
    assert ran.code == 0
    assert re.fullmatch(r"brainsmith \S+\n", ran.out)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["compile", "m.onnx", "--tarket", "x"], "--target"),
        (["compil"], "compil"),
        (["compile", "m.onnx", "--shape", "x=1,a"], "NAME=1,784"),
        (["compile", "m.onnx", "--shape", "1,784"], "NAME=1,784"),
        (["compile", "m.onnx", "--shape", "x=1,0"], "NAME=1,784"),
    ],
)
def test_usage_errors_name_what_is_wrong(
    brainsmith: Brainsmith, arguments: list[str], named: str
) -> None:
    ran = brainsmith(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert named in ran.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--clock-mhz", "-5"], "--clock-mhz"),
        (["--target-fps", "nan"], "--target-fps"),
        (["--verify-output", "y.npy"], "--verify-input"),
        (["--no-verify", "--verify-input", "x.npy"], "--no-verify"),
        (["--verify", "layers", "--no-verify"], "--no-verify"),
        (["--no-synthesize", "--place"], "--no-synthesize"),
    ],
)
def test_options_that_do_not_fit_are_told_before_the_model_is_read(
    brainsmith: Brainsmith, arguments: list[str], named: str
) -> None:
    ran = brainsmith("compile", "missing.onnx", *arguments)
    assert ran.code == errors.ConfigurationError.exit_code
    assert named in ran.err


def test_a_usage_error_is_json_too_where_json_is_asked_for(brainsmith: Brainsmith) -> None:
    ran = brainsmith("compile", "--json", "--no-such-option")
    assert ran.code == 2
    assert ran.json["success"] is False
    assert ran.json["error"]["kind"] == "UsageError"
    assert "--no-such-option" in ran.json["error"]["what"]
