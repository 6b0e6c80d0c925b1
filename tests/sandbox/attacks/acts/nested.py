"""A plugin that calls code of another one, confined as it thinks."""

from __future__ import annotations

from typing import Any

Facts = dict[str, Any]


def call(facts: Facts) -> str:
    from brainsmith.sandbox.execution import Subject, execute
    from brainsmith.sandbox.levels import Level
    from brainsmith.sandbox.policy import SandboxPolicy

    try:
        execute(Subject("other"), "os:getpid", label="f", policy=SandboxPolicy(), level=Level.L3)
    except Exception as error:
        return type(error).__name__
    return "it ran"
