"""What plugins printed, on standard error, where the user wants to see it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brainsmith.sandbox.record import Ledger


@contextmanager
def shown(wanted: bool) -> Iterator[Ledger]:
    """A ledger for the calls of plugins; at the end, also of a failure, what they printed."""
    from brainsmith.sandbox.record import Ledger

    ledger = Ledger()
    try:
        yield ledger
    finally:
        if wanted:
            sys.stderr.write(ledger.printed() or "no plugin has printed anything\n")
            sys.stderr.flush()
