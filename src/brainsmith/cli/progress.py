"""Long work on standard error: a bar with the step it is in, or plain lines without a terminal.

Both classes have the methods of `brainsmith.compiler.progress.Progress`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from brainsmith.compiler.progress import Progress

# How often a step without an end is heard of in a log file.
PLAIN_SECONDS = 10.0
# Shorter steps leave no line on a terminal.
WORTH_A_LINE_SECONDS = 0.05


@contextmanager
def watch() -> Iterator[Progress]:
    """Progress on standard error for as long as the block runs."""
    if not sys.stderr.isatty():
        yield PlainLines(sys.stderr)
        return
    bars = Bars()
    try:
        yield bars
    finally:
        bars.done()


class PlainLines:
    """One line a step, and one every ten seconds inside a long one."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._start = self._last = clock()
        self._name, self._count, self._total = "", 0, None

    _total: int | None

    def step(self, name: str, total: int | None = None) -> None:
        """A new step starts."""
        self._name, self._count, self._total = name, 0, total
        self._say(name)

    def advance(self, n: int = 1, detail: str = "") -> None:
        """`n` parts are done."""
        self._count += n
        if self._clock() - self._last < PLAIN_SECONDS:
            return
        of = f" of {self._total}" if self._total else ""
        self._say(f"{self._name}: {self._count}{of} {detail}".rstrip())

    def done(self) -> None:
        """Nothing more to say: the summary follows."""

    def _say(self, text: str) -> None:
        self._last = self._clock()
        self._stream.write(f"[{self._last - self._start:6.1f} s] {text}\n")
        self._stream.flush()


class Bars:
    """A bar for the step that runs, and a line for each one that has ended."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._console = Console(stderr=True, highlight=False)
        self._progress: RichProgress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", style="dim", markup=False),
            console=self._console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._started = 0.0
        self._name = ""

    def step(self, name: str, total: int | None = None) -> None:
        """A new step starts; the one before has ended."""
        self._end_step()
        self._progress.start()
        self._name, self._started = name, time.monotonic()
        self._task = self._progress.add_task(name, total=total, detail="")

    def advance(self, n: int = 1, detail: str = "") -> None:
        """`n` parts are done."""
        if self._task is not None:
            self._progress.update(self._task, advance=n, detail=detail)

    def done(self) -> None:
        """The last step has ended; may be called again."""
        self._end_step()
        self._progress.stop()

    def _end_step(self) -> None:
        if self._task is None:
            return
        self._progress.remove_task(self._task)
        self._task = None
        from rich.text import Text

        seconds = time.monotonic() - self._started
        if seconds < WORTH_A_LINE_SECONDS:
            return
        line = Text.assemble(("✔ ", "green"), self._name, (f"  {seconds:.1f} s", "dim"))
        self._console.print(line)
