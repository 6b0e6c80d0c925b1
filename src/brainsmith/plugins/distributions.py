"""Manifests of installed distributions, found without importing what is installed.

A distribution has a plugin if it has an entry point in the group `brainsmith.plugins` whose value
names the manifest (`my_package:brainsmith.yaml`), or if its name begins with `brainsmith-plugin-`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from brainsmith.plugins.places import FILE_NAME

GROUP = "brainsmith.plugins"
PREFIX = "brainsmith-plugin-"
ENTRY_POINTS = "entry_points.txt"
_KINDS = (".dist-info", ".egg-info")


@dataclass(frozen=True, slots=True)
class Found:
    """A manifest of a distribution: its file, the package that holds it, or what is wrong."""

    path: str
    package: str = ""
    error: str = ""


def listing(folder: str) -> tuple[str, ...]:
    """The folders of metadata in one folder of Python's path, sorted."""
    try:
        return tuple(sorted(name for name in os.listdir(folder) if name.endswith(_KINDS)))
    except OSError:
        return ()  # Python's path names archives and folders that are not there


def project_of(name: str) -> str:
    """The normalized name of a distribution, from that of its folder of metadata."""
    return re.sub(r"[-_.]+", "-", name.rpartition(".")[0].partition("-")[0]).lower()


def manifests(info: str, project: str, has_entry_points: bool) -> Iterator[Found]:
    """The manifests of the distribution whose metadata lie in `info`."""
    named = False
    if has_entry_points and GROUP in _text(f"{info}/{ENTRY_POINTS}"):
        for value in _entry_points(info):
            named = True
            yield _of_entry_point(value, info)
    if not named and project.startswith(PREFIX):
        yield _of_name(info)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _entry_points(info: str) -> list[str]:
    from importlib.metadata import PathDistribution
    from pathlib import Path

    points = PathDistribution(Path(info)).entry_points.select(group=GROUP)
    return sorted(point.value for point in points)


def _of_entry_point(value: str, info: str) -> Found:
    package, _, file = (part.strip() for part in value.partition(":"))
    file = file or FILE_NAME
    where = f"{info}/{ENTRY_POINTS}"
    if not all(part.isidentifier() for part in package.split(".")):
        return Found(where, error=f"the entry point '{value}' names no package")
    if os.path.isabs(file) or ".." in file.split("/"):
        return Found(where, error=f"the entry point '{value}' names a file outside its package")
    # Of an editable installation the project counts: what lies beside the metadata is a copy.
    editable = _editable_folder(info)
    if editable and os.path.exists(f"{editable}/{file}"):
        return Found(f"{editable}/{file}")
    for folder in _folders(package, os.path.dirname(info)):
        if os.path.exists(f"{folder}/{file}"):
            return Found(f"{folder}/{file}", package)
    return Found(where, error=f"the entry point '{value}' names a file that is not there")


def _folders(package: str, site: str) -> Iterator[str]:
    """Where a package may lie, without importing it or any that it is in."""
    top, _, rest = package.partition(".")
    below = f"/{rest.replace('.', '/')}" if rest else ""
    yield f"{site}/{top}{below}"
    from importlib.util import find_spec

    # An editable installation: its finder, or its .pth file, knows the folder.
    spec = find_spec(top)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield f"{folder}{below}"


def _of_name(info: str) -> Found:
    """The manifest of a distribution that has a plugin's name and no entry point."""
    site = os.path.dirname(info)
    record = _text(f"{info}/RECORD") or _text(f"{info}/SOURCES.txt")
    files = [line.partition(",")[0] for line in record.splitlines()]
    found = sorted({file for file in files if file.rpartition("/")[2] == FILE_NAME})
    if len(found) > 1:
        return Found(info, error=f"the distribution has {len(found)} manifests: " + _how_to_say())
    if not found:
        editable = _editable_folder(info)
        if editable and os.path.exists(f"{editable}/{FILE_NAME}"):
            return Found(f"{editable}/{FILE_NAME}")
        return Found(info, error=f"the distribution has no {FILE_NAME}: " + _how_to_say())
    parents = found[0].split("/")[:-1]
    package = ".".join(parents) if all(part.isidentifier() for part in parents) else ""
    return Found(f"{site}/{found[0]}", package)


def _how_to_say() -> str:
    return f"name the one that counts in an entry point of the group '{GROUP}'"


def _editable_folder(info: str) -> str | None:
    import json
    from urllib.parse import unquote, urlsplit

    try:
        origin = json.loads(_text(f"{info}/direct_url.json") or "{}")
    except ValueError:
        return None
    kind = origin.get("dir_info") if isinstance(origin, dict) else None
    if not (isinstance(kind, dict) and kind.get("editable")):
        return None
    parts = urlsplit(str(origin.get("url", "")))
    return unquote(parts.path) if parts.scheme == "file" else None
