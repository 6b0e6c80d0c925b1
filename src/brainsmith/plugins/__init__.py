"""Manifests, discovery, the registry and the loader: how components come in, built-ins included.

Names are resolved at first use (PEP 562): asking a kept index needs neither pydantic nor YAML.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainsmith.plugins.loader import PluginLoader
    from brainsmith.plugins.manifest import Manifest
    from brainsmith.plugins.plugin import Component, Plugin
    from brainsmith.plugins.registry import BrokenPlugin, PluginRegistry
    from brainsmith.plugins.search import Found
    from brainsmith.plugins.source import PackageFacts, PackageSource

_HOME = {
    "BrokenPlugin": "registry",
    "Component": "plugin",
    "Found": "search",
    "Manifest": "manifest",
    "PackageFacts": "source",
    "PackageSource": "source",
    "Plugin": "plugin",
    "PluginLoader": "loader",
    "PluginRegistry": "registry",
}

__all__ = [
    "BrokenPlugin",
    "Component",
    "Found",
    "Manifest",
    "PackageFacts",
    "PackageSource",
    "Plugin",
    "PluginLoader",
    "PluginRegistry",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
