"""`brainsmith develop`: a plugin checked once, or at each save."""

from __future__ import annotations

import json as json_module
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome, console

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from brainsmith.pdk.develop.checking import Checker
    from brainsmith.pdk.develop.verdict import Check, Verdict

_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("-", "dim")}
_TITLES = {"load": "Plugin", "python": "Python:", "hdl": "SystemVerilog:", "tests": "Tests:"}
_SHOWN = 4  # findings of a check on a terminal


def develop(
    path: Annotated[
        Path, typer.Argument(metavar="[PATH]", help="The plugin's folder, or one inside it.")
    ] = Path(),
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and check at each save.")] = False,
    test_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="End its tests after so long.")
    ] = 60.0,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Check a plugin: load it, lint it, test it.

    Its components are loaded in the sandbox, as they will be for users; its tests are an ordinary
    process. With --watch it goes on until Ctrl-C, and a save has checked what it concerns.
    """
    from brainsmith.pdk.develop.checking import Checker
    from brainsmith.pdk.folder import plugin_folder

    folder = plugin_folder(path)
    checker = Checker(folder, test_timeout)
    if watch:
        return _Watch({}, lambda console: None, folder=folder, checker=checker)
    try:
        verdict = checker.run(None, threading.Event(), lambda check: None)
    finally:
        checker.close()
    value = {"plugin": str(folder), **verdict.as_data()}
    return Outcome(value, lambda console: _show(verdict, console), verdict.exit_code)


@dataclass(frozen=True)
class _Watch(Outcome):
    """The results of a watcher, which are written as they come."""

    folder: Path = Path()
    checker: Checker | None = None

    def present(self, stream: TextIO, as_json: bool) -> int:
        """Watch until Ctrl-C; returns the exit code of the last check."""
        from brainsmith.pdk.develop.watching import watch

        assert self.checker is not None
        live = not as_json and stream.isatty()
        display = _Live(self.folder, stream) if live else _Lines(stream, as_json)
        try:
            with display:
                watch(self.folder, self.checker, display, threading.Event())
        except KeyboardInterrupt:
            pass
        return 0 if display.last is None else display.last.exit_code


class _Lines:
    """One line a check, one block a save; or one JSON object a save."""

    def __init__(self, stream: TextIO, json: bool) -> None:
        self._stream = stream
        self._json = json
        self._console = console(stream)
        self.last: Verdict | None = None

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.flush()

    def started(self, changed: tuple[str, ...]) -> None:
        if not self._json:
            what = ", ".join(changed) or "everything"
            self._print(f"[{time.strftime('%H:%M:%S')}] {what}")

    def checked(self, check: Check) -> None:
        if not self._json:
            self._print("\n".join(_lines(check)))

    def finished(self, verdict: Verdict) -> None:
        self.last = verdict
        if self._json:
            self._stream.write(json_module.dumps(verdict.as_data()) + "\n")
        else:
            state = "all is well" if verdict.passed else "something is wrong"
            self._print(f"{state} ({verdict.seconds:.1f} s)")
        self._stream.flush()

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._stream.flush()


class _Live:
    """The present state, drawn anew, with the last time that all was well."""

    def __init__(self, folder: Path, stream: TextIO) -> None:
        from rich.live import Live

        from brainsmith.pdk.develop.verdict import History

        self._folder = folder
        self._console = console(stream)
        self._live = Live(console=self._console, refresh_per_second=8, transient=False)
        self._checks: dict[str, Check] = {}
        self._changed: tuple[str, ...] = ()
        self._history = History()
        self.last: Verdict | None = None

    def __enter__(self) -> _Live:
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.__exit__(None, None, None)

    def started(self, changed: tuple[str, ...]) -> None:
        self._checks, self._changed = {}, changed
        self._draw("checking ...")

    def checked(self, check: Check) -> None:
        self._checks[check.name] = check
        self._draw("checking ...")

    def finished(self, verdict: Verdict) -> None:
        self.last = verdict
        clock = time.strftime("%H:%M:%S")
        self._history.add(verdict, clock)
        state = "all is well" if verdict.passed else "something is wrong"
        self._draw(f"{state}, {clock} ({verdict.seconds:.1f} s); waiting for the next save")

    def _draw(self, state: str) -> None:
        from rich.console import Group
        from rich.text import Text

        from brainsmith.pdk.develop.checking import ORDER

        parts: list[RenderableType] = [Text(f"{self._folder.name}  (Ctrl-C ends)", style="bold")]
        if self._changed:
            parts.append(Text(f"changed: {', '.join(self._changed)}", style="dim"))
        for name in ORDER:
            if name in self._checks:
                parts += _texts(self._checks[name])
            else:
                parts.append(Text(f"… {_TITLES[name]}", style="dim"))
        parts.append(Text(state))
        if self._history.last_good:
            good = f"last good: {self._history.last_good}, {self._history.note}"
            parts.append(Text(good, style="green"))
        self._live.update(Group(*parts), refresh=True)


def _show(verdict: Verdict, console: Console) -> None:
    for check in verdict.checks:
        for text in _texts(check):
            console.print(text, soft_wrap=True)


def _texts(check: Check) -> list[RenderableType]:
    from rich.text import Text

    _, style = _MARKS[check.state]
    first, *more = _lines(check)
    return [Text(first, style=style if check.state != "passed" else ""), *map(Text, more)]


def _lines(check: Check) -> list[str]:
    """A check in words: what, and each finding with its place and the line as it stands."""
    mark, _ = _MARKS[check.state]
    seconds = f" ({check.seconds:.1f} s)" if check.seconds >= 0.05 else ""
    lines = [f"{mark} {_TITLES[check.name]} {check.summary}{seconds}"]
    for finding in check.findings[:_SHOWN]:
        lines.append(
            f"    {finding.where}: {finding.what}" if finding.where else f"    {finding.what}"
        )
        if finding.source:
            lines.append(f"      | {finding.source.strip()}")
        if finding.hint:
            lines.append(f"      hint: {finding.hint}")
    if len(check.findings) > _SHOWN:
        lines.append(f"    and {len(check.findings) - _SHOWN} more")
    return lines
