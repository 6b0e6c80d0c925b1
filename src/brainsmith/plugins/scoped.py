"""Modules of a plugin's folder, imported under a name that no other plugin can have.

The folder is the package `_brainsmith_plugins.pNUMBER`, so `flash_attention.kernel` of one plugin
and of another are two modules. Inside the plugin `import flash_attention.helpers` means its own
module: its modules are given an `__import__` that looks into the plugin's folder first. Neither
`sys.path` nor what other code imports is changed by it.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
import zlib
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

ROOT = "_brainsmith_plugins"
_SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)


def source_root(folder: Path) -> Path:
    """Where a plugin's modules are: in `src` if there is one, else beside the manifest."""
    source = folder / "src"
    return source if source.is_dir() else folder


def owns(root: Path, name: str) -> bool:
    """Whether the top of the dotted `name` is a module below `root`.

    A folder without source, such as `docs`, is none, and nobody has a `brainsmith` of their own.
    """
    top = name.partition(".")[0]
    if top == "brainsmith":
        return False
    base = root / top
    if any((root / f"{top}{suffix}").is_file() for suffix in _SUFFIXES):
        return True
    return base.is_dir() and any(base.glob("*.py"))


def import_private(folder: Path, name: str) -> ModuleType:
    """The module `name` of the plugin in `folder`.

    Raises:
        ImportError: it is not there; whatever its code raises.
    """
    scope = _scope(source_root(folder.resolve()))
    return importlib.import_module(f"{scope}.{name}")


def _scope(root: Path) -> str:
    """The package that stands for a folder; made at its first use."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        # Before Python's own finder, which would find the files too, and run them unscoped.
        sys.meta_path.insert(0, _Finder())
    if ROOT not in sys.modules:
        sys.modules[ROOT] = _package(ROOT, [])
    # The folder itself tells two folders with one number apart.
    number = zlib.crc32(str(root).encode(errors="surrogateescape"))
    while True:
        name = f"{ROOT}.p{number:08x}"
        known = sys.modules.setdefault(name, _package(name, [str(root)]))
        if list(known.__path__) == [str(root)]:
            return name
        number += 1


def _package(name: str, path: list[str]) -> ModuleType:
    package = ModuleType(name, "Plugins, or one of them, under a private name.")
    package.__path__ = path
    package.__package__ = name
    return package


class _Finder(MetaPathFinder):
    """Finds the modules below `ROOT`, and no others."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{ROOT}.") or path is None:
            return None
        scope = ".".join(fullname.split(".")[:2])
        details = (
            (lambda name, file: ScopedLoader(name, file, scope), SOURCE_SUFFIXES),
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
        )
        for folder in path:
            spec = FileFinder(folder, *details).find_spec(fullname)  # type: ignore[arg-type]
            if spec is not None:
                _check_inside(spec, scope)
                return spec
        return None


def _check_inside(spec: ModuleSpec, scope: str) -> None:
    root = next(iter(sys.modules[scope].__path__))
    if spec.origin is not None and not Path(spec.origin).resolve().is_relative_to(root):
        raise ImportError(f"'{spec.origin}' is a link that leaves the plugin", name=spec.name)


class ScopedLoader(SourceFileLoader):
    """Runs a module's source with imports that look into its plugin first.

    Compiled files are neither read nor written: what runs is what can be read, and a plugin's
    folder stays as it was installed.
    """

    def __init__(self, fullname: str, path: str, scope: str) -> None:
        super().__init__(fullname, path)
        self._scope = scope

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.get_data(self.path), self.path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        # `import` statements ask the builtins of the module that they stand in.
        scoped = {**vars(builtins), "__import__": _scoped_import(self._scope)}
        vars(module)["__builtins__"] = scoped
        super().exec_module(module)


def _scoped_import(scope: str) -> Any:
    root = Path(next(iter(sys.modules[scope].__path__)))

    def __import__(  # noqa: N807
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 0 and owns(root, name):
            own = f"{scope}.{name}"
            if fromlist:
                return importlib.__import__(own, globals, locals, fromlist)
            importlib.import_module(own)
            return sys.modules[f"{scope}.{name.partition('.')[0]}"]
        return builtins.__import__(name, globals, locals, fromlist or (), level)

    return __import__
