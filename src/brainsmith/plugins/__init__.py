"""Manifests, the loader and the registry: how components come in, the built-in ones included."""

from __future__ import annotations

from brainsmith.plugins.loader import PluginLoader
from brainsmith.plugins.manifest import Manifest
from brainsmith.plugins.plugin import Component, Plugin
from brainsmith.plugins.registry import PluginRegistry

__all__ = ["Component", "Manifest", "Plugin", "PluginLoader", "PluginRegistry"]
