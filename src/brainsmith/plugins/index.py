"""The index: a database of all components, kept in the user's cache.

A hit looks at every file and folder that the last scan looked at, reads none of them, and asks the
database. Anything that is not as it was, and anything that changed so shortly before it was read
that a second change could not be told from the first, makes the index be built again; what is
unchanged in it is taken over.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import sys
import time
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsmith.plugins import distributions
from brainsmith.plugins.discovery import Stat, existing, stat_of
from brainsmith.plugins.places import absolute, cache_folder

if TYPE_CHECKING:
    from brainsmith.plugins.conflicts import Entry
    from brainsmith.plugins.discovery import Scan

FORMAT = 2
# A file system stamps changes with the tick of a clock: two changes in one tick look like one.
TICK_NS = 50_000_000
COARSE_TICK_NS = 2_100_000_000
_SECOND = 1_000_000_000
_UNSURE: Stat = (-2, -2, -2, -2)
_KEEP_S = 30 * 86400
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE plugin (
    id INTEGER PRIMARY KEY, name TEXT, version TEXT, status TEXT, manifest TEXT, origin TEXT,
    package TEXT, record TEXT
);
CREATE TABLE component (
    id INTEGER PRIMARY KEY, plugin INTEGER, position INTEGER, kind TEXT, name TEXT, status TEXT
);
"""
_INDEXES = """
CREATE INDEX plugin_name ON plugin (name);
CREATE INDEX plugin_status ON plugin (status);
CREATE INDEX component_name ON component (kind, name, status);
CREATE INDEX component_kind ON component (kind, status, id);
CREATE INDEX component_plugin ON component (plugin);
"""


@dataclass(frozen=True)
class Key:
    """What an index is for: search paths that are there, where distributions are, the interpreter.

    Args:
        paths: absolute.
        python_path: `sys.path`, absolute; None where distributions are left out.
    """

    paths: tuple[str, ...]
    python_path: tuple[str, ...] | None

    @classmethod
    def of(cls, paths: Iterable[str], distributions_too: bool) -> Key:
        """The key of these search paths, from this process."""
        python_path = tuple(dict.fromkeys(map(absolute, sys.path)))
        return cls(tuple(existing(paths)), python_path if distributions_too else None)

    def text(self) -> str:
        """All of it, and what else an index depends on, as one text."""
        return json.dumps([FORMAT, self.paths, self.python_path, sys.executable, sys.version])

    def file(self) -> Path:
        """Where the index is kept. Two keys may share a file: then they take turns."""
        return cache_folder() / "plugins" / f"{zlib.crc32(self.text().encode()):08x}.sqlite"


class Index:
    """A database of plugins and components, as it was when it was built."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that answer a query. sqlite3.DatabaseError: the file is damaged."""
        return self._database.execute(sql, values).fetchall()

    def meta(self) -> dict[str, Any]:
        """What is known of the index itself."""
        return dict(self.rows("SELECT key, value FROM meta"))

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()


def open_valid(key: Key) -> Index | None:
    """The index that is kept for `key`, if nothing has changed since it was built."""
    index = open_kept(key)
    if index is None:
        return None
    try:
        if _unchanged(index.meta(), key):
            return index
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError):
        pass  # damaged: it is built again, as one that is not there
    index.close()
    return None


def open_kept(key: Key) -> Index | None:
    """The index that is kept for `key`, valid or not; None where there is none to read."""
    file = str(key.file())
    try:
        with open(file, "rb") as stream:
            header = stream.read(32)
            size = os.fstat(stream.fileno()).st_size
    except OSError:
        return None
    pages = int.from_bytes(header[28:32], "big") * (int.from_bytes(header[16:18], "big") or 1)
    if len(header) < 32 or pages != size:  # cut off; a page size of 64 KiB is never written here
        return None
    try:
        # Immutable: nobody writes to the file, it is only ever replaced. So no locks are needed.
        uri = f"{Path(file).as_uri()}?mode=ro&immutable=1"
        index = Index(sqlite3.connect(uri, uri=True, check_same_thread=False))
        meta = index.meta()
        if meta.get("key") == key.text() and meta.get("code") == _code():
            return index
        index.close()
    except sqlite3.DatabaseError:
        pass  # damaged, or of another program
    return None


def _unchanged(meta: Mapping[str, Any], key: Key) -> bool:
    paths: list[str] = meta["watched"].split("\0") if meta["watched"] else []
    now = array("q")
    for path in paths:
        now.extend(stat_of(path))
    if now.tobytes() == meta["stats"]:
        return True
    before = array("q", meta["stats"])
    changed = [
        path for i, path in enumerate(paths) if now[4 * i : 4 * i + 4] != before[4 * i : 4 * i + 4]
    ]
    # A folder of Python's path, such as the working folder, changes with every file that is put
    # there. Only the distributions in it matter.
    environment = json.loads(meta["environment"])
    return all(
        path in environment and list(distributions.listing(path)) == environment[path]
        for path in changed
    )


