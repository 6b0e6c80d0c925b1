"""The Python sources of a plugin as syntax trees. Nothing of them is ever imported here."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from brainsmith.errors import PluginError
from brainsmith.plugins.scoped import source_root

MAX_SOURCE_BYTES = 4 << 20
_API = "brainsmith.api."
# Beside a manifest without a `src` folder lies more than the plugin's code.
_OTHER_FOLDERS = frozenset(
    ("tests", "test", "docs", "examples", "benchmarks", "build", "dist", "node_modules")
)
_MAX_HOPS = 16


@dataclass(frozen=True)
class Module:
    """A module of a plugin.

    Args:
        name: its dotted name from the source root; "" for the root's own `__init__.py`.
        file: where it is.
        tree: its syntax tree.
    """

    name: str
    file: Path
    tree: ast.Module

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """The classes at the top level, by name."""
        return {s.name: s for s in top_level(self.tree.body) if isinstance(s, ast.ClassDef)}

    @cached_property
    def names(self) -> dict[str, str]:
        """What each name that an import or `name = other.name` binds stands for, dotted."""
        bound: dict[str, str] = {}
        for statement in top_level(self.tree.body):
            bound.update(self._bound(statement, bound))
        return bound

    @cached_property
    def stars(self) -> list[str]:
        """The modules of which everything is imported."""
        return [
            self._origin(statement)
            for statement in top_level(self.tree.body)
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
        ]

    def place(self, node: ast.AST) -> str:
        """`file:line` of a part of the tree."""
        return f"{self.file}:{getattr(node, 'lineno', 1)}"

    def _bound(self, statement: ast.stmt, before: dict[str, str]) -> Iterator[tuple[str, str]]:
        match statement:
            case ast.Import(names=imported):
                for alias in imported:
                    yield (alias.asname, alias.name) if alias.asname else (_first(alias.name),) * 2
            case ast.ImportFrom(names=imported):
                for alias in imported:
                    yield alias.asname or alias.name, f"{self._origin(statement)}.{alias.name}"
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Name() | ast.Attribute() as value
            ):
                text = dotted(value)
                if text and _first(text) in before:
                    yield name, before[_first(text)] + text[len(_first(text)) :]

    def _origin(self, statement: ast.ImportFrom) -> str:
        if not statement.level:
            return statement.module or ""
        # A package is its own parent: one dot in pkg/__init__.py means pkg.
        up = statement.level - (self.file.name == "__init__.py")
        parents = self.name.split(".")[: len(self.name.split(".")) - up] if self.name else []
        return ".".join((*parents, *filter(None, [statement.module])))


@dataclass(frozen=True)
class Sources:
    """All modules of a plugin, by name.

    Args:
        root: the folder that module names start from.
        modules: the modules, in the order of their names.
    """

    root: Path
    modules: dict[str, Module]

    @cached_property
    def package(self) -> str:
        """The dotted name of the root where it is itself inside a package, else ""."""
        parts: list[str] = []
        folder = self.root
        while (folder / "__init__.py").is_file():
            parts.insert(0, folder.name)
            folder = folder.parent
        return ".".join(parts)

    def resolve(self, module: Module, expression: ast.expr) -> str | None:
        """The dotted name of what an expression such as `api.kernel` stands for, or None.

        A name that one of the plugin's modules imports from another is followed to its origin.
        """
        name, here = dotted(expression), module
        for _ in range(_MAX_HOPS):
            if name is None:
                return None
            meant = self._meant(here, name)
            if meant is None:
                return f"{here.name}.{name}"
            found = self._inside(meant)
            if found is None:
                return meant
            here, name = found
        return None

    def find_class(self, name: str) -> tuple[Module, ast.ClassDef] | None:
        """The class of a dotted name, where it is one of this plugin's."""
        own = name.removeprefix(f"{self.package}.") if self.package else name
        module, _, cls = own.rpartition(".")
        found = self.modules.get(module)
        return (found, found.classes[cls]) if found and cls in found.classes else None

    def _meant(self, module: Module, name: str) -> str | None:
        """What a name of a module was bound to by an import; None where it is the module's own."""
        first, rest = _first(name), name[len(_first(name)) :]
        if first in module.classes:
            return None
        if first in module.names:
            return module.names[first] + rest
        for star in module.stars:
            other = self._inside(f"{star}.{name}")
            known = other is not None and (first in other[0].names or first in other[0].classes)
            if known or f"{star}.".startswith(_API):
                return f"{star}.{name}"
        return None

    def _inside(self, name: str) -> tuple[Module, str] | None:
        """The module of this plugin that a dotted name leads to, and the name in there."""
        own = name.removeprefix(f"{self.package}.") if self.package else name
        parts = own.split(".")
        for length in range(len(parts) - 1, 0, -1):
            found = self.modules.get(".".join(parts[:length]))
            if found is not None:
                return found, ".".join(parts[length:])
        return None


