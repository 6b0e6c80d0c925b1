"""What a check of a plugin found."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        what: a sentence, or several lines.
        where: `file:line`, or what else it is about.
        hint: what to do.
        source: the line of the file.
    """

    what: str
    where: str = ""
    hint: str = ""
    source: str = ""

    @classmethod
    def at(cls, what: str, file: str, line: int, hint: str = "") -> Finding:
        """A finding in a file, with its line as it stands."""
        linecache.checkcache(file)
        return cls(what, f"{file}:{line}", hint, linecache.getline(file, line).rstrip())


@dataclass(frozen=True)
class Check:
    """One of the checks: loading, Python, hardware, tests.

    Attributes:
        name: "load", "python", "hdl" or "tests".
        state: "skipped" where nothing that was changed concerns it.
        summary: in a few words.
        findings: what is wrong.
        exit_code: of the command if this is what failed.
        seconds: how long it took.
    """

    name: str
    state: State
    summary: str
    findings: tuple[Finding, ...] = ()
    exit_code: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The outcome of all checks after one save."""

    checks: tuple[Check, ...]
    changed: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not any(check.state == "failed" for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0, or that of the first check that failed."""
        return next((c.exit_code for c in self.checks if c.state == "failed"), 0)

    def as_data(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {"success": self.passed, **asdict(self)}


@dataclass
class History:
    """What came before: the last time all was well."""

    last_good: str = ""
    note: str = ""

    def add(self, verdict: Verdict, clock: str) -> None:
        if verdict.passed:
            self.last_good = clock
            self.note = summary_of(verdict.checks)


def summary_of(checks: Sequence[Check]) -> str:
    """The checks that ran, in one line."""
    return ", ".join(check.summary for check in checks if check.state == "passed")
