"""Which tests a change touches: those that import what changed, directly or through others.

The registry imports the modules of the manifest too, for any test: where one of these, or what it
imports, has changed, all tests have to run.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from pathlib import Path

from brainsmith.errors import BrainsmithError
from brainsmith.plugins.kinds import KINDS
from brainsmith.plugins.manifest import CodeEntry, Manifest
from brainsmith.plugins.places import FILE_NAME

_HARDWARE = (".sv", ".v", ".svh", ".vh", ".mem", ".hex")
_WITHOUT_TESTS = ("docs/", "examples/", "dist/", "README", "LICENSE", "CHANGELOG")
_TESTS = "tests"


def affected(folder: Path, changed: Collection[str]) -> list[str] | None:
    """The test files to run after a change, relative to the folder; None where all have to.

    Args:
        folder: the plugin's top folder.
        changed: names of files, relative to it.
    """
    tests = {path.relative_to(folder).as_posix(): path for path in _test_files(folder)}
    imports = {name: _imports(path) for name, path in tests.items()}
    modules = _modules(folder)
    touched: set[str] = set()
    wanted: set[str] = set()
    for name in changed:
        if name in tests:
            wanted.add(name)
        elif name in modules:
            touched.add(modules[name])
        elif name.endswith(_HARDWARE):
            touched |= _beside(name, modules)
        elif not name.startswith(_WITHOUT_TESTS):
            return None  # the manifest, a conftest, settings: who knows
    touched = _users(folder, touched, modules)
    importing = {name for name, found in imports.items() if _overlap(found, touched)}
    if touched and (not importing or _overlap(_component_modules(folder), touched)):
        return None
    return sorted(wanted | importing)


def _test_files(folder: Path) -> Iterable[Path]:
    for pattern in ("test_*.py", "*_test.py"):
        yield from (folder / _TESTS).rglob(pattern)


def _modules(folder: Path) -> dict[str, str]:
    """The dotted name of each module of the plugin, by its file relative to the folder."""
    root = folder / "src" if (folder / "src").is_dir() else folder
    found = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        if _TESTS in parts or any(part.startswith(".") for part in parts):
            continue
        dotted = parts[:-1] if parts[-1] == "__init__" else parts
        found[path.relative_to(folder).as_posix()] = ".".join(dotted)
    return found


def _component_modules(folder: Path) -> set[str]:
    """The modules that the manifest names; "", which may be any, where it cannot be read."""
    try:
        manifest = Manifest.read(folder / FILE_NAME)
    except BrainsmithError:
        return {""}
    entries = (entry for kind in KINDS for entry in getattr(manifest, kind))
    return {entry.module for entry in entries if isinstance(entry, CodeEntry)}


def _beside(name: str, modules: dict[str, str]) -> set[str]:
    """The modules in the nearest folder upwards that has some: whose hardware this is."""
    for parent in Path(name).parents:
        inside = {dotted for file, dotted in modules.items() if Path(file).parent == parent}
        if inside:
            return inside
    return set(modules.values())


def _users(folder: Path, touched: set[str], modules: dict[str, str]) -> set[str]:
    """The modules, and all of the plugin that import them."""
    imports = {dotted: _imports(folder / file) for file, dotted in modules.items()}
    while True:
        more = {d for d, found in imports.items() if d not in touched and _overlap(found, touched)}
        if not more:
            return touched
        touched = touched | more


def _overlap(found: set[str], touched: set[str]) -> bool:
    """Whether one of the imports leads to one of the modules; "" may lead anywhere."""
    return bool(touched) and any(
        not name or name == module or name.startswith(f"{module}.") or module.startswith(f"{name}.")
        for name in found
        for module in touched
    )


def _imports(path: Path) -> set[str]:
    """Dotted names that a file imports, also those of what is taken from a module."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return {""}  # who knows: it may be concerned by anything
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add("")
    return found
