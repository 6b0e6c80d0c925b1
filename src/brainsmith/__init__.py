"""Brainsmith: from an ONNX file to a verified dataflow accelerator, with open tools only.

Importing this package loads nothing else: names are resolved at first use (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainsmith.compiler import (
        CompilationResult,
        CompilationStrategy,
        CompileOptions,
        Compiler,
        KernelSpec,
        TransformSpec,
    )
    from brainsmith.plugins import PluginRegistry

    __version__: str

__all__ = [
    "CompilationResult",
    "CompilationStrategy",
    "CompileOptions",
    "Compiler",
    "KernelSpec",
    "PluginRegistry",
    "TransformSpec",
    "__version__",
]


def __getattr__(name: str) -> Any:
    value: Any
    if name == "__version__":
        value = _version()
    elif name == "PluginRegistry":
        value = getattr(import_module("brainsmith.plugins"), name)
    elif name in __all__:
        value = getattr(import_module("brainsmith.compiler"), name)
    else:
        raise AttributeError(f"module 'brainsmith' has no attribute '{name}'")
    globals()[name] = value
    return value


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("brainsmith")
    except PackageNotFoundError:
        # Run from its sources, without an installation that could know.
        return "0+unknown"


def __dir__() -> list[str]:
    return sorted(__all__)
