"""Where code that is not ours runs: confined processes, their limits, and what they answer.

It runs a named callable on data and knows nothing of manifests. Names are resolved at first use
(PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainsmith.sandbox.levels import Level
    from brainsmith.sandbox.policy import SandboxPolicy
    from brainsmith.sandbox.sandbox import PluginSandbox

_HOME = {
    "PluginSandbox": "sandbox",
    "Level": "levels",
    "SandboxPolicy": "policy",
}

__all__ = ["Level", "PluginSandbox", "SandboxPolicy"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
