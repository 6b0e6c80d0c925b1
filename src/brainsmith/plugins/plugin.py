"""A plugin and its components. A component's code is used where it may run, at its first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsmith.errors import PluginError

if TYPE_CHECKING:
    from types import ModuleType

    from brainsmith.plugins.code import Code
    from brainsmith.plugins.description import Description
    from brainsmith.plugins.manifest import Manifest
    from brainsmith.plugins.sandboxing import SandboxSettings


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
        sandbox: how its calls are confined; as is usual if None.
    """

    record: Mapping[str, Any]
    path: Path
    origin: str = "path"
    package: str | None = None
    neighbors: Callable[[], Mapping[str, str]] | None = None
    sandbox: SandboxSettings | None = None

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

    @property
    def settings(self) -> SandboxSettings:
        """How its calls are confined."""
        if self.sandbox is not None:
            return self.sandbox
        from brainsmith.plugins.sandboxing import SandboxSettings

        return SandboxSettings()

    def is_confined(self, kind: str) -> bool:
        """Whether its components of a kind run in workers: all but built-in ones, unless L0 was
        named."""
        settings = self.settings
        if self.origin == "built-in" and kind not in settings.confine_builtins:
            return False
        return settings.required > 0

    @property
    def own_packages(self) -> Path | None:
        """The folder of the packages that were installed for this plugin alone, if there is one."""
        folder = self.root.parent / "dependencies" / self.root.name
        return folder if self.origin == "store" and folder.is_dir() else None

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
        from brainsmith.plugins.requirements import check_requirements

        own = self.own_packages
        check_requirements(
            self.manifest,
            str(self.path),
            requires=wanted,
            # In a worker they come first, in this process last; see `Local`.
            folders=(own,) if own is not None and self.settings.required > 0 else (),
            later=(own,) if own is not None else (),
            plugins=self.neighbors() if self.neighbors is not None else {},
        )

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
    def code(self) -> Code:
        """Its class, in this process or in a worker; made once.

        Raises:
            PluginError: it is data, or something that it needs is missing.
        """
        if self.is_data:
            raise PluginError("the component is data, not code", where=self.full_name)
        from brainsmith.plugins.confined import Confined
        from brainsmith.plugins.local import Local

        return Confined(self) if self.plugin.is_confined(self.kind) else Local(self)

    @property
    def cls(self) -> type:
        """The class, imported now.

        Raises:
            PluginError: it is not for this process, or something that it needs is missing.
            PluginValidationError: the class is not there, or breaks its contract.
        """
        return self.code.cls

    @property
    def info(self) -> Any:
        """What the decorator recorded: KernelInfo, OperationInfo, TransformInfo or TargetInfo."""
        return self.description.info

    @property
    def description(self) -> Description:
        """What there is to know of the class; see `Description`."""
        return self.code.description

    @property
    def instance(self) -> Any:
        """An instance of the class, or what stands for one in a worker and has its methods."""
        return self.code.instance

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
        """The folder of the file that defines the class; sources are relative to it.

        Raises:
            PluginError: it lies outside the plugin.
        """
        file = Path(self.description.file).resolve()
        if not file.is_relative_to(self.plugin.root.resolve()):
            raise PluginError(
                "the class is defined outside the plugin, so its sources are too",
                where=f"{self.full_name}: {file}",
            )
        return file.parent

    def check_requirements(self) -> None:
        """What the plugin needs is there, and what this component needs as far as is known."""
        self.plugin.check_requirements(self.record.get("requires", ()))

    def check_told_requirements(self, told: Iterable[str]) -> None:
        """The same for what its decorator alone says that it needs."""
        if set(told) - set(self.record.get("requires", ())):
            self.plugin.check_requirements(told)
