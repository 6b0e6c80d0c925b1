"""How a confined call ended, as the host saw it."""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.sandbox.frame import Raised


@dataclass(frozen=True)
class Violation:
    """A system call that was refused.

    Attributes:
        syscall: its name.
        rule: the rule of the policy that stands against it.
        path: the path, address or process that it named, if it named one.
    """

    syscall: str
    rule: str
    path: str | None = None

    def __str__(self) -> str:
        return f"{self.syscall}({self.path})" if self.path else self.syscall


@dataclass(frozen=True)
class Returned:
    """It returned, and this is what: data of a foreign source."""

    payload: memoryview


@dataclass(frozen=True)
class Threw:
    """It raised an exception."""

    raised: Raised


@dataclass(frozen=True)
class Violated:
    """It was ended at this refused system call."""

    violation: Violation


@dataclass(frozen=True)
class Exceeded:
    """It was ended at a limit: `wall_time`, `cpu_time`, `memory`, `output_size` or `printed`."""

    limit: str


@dataclass(frozen=True)
class Died:
    """It ended without an answer: by a signal, or with an exit status."""

    how: str


@dataclass(frozen=True)
class Malformed:
    """Its answer is none."""

    why: str


@dataclass(frozen=True)
class Unconfined:
    """It could not be confined, so nothing of the plugin ran."""

    why: str


Outcome = Returned | Threw | Violated | Exceeded | Died | Malformed | Unconfined
