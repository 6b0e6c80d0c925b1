"""What `create-plugin` writes works at once; what it cannot write it refuses."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
import tomllib
from pathlib import Path

import pytest
import yaml

from brainsmith.errors import StorageError
from brainsmith.pdk import create as module
from brainsmith.pdk.answers import OPERATIONS, TYPES, Answers, checked
from brainsmith.pdk.create import create
from brainsmith.pdk.rendering import TEMPLATES, rendered
from brainsmith.plugins.checks import check_plugin
from brainsmith.plugins.sync import sync
from tests.pdk.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
KINDS = [("kernel", operation) for operation in OPERATIONS]
KINDS += [(type, "") for type in TYPES if type != "kernel"]


def answers(type: str = "kernel", operation: str = "add", **others: str) -> Answers:
    usual = {
        "name": "my-awesome-plugin", "author": 'Ada "A" L', "license": "MIT",
        "description": "Adds what it's given",
    }  # fmt: skip
    return checked(type=type, operation=operation, **{**usual, **others})


@pytest.mark.parametrize(("type", "operation"), KINDS)
def test_the_manifest_is_right(type: str, operation: str, tmp_path: Path) -> None:
    create(answers(type, operation), tmp_path / "new")
    assert not check_plugin(tmp_path / "new")
    assert sync(tmp_path / "new").agrees


def test_the_tree_is_that_of_the_specification(tmp_path: Path) -> None:
    found = set(create(answers(), tmp_path / "new"))
    assert {
        "brainsmith.yaml", "pyproject.toml", "docs/README.md", "examples/example_usage.py",
        "src/my_awesome_plugin/__init__.py", "src/my_awesome_plugin/kernel.py",
        "src/my_awesome_plugin/backends/rtl.py", "tests/test_kernel.py",
    } < found  # fmt: skip
    assert "src/my_awesome_plugin/hdl/my_awesome_plugin_lane.sv" in found


def test_every_template_belongs_to_a_type() -> None:
    used = set(TEMPLATES.joinpath("licenses").iterdir())
    for type, operation in KINDS:
        parts = ["common", *(["kernel/common", f"kernel/{operation}"] if operation else [type])]
        used |= {path for part in parts for path in (TEMPLATES / part).rglob("*") if path.is_file()}
    assert used == {path for path in TEMPLATES.rglob("*") if path.is_file()}


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
        (["--type", "target", "--operation", "mul"], "only kernels are asked for an operation"),
        (["--license", "Apache2"], "did you mean 'Apache-2.0'?"),
        (["--author", " "], "the author is empty"),
        (["--description", "two\nlines"], "the description is empty, or more than a line"),
        (["--description", "."], "the description is empty"),
        (["--description", "x" * 81], "the description has 81 characters"),
        (["--description", "漢" * 41], "the description has 82 characters (a wide one counts"),
        (["--description", 'the "best"'], "take single quotes"),
    ],
)
def test_an_answer_that_is_not_valid_is_refused(
    options: list[str], hint: str, brainsmith: Run, tmp_path: Path
) -> None:
    done = brainsmith("create-plugin", "mine", "--defaults", *options, expect=4)
    assert hint in done.stderr
    assert not (tmp_path / "mine").exists()


def test_a_name_of_git_s_that_is_no_text_is_left_alone(brainsmith: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_bytes(b"[user]\n\tname = J\xf6rg\n")
    brainsmith("create-plugin", "mine", "--defaults")
    manifest = yaml.safe_load((tmp_path / "mine" / "brainsmith.yaml").read_text())
    assert manifest["author"] and manifest["author"].isascii()


def test_a_folder_that_is_not_empty_stays_as_it_is(brainsmith: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("precious")
    done = brainsmith("create-plugin", "mine", "--defaults", expect=4)
    assert "the folder is not empty" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_taken_and_stays_the_same_one(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o700)
    before = (tmp_path / "mine").stat()
    files = create(answers(), tmp_path / "mine")
    after = (tmp_path / "mine").stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    found = {p.relative_to(tmp_path / "mine").as_posix() for p in files_of(tmp_path / "mine")}
    assert found == set(files)


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_folder_that_the_command_runs_in_can_be_filled(brainsmith: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    brainsmith("create-plugin", "mine", "--defaults", "--output", ".", cwd=tmp_path / "mine")
    assert (tmp_path / "mine" / "brainsmith.yaml").is_file()


@pytest.mark.parametrize("place", ["mine", "there/mine", "new/folders/mine"])
def test_a_full_disk_leaves_nothing(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there" / "mine").mkdir(parents=True)
    files = rendered(answers())
    # The last file is larger than the disk has room for: the kernel refuses the write.
    monkeypatch.setattr(module, "rendered", lambda given: {**files, "zz": b"x" * (1 << 20)})
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, hard))
    try:
        with pytest.raises(StorageError):
            create(answers(), tmp_path / place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.rglob("*")) == [tmp_path / "there", tmp_path / "there" / "mine"]


def test_the_command_tells_programs_what_it_made(brainsmith: Run, tmp_path: Path) -> None:
    done = brainsmith("create-plugin", "mine", "--type", "strategy", "--json")
    told = json.loads(done.stdout)
    assert told["success"] and told["plugin"] == "mine"
    made = {p.relative_to(tmp_path / "mine").as_posix() for p in (tmp_path / "mine").rglob("*")}
    assert set(told["files"]) <= made


ODD = [
    {"name": "xyq"},
    {"name": "a-rather-long-name-for-a-plugin-of-ours-1"},
    {"name": "a" * 36},
    {"name": "under_scored"},
    {"author": 'O\'Neil "X" Y', "description": "it's <b>50 %</b> & more: # 🙂."},
    {"author": "C:\\ada <ada@example.org>", "description": "{{ name }} {% raw %} 'quoted'"},
    {"author": ("ab " * 40)[:79] + "x", "description": ("ab " * 40)[:79] + "x"},
    {"author": "null", "description": " true. "},
    {"author": "Ада Лавлейс", "description": "Сложение 中文"},
    {"description": "Computes a \N{MULTIPLICATION SIGN} b \N{EN DASH} quickly"},
    {"author": "Ada\N{RIGHT SINGLE QUOTATION MARK}s team"},
    {"author": "漢" * 40, "description": "字" * 40},
    {"license": "MIT OR Apache-2.0"},
    {"license": "LicenseRef-Our-Own"},
]


@pytest.mark.parametrize("said", ODD, ids=str)
def test_whatever_is_answered_is_written_well(
    said: dict[str, str], run: Run, tmp_path: Path
) -> None:
    for type, operation in KINDS:
        folder = tmp_path / "new" / f"{type}{operation}"
        create(answers(type, operation, **said), folder)
        assert not [flaw for flaw in check_plugin(folder) if flaw.severity == "error"]
        manifest = yaml.safe_load((folder / "brainsmith.yaml").read_text())
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        for key in said:
            assert manifest[key] == said[key].strip().removesuffix(".")
        assert [{"name": manifest["author"]}] == project["authors"]
        assert manifest["description"] == project["description"]
    run(sys.executable, "-m", "ruff", "check", "--no-cache", ".", cwd=tmp_path / "new")
    run(sys.executable, "-m", "ruff", "format", "--check", "--no-cache", ".", cwd=tmp_path / "new")


@pytest.mark.parametrize(
    ("license", "begins"),
    [
        ("MIT", "MIT License\n\nCopyright (c) Ada\n\nPermission is hereby granted"),
        ("BSD-3-Clause", "BSD 3-Clause License\n\nCopyright (c) Ada\n\nRedistribution and use"),
        ("BSD-2-Clause", "BSD 2-Clause License\n\nCopyright (c) Ada\n\nRedistribution and use"),
        ("ISC", "Copyright (c) Ada\n\nSPDX-License-Identifier: ISC\n"),
    ],
)
def test_the_licence_lies_beside(license: str, begins: str) -> None:
    files = rendered(answers(license=license, author="Ada"))
    assert files["LICENSE"].decode().startswith(begins)


def test_the_usual_licence_is_there_in_full() -> None:
    files = rendered(answers(license="apache-2.0"))
    assert files["LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_what_is_written_depends_on_the_answers_alone(tmp_path: Path) -> None:
    for place in ("one", "two"):
        create(answers(), tmp_path / place)
    one, two = (
        {p.relative_to(tmp_path / place): p.read_bytes() for p in files_of(tmp_path / place)}
        for place in ("one", "two")
    )
    assert one == two
    assert not [name for name, data in one.items() if str(tmp_path).encode() in data]


def test_on_a_terminal_it_asks_for_what_it_was_not_told(tmp_path: Path) -> None:
    said = b"mull\nmul\nAda\nApache2\nMIT\n\n"  # two of them are no answers
    shown, status = on_a_terminal(["create-plugin", "mine"], said, tmp_path)
    assert status == 0, shown
    for text in (
        "Operation (matmul, thresholding",
        "did you mean 'mul'?",
        "did you mean 'Apache-2",
    ):
        assert text in shown
    kept = json.loads((tmp_path / "mine" / ".brainsmith" / "answers.json").read_text())
    assert kept == {
        "name": "mine", "type": "kernel", "operation": "mul", "author": "Ada", "license": "MIT",
        "description": "A kernel for mul",
    }  # fmt: skip


INTERRUPT = b"\x03"


def test_on_a_terminal_interrupting_leaves_nothing(tmp_path: Path) -> None:
    _, status = on_a_terminal(["create-plugin", "mine", "--type", "target"], INTERRUPT, tmp_path)
    assert status == 130
    assert list(tmp_path.iterdir()) == []


def on_a_terminal(arguments: list[str], said: bytes, cwd: Path) -> tuple[str, int]:
    """What the command shows where a person sits, and its exit code.

    An interrupt is said again until it is heard: one that comes just before Python begins to wait
    for a line is noticed when the line has come.
    """
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "brainsmith", *arguments]
    process = subprocess.Popen(
        command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while b": " not in shown:  # its first question
        shown += os.read(ours, 4096)
    os.write(ours, said)
    deadline = time.monotonic() + 120
    with contextlib.suppress(OSError):  # the terminal closes with the last process in it
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 1)[0]:
                shown += os.read(ours, 4096)
            elif said == INTERRUPT:
                os.write(ours, said)
    os.close(ours)
    try:
        return shown.decode(), process.wait(60)
    finally:
        process.kill()
