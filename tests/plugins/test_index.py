"""The index: what makes it stale, what it survives, what a hit does without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from brainsmith.plugins import PluginRegistry
from brainsmith.plugins import index as cache
from brainsmith.plugins.places import builtin_folder, cache_folder
from tests.plugins.folders import Registry, write_plugin

pytestmark = pytest.mark.usefixtures("home")
# Longer than a tick of the clock of any file system that tests run on.
A_WHILE = 0.1


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """Three plugins that have not changed for a while."""
    for name in "abc":
        write_plugin(tmp_path / "plugins" / name, name, kernel=name.upper())
    time.sleep(A_WHILE)
    return tmp_path / "plugins"


def names(registry: PluginRegistry) -> list[str]:
    return [plugin.name for plugin in registry.plugins]


def index_file() -> Path:
    (file,) = (cache_folder() / "plugins").glob("*.sqlite")
    return file


def test_the_second_look_is_answered_by_the_index(plugins: Path, registry: Registry) -> None:
    first, second = registry(), registry()
    assert names(first) == names(second) == ["a", "b", "c"]
    assert not first.from_cache and second.from_cache


def change(folder: Path, text: str) -> None:
    manifest = folder / "brainsmith.yaml"
    manifest.write_text(manifest.read_text() + text)


def rename(folder: Path, new: str) -> None:
    """Another name of the same length, in the same file, at the same time as it says."""
    manifest = folder / "brainsmith.yaml"
    before = manifest.stat()
    manifest.write_text(manifest.read_text().replace(f"name: {folder.name}\n", f"name: {new}\n"))
    os.utime(manifest, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "added": (lambda p: write_plugin(p / "d", "d"), ["a", "b", "c", "d"]),
    "removed": (lambda p: shutil.rmtree(p / "b"), ["a", "c"]),
    "manifest removed": (lambda p: (p / "b/brainsmith.yaml").unlink(), ["a", "c"]),
    "renamed folder": (lambda p: (p / "b").rename(p / "z"), ["a", "b", "c"]),
    "renamed plugin, same size and time": (lambda p: rename(p / "b", "z"), ["a", "c", "z"]),
    "broken": (lambda p: change(p / "b", "kernals: []\n"), ["a", "c"]),
    "replaced by a link": (
        lambda p: (shutil.move(p / "b", p.parent / "b"), (p / "b").symlink_to(p.parent / "b")),
        ["a", "b", "c"],
    ),
    "all gone": (shutil.rmtree, []),
}


@pytest.mark.parametrize(("do", "left"), CHANGES.values(), ids=CHANGES)
def test_every_change_is_seen_by_the_next_look(  # type: ignore[no-untyped-def]
    plugins: Path, registry: Registry, do, left: list[str]
) -> None:
    assert names(registry()) == ["a", "b", "c"]
    assert names(registry()) == ["a", "b", "c"]
    do(plugins)
    for _ in range(2):
        found = registry()
        assert names(found) == left
        assert all(plugin.path.exists() for plugin in found.plugins)


def test_a_manifest_put_into_a_folder_that_was_there_is_seen(
    plugins: Path, registry: Registry
) -> None:
    (plugins / "empty").mkdir()
    time.sleep(A_WHILE)
    assert names(registry()) == ["a", "b", "c"]
    assert registry().discover_plugins() and registry().from_cache
    write_plugin(plugins / "empty", "d")
    assert names(registry()) == ["a", "b", "c", "d"]


def test_edits_in_one_tick_of_the_clock_are_all_seen(plugins: Path, registry: Registry) -> None:
    manifest = plugins / "b/brainsmith.yaml"
    text = manifest.read_text()
    for version in range(100, 160):
        manifest.write_text(text.replace("1.0.0", f"1.0.{version}"))
        assert registry().plugin("b").version == f"1.0.{version}"


def test_what_did_not_change_is_not_read_again(
    plugins: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brainsmith.plugins import reading

    names(registry())
    read: list[str] = []
    one = reading.read
    monkeypatch.setattr(reading, "read", lambda path: read.append(path) or one(path))
    change(plugins / "b", "tags: [changed]\n")
    assert registry().plugin("b").tags == ("changed",)
    assert read == [str(plugins / "b/brainsmith.yaml")]


def test_a_hit_needs_none_of_the_heavy_modules(plugins: Path) -> None:
    code = (
        "import sys\n"
        "from brainsmith.plugins import PluginRegistry\n"
        f"registry = PluginRegistry([{str(plugins)!r}, {str(builtin_folder())!r}])\n"
        "assert [p.name for p in registry.plugins] == ['a', 'b', 'c', 'brainsmith']\n"
        "assert registry.search('matmul') and registry.get('kernels', 'A')\n"
        "heavy = {'pydantic', 'yaml', 'importlib.metadata', 'packaging', 'numpy', 'rich',"
        " 'brainsmith.plugins.manifest', 'brainsmith.plugins.gather', 'brainsmith.api'}\n"
        "print(registry.from_cache, sorted(heavy & set(sys.modules)))\n"
    )
    answers = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert answers[0].stdout.startswith("False")
    assert answers[1].stdout == "True []\n"


def test_a_hit_opens_no_manifest(plugins: Path, registry: Registry) -> None:
    names(registry())
    opened: list[str] = []
    recording = True

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if recording and event in ("open", "os.listdir", "os.scandir"):
            opened.append(str(arguments[0]))

    sys.addaudithook(audit)
    found = registry()
    assert names(found) == ["a", "b", "c"] and found.from_cache
    recording = False
    assert [path for path in opened if str(plugins) in path] == []


def damages(file: Path) -> Iterator[tuple[str, bytes]]:
    good = file.read_bytes()
    yield "empty", b""
    yield "short", good[:10]
    yield "cut off", good[: len(good) // 2]
    yield "cut off by a page", good[:-4096]
    yield "something else", b"no database" * 1000
    yield "zeros at the end", good[:4096] + b"\0" * (len(good) - 4096)
    yield "noise in the middle", good[:8192] + Random(0).randbytes(len(good) - 8192)


def test_a_damaged_index_is_built_again(plugins: Path, registry: Registry) -> None:
    names(registry())
    for what, content in damages(index_file()):
        index_file().write_bytes(content)
        found = registry(builtin=False)
        assert names(found) == ["a", "b", "c"], what
        assert found.get("kernels", "B").full_name == "b:B", what
        assert found.search("b")[0].full_name == "b:B", what
        assert names(registry()) == ["a", "b", "c"], what


def test_an_index_of_another_version_is_built_again(
    plugins: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(registry())
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)
    found = registry()
    assert names(found) == ["a", "b", "c"] and not found.from_cache


def test_indexes_of_other_search_paths_do_not_mix(plugins: Path, registry: Registry) -> None:
    assert names(registry()) == ["a", "b", "c"]
    assert names(registry(plugins / "a")) == ["a"]
    assert names(registry(plugins / "b", plugins / "a")) == ["a", "b"]
    assert registry(plugins / "a").discover_plugins() and registry(plugins / "a").from_cache


@pytest.mark.parametrize("obstacle", ["a file in its place", "nothing can be written"])
def test_without_a_cache_everything_works_with_a_note(
    plugins: Path, registry: Registry, home: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    if obstacle == "a file in its place":
        (home / ".cache").write_text("in the way")
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", "/proc/self/nowhere")
    for _ in range(2):
        found = registry()
        assert names(found) == ["a", "b", "c"] and not found.from_cache
        assert "cannot be kept" in found.note
        assert found.search("a")[0].full_name == "a:A"


def test_nothing_half_written_stays(plugins: Path, registry: Registry) -> None:
    names(registry())
    assert [file.name for file in (cache_folder() / "plugins").iterdir()] == [index_file().name]


def test_processes_that_discover_at_once_agree(plugins: Path) -> None:
    code = (
        "from brainsmith.plugins import PluginRegistry\n"
        f"r = PluginRegistry([{str(plugins)!r}], distributions=False)\n"
        "print([p.name for p in r.plugins], r.get('kernels', 'B'), len(r.search('a')))\n"
    )
    command = [sys.executable, "-c", code]
    for _ in range(2):
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
        answers = {process.communicate()[0] for process in running}
        assert answers == {"['a', 'b', 'c'] <Component b:B> 1\n"}
        assert not any(process.returncode for process in running)
        change(plugins / "c", "tags: [changed]\n")


def test_many_manifests_are_read_by_several_processes_in_order(
    tmp_path: Path, registry: Registry
) -> None:
    for number in range(230):
        write_plugin(tmp_path / f"plugins/p{number:03}", f"p{number:03}", kernel=f"K{number}")
    (tmp_path / "plugins/p007/brainsmith.yaml").write_text("name: [")
    found = registry()
    assert names(found) == [f"p{number:03}" for number in range(230) if number != 7]
    assert [broken.path.parent.name for broken in found.broken] == ["p007"]
    assert found.get("kernels", "K229").plugin.name == "p229"


def test_a_manifest_that_changes_while_it_is_read_is_read_again(
    plugins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brainsmith.plugins import manifest, reading

    path = plugins / "a/brainsmith.yaml"
    real = manifest.Manifest.read
    left = [2]

    def slow(file: Path) -> manifest.Manifest:
        found = real(file)
        if left[0]:
            left[0] -= 1
            path.write_text(path.read_text().replace("1.0.", "1.0.1"))
        return found

    monkeypatch.setattr(manifest.Manifest, "read", staticmethod(slow))
    seen, record = reading.read(str(path))
    assert record["version"] == "1.0.110" and seen[2] == path.stat().st_size
    left[0] = 99
    assert "changes while it is read" in reading.read(str(path))[1]["error"]["what"]
