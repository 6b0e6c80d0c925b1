"""Watches a plugin's folder, and has it checked at each save; a later save ends an older check."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from brainsmith.pdk.develop.checking import Checker
from brainsmith.pdk.develop.verdict import Check, Verdict
from brainsmith.plugins.ignored import Ignored

_DEBOUNCE, _STEP, _POLL = 60, 20, 200  # milliseconds
_SOURCES = (".py", ".sv", ".svh", ".v", ".vh", ".yaml", ".toml")
_LEFT_OUT = ("build", "dist", "__pycache__")


class Display(Protocol):
    """Shows how the checks go."""

    def started(self, changed: tuple[str, ...]) -> None: ...
    def checked(self, check: Check) -> None: ...
    def finished(self, verdict: Verdict) -> None: ...


def watch(folder: Path, checker: Checker, display: Display, stop: threading.Event) -> None:
    """Checks all once, and then what each save concerns, until `stop` is set."""
    running = _Running(checker, display)
    pending: set[str] | None = None  # what was not right since it was changed; None: all
    running.begin(pending)
    try:
        for changed in _changes(folder, stop):
            if not changed:
                continue
            running.cancel()
            if running.passed:
                pending = set()
            pending = None if pending is None else pending | changed
            running.begin(pending)
    finally:
        running.cancel()
        checker.close()


class _Running:
    """The check that runs, in a thread of its own; `passed` once all of it was right."""

    def __init__(self, checker: Checker, display: Display) -> None:
        self._checker = checker
        self._display = display
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.passed = False

    def begin(self, changed: set[str] | None) -> None:
        self._stop, self.passed = threading.Event(), False
        self._thread = threading.Thread(target=self._run, args=(changed, self._stop))
        self._thread.start()

    def cancel(self) -> None:
        """Ends the check if it runs."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, changed: set[str] | None, stop: threading.Event) -> None:
        self._display.started(tuple(sorted(changed or ())))

        def on_check(check: Check) -> None:
            if not stop.is_set():
                self._display.checked(check)

        verdict = self._checker.run(changed, stop, on_check)
        if not stop.is_set():
            self.passed = verdict.passed
            self._display.finished(verdict)
        self._checker.prepare()


def _changes(folder: Path, stop: threading.Event) -> Iterator[set[str]]:
    """Names of files that were saved, a set each time; git's ignored ones are left out."""
    from watchfiles import DefaultFilter
    from watchfiles import watch as watched

    for found in watched(
        folder, stop_event=stop, debounce=_DEBOUNCE, step=_STEP, rust_timeout=_POLL,
        yield_on_timeout=True, watch_filter=DefaultFilter(), raise_interrupt=True,
    ):  # fmt: skip
        ignored = Ignored(folder)  # its lists may have changed too
        names = {Path(path).relative_to(folder).as_posix() for _, path in found}
        yield {name for name in names if _counts(folder, name) and not ignored.holds(name)}


def _counts(folder: Path, name: str) -> bool:
    """Not what tools leave, nor what an editor wrote beside a file and took away again."""
    path = folder / name
    if not path.exists() and path.suffix not in _SOURCES:
        return False
    parts = name.split("/")
    return not any(part.startswith(".") or part in _LEFT_OUT for part in parts)
