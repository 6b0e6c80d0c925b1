"""What the tests of a plugin import: checks of kernels and transforms, and measurements.

Names are resolved at first use (PEP 562): pytest loads this package into each of its runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainsmith.testing.case import CaseResult, KernelCase, WrongElement
    from brainsmith.testing.kernel_checks import check_kernel
    from brainsmith.testing.measuring import Figures, benchmark
    from brainsmith.testing.transform_checks import TransformResult, check_transform

_HOME = {
    "CaseResult": "case",
    "Figures": "measuring",
    "KernelCase": "case",
    "TransformResult": "transform_checks",
    "WrongElement": "case",
    "benchmark": "measuring",
    "check_kernel": "kernel_checks",
    "check_transform": "transform_checks",
}

__all__ = [
    "CaseResult",
    "Figures",
    "KernelCase",
    "TransformResult",
    "WrongElement",
    "benchmark",
    "check_kernel",
    "check_transform",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'brainsmith.testing' has no attribute '{name}'")
    value = getattr(import_module(f"brainsmith.testing.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
