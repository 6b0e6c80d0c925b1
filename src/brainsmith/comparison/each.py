"""Work on many things at once; one by one where that fails, so that one fault hides no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from brainsmith.errors import BrainsmithError, PluginSecurityError, StorageError

T = TypeVar("T")
R = TypeVar("R")


def each(
    work: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]
) -> list[R | BrainsmithError]:
    """What `work` gives for each item, or the error of that item.

    Raises:
        PluginSecurityError: a plugin did what it may not: nothing more is asked of it.
        StorageError: the disk is full.
    """
    if not items:
        return []
    try:
        return list(work(items))
    except (PluginSecurityError, StorageError):
        raise
    except BrainsmithError as error:
        if len(items) == 1:
            return [error]
    return [found for item in items for found in each(work, [item])]
