"""What a long compile tells whoever watches."""

from __future__ import annotations

from typing import Protocol


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
