"""A plugin and its components. A component's code is imported at its first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsmith.errors import PluginError, PluginValidationError
from brainsmith.plugins.places import FILE_NAME

if TYPE_CHECKING:
    from types import ModuleType

    from brainsmith.plugins.manifest import Manifest


@dataclass(frozen=True, eq=False)
class Plugin:
    """A plugin on this machine, known by its manifest.

    Args:
        record: what the manifest says, without what it leaves out.
        path: the manifest's file.
        origin: where it was found: "project", "path", "user", "store", "distribution", "system",
            "built-in", or "registered" where a program has added it.
        package: the Python package that the manifest's modules belong to, for what is installed
            as a distribution; None where the plugin is a folder of its own.
        neighbors: gives the versions of all plugins by name, which may depend on each other.
    """

    record: Mapping[str, Any]
    path: Path
    origin: str = "path"
    package: str | None = None
    neighbors: Callable[[], Mapping[str, str]] | None = None

    def __repr__(self) -> str:
        return f"<Plugin {self.name} {self.version}>"

    @property
    def name(self) -> str:
        return str(self.record["name"])

    @property
    def version(self) -> str:
        return str(self.record["version"])

    @property
    def author(self) -> str:
        return str(self.record.get("author", ""))

    @property
    def license(self) -> str:
        return str(self.record.get("license", ""))

    @property
    def description(self) -> str:
        return str(self.record.get("description", ""))

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self.record.get("tags", ()))

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The Python packages that it needs (PEP 508)."""
        return tuple(self.record.get("dependencies", ()))

    @property
    def compatibility(self) -> Mapping[str, str]:
        """Version specifiers of `brainsmith`, `finn` and `python`, as far as it restricts them."""
        return dict(self.record.get("compatibility", {}))

    @property
    def root(self) -> Path:
        """The folder of the manifest."""
        return self.path.parent

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest, read again from its file with all its fields."""
        from brainsmith.plugins.manifest import Manifest

        return Manifest.read(self.path)

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """All components, in the order of the manifest."""
        return tuple(Component(self, part) for part in self.record.get("components", ()))

    def check_requirements(self, further: Iterable[str] = ()) -> None:
        """What it needs is there, and what one of its components needs besides.

        Raises:
            PluginError: it lists all that is missing or does not fit, and the command for it.
        """
        if self.origin == "built-in":
            return  # of this very version; looking it up would cost an import of 40 ms
        wanted = tuple(further)
        if not (wanted or self.dependencies or self.compatibility):
            return
        self._use_own_packages()
        from brainsmith.plugins.requirements import check_requirements

        versions = self.neighbors() if self.neighbors is not None else {}
        check_requirements(self.manifest, str(self.path), requires=wanted, plugins=versions)

    def _use_own_packages(self) -> None:
        """Makes the packages importable that were installed for this plugin alone.

        Last of all: what the environment has stays what all others import. Where that does not
        fit the plugin, the check of its requirements says so.
        """
        import sys

        folder = self.root.parent / "dependencies" / self.root.name
        if self.origin == "store" and folder.is_dir() and str(folder) not in sys.path:
            sys.path.append(str(folder))

    def module(self, name: str) -> ModuleType:
        """A module of the plugin, imported now.

        Raises:
            ImportError: it is not there; whatever its code raises.
        """
        from brainsmith.plugins.scoped import import_private, owns, source_root

        if self.package is not None:
            inside = name == self.package or name.startswith(f"{self.package}.")
            return importlib.import_module(
                name if inside or not self.package else f"{self.package}.{name}"
            )
        if owns(source_root(self.root), name):
            return import_private(self.root, name)
        return importlib.import_module(name)  # of one of its dependencies


@dataclass(frozen=True, eq=False)
class Component:
    """One component of a plugin, known by its manifest entry until it is used."""

    plugin: Plugin
    record: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<Component {self.full_name}>"

    @property
    def kind(self) -> str:
        """One of `kinds.KINDS`, such as "kernels"."""
        return str(self.record["kind"])

    @property
    def name(self) -> str:
        return str(self.record["name"])

    @property
    def full_name(self) -> str:
        """The name that only this component has: `plugin:Name`."""
        return f"{self.plugin.name}:{self.name}"

    @property
    def is_data(self) -> bool:
        """Whether it is a YAML file and no class."""
        return "file" in self.record

    @cached_property
    def cls(self) -> type:
        """The class, imported now.

        Raises:
            PluginError: something that it needs is missing.
            PluginValidationError: the class is not there, or breaks its contract.
        """
        found, _ = self._loaded
        return found

    @property
    def info(self) -> Any:
        """What the decorator recorded: KernelInfo, OperationInfo, TransformInfo or TargetInfo."""
        return self._loaded[1]

    @cached_property
    def instance(self) -> Any:
        """An instance of the class, made once."""
        return self.cls()

    @cached_property
    def data(self) -> Any:
        """The content of a component that is a YAML file."""
        if not self.is_data:
            raise PluginError("the component is code, not data", where=self.full_name)
        from brainsmith.plugins.safe_yaml import read_yaml

        path = (self.plugin.root / self.record["file"]).resolve()
        if not path.is_relative_to(self.plugin.root.resolve()):
            raise PluginError("the file lies outside the plugin", where=f"{self.full_name}: {path}")
        return read_yaml(path)

    @cached_property
    def folder(self) -> Path:
        """The folder of the file that defines the class; sources are relative to it."""
        import inspect

        return Path(inspect.getfile(self.cls)).parent

    @cached_property
    def _loaded(self) -> tuple[type, Any]:
        if self.is_data:
            raise PluginError("the component is data, not code", where=self.full_name)
        from brainsmith.plugins.contracts import checked_info

        known = tuple(self.record.get("requires", ()))
        self.plugin.check_requirements(known)
        module, name = self._import(), self.record["class"]
        try:
            found = getattr(module, name)
        except AttributeError as error:
            raise self._not_there(module) from error
        info = checked_info(found, self.kind, self.record, self.full_name)
        if set(info.requires) - set(known):  # told by the decorator alone
            self.plugin.check_requirements(info.requires)
        return found, info

    def _import(self) -> ModuleType:
        name = self.record["module"]
        try:
            return self.plugin.module(name)
        except PluginError as error:  # a decorator's complaint, which knows no plugin
            raise PluginValidationError(
                error.what, where=f"{self.full_name} in module {name}", hint=error.hint
            ) from error
        except (Exception, SystemExit) as error:
            # Whatever a plugin's code raises is the plugin's mistake; the cause is kept.
            reason = f"{type(error).__name__}: {_public(str(error))}"
            raise PluginValidationError(
                f"cannot import the module '{name}': {reason}",
                where=f"{self.full_name} ({self.plugin.path})",
                hint=f"the manifest is {FILE_NAME}; --debug shows where the module fails",
            ) from error

    def _not_there(self, module: ModuleType) -> PluginValidationError:
        from brainsmith.errors import nearest

        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        return PluginValidationError(
            f"the module '{self.record['module']}' has no class '{self.record['class']}'",
            where=f"{self.full_name} ({self.plugin.path})",
            hint=nearest(self.record["class"], classes),
        )


def _public(text: str) -> str:
    """A message without the private name under which a plugin's modules are imported."""
    import re

    return re.sub(r"_brainsmith_plugins\.p[0-9a-f]+\.?", "", text)
