"""Methods of objects, called in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brainsmith.sandbox.worker import find


def call_method(name: str, state: Mapping[str, Any], method: str, *arguments: Any) -> Any:
    """Calls a method of an object that is made from its class and its attributes.

    Args:
        name: the class, as `module:name`.
        state: its attributes by name.
        method: the method's name.
        arguments: those of the method.
    """
    cls = find(name)
    made = cls.__new__(cls)
    vars(made).update(state)
    return getattr(made, method)(*arguments)
