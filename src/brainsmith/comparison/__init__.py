"""A plugin compared with what is built in, on the nodes of a model: every figure is measured.

`compare` is the way in; what it returns are the records of `brainsmith.comparison.records`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainsmith.comparison.comparing import compare
    from brainsmith.comparison.options import ComparisonOptions
    from brainsmith.comparison.records import Comparison

_HOME = {"Comparison": "records", "ComparisonOptions": "options", "compare": "comparing"}

__all__ = ["Comparison", "ComparisonOptions", "compare"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
