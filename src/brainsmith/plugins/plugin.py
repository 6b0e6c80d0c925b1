"""A plugin and its components. A component's code is imported at its first use."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from brainsmith.api.decorators import KernelInfo, OperationInfo, TransformInfo, info_of
from brainsmith.errors import PluginError
from brainsmith.plugins.manifest import CodeEntry, FileEntry, Manifest, read_yaml

KINDS = ("operations", "kernels", "transforms", "targets", "strategies")
_INFO = {"operations": OperationInfo, "kernels": KernelInfo, "transforms": TransformInfo}


@dataclass(frozen=True)
class Plugin:
    """A plugin on this machine.

    Args:
        manifest: what `brainsmith.yaml` says.
        root: the folder of the manifest.
        package: the package that the manifest's module names are relative to ("" for none).
    """

    manifest: Manifest
    root: Path
    package: str

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """All components, in the order of the manifest."""
        return tuple(
            Component(self, kind, entry) for kind in KINDS for entry in getattr(self.manifest, kind)
        )


@dataclass(frozen=True, eq=False)
class Component:
    """One component of a plugin, known by its manifest entry until it is used."""

    plugin: Plugin
    kind: str
    entry: CodeEntry | FileEntry

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def full_name(self) -> str:
        return f"{self.plugin.manifest.name}:{self.name}"

    @cached_property
    def cls(self) -> type:
        """The class, imported now. Raises PluginError where it cannot be."""
        entry = self.entry
        if not isinstance(entry, CodeEntry):
            raise PluginError("the component is data, not code", where=self.full_name)
        package = self.plugin.package
        name = f"{package}.{entry.module}" if package else entry.module
        try:
            found: type = getattr(importlib.import_module(name), entry.class_)
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f"cannot import {entry.class_} from {name}: {error}", where=self.full_name
            ) from error
        self._check(found)
        return found

    @cached_property
    def info(self) -> Any:
        """What the decorator recorded: KernelInfo, OperationInfo or TransformInfo."""
        return info_of(self.cls)

    @cached_property
    def instance(self) -> Any:
        """An instance of the class, made once."""
        return self.cls()

    @cached_property
    def data(self) -> Any:
        """The content of a component that is a YAML file."""
        if not isinstance(self.entry, FileEntry):
            raise PluginError("the component is code, not data", where=self.full_name)
        path = (self.plugin.root / self.entry.file).resolve()
        if not path.is_relative_to(self.plugin.root.resolve()):
            raise PluginError("the file lies outside the plugin", where=f"{self.full_name}: {path}")
        return read_yaml(path)

    @cached_property
    def folder(self) -> Path:
        """The folder of the file that defines the class; sources are relative to it."""
        return Path(inspect.getfile(self.cls)).parent

    def _check(self, found: type) -> None:
        info = info_of(found)
        if not isinstance(info, _INFO[self.kind]):
            raise PluginError(f"the class is not one of the {self.kind}", where=self.full_name)
        if info.name != self.name:
            raise PluginError(
                f"the manifest calls it '{self.name}', its decorator '{info.name}'",
                where=self.full_name,
                hint="give both the same name",
            )
