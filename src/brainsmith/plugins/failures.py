"""Errors in the place of single answers: told as data, raised when the answer is asked for."""

from __future__ import annotations

from typing import Any

import brainsmith.errors
from brainsmith.errors import BrainsmithError, PluginError

_TAG = "!"
_OWN = ("ConfigurationError", "ModelError", "PluginError")


def pack(error: Exception) -> tuple[str, str, str, str | None]:
    """An error as data, which no answer looks like."""
    if isinstance(error, BrainsmithError):
        return (_TAG, type(error).__name__, error.what, error.hint)
    return (_TAG, "", f"{type(error).__name__}: {error}", None)


def answer(value: Any, where: str) -> Any:
    """The answer, if it is one.

    Raises:
        BrainsmithError: there is an error in its place.
    """
    if not (isinstance(value, tuple) and len(value) == 4 and value[0] == _TAG):
        return value
    _, name, what, hint = value
    kind = getattr(brainsmith.errors, name) if name in _OWN else PluginError
    raise kind(str(what), where=where, hint=hint if isinstance(hint, str) else None)