def plugin_root(folder: Path) -> Path:
    """Where the modules of the plugin in `folder` start.

    Raises:
        PluginError: it is a link that leaves the plugin.
    """
    root = source_root(folder)
    if not root.resolve().is_relative_to(folder.resolve()):
        raise PluginError("the folder is a link that leaves the plugin", where=str(root))
    return root


def read_sources(folder: Path) -> Sources:
    """All modules of the plugin in `folder`.

    Raises:
        PluginError: a file is no Python, too large, or a link that leaves the plugin.
    """
    root = plugin_root(folder)
    found = [read_module(root, file) for file in _files(root)]
    return Sources(root.resolve(), {module.name: module for module in found})


def module_file(root: Path, name: str) -> Path | None:
    """The file of a module below `root`, or None where there is none."""
    base = root.joinpath(*name.split("."))
    for file in (base / "__init__.py", base.parent / f"{base.name}.py"):
        if file.is_file():
            return file
    return None


def class_in(root: Path, file: Path, name: str) -> bool:
    """Whether a module of a plugin has a class, its own or one that it imports."""
    module = read_module(root, file)
    return name in module.classes or name in module.names or bool(module.stars)


def read_module(root: Path, file: Path) -> Module:
    """One module; see `read_sources`."""
    if not file.resolve().is_relative_to(root.resolve()):
        raise PluginError("the file is a link that leaves the plugin", where=str(file))
    parts = file.relative_to(root).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    try:
        if file.stat().st_size > MAX_SOURCE_BYTES:
            raise PluginError(f"the file is larger than {MAX_SOURCE_BYTES} bytes", where=str(file))
        return Module(name, file, ast.parse(file.read_bytes(), str(file)))
    except OSError as error:
        raise PluginError(f"cannot read the file: {error.strerror}", where=str(file)) from error
    except SyntaxError as error:
        where = f"{file}:{error.lineno}" if error.lineno else str(file)
        raise PluginError(f"this is not Python: {error.msg}", where=where) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise PluginError(f"this is not Python: {error}", where=str(file)) from error


def top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those inside `if`, `try` and `with` too."""
    for statement in body:
        yield statement
        match statement:
            case ast.If(body=inner, orelse=other):
                yield from top_level((*inner, *other))
            case ast.Try(body=inner, handlers=handlers, orelse=other, finalbody=last):
                yield from top_level(
                    (*inner, *(s for h in handlers for s in h.body), *other, *last)
                )
            case ast.With(body=inner):
                yield from top_level(inner)


def dotted(expression: ast.expr) -> str | None:
    """`a.b.c` as a text; None where the expression is something else."""
    match expression:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            before = dotted(value)
            return f"{before}.{name}" if before else None
    return None


def _first(name: str) -> str:
    return name.partition(".")[0]


def _files(root: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(root):
        folder = Path(place)
        folders[:] = sorted(f for f in folders if _is_code_folder(folder, f, folder == root))
        for name in sorted(files):
            stem, suffix = os.path.splitext(name)  # noqa: PTH122
            if suffix == ".py" and stem.isidentifier() and not _is_test(stem):
                yield folder / name


def _is_code_folder(folder: Path, name: str, at_root: bool) -> bool:
    if not name.isidentifier() or name == "__pycache__":
        return False
    return not (at_root and name in _OTHER_FOLDERS) and not (folder / name / "pyvenv.cfg").exists()


def _is_test(stem: str) -> bool:
    return stem.startswith("test_") or stem == "conftest"
