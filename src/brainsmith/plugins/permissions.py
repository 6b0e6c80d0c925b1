"""From what a plugin asks for and what it was granted to the policy of its calls."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsmith.errors import PluginSecurityError
from brainsmith.plugins import amounts, places
from brainsmith.plugins.grants import LIMITS, SIZES, Grant, Grants, is_never_given
from brainsmith.sandbox.policy import SandboxPolicy

if TYPE_CHECKING:
    from brainsmith.plugins.plugin import Plugin

# A compile starts these on every plugin's sources: asking for them is asking for nothing.
OWN_TOOLS = ("g++", "clang++", "verilator", "yosys", "nextpnr-ecp5", "nextpnr-ice40")
_DEFAULT = SandboxPolicy()
_OPTIONS = {"readable_paths": "read", "tools": "tool"}


@dataclass(frozen=True)
class Missing:
    """One thing that a plugin asks for and was not granted.

    Args:
        key: the field of the grant, such as "memory".
        value: what would have to be granted.
        allowed: what it may have instead, for limits.
    """

    key: str
    value: Any
    allowed: Any = None

    def __str__(self) -> str:
        if self.key in LIMITS:
            unit = "" if self.key in SIZES else " s"
            value, allowed = _text(self.key, self.value), _text(self.key, self.allowed)
            return f"{self.key} of {value}{unit} (granted: {allowed}{unit})"
        verb = "reading" if self.key == "readable_paths" else "starting"
        return f"{verb} {_visible(self.value)}"

    @property
    def option(self) -> str:
        """What grants it on the command line, after the plugin's name: "memory=4GiB"."""
        if self.key in LIMITS:
            return f"{self.key}={_text(self.key, self.value).replace(' ', '')}"
        return f"{_OPTIONS[self.key]}={_visible(self.value)}"


def policy_for(plugin: Plugin, grants: Grants) -> SandboxPolicy:
    """The policy of a plugin's calls: what it asks for, as far as that is the default or granted.

    It never gets more than it asks for. Where it asks for nothing, the default holds, or what
    the user grants if that is less. Its own folder needs no grant. Paths are followed to where
    they lead, so that a link gives nothing that was not granted.

    Raises:
        PluginSecurityError: it asks for more; with all that is missing, and what grants it.
    """
    asked: Mapping[str, Any] = plugin.record.get("permissions", {})
    grant = grants.of(plugin.name, plugin.origin)
    limits = {name: _limit(name, asked.get(name), getattr(grant, name)) for name in LIMITS}
    paths = tuple(_outside(asked.get("readable_paths", ()), plugin.root))
    tools = tuple(tool for tool in asked.get("tools", ()) if tool not in OWN_TOOLS)
    missing = [
        *(one for one in limits.values() if isinstance(one, Missing)),
        *(Missing("readable_paths", path) for path in paths if not _covers(grant, path)),
        *(Missing("tools", tool) for tool in tools if tool not in grant.tools),
    ]
    if missing:
        raise _refusal(plugin, missing, grants)
    return SandboxPolicy(**limits, readable_paths=paths, tools=tools)  # type: ignore[arg-type]


def _limit(name: str, asked: float | None, granted: float | None) -> float | Missing:
    default: float = getattr(_DEFAULT, name)
    allowed = default if granted is None else granted
    if asked is None:
        return min(default, allowed)
    return asked if asked <= allowed else Missing(name, asked, allowed)


def _outside(asked: Iterable[str], root: Path) -> Iterator[Path]:
    """The paths that lie outside the plugin, or lead there."""
    home = _real(root)
    for text in asked:
        path = _real(home / text)
        if not path.is_relative_to(home):
            yield path


def _covers(grant: Grant, path: Path) -> bool:
    given = map(_real, grant.readable_paths)
    return not is_never_given(path) and any(path.is_relative_to(one) for one in given)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _refusal(plugin: Plugin, missing: Sequence[Missing], grants: Grants) -> PluginSecurityError:
    never = [one.value for one in missing if one.key == "readable_paths"]
    never = [path for path in never if is_never_given(path)]
    return PluginSecurityError(
        f"the plugin '{plugin.name}' asks for more than it was granted: "
        + ", ".join(map(str, missing)),
        where=str(plugin.path),
        hint=f"no grant gives a plugin {_visible(never[0])}: tell its author"
        if never
        else _how_to_grant(plugin, missing, grants),
    )


def _how_to_grant(plugin: Plugin, missing: Sequence[Missing], grants: Grants) -> str:
    options = " ".join(f"--grant {shlex.quote(f'{plugin.name}:{one.option}')}" for one in missing)
    place = _place(plugin, missing, grants)
    if place is None:
        return f"if you trust it with this: {options}"
    lines = "\n".join(f"    {line}" for line in _table(plugin.name, missing))
    return f"if you trust it with this, write in {place}:\n{lines}\n  or for one command: {options}"


def _place(plugin: Plugin, missing: Sequence[Missing], grants: Grants) -> Path | None:
    """The file in which a grant would be heard; None where only an option is."""
    told = grants.plugins.get(plugin.name, Grant())
    if any(getattr(told, one.key) is not None for one in missing if one.key in LIMITS):
        return None
    own = grants.own.get(plugin.name, Grant())
    before = any(getattr(own, one.key) is not None for one in missing if one.key in LIMITS)
    if plugin.origin != "project" and (before or not _project_may(missing, grants)):
        return places.own_file()
    return grants.project_file if _project_may(missing, grants) else None


def _project_may(missing: Sequence[Missing], grants: Grants) -> bool:
    """Whether a project's file can grant all of it: limits, and what lies in its folder."""
    folder = _real(grants.project_file.parent)
    return all(
        one.key in LIMITS or (one.key == "readable_paths" and one.value.is_relative_to(folder))
        for one in missing
    )


def _table(name: str, missing: Sequence[Missing]) -> Iterator[str]:
    """The lines of a file that grant it."""
    yield f'[sandbox.plugins."{name}"]'
    for one in missing:
        if one.key in LIMITS:
            text = _text(one.key, one.value)
            yield f'{one.key} = "{text}"' if one.key in SIZES else f"{one.key} = {text}"
    for key in _OPTIONS:
        values = [_visible(one.value) for one in missing if one.key == key]
        if values:
            yield f"{key} = {json.dumps(values, ensure_ascii=False)}"


def _text(key: str, value: float) -> str:
    return amounts.size_text(int(value)) if key in SIZES else f"{value:.15g}"


def _visible(value: object) -> str:
    """A path or a name; the links of a plugin may lead to names that act on a terminal."""
    text = str(value)
    return text if text.isprintable() else ascii(text)
