"""Landlock lets a process reach what it was given, and nothing else."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brainsmith.sandbox import landlock
from brainsmith.sandbox.confinement import Confinement
from tests.sandbox.conftest import Forker

# Tests of single arms take Landlock alone: the filter denies some of the same. What the rule of
# the filters would deny is freed.
FREED = (
    *("processes", "exec", "network", "signals", "file-changes", "kernel", "terminal"),
    *("own-filters", "introspection"),
)
pytestmark = pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")
needs = pytest.mark.skipif


def confined(**given: Any) -> Confinement:
    return Confinement(level=3, profile="call", file_size=1 << 20, without=FREED, **given)


@pytest.fixture
def tree(open_path: Path) -> Path:
    """Folders `granted` and `private` with a file each that all may change."""
    for name in ("granted", "private"):
        folder = open_path / name
        folder.mkdir()
        folder.chmod(0o777)
        file = folder / "file"
        file.write_text(name)
        file.chmod(0o666)
    return open_path


def test_a_folder_is_readable_with_all_that_is_in_it_and_nothing_else_is(
    forker: Forker, tree: Path
) -> None:
    c = confined(readable=(str(tree / "granted"),))
    assert forker.act("read", str(tree / "granted/file"), confined=c)["value"] == "granted"
    assert forker.act("names", str(tree / "granted"), confined=c)["value"] == ["file"]
    for path in (tree / "private/file", tree / "granted/../private/file", Path("/etc/hostname")):
        assert forker.act("read", str(path), confined=c)["errno"] == errno.EACCES
    assert forker.act("names", str(tree), confined=c)["errno"] == errno.EACCES
    free = replace(c, without=(*FREED, "files"))
    assert forker.act("read", str(tree / "private/file"), confined=free)["value"] == "private"


def test_links_do_not_lead_out(forker: Forker, tree: Path) -> None:
    (tree / "granted/link").symlink_to(tree / "private/file")
    c = confined(readable=(str(tree / "granted"),))
    path = str(tree / "granted/link")
    assert forker.act("read", path, confined=c)["errno"] == errno.EACCES
    assert forker.act("read", path, confined=None)["value"] == "private"


def test_one_file_is_readable_without_its_neighbours(forker: Forker, tree: Path) -> None:
    (tree / "granted/other").write_text("other")
    (tree / "granted/other").chmod(0o644)
    c = confined(readable=(str(tree / "granted/file"), str(tree / "not there")))
    assert forker.act("read", str(tree / "granted/file"), confined=c)["value"] == "granted"
    assert forker.act("read", str(tree / "granted/other"), confined=c)["errno"] == errno.EACCES


def test_a_folder_may_be_listable_and_its_files_unreadable(forker: Forker, tree: Path) -> None:
    c = confined(listable=(str(tree),))
    assert forker.act("names", str(tree), confined=c)["value"] == ["granted", "private"]
    assert forker.act("read", str(tree / "granted/file"), confined=c)["errno"] == errno.EACCES


def test_what_is_readable_cannot_be_changed(forker: Forker, tree: Path) -> None:
    c = confined(readable=(str(tree),))
    file, new = str(tree / "granted/file"), str(tree / "granted/new")
    acts: list[tuple[Any, ...]] = [
        ("write", file), ("write", new), ("make_folder", new), ("remove", file),
        ("rename", file, new), ("symlink", new), ("pipe_file", new), ("hard_link", file, new),
    ]  # fmt: skip
    for act, *arguments in acts:
        assert forker.act(act, *arguments, confined=c)["errno"] in (errno.EACCES, errno.EXDEV), act
        free = replace(c, without=(*FREED, "files"))
        assert "errno" not in forker.act(act, *arguments, confined=free), act
        restore(tree / "granted")
    assert (tree / "granted/file").read_text() == "granted"


def restore(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    (folder / "file").write_text("granted")
    (folder / "file").chmod(0o666)


@needs(landlock.abi() < 3, reason="before Linux 6.2 truncation is not guarded")
def test_what_is_readable_cannot_be_emptied(forker: Forker, tree: Path) -> None:
    file = str(tree / "granted/file")
    c = confined(readable=(str(tree),))
    assert forker.act("raw", "truncate", file, 0, confined=c)["errno"] == errno.EACCES
    assert forker.act("cut", file, 0, confined=c)["errno"] == errno.EACCES
    assert (tree / "granted/file").read_text() == "granted"


def test_a_writable_folder_holds_files_and_folders_and_nothing_else(
    forker: Forker, tree: Path
) -> None:
    folder = tree / "granted"
    c = confined(writable=(str(folder),))
    assert "value" in forker.act("write", str(folder / "new"), confined=c)
    assert "value" in forker.act("rename", str(folder / "new"), str(folder / "old"), confined=c)
    assert "value" in forker.act("remove", str(folder / "old"), confined=c)
    assert "value" in forker.act("make_folder", str(folder / "sub"), confined=c)
    assert forker.act("cut", str(folder / "file"), 2, confined=c)["value"] == 0
    for act in ("symlink", "pipe_file"):
        assert forker.act(act, str(folder / "odd"), confined=c)["errno"] == errno.EACCES
    assert forker.act("write", str(tree / "private/file"), confined=c)["errno"] == errno.EACCES


def test_no_file_comes_into_a_writable_folder_from_elsewhere(forker: Forker, tree: Path) -> None:
    c = confined(readable=(str(tree / "private"),), writable=(str(tree / "granted"),))
    outside, inside = str(tree / "private/file"), str(tree / "granted/alias")
    for act in ("hard_link", "rename"):
        answer = forker.act(act, outside, inside, confined=c)
        assert answer["errno"] in (errno.EACCES, errno.EXDEV), act
    assert "value" in forker.act("hard_link", outside, inside, confined=None)


def test_only_what_is_executable_is_started(forker: Forker) -> None:
    readable = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")
    c = confined(readable=readable)
    assert forker.act("start", "/bin/true", confined=c)["value"] == 100 + errno.EACCES
    c = confined(readable=readable, executable=("/bin/true", *readable[1:3]))
    assert forker.act("start", "/bin/true", confined=c)["value"] == 0
    assert forker.act("start", "/bin/ls", confined=c)["value"] == 100 + errno.EACCES


@needs(landlock.abi() < 6, reason="signals are not scoped before Linux 6.12")
def test_signals_stay_inside(forker: Forker) -> None:
    if forker.uid is not None:
        pytest.skip("the parent belongs to another user, and is safe already")
    assert forker.act("scoped_signal", confined=None)["errno"] == errno.EPERM
    assert "value" in forker.act("signal_parent", confined=confined())


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@needs(landlock.abi() < 4, reason="TCP is not guarded before Linux 6.7")
def test_no_port_is_connected_to(forker: Forker, server: socket.socket) -> None:
    port = server.getsockname()[1]
    assert forker.act("connect", port, confined=confined())["errno"] == errno.EACCES
    assert "value" in forker.act("connect", port, confined=None)


@needs(landlock.abi() < 6, reason="abstract sockets are not scoped before Linux 6.12")
def test_no_abstract_socket_is_connected_to(forker: Forker) -> None:
    name = f"brainsmith-test-{id(forker)}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        assert "value" in forker.act("connect_abstract", name, confined=None)
        scoped = replace(confined(), without=tuple(rule for rule in FREED if rule != "signals"))
        assert forker.act("connect_abstract", name, confined=scoped)["errno"] == errno.EPERM


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6])
def test_an_older_version_gives_what_it_can(forker: Forker, tree: Path, version: int) -> None:
    if landlock.abi() < version:
        pytest.skip("this kernel is older still")
    c = confined(readable=(str(tree / "granted"),), writable=(str(tree / "granted"),))
    file = str(tree / "granted/file")
    assert forker.act("read", file, confined=c, old=version)["value"] == "granted"
    assert "value" in forker.act("write", file, confined=c, old=version)
    denied = forker.act("read", str(tree / "private/file"), confined=c, old=version)
    assert denied["errno"] == errno.EACCES


def test_a_kernel_without_landlock_is_refused(forker: Forker) -> None:
    answer = forker.act("nothing", confined=confined(), old=0)
    assert answer["errno"] == errno.ENOSYS
    assert "no Landlock" in answer["text"]
