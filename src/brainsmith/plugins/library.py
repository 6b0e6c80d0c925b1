"""Transformations of the qonnx package, named in a strategy: components without a plugin."""

from __future__ import annotations

from pathlib import Path

from brainsmith.errors import ConfigurationError, PluginError
from brainsmith.plugins.confined import LIBRARY
from brainsmith.plugins.plugin import Component, Plugin
from brainsmith.plugins.sandboxing import SandboxSettings

PACKAGE = "qonnx"


def is_library_name(name: str) -> bool:
    """Whether a transform's name is `qonnx.module:Class`."""
    module, colon, _ = name.partition(":")
    return bool(colon) and module.partition(".")[0] == PACKAGE


def library_transform(name: str, settings: SandboxSettings | None) -> Component:
    """The component of `qonnx.module:Class`.

    Raises:
        ConfigurationError: there is no such class, or it is no QONNX Transformation.
    """
    module, _, cls = name.partition(":")
    entry = {"kind": "transforms", "name": cls, "module": module, "class": cls}
    record = {"name": PACKAGE, "version": "0", "components": [entry]}
    plugin = Plugin(record, Path(PACKAGE), LIBRARY, "", sandbox=settings)
    component = plugin.components[0]
    try:
        sound = component.description.is_qonnx
    except PluginError as error:
        if error.exit_code != PluginError.exit_code:  # it may not run here at all
            raise
        raise ConfigurationError(f"cannot import '{name}': {error.what}") from error
    if not sound:
        raise ConfigurationError(f"'{name}' is no QONNX Transformation")
    return component
