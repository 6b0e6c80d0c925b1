"""Which of the plugins that were found count: copies, versions side by side, imitated names.

A pure function of what is there, whatever the order in which it was found.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from packaging.version import Version

from brainsmith.errors import PluginError
from brainsmith.plugins.discovery import Location, Stat
from brainsmith.plugins.names import canonical, plugin_meant
from brainsmith.plugins.places import ORIGINS
from brainsmith.plugins.reading import Record, error_record

Status = Literal["default", "version", "copy", "broken"]
_BUILTIN = "built-in"


@dataclass
class Entry:
    """A manifest that was found, and what became of it.

    `status` is "default" for the plugin that its name means, "version" for another version of
    it, "copy" for what is there a second time, "broken" for what cannot be used.
    """

    location: Location
    stat: Stat
    record: Record
    status: Status = "default"

    @property
    def name(self) -> str:
        return str(self.record["name"])

    @property
    def version(self) -> str:
        return str(self.record["version"])

    @cached_property
    def parsed(self) -> Version:
        """The version, as it is compared."""
        return Version(self.version)

    @property
    def place(self) -> tuple[int, str]:
        """What decides between copies: how near it is to the user's work, then its path."""
        origin = self.location.origin
        rank = ORIGINS.index(origin) if origin in ORIGINS else -1
        return rank, self.location.manifest

    def refuse(self, what: str, hint: str) -> None:
        """The entry is broken, unless it is so already."""
        if self.status == "broken":
            return
        self.status = "broken"
        error = PluginError(what, where=self.location.manifest, hint=hint)
        self.record = {**self.record, **error_record(error)}


def settle(entries: Iterable[Entry]) -> list[Entry]:
    """All entries with their status, sorted: by name, versions from the highest, built-ins last."""
    found = list(entries)
    for entry in found:
        entry.status = "broken" if "error" in entry.record else "default"
    _same_files(found)
    _imitations(_usable(found))
    _copies(_usable(found))
    _versions(_usable(found))
    while _cycles(_usable(found)):
        # Where the highest version fell out, the next one is meant.
        for entry in found:
            if entry.status == "version":
                entry.status = "default"
        _versions(_usable(found))
    return _sorted(found)


def _usable(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.status == "default"]


def _groups(entries: Iterable[Entry], key: Callable[[Entry], object]) -> Iterator[list[Entry]]:
    groups: dict[object, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[key(entry)].append(entry)
    yield from (group for group in groups.values() if len(group) > 1)


def _same_files(entries: Sequence[Entry]) -> None:
    """One file that two links or search paths lead to is there once."""
    for group in _groups(entries, _file):
        for entry in sorted(group, key=lambda entry: entry.place)[1:]:
            entry.status = "copy"


def _imitations(entries: Sequence[Entry]) -> None:
    """Names that a reader takes for one another. Nobody can take the built-in plugin's."""
    for group in _groups(entries, _canonical):
        group.sort(key=lambda entry: entry.place)
        builtin = [entry for entry in group if entry.location.origin == _BUILTIN]
        names = {entry.name for entry in group}
        for entry in group:
            if builtin and entry not in builtin:
                entry.refuse(
                    f"the name '{entry.name}' is that of the built-in plugin '{builtin[0].name}'",
                    "give the plugin a name of its own",
                )
            elif len(names) > 1 and not builtin:
                others = [o for o in group if o.name != entry.name]
                other = min(others, key=lambda entry: entry.place)
                entry.refuse(
                    f"the name '{entry.name}' can be taken for '{other.name}'",
                    f"remove one of them; the other is {other.location.manifest}",
                )


def _copies(entries: Sequence[Entry]) -> None:
    """The same manifest twice is one plugin; two manifests of one version contradict each other."""
    for group in _groups(entries, _version_of):
        contents = {json.dumps(entry.record, sort_keys=True) for entry in group}
        ordered = sorted(group, key=lambda entry: entry.place)
        if len(contents) == 1:
            for entry in ordered[1:]:
                entry.status = "copy"
            continue
        for entry in ordered:
            other = next(o for o in ordered if o.record != entry.record)
            entry.refuse(
                f"there are two different plugins '{entry.name}' {entry.version}",
                f"remove one or change its version; the other is {other.location.manifest}",
            )


def _versions(entries: Sequence[Entry]) -> None:
    """Of several versions the highest is meant, a pre-release only where nothing else is there."""
    for group in _groups(entries, lambda entry: entry.name):
        for entry in sorted(group, key=_version_key, reverse=True)[1:]:
            entry.status = "version"


def _cycles(entries: Sequence[Entry]) -> bool:
    """Plugins that need each other: none of them can be there first. Whether there were any."""
    refused = False
    names = {canonical(entry.name) for entry in entries}
    by_name = {
        entry.name: entry
        for entry in sorted(entries, key=lambda entry: entry.name)
        if any(_needed(text) in names for text in entry.record.get("dependencies", ()))
    }
    while by_name:
        from brainsmith.plugins.requirements import cycle

        found = cycle({n: entry.record["dependencies"] for n, entry in by_name.items()})
        if found is None:
            break
        refused = True
        for name in found[1:]:
            by_name.pop(name).refuse(
                f"plugins depend on each other: {' > '.join(found)}",
                "take one of these out of the `dependencies` of a manifest",
            )
    return refused


def _needed(requirement: str) -> str:
    """The plugin that a requirement may be about."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    return plugin_meant(match[0]) if match else ""


def _version_key(entry: Entry) -> tuple[bool, Version]:
    return not entry.parsed.is_prerelease, entry.parsed


def _version_of(entry: Entry) -> object:
    return entry.name, entry.parsed


def _canonical(entry: Entry) -> object:
    return canonical(entry.name)


def _file(entry: Entry) -> object:
    # What cannot be looked at may be anything.
    return entry.stat if entry.stat[0] != -1 else entry.location.manifest


def _sorted(entries: Iterable[Entry]) -> list[Entry]:
    found = list(entries)
    good = [entry for entry in found if entry.status != "broken"]
    broken = [entry for entry in found if entry.status == "broken"]
    good.sort(key=lambda entry: entry.place)
    good.sort(key=_version_key, reverse=True)
    good.sort(key=lambda entry: (entry.location.origin == _BUILTIN, entry.name))
    return good + sorted(broken, key=lambda entry: entry.location.manifest)
