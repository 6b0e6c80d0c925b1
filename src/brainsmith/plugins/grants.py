"""What the user lets plugins have beyond the sandbox's defaults: how it is told, and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from brainsmith.errors import ConfigurationError, nearest
from brainsmith.plugins import amounts
from brainsmith.plugins.names import is_plugin_name, is_tool_name

LIMITS = ("memory", "cpu_time", "wall_time", "output_size")
SIZES = ("memory", "output_size")
# Devices, and the kernel's own view of every process: behind all other rules.
NEVER = tuple(map(Path, ("/proc", "/sys", "/dev")))
_ONE_BY_ONE = {"read": "readable_paths", "tool": "tools"}
_FORM = "write it like NAME:memory=4GiB, NAME:wall_time=300, NAME:read=/data or NAME:tool=iverilog"
T = TypeVar("T", int, float)


@dataclass(frozen=True)
class Grant:
    """What one plugin may have if it asks for it; less than a default is a tighter limit.

    Attributes:
        memory: bytes that a call may allocate; the default if None.
        cpu_time: processor time of a call, seconds; the default if None.
        wall_time: duration of a call, seconds; the default if None.
        output_size: bytes of an answer; the default if None.
        readable_paths: absolute paths of files and folders outside the plugin.
        tools: names of tools besides the compiler's own.

    Raises:
        ConfigurationError: a limit is no number above 0, a path is relative, "/" or one that is
            never given, a tool's name is a path.
    """

    memory: int | None = None
    cpu_time: float | None = None
    wall_time: float | None = None
    output_size: int | None = None
    readable_paths: tuple[Path, ...] = ()
    tools: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in LIMITS:
            value = getattr(self, name)
            if value is not None and _limit(name, value) != value:
                raise _unfit(value, "a number", name)
        for path in self.readable_paths:
            _check_path(path)
        for tool in self.tools:
            if not isinstance(tool, str) or not is_tool_name(tool):
                raise _unfit(tool, "a tool's name, such as iverilog", "tools")

    def over(self, other: Grant) -> Grant:
        """Both: this one's limits where it has them, the paths and tools of either."""
        return Grant(
            **{name: _first(getattr(self, name), getattr(other, name)) for name in LIMITS},
            readable_paths=tuple(dict.fromkeys((*self.readable_paths, *other.readable_paths))),
            tools=tuple(dict.fromkeys((*self.tools, *other.tools))),
        )


@dataclass(frozen=True)
class Grants:
    """The grants of all plugins, by name, and who gives them.

    Attributes:
        plugins: those of the command line or the program, which count first.
        own: those of the user's own file. They hold for plugins that the user has put on this
            machine; a project could bring another plugin of the same name.
        project: those of the project's file.
        project_file: where a project's grants are written.
    """

    plugins: Mapping[str, Grant] = field(default_factory=dict)
    own: Mapping[str, Grant] = field(default_factory=dict)
    project: Mapping[str, Grant] = field(default_factory=dict)
    project_file: Path = Path("brainsmith.toml")

    def of(self, plugin: str, origin: str) -> Grant:
        """What a plugin may have, by its name and where it was found."""
        nothing = Grant()
        grant = self.plugins.get(plugin, nothing)
        if origin != "project":
            grant = grant.over(self.own.get(plugin, nothing))
        return grant.over(self.project.get(plugin, nothing))


def read_grant(table: Mapping[str, Any], base: Path) -> Grant:
    """A grant from a table of a file.

    Args:
        table: field names of `Grant`; sizes may be text such as "4 GiB".
        base: the folder that relative paths start in.

    Raises:
        ConfigurationError: an unknown field, or a value that it cannot have.
    """
    known = [one.name for one in fields(Grant)]
    values: dict[str, Any] = {}
    for name, found in table.items():
        if name not in known:
            raise ConfigurationError(
                f"unknown field '{name}'", where=name, hint=nearest(name, known)
            )
        values[name] = _list(name, found, base) if name not in LIMITS else _limit(name, found)
    return Grant(**values)


def parse_grants(texts: Iterable[str]) -> dict[str, Grant]:
    """Grants by plugin from texts such as "lens:memory=4GiB" or "lens:read=/data".

    Relative paths start in the working folder. Of one limit that is told twice the last counts.

    Raises:
        ConfigurationError: a text is no grant.
    """
    found: dict[str, Grant] = {}
    for text in texts:
        try:
            name, grant = _parse(text)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"'{text}' is no grant: {error.what}", where="--grant", hint=error.hint
            ) from error
        found[name] = grant.over(found.get(name, Grant()))
    return found


def _parse(text: str) -> tuple[str, Grant]:
    name, colon, rest = text.partition(":")
    key, equals, value = rest.partition("=")
    if not (colon and equals and value and is_plugin_name(name)):
        raise ConfigurationError("it does not have its form", hint=_FORM)
    keys = (*LIMITS, *_ONE_BY_ONE)
    if key not in keys:
        raise ConfigurationError(f"'{key}' is unknown", hint=nearest(key, keys))
    if key in _ONE_BY_ONE:
        return name, read_grant({_ONE_BY_ONE[key]: [value]}, Path.cwd())
    return name, read_grant({key: _number(value)}, Path.cwd())


def _number(text: str) -> str | float:
    """A number where the text is one: a limit's type is checked with its name."""
    if not text.isascii() or "_" in text:
        return text
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return text


def _limit(name: str, found: Any) -> int | float:
    value: int | float | None
    if name in SIZES:
        value, expected = amounts.size(found), amounts.SIZE
    else:
        value, expected = amounts.seconds(found), amounts.SECONDS
    if value is None:
        raise _unfit(found, expected, name)
    return value


def _list(name: str, found: Any, base: Path) -> tuple[Any, ...]:
    if not isinstance(found, list) or not all(isinstance(item, str) and item for item in found):
        raise _unfit(found, "a list of texts", name)
    return tuple(found) if name == "tools" else tuple(_absolute(item, base) for item in found)


def _absolute(text: str, base: Path) -> Path:
    try:
        return (base / Path(text).expanduser()).resolve()
    except (RuntimeError, ValueError) as error:  # nobody's home, a circle of links, a NUL
        raise _unfit(text, "a path", "readable_paths") from error


def _check_path(path: Path) -> None:
    where = "readable_paths"
    if not isinstance(path, Path) or not path.is_absolute() or not str(path).isprintable():
        raise _unfit(path, "an absolute path", where)
    if path == Path("/") or is_never_given(path):
        raise ConfigurationError(
            f"'{path}' is never given to a plugin", where=where, hint="name a folder of data in it"
        )


def is_never_given(path: Path) -> bool:
    """Whether a path belongs to the kernel and the devices."""
    return any(path.is_relative_to(never) for never in NEVER)


def _first(one: T | None, other: T | None) -> T | None:
    return other if one is None else one


def _unfit(found: object, expected: str, where: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where} cannot be {found!r:.80}", where=where, hint=f"expected: {expected}"
    )
