"""Manifests as records of the index: read, checked, and made plain data; many in parallel.

A record is a dictionary that JSON can hold. Of a manifest that is wrong it holds the error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from brainsmith.errors import PluginError
from brainsmith.plugins.discovery import Stat, stat_of
from brainsmith.plugins.kinds import KINDS
from brainsmith.plugins.manifest import Manifest

Record = dict[str, Any]
Read = tuple[Stat, Record]

# Starting a process costs as much as reading some hundred manifests.
PARALLEL_FROM = 200
MAX_PROCESSES = 8
_ATTEMPTS = 3
_WORKER = (
    "import sys, json; sys.path[:] = json.loads(sys.stdin.readline());"
    "from brainsmith.plugins.reading import work; work(sys.stdin, sys.stdout)"
)


def record_of(manifest: Manifest) -> Record:
    """A manifest as a record. What is empty is left out."""
    data = manifest.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    components = [{"kind": kind, **entry} for kind in KINDS for entry in data.pop(kind, ())]
    return {**data, "components": components}


def error_record(error: PluginError) -> Record:
    """The record of a manifest that cannot be used."""
    return {"error": {"what": error.what, "where": error.where, "hint": error.hint}}


def read(path: str) -> Read:
    """The record of a manifest, and how the file was when it was read."""
    for _ in range(_ATTEMPTS):
        before = stat_of(path)
        try:
            record = record_of(Manifest.read(Path(path)))
        except PluginError as error:
            record = error_record(error)
        if stat_of(path) == before:
            return before, record
    changed = PluginError(
        "the file changes while it is read", where=path, hint="try again when it is written"
    )
    return before, error_record(changed)


def read_all(paths: Sequence[str]) -> list[Read]:
    """The records of many manifests, in their order; by several processes where they are many."""
    processes = min(_processors(), MAX_PROCESSES)
    if len(paths) < PARALLEL_FROM or processes < 2 or not sys.executable:
        return [read(path) for path in paths]
    share = -(-len(paths) // processes)
    parts = [paths[start : start + share] for start in range(0, len(paths), share)]
    others = [_Reader(part) for part in parts[1:]]
    result = [read(path) for path in parts[0]]
    for other in others:
        result += other.result()
    return result


def work(paths: IO[str], results: IO[str]) -> None:
    """What a process of `read_all` does: a path a line in, a record a line out."""
    for line in paths:
        json.dump(read(json.loads(line)), results)
        results.write("\n")


class _Reader:
    """A process that reads some manifests.

    A program of its own and not a fork or a `multiprocessing` worker: a fork of a process with
    threads can hang, and a worker would run the user's script a second time.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        # Files, not pipes: nobody has to read while the others work.
        self._results = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        with tempfile.TemporaryFile("w+", encoding="utf-8") as orders:
            orders.writelines(json.dumps(line) + "\n" for line in (sys.path, *paths))
            orders.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, "-c", _WORKER], stdin=orders, stdout=self._results
            )

    def result(self) -> list[Read]:
        """The records, when the process has ended; read here where it failed."""
        failed = self._process.wait() != 0
        with self._results as file:
            file.seek(0)
            lines = [] if failed else file.readlines()
        if len(lines) != len(self._paths):
            return [read(path) for path in self._paths]
        return [(tuple(seen), record) for seen, record in map(json.loads, lines)]


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
