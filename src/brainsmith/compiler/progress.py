"""What a long compile tells whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

_EARLY = 1.0  # seconds in which a pace shows nothing


class Progress(Protocol):
    """A watcher of a compile: steps with a number of parts, or None where it is not known."""

    def step(self, name: str, total: int | None = None) -> None:
        """A new step starts."""

    def advance(self, n: int = 1, detail: str = "") -> None:
        """`n` parts of the step are done; `detail` names the one that is worked on."""

    def done(self) -> None:
        """The last step has ended."""


class Silent:
    """Watches nothing."""

    def step(self, name: str, total: int | None = None) -> None:
        """Ignored."""

    def advance(self, n: int = 1, detail: str = "") -> None:
        """Ignored."""

    def done(self) -> None:
        """Ignored."""


class TimeLeft:
    """How long something that has begun will take, told from the share that is done.

    The pace is taken as even, so it is no more than an estimate.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()

    def said(self, share: float) -> str:
        """ ", about 2 min left", or "" where nothing can be said yet or no more has to be."""
        spent = self._clock() - self._start
        if spent < _EARLY or not 0 < share < 1:
            return ""
        left = spent * (1 - share) / share
        return f", about {duration(left)} left"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, as a person says them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
