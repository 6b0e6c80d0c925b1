"""The build cache: entries, sharing, interruption, a full disk, pruning."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from brainsmith.errors import StorageError
from brainsmith.toolchains.cache import BuildCache, user_cache


def write(text: str):
    return lambda folder: (folder / "result").write_text(text) and None


def partials(cache: BuildCache) -> list[Path]:
    return list(cache.root.glob("partial/*"))


def test_a_second_fetch_finds_what_the_first_made(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    first = cache.fetch({"n": 1, "of": ["a"]}, write("one"))
    second = cache.fetch({"of": ["a"], "n": 1}, write("two"))
    assert (first.cached, second.cached) == (False, True)
    assert first.path == second.path
    assert (second.path / "result").read_text() == "one"
    assert not cache.fetch({"n": 2, "of": ["a"]}, write("two")).cached


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)

    def interrupted(folder: Path) -> None:
        (folder / "half").write_text("ha")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.fetch({"n": 1}, interrupted)
    assert not partials(cache)
    assert not cache.fetch({"n": 1}, write("one")).cached


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)

    def full(folder: Path) -> None:
        (folder / "half").write_text("ha")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "half"))

    with pytest.raises(StorageError, match="No space left"):
        cache.fetch({"n": 1}, full)
    assert not partials(cache)
    assert cache.size() == 0


def test_two_at_once_get_one_entry(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    together = threading.Barrier(2)
    texts: list[str] = []

    def slow(folder: Path) -> None:
        together.wait(timeout=10)
        (folder / "result").write_text("same")

    def fetch() -> None:
        texts.append((cache.fetch({"n": 1}, slow).path / "result").read_text())

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["same", "same"]
    assert not partials(cache)


def test_a_damaged_entry_is_made_again(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    path = cache.fetch({"n": 1}, write("one")).path
    (path / "entry.json").unlink()
    again = cache.fetch({"n": 1}, write("two"))
    assert not again.cached
    assert (again.path / "result").read_text() == "two"


FILL = """
import sys
from pathlib import Path
from brainsmith.toolchains.cache import BuildCache
cache = BuildCache(Path(sys.argv[1]))
for n in map(int, sys.argv[2:]):
    cache.fetch({"n": n}, lambda folder: (folder / "result").write_text("x" * 1000) and None)
print("done", flush=True)
sys.stdin.read()
"""


def other_process(root: Path, *numbers: int) -> subprocess.Popen[str]:
    """A process that was handed these entries, and lives until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", FILL, str(root), *map(str, numbers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "done\n"
    return process


def aged(cache: BuildCache, days: dict[int, int]) -> dict[int, Path]:
    """The entries by their number, each last used so many days ago."""
    paths = {json.loads((p / "entry.json").read_text())["n"]: p for p in cache.root.glob("??/*")}
    for n, age in days.items():
        used = time.time() - age * 86400
        os.utime(paths[n], (used, used))
    return paths


def test_pruning_removes_what_was_used_least_recently(tmp_path: Path) -> None:
    other_process(tmp_path, 0, 1, 2, 3, 4).communicate()
    cache = BuildCache(tmp_path, limit=3500)
    paths = aged(cache, {0: 9, 1: 2, 2: 8, 3: 3, 4: 0})
    cache.prune()
    assert [paths[n].exists() for n in range(5)] == [False, True, False, False, True]
    assert cache.size() <= 3500
    assert not list(tmp_path.glob("held/*"))


def test_what_was_used_just_now_is_not_pruned(tmp_path: Path) -> None:
    other_process(tmp_path, 1).communicate()
    cache = BuildCache(tmp_path, limit=10)
    cache.prune()
    assert cache.size() > 0


@pytest.mark.parametrize("how", ["made", "found", "fetched again"])
def test_what_this_process_was_handed_is_not_pruned(tmp_path: Path, how: str) -> None:
    cache = BuildCache(tmp_path, limit=10)
    if how != "made":
        other_process(tmp_path, 1).communicate()
    path = cache.find({"n": 1}) if how == "found" else cache.fetch({"n": 1}, write("x")).path
    aged(cache, {1: 9})
    BuildCache(tmp_path, limit=10).prune()
    assert path is not None and path.exists()


def test_what_another_living_process_was_handed_is_not_pruned(tmp_path: Path) -> None:
    process = other_process(tmp_path, 1, 2)
    cache = BuildCache(tmp_path, limit=10)
    aged(cache, {1: 9, 2: 8})
    size = cache.size()
    cache.prune()
    assert cache.size() == size
    process.communicate()
    cache.prune()
    assert cache.size() == 0


def test_the_cache_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "brainsmith"
    assert BuildCache().root == tmp_path / "brainsmith" / "build"
