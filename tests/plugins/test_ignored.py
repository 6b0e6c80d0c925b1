"""What git ignores, compared with git itself."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from brainsmith.errors import ConfigurationError
from brainsmith.plugins.ignored import Ignored
from tests.plugins.folders import as_another_user

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")
# One list a line, its patterns separated by spaces.
LISTS = """\
* !*/ !*.py
/* !/src/ !brainsmith.yaml
data/** !data/**/ !data/**/*.py
** !**/ !*.py
lib/ !/lib/
*.py !src/**/*.py
[Bb]uild/ !build/k.py
vendor/* !vendor/keep/
**/cache a/**/b a/** /** **/ a/**/ **/a/ ***/b
[!a] [^a] []a] [a-] [a [z-a] [[:digit:]] [[:punct:]] [[:nothing:]] [\\]] ? é
\\#x \\!x x\\y a\\ ! / // !! !/ a//b \\"""
NAMES = (
    "brainsmith.yaml", "src/m/k.py", "src/m/hdl/k.sv", "data/x/y.py", "data/k.bin", ".env",
    "vendor/a/b.py", "vendor/keep/c.py", "lib/lib/x", "build/k.py", "a", "b", "5", "[a", "]", "[]",
    "cache/x", "d/cache/x", "d/a", "d/b/a", "f/a/b", "f/a/c/b", "é", "#x", "!x", "xy", "!", "-",
)  # fmt: skip


class Repository:
    """A repository with some files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q")

    def git(self, *arguments: str, given: str = "") -> str:
        command = ["git", "-c", "core.excludesFile=/dev/null", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, input=given, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    def ignored(self, names: Iterable[str]) -> set[str]:
        given = "\0".join(names)
        found = self.git("check-ignore", "--no-index", "-z", "--stdin", given=given)
        return set(found.split("\0")) - {""}


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


def held(folder: Path, names: Iterable[str]) -> set[str]:
    ignored = Ignored(folder)
    return {name for name in names if ignored.holds(name)}


@needs_git
@pytest.mark.parametrize("line", LISTS.splitlines())
def test_git_reads_a_list_in_the_same_way(line: str, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    write(repository.folder, dict.fromkeys(NAMES, ""))
    lists = [line.split(), *([pattern] for pattern in line.split())]
    for patterns in lists:
        write(repository.folder, {".gitignore": "\n".join(patterns) + "\n"})
        assert held(repository.folder, NAMES) == repository.ignored(NAMES), patterns


@needs_git
def test_git_reads_lines_in_the_same_way(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    names = ("a", "b", "c ", "d", "e", "#f", "# f", "\ufeffa", "g\\", "a/b", "h\x0bi", "i")
    for text in (
        "a", "\ufeffa\nb", "a\r\nb\r\n", "c\\ \n", "d  \n", "#f\n\\#f\n", "\n\n b\n", "g\\\\\n",
        "h\x0bi\n", "c\\  \n", "a/\r\n", "   \n", "b\n!b",
    ):  # fmt: skip
        write(repository.folder, {".gitignore": text})
        assert held(repository.folder, names) == repository.ignored(names), repr(text)


@needs_git
@pytest.mark.parametrize("seed", range(40))
def test_git_agrees_on_lists_at_random(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    repository = Repository(tmp_path / "r")
    parts = ("a", "b", "c", "ab", ".h", "x.y", "cb")
    files = set()
    for _ in range(30):
        name = "/".join(rng.choice(parts) for _ in range(rng.randint(1, 4)))
        path = repository.folder / name
        if not any(parent.is_file() for parent in path.parents) and not path.exists():
            write(repository.folder, {name: ""})
            files.add(name)
    folders = ["", *sorted({f"{name.rpartition('/')[0]}/" for name in files if "/" in name})]
    for place in ("", rng.choice(folders), rng.choice(folders)):
        patterns = [at_random(rng) for _ in range(rng.randint(1, 4))]
        write(repository.folder, {f"{place}.gitignore": "\n".join(patterns) + "\n"})
    assert held(repository.folder, files) == repository.ignored(files)


def at_random(rng: random.Random) -> str:
    atoms = ("a", "b", "c", "*", "**", "?", "a*", "*b", "[ab]", ".h", "x.y", "*.y", "[!a]")
    pattern = "/".join(rng.choice(atoms) for _ in range(rng.randint(1, 3)))
    before = "!" * (rng.random() < 0.35) + "/" * (rng.random() < 0.3)
    return before + pattern + "/" * (rng.random() < 0.3)


@needs_git
def test_a_further_working_tree_has_the_repository_s_own_list(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.git("-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q",
                   "--allow-empty", "-m", "x")  # fmt: skip
    repository.git("worktree", "add", "-q", str(tmp_path / "tree"))
    (repository.folder / ".git/info/exclude").write_text("private\n")
    assert (tmp_path / "tree/.git").is_file()
    for folder in (repository.folder, tmp_path / "tree"):
        assert held(folder, ("private", "public")) == {"private"}


def test_lists_above_count_up_to_the_repository_s_top(tmp_path: Path) -> None:
    write(tmp_path, {
        ".gitignore": "*\n", "top/.git/HEAD": "", "top/.gitignore": "*.log\n/plugins/x\n",
        "top/plugins/mine/.gitignore": "!keep.log\n",
    })  # fmt: skip
    names = ("a.log", "keep.log", "x", "y")
    assert held(tmp_path / "top/plugins/mine", names) == {"a.log"}


def test_a_repository_that_ignores_the_folder_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, {
        ".git/HEAD": "", ".gitignore": "plugins/\n*.log\n", "plugins/mine/.gitignore": "x\n",
    })  # fmt: skip
    assert held(tmp_path / "plugins/mine", ("a.log", "x", "y")) == {"x"}


def test_a_list_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").mkdir()  # as git, which warns
    assert held(tmp_path, ("x",)) == set()
    (tmp_path / ".gitignore").rmdir()
    (tmp_path / ".gitignore").write_text("x\n")
    (tmp_path / ".gitignore").chmod(0)

    def told() -> str:
        try:
            Ignored(tmp_path).holds("x")
        except ConfigurationError as error:
            return str(error)
        return "nothing"

    assert "cannot read what git ignores" in as_another_user(told, tmp_path)
    assert os.fspath(tmp_path) in as_another_user(told, tmp_path)
