"""Runs the documentation: every ``python`` and ``console`` block of README.md and docs/.

The blocks of a page run in order, in one namespace and one working folder that holds `examples/`.
In a ``console`` block each line after ``$ `` is a command that must succeed; the lines below it are
its expected output, if there are any, where ``...`` stands for any text, as in doctest. A block
whose first line says ``python norun`` or ``console norun`` is only read.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from brainsmith import errors

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(python|console)[ \t]*(norun)?[ \t]*\n(.*?)^```", re.M | re.S)
TIMEOUT_S = 900


def blocks(page: Path) -> list[tuple[int, str, str]]:
    """(line, language, text) of each block of `page` that is to be run."""
    text = page.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, block.start()) + 2, block[1], block[3])
        for block in BLOCK.finditer(text)
        if not block[2]
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
    namespace: dict[str, object] = {"__name__": "__main__"}
    for line, language, text in blocks(page):
        where = f"{page.relative_to(ROOT)}:{line}"
        if language == "console":
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
