"""The dependencies that a plugin's `pyproject.toml` has for pip, against those of its manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from brainsmith.errors import PluginError
from brainsmith.plugins.names import canonical
from brainsmith.plugins.requirements import parse

if TYPE_CHECKING:
    from packaging.requirements import Requirement

PYPROJECT = "pyproject.toml"
_MAX_BYTES = 1 << 20
_BRAINSMITH = "brainsmith"  # the manifest says it under `compatibility`


def dependency_differences(folder: Path, wanted: Iterable[str]) -> list[str]:
    """What `pyproject.toml` and the manifest say differently about dependencies, by name.

    Args:
        folder: the plugin's top folder.
        wanted: the manifest's `dependencies` (PEP 508).

    Returns:
        One sentence for each package; none where there is no such file, or where it leaves its
        dependencies to the build tool (`dynamic`).

    Raises:
        PluginError: the file is no TOML, or its dependencies are no list of requirements.
    """
    texts = _read(folder / PYPROJECT)
    if texts is None:
        return []
    theirs, own = _by_name(texts), _by_name(wanted)
    theirs.pop(_BRAINSMITH, None)
    own.pop(_BRAINSMITH, None)
    return [
        _difference(own.get(name, set()), theirs.get(name, set()))
        for name in sorted({*own, *theirs})
        if own.get(name) != theirs.get(name)
    ]


def _difference(own: set[Requirement], theirs: set[Requirement]) -> str:
    if not theirs:
        return f"{PYPROJECT} lacks the dependency '{_text(own)}' of the manifest"
    if not own:
        return f"the manifest lacks the dependency '{_text(theirs)}' of {PYPROJECT}"
    return f"the manifest needs '{_text(own)}', {PYPROJECT} '{_text(theirs)}'"


def _text(requirements: set[Requirement]) -> str:
    return ", ".join(sorted(map(str, requirements)))


def _by_name(texts: Iterable[str]) -> dict[str, set[Requirement]]:
    found: dict[str, set[Requirement]] = {}
    for text in texts:
        requirement = parse(text)
        found.setdefault(canonical(requirement.name), set()).add(requirement)
    return found


def _read(path: Path) -> list[str] | None:
    """`project.dependencies`; None where another place says them."""
    import tomllib

    if not path.is_file():
        return None
    if path.stat().st_size > _MAX_BYTES:
        raise PluginError(f"the file is larger than {_MAX_BYTES} bytes", where=str(path))
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PluginError(f"the file cannot be read: {error}", where=str(path)) from error
    project = data.get("project")
    if not isinstance(project, dict) or "dependencies" in _list(project, "dynamic", path):
        return None
    return _list(project, "dependencies", path)


def _list(project: dict[str, object], field: str, path: Path) -> list[str]:
    value = project.get(field, [])
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise PluginError(f"`project.{field}` is no list of texts", where=str(path))
    return value
