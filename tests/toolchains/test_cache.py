"""The build cache: entries, sharing, interruption, a full disk, pruning."""

from __future__ import annotations

import errno
import os
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


def test_pruning_removes_what_was_used_least_recently(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path, limit=3500)
    paths = [cache.fetch({"n": n}, write("x" * 1000)).path for n in range(5)]
    for age, path in zip((9, 2, 8, 3, 0), paths, strict=True):
        used = time.time() - age * 86400
        os.utime(path, (used, used))
    cache.prune()
    assert [path.exists() for path in paths] == [False, True, False, False, True]
    assert cache.size() <= 3500


def test_what_is_in_use_is_not_pruned(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path, limit=10)
    path = cache.fetch({"n": 1}, write("x" * 1000)).path
    cache.prune()
    assert path.exists()


def test_the_cache_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "brainsmith"
    assert BuildCache().root == tmp_path / "brainsmith" / "build"