def kept_records(index: Index | None) -> dict[str, tuple[Stat, dict[str, Any]]]:
    """The records of an old index by manifest, with how each file was when it was read."""
    if index is None:
        return {}
    try:
        meta = index.meta()
        stats = array("q", meta["stats"])
        at = {path: i for i, path in enumerate(meta["watched"].split("\0"))}
        return {
            manifest: (_stat(stats, at[manifest]), _as_read(record))
            for manifest, record in index.rows("SELECT manifest, record FROM plugin")
            if manifest in at
        }
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError):
        return {}


def _stat(stats: Sequence[int], i: int) -> Stat:
    return (stats[4 * i], stats[4 * i + 1], stats[4 * i + 2], stats[4 * i + 3])


def _as_read(text: str) -> dict[str, Any]:
    """A record without what was made of it beside others."""
    record: dict[str, Any] = json.loads(text)
    if "name" in record:
        record.pop("error", None)
    return record


def build(
    key: Key, scan: Scan, entries: Sequence[Entry], started_ns: int, *, keep: bool = True
) -> tuple[Index, str]:
    """A new index, kept in the user's cache if that can be written.

    Returns:
        the index, and why it could not be kept ("" where it was).
    """
    meta = _meta(key, scan, started_ns)
    if not keep:
        return Index(_fill(sqlite3.connect(":memory:", check_same_thread=False), meta, entries)), ""
    file = key.file()
    partial = file.with_name(f".{file.name}.{os.getpid()}-{time.monotonic_ns()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(partial)) as database:
            _fill(database, meta, entries)
        os.replace(partial, file)
        _forget_old(file.parent)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        index, _ = build(key, scan, entries, started_ns, keep=False)
        return index, f"the index of plugins cannot be kept in {file.parent}: {error}"
    index = open_kept(key) or build(key, scan, entries, started_ns, keep=False)[0]
    return index, ""


def _meta(key: Key, scan: Scan, started_ns: int) -> dict[str, object]:
    stats = array("q")
    for stat in scan.watched.values():
        stats.extend(stat if _is_sure(stat, started_ns) else _UNSURE)
    return {
        "key": key.text(),
        "code": _code(),
        "watched": "\0".join(scan.watched),
        "stats": stats.tobytes(),
        "environment": json.dumps(scan.environment),
    }


def _code() -> bytes:
    """How the modules are that decide what is in an index: those of another version differ."""
    folder = os.path.dirname(__file__)
    names = ("conflicts", "fields", "manifest", "names", "reading", "text")
    stats = array("q")
    for name in names:
        stats.extend(stat_of(f"{folder}/{name}.py"))
    return stats.tobytes()


def _is_sure(stat: Stat, started_ns: int) -> bool:
    """Whether a later change would show: it is not in the same tick of the clock as the last."""
    modified, changed = stat[0], stat[1]
    if modified == -1:
        return True
    coarse = modified % _SECOND == 0 and changed % _SECOND == 0
    return max(modified, changed) < started_ns - (COARSE_TICK_NS if coarse else TICK_NS)


def _fill(
    database: sqlite3.Connection, meta: Mapping[str, object], entries: Sequence[Entry]
) -> sqlite3.Connection:
    from brainsmith.plugins.text import fill_text

    # The file is of no use before it has its name, so nothing has to be undone.
    database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
    plugins = ((i, *_plugin_row(entry)) for i, entry in enumerate(entries))
    database.executemany("INSERT INTO plugin VALUES (?,?,?,?,?,?,?,?)", plugins)
    components = list(_components(entries))
    rows = (
        (i, plugin, position, part["kind"], part["name"], entries[plugin].status)
        for i, (plugin, position, part) in enumerate(components)
    )
    database.executemany("INSERT INTO component VALUES (?,?,?,?,?,?)", rows)
    how = fill_text(
        database,
        (
            (i, entries[plugin].record, part)
            for i, (plugin, _, part) in enumerate(components)
            if entries[plugin].status == "default"
        ),
    )
    database.executescript(_INDEXES)
    database.executemany("INSERT INTO meta VALUES (?,?)", {**meta, "text": how}.items())
    database.commit()
    return database


def _plugin_row(entry: Entry) -> tuple[object, ...]:
    record, location = entry.record, entry.location
    return (
        record.get("name"), record.get("version"), entry.status,
        location.manifest, location.origin, location.package, json.dumps(record),
    )  # fmt: skip


def _components(entries: Sequence[Entry]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(plugin, position in it, record) of every component, in the registry's order."""
    for plugin, entry in enumerate(entries):
        for position, part in enumerate(entry.record.get("components", ())):
            yield plugin, position, part


def _forget_old(folder: Path) -> None:
    """Indexes of search paths that nobody has asked for in a month, and what a crash left."""
    oldest = time.time() - _KEEP_S
    for file in (*folder.glob("*.sqlite"), *folder.glob(".*.sqlite.*")):
        with contextlib.suppress(OSError):  # another process may be doing the same
            if file.stat().st_mtime < oldest:
                file.unlink()
