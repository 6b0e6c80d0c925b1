"""Runs the documentation: every ``python`` and ``console`` block of README.md and docs/.

The blocks of a page run in order, in one namespace and one working folder that holds `examples/`.
In a ``console`` block each line after ``$ `` is a command that must succeed; the lines below it are
its expected output, if there are any, where ``...`` stands for any text, as in doctest. A block
whose first line says ``python norun`` or ``console norun`` is only read. A block of any language
whose first line says ``file=PATH`` is written to that file of the working folder.
"""

from __future__ import annotations

import dataclasses
import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from brainsmith import errors

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"^```(?:(python|console)|\w+)[ \t]*(norun|file=\S+)?[ \t]*\n(.*?)^```", re.M | re.S
)
TIMEOUT_S = 900


def blocks(page: Path) -> list[tuple[int, str, str]]:
    """(line, language or ``file=PATH``, text) of each block of `page` that is to be run."""
    text = page.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, block.start()) + 2, block[2] or block[1], block[3])
        for block in BLOCK.finditer(text)
        if block[2] != "norun" and (block[2] or block[1])
    ]


def run_console(text: str, where: str, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for session in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, expected = session.partition("\n")
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, f"{where}: $ {command}\n{done.stdout}{done.stderr}"
        if expected.strip():
            same = doctest.OutputChecker().check_output(
                expected.strip() + "\n", done.stdout.strip() + "\n", doctest.ELLIPSIS
            )
            assert same, f"{where}: $ {command}\nexpected:\n{expected}\ngot:\n{done.stdout}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))  # what pages install
    namespace: dict[str, object] = {"__name__": "__main__"}
    for line, language, text in blocks(page):
        where = f"{page.relative_to(ROOT)}:{line}"
        if language.startswith("file="):
            path = tmp_path / language.removeprefix("file=")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif language == "console":
            run_console(text, where, tmp_path)
        else:
            exec(compile("\n" * (line - 1) + text, str(page), "exec"), namespace)


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_every_error_s_exit_code_is_documented() -> None:
    page = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    documented = {name: int(code) for code, name in re.findall(r"^\| (\d+) \| `(\w+)`", page, re.M)}
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.BrainsmithError)
    ]
    assert documented == {kind.__name__: kind.exit_code for kind in kinds}
    assert f"| {errors.INTERRUPTED_EXIT_CODE} |" in page


def _part(page: str, name: str) -> str:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return text.partition(f"<!-- {name} -->")[2].partition("<!-- end -->")[0]


def test_the_operators_that_are_followed_are_listed() -> None:
    from brainsmith.builtin.transforms.elementwise import ELEMENTWISE

    assert re.findall(r"`(\w+)`", _part("supported.md", "operators")) == sorted(ELEMENTWISE)


def test_every_option_of_a_compile_is_listed_with_its_default() -> None:
    from brainsmith import CompileOptions

    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", _part("library.md", "options"), re.M)
    defaults = dataclasses.asdict(CompileOptions())
    assert rows == [
        (n, json.dumps(v) if isinstance(v, str) else repr(v)) for n, v in defaults.items()
    ]


def test_every_parameter_of_a_built_in_kernel_is_listed_with_its_choices() -> None:
    from brainsmith import PluginRegistry

    text = (ROOT / "docs" / "kernels.md").read_text(encoding="utf-8")
    kernels = [c for c in PluginRegistry().components("kernels") if c.plugin.origin == "built-in"]
    wanted = {
        f"| `{kernel.name}` | `{name}` | `{param.default}` | "
        f"{', '.join(f'`{choice}`' for choice in param.choices)} | {param.description} |"
        for kernel in kernels
        for name, param in kernel.info.params.items()
    }
    assert set(re.findall(r"^\| `\w+` \| `\w+` \| `[^`]*` \| .*$", text, re.M)) == wanted


def test_the_sandbox_s_page_has_the_levels_the_limits_and_the_keys() -> None:
    from brainsmith.plugins.amounts import size_text
    from brainsmith.plugins.grants import LIMITS, Grant
    from brainsmith.sandbox import Level, SandboxPolicy

    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    for level in list(Level)[1:5]:
        assert f"| {level.name} | {level.title} |" in page
    policy = SandboxPolicy()
    for name in LIMITS:
        value = getattr(policy, name)
        shown = size_text(value) if isinstance(value, int) else f"{value:g} s"
        assert f"| `{name}` | {shown}" in page
    for field in dataclasses.fields(Grant):
        assert f"| `{field.name} = " in page
