"""What confined calls did: one record a call, and the ledger of all calls of a compile."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from brainsmith.sandbox.levels import Level

# Characters of everything that the calls of one ledger print; what comes later is not kept.
MOST_OUTPUT = 4 << 20
_CUT = "... and more, which was not kept"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One confined call.

    Attributes:
        plugin: the name of the plugin.
        call: what was called, such as "transform Fold".
        level: how it was confined.
        seconds: from the request to the answer.
        cpu_seconds: processor time of all its threads.
        peak_memory: bytes, with what every worker has.
        output: what it printed, without control characters.
        outcome: how it ended: "returned", "threw", "violated", "exceeded", "died" ...
        violations: the acts that were refused, such as "openat(/etc/passwd)".
    """

    plugin: str
    call: str
    level: Level
    seconds: float
    cpu_seconds: float
    peak_memory: int
    output: str = ""
    outcome: str = "returned"
    violations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A transform that was left out because it failed, as the strategy allows."""

    plugin: str
    transform: str
    reason: str


class Ledger:
    """The confined calls of a compile, in the order in which they ended; threads may share it.

    Args:
        lowered: the level that the user asked for by name, where it is below the required one.
    """

    def __init__(self, lowered: Level | None = None) -> None:
        self.lowered = lowered
        self._records: list[CallRecord] = []
        self._skipped: list[Skipped] = []
        self._room = MOST_OUTPUT
        self._lock = threading.Lock()

    @property
    def records(self) -> tuple[CallRecord, ...]:
        """The calls so far."""
        with self._lock:
            return tuple(self._records)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The transforms that were left out so far."""
        with self._lock:
            return tuple(self._skipped)

    def add(self, record: CallRecord) -> None:
        """Notes a call; of its output as much as there is room for."""
        with self._lock:
            if len(record.output) > self._room:
                record = replace(record, output=f"{record.output[: self._room]}\n{_CUT}".lstrip())
                self._room = 0
            else:
                self._room -= len(record.output)
            self._records.append(record)

    def skip(self, skipped: Skipped) -> None:
        """Notes a transform that was left out."""
        with self._lock:
            self._skipped.append(skipped)

    def printed(self) -> str:
        """What plugins printed, each call's under a line that names it; "" if nothing."""
        return "".join(
            f"== {record.plugin} | {record.call} | {record.seconds:.2f} s\n"
            + "".join(f"  {line}\n" for line in record.output.splitlines())
            for record in self.records
            if record.output
        )
