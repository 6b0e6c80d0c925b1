"""The compiler: strategy, stages, mapping, folding, design, code generation, verification.

Names are resolved at first use (PEP 562), so that importing one of them does not import all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainsmith.compiler.accelerator import Accelerator
    from brainsmith.compiler.compiler import Compiler
    from brainsmith.compiler.explanation import NodeExplanation
    from brainsmith.compiler.on_board import BoardAccelerator
    from brainsmith.compiler.options import CompileOptions
    from brainsmith.compiler.result import CompilationResult
    from brainsmith.compiler.strategy import CompilationStrategy, KernelSpec, TransformSpec

_HOME = {
    "Accelerator": "accelerator",
    "BoardAccelerator": "on_board",
    "CompilationResult": "result",
    "CompilationStrategy": "strategy",
    "CompileOptions": "options",
    "Compiler": "compiler",
    "KernelSpec": "strategy",
    "NodeExplanation": "explanation",
    "TransformSpec": "strategy",
}

__all__ = [
    "Accelerator",
    "BoardAccelerator",
    "CompilationResult",
    "CompilationStrategy",
    "CompileOptions",
    "Compiler",
    "KernelSpec",
    "NodeExplanation",
    "TransformSpec",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
