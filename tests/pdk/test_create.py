"""What `create-plugin` writes works at once; what it cannot write it refuses."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from brainsmith.errors import ConfigurationError, StorageError
from brainsmith.pdk import create as module
from brainsmith.pdk.answers import OPERATIONS, TYPES, Answers, check_name, checked
from brainsmith.pdk.create import create
from brainsmith.pdk.rendering import TEMPLATES, rendered
from brainsmith.plugins.checks import check_plugin
from brainsmith.plugins.sync import sync
from tests.pdk.conftest import Run

KINDS = [("kernel", operation) for operation in OPERATIONS]
KINDS += [(type, "") for type in TYPES if type != "kernel"]


def answers(type: str = "kernel", operation: str = "add", **others: str) -> Answers:
    usual = {
        "name": "my-awesome-plugin", "author": 'Ada "A" L', "license": "MIT",
        "description": "Adds what it's given",
    }  # fmt: skip
    return checked(type=type, operation=operation, **{**usual, **others})


@pytest.mark.slow
@pytest.mark.parametrize(("type", "operation"), KINDS)
def test_what_is_written_works_at_once(type: str, operation: str, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "my-awesome-plugin"
    create(answers(type, operation), folder)
    assert not [flaw for flaw in check_plugin(folder) if flaw.severity == "error"]
    assert sync(folder).agrees
    python = sys.executable
    run(python, "-m", "ruff", "check", "--no-cache", ".", cwd=folder)
    run(python, "-m", "ruff", "format", "--check", "--no-cache", ".", cwd=folder)
    run(python, "-m", "mypy", "--cache-dir", str(tmp_path / "mypy"), cwd=folder)
    tests = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder).stdout
    assert re.search(r"^[12] passed", tests, re.M), tests
    assert run(python, "examples/example_usage.py", cwd=folder).stdout


def test_the_tree_is_that_of_the_specification(tmp_path: Path) -> None:
    found = set(create(answers(), tmp_path / "new"))
    assert {
        "brainsmith.yaml", "pyproject.toml", "docs/README.md", "examples/example_usage.py",
        "src/my_awesome_plugin/__init__.py", "src/my_awesome_plugin/kernel.py",
        "src/my_awesome_plugin/backends/rtl.py", "tests/test_kernel.py",
    } < found  # fmt: skip
    assert "src/my_awesome_plugin/hdl/my_awesome_plugin_lane.sv" in found


def test_every_template_belongs_to_a_type() -> None:
    used = set()
    for type, operation in KINDS:
        parts = ["common", *(["kernel/common", f"kernel/{operation}"] if operation else [type])]
        used |= {path for part in parts for path in (TEMPLATES / part).rglob("*") if path.is_file()}
    assert used == {path for path in TEMPLATES.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("json", "reserved"), ("brainsmith", "reserved"), ("tests", "reserved"),
        ("1st-kernel", "can be no plugin's name"), ("My-Kernel", "can be no plugin's name"),
        ("class", "can be no plugin's name"), ("a/b", "can be no plugin's name"),
        ("", "can be no plugin's name"), ("-x", "can be no plugin's name"),
        ("kérnel", "can be no plugin's name"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused(name: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        check_name(name)


def test_a_name_that_is_taken_is_refused(brainsmith: Run, tmp_path: Path) -> None:
    done = brainsmith("create-plugin", "numpy", "--defaults", expect=4)
    assert "a Python package called 'numpy' is installed" in done.stderr
    brainsmith("create-plugin", "mine", "--defaults", "--output", "brainsmith_plugins/mine")
    done = brainsmith("create-plugin", "mine", "--defaults", "--output", "elsewhere", expect=4)
    assert "there is a plugin called 'mine'" in done.stderr
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--type", "kernl"], "did you mean 'kernel'?"),
        (["--operation", "matmull"], "did you mean 'matmul'?"),
        (["--license", "Apache2"], "did you mean 'Apache-2.0'?"),
        (["--author", " "], "the author is empty"),
        (["--description", "two\nlines"], "the description is empty, or more than a line"),
    ],
)
def test_an_answer_that_is_not_valid_is_refused(
    options: list[str], hint: str, brainsmith: Run, tmp_path: Path
) -> None:
    done = brainsmith("create-plugin", "mine", "--defaults", *options, expect=4)
    assert hint in done.stderr
    assert not (tmp_path / "mine").exists()


def test_a_folder_that_is_not_empty_stays_as_it_is(brainsmith: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("precious")
    done = brainsmith("create-plugin", "mine", "--defaults", expect=4)
    assert "the folder is not empty" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    create(answers(), tmp_path / "mine")
    assert (tmp_path / "mine" / "brainsmith.yaml").is_file()


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = rendered(answers())
    # The last file is larger than the disk has room for: the kernel refuses the write.
    monkeypatch.setattr(module, "rendered", lambda given: {**files, "zz": b"x" * (1 << 20)})
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, hard))
    try:
        with pytest.raises(StorageError):
            create(answers(), tmp_path / "mine")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_the_command_tells_programs_what_it_made(brainsmith: Run, tmp_path: Path) -> None:
    done = brainsmith("create-plugin", "mine", "--type", "strategy", "--json")
    told = json.loads(done.stdout)
    assert told["success"] and told["plugin"] == "mine"
    made = {p.relative_to(tmp_path / "mine").as_posix() for p in (tmp_path / "mine").rglob("*")}
    assert set(told["files"]) <= made


@pytest.mark.parametrize("name", ["xyq", "a-rather-long-name-for-a-plugin-of-ours-1"])
@pytest.mark.parametrize(("type", "operation"), KINDS)
def test_names_of_any_length_are_written_well(
    name: str, type: str, operation: str, run: Run, tmp_path: Path
) -> None:
    create(answers(type, operation, name=name), tmp_path / "new")
    run(sys.executable, "-m", "ruff", "check", "--no-cache", ".", cwd=tmp_path / "new")
    run(sys.executable, "-m", "ruff", "format", "--check", "--no-cache", ".", cwd=tmp_path / "new")
