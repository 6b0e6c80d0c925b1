"""Building the index: scan, read what is new, decide what counts, write it down."""

from __future__ import annotations

import time
from collections.abc import Sequence

from brainsmith.errors import PluginError
from brainsmith.plugins import index as cache
from brainsmith.plugins.conflicts import Entry, settle
from brainsmith.plugins.discovery import Location, Scan, Stat, scan
from brainsmith.plugins.plugin import Plugin
from brainsmith.plugins.reading import Record, error_record, read_all


def gather(
    key: cache.Key, registered: Sequence[Plugin] = (), *, keep: bool = True, reuse: bool = True
) -> tuple[cache.Index, str]:
    """A new index of everything that is there.

    Args:
        key: where to look.
        registered: plugins that a program adds.
        keep: whether the index is kept in the user's cache.
        reuse: whether what the kept index says of unchanged manifests is taken over.

    Returns:
        the index, and why it could not be kept ("" where it was, or should not be).
    """
    started = time.time_ns()
    found = scan(key.paths, key.python_path)
    old = cache.open_kept(key) if reuse else None
    kept = cache.kept_records(old)
    if old is not None:
        old.close()
    entries = [*_read(found, kept), *map(_registered, registered)]
    return cache.build(key, found, settle(entries), started, keep=keep)


def _read(found: Scan, kept: dict[str, tuple[Stat, Record]]) -> list[Entry]:
    entries = []
    new: list[Location] = []
    for location in found.locations:
        seen = found.watched[location.manifest]
        if location.error:
            error = PluginError(location.error, where=location.manifest)
            entries.append(Entry(location, seen, error_record(error)))
        elif kept.get(location.manifest, (None,))[0] == seen:
            entries.append(Entry(location, seen, kept[location.manifest][1]))
        else:
            new.append(location)
    results = read_all([location.manifest for location in new])
    for location, (seen, record) in zip(new, results, strict=True):
        # How the file was when it was read counts: it may have changed since the scan.
        found.watched[location.manifest] = seen
        entries.append(Entry(location, seen, record))
    return entries


def _registered(plugin: Plugin) -> Entry:
    location = Location(str(plugin.path), "registered", plugin.package)
    return Entry(location, (-1, 0, -1, -1), dict(plugin.record))
