"""The plugin's own tests: an ordinary process of the author's, which is warm when it is needed.

A process that has imported what tests of plugins import (pytest, NumPy, ONNX, Brainsmith), and
nothing of any plugin, is forked before it is asked for, starts its sandbox, and waits. To do this
anew at every save would take longer than the tests.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from brainsmith.errors import PluginError
from brainsmith.pdk.develop.verdict import Check, Finding

# Those that are not installed are left out.
PRELOAD = (
    *("pytest", "_pytest.assertion.rewrite", "unittest", "pdb", "tomllib"),
    *("hypothesis", "hypothesis.strategies"),  # else loaded at the end of every session
    *("numpy", "numpy.ma", "numpy.random", "onnx", "onnxruntime"),
    *("brainsmith.compiler", "brainsmith.plugins.confined", "brainsmith.plugins.local"),
    *("brainsmith.plugins.manifest", "brainsmith.plugins.requirements"),
    *("brainsmith.testing.kernel_checks", "brainsmith.testing.transform_checks"),
    *("brainsmith.testing.pytest_plugin", "brainsmith.pdk.develop.testing"),
)
# Of plugins of pytest that are loaded already.
_QUIET = "ignore::pytest.PytestAssertRewriteWarning"
NO_TESTS = 5  # pytest's own exit status
_TICK = 0.05
_PR_SET_PDEATHSIG = 1
_SHOWN = 6_000


@dataclass
class Tests:
    """Runs pytest for one plugin.

    Args:
        folder: the plugin's top folder.
        timeout: seconds after which a run is ended.
    """

    folder: Path
    timeout: float = 60.0

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOAD))
        self._waiting: tuple[Any, Connection] | None = None

    def prepare(self) -> None:
        """Has a process made for the next run."""
        if self._waiting is None:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=_child, args=(str(self.folder), theirs, os.getpid())
            )
            process.start()
            theirs.close()
            self._waiting = process, ours

    def close(self) -> None:
        """Ends the process that waits."""
        if self._waiting is not None:
            process, channel = self._waiting
            self._waiting = None
            channel.close()
            _end(process)

    def run(self, files: Sequence[str] | None, stop: threading.Event) -> Check:
        """The outcome of some test files, or of all if None.

        Args:
            files: relative to the folder.
            stop: ends the run, and all that it has started.
        """
        if files is not None and not files:
            return Check("tests", "skipped", "no test is concerned")
        if not (self.folder / "tests").is_dir():
            return Check("tests", "skipped", "there are no tests")
        self.prepare()
        assert self._waiting is not None
        process, channel = self._waiting
        self._waiting = None
        _until_ready(process, channel, stop)
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as place, channel:
            report = Path(place, "report.json")
            with contextlib.suppress(BrokenPipeError):  # it died; its exit status tells
                channel.send((list(files or ()), str(report)))
            ended = self._wait(process, stop, start + self.timeout)
            if ended is not None:
                return ended
            return _check(process.exitcode, report, time.monotonic() - start)

    def _wait(self, process: Any, stop: threading.Event, deadline: float) -> Check | None:
        """Waits for the run; a check where it was ended from here."""
        try:
            while process.is_alive():
                process.join(_TICK)
                if stop.is_set():
                    return Check("tests", "skipped", "cancelled")
                if time.monotonic() > deadline:
                    what = f"the tests take longer than {self.timeout:g} s, and were ended"
                    found = Finding(what, str(self.folder / "tests"), "--test-timeout allows more")
                    return Check("tests", "failed", "no end", (found,), PluginError.exit_code)
            return None
        finally:
            _end(process)


def _until_ready(process: Any, channel: Connection, stop: threading.Event) -> None:
    """Waits for a process that gets ready, which is no part of the time that tests have."""
    with contextlib.suppress(EOFError, OSError):  # it died; its exit status tells
        while process.is_alive() and not stop.is_set():
            if channel.poll(_TICK):
                channel.recv()
                return


def _end(process: Any) -> None:
    """Ends a run with everything that it has started."""
    if process.pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.join()


def _child(folder: str, channel: Connection, watcher: int) -> None:
    """Gets ready in this process, which is new; runs pytest when it is told to."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(watcher,), daemon=True).start()
    _warm_up()
    gc.freeze()  # pytest collects garbage at the end of a session
    try:
        channel.send("ready")
        files, report = channel.recv()
    except (EOFError, BrokenPipeError):
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.chdir(folder)
    _keep_examples(Path(folder))
    sys.path[:0] = [folder]
    sys.argv = ["pytest"]
    output = os.open(f"{report}.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    import pytest

    recorder = Recorder()
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", "--no-header", "-W", _QUIET, *files]
    status = int(pytest.main(options, plugins=[recorder]))
    Path(report).write_text(json.dumps(recorder.told()))
    sys.stdout.flush()
    os._exit(status)


def _keep_examples(folder: Path) -> None:
    """Has Hypothesis keep failing examples where it does without us: it noted another folder."""
    if "HYPOTHESIS_STORAGE_DIRECTORY" in os.environ:
        return
    with contextlib.suppress(ImportError):
        from hypothesis.configuration import set_hypothesis_home_dir

        set_hypothesis_home_dir(folder / ".hypothesis")


def _warm_up() -> None:
    """Does once what is slow the first time: the sandbox, pytest's plugins, tools."""
    from importlib.metadata import entry_points

    from brainsmith.plugins import PluginRegistry
    from brainsmith.sandbox.levels import Level
    from brainsmith.sandbox.report import proof
    from brainsmith.toolchains import tools

    def describe() -> None:
        for component in PluginRegistry(()).components("operations"):
            assert component.description

    def load_plugins() -> None:
        for point in entry_points(group="pytest11"):
            with contextlib.suppress(Exception):  # pytest itself will tell
                point.load()

    for work in (lambda: proof(Level.L3), load_plugins, describe, tools.verilator):
        with contextlib.suppress(Exception):  # the tests will tell, if they need it
            work()


def _follow(watcher: int) -> None:
    """Ends this run, and what it has started, when the watcher is gone."""
    while True:
        time.sleep(1)
        try:
            os.kill(watcher, 0)
        except ProcessLookupError:
            os.killpg(0, signal.SIGKILL)


class Recorder:
    """Notes, for pytest, how each test went."""

    def __init__(self) -> None:
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.failures: list[dict[str, Any]] = []

    def told(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {"counts": self.counts, "failures": self.failures}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A phase of a test has ended."""
        if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
            self.counts[report.outcome] += 1
        if report.failed:
            self._note(report, report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        """A file of tests was read."""
        if report.failed:
            self.counts["failed"] += 1
            self._note(report, report.nodeid)

    def _note(self, report: Any, name: str) -> None:
        crash = getattr(report.longrepr, "reprcrash", None)
        what = report.longreprtext if crash is None else crash.message
        self.failures.append(
            {
                "name": name,
                "what": str(what)[-_SHOWN:],
                "file": "" if crash is None else crash.path,
                "line": 0 if crash is None else crash.lineno,
            }
        )


def _check(status: int | None, report: Path, seconds: float) -> Check:
    if status == NO_TESTS:
        return Check("tests", "skipped", "no tests were found", seconds=seconds)
    try:
        told = json.loads(report.read_text())
    except OSError:
        return _crashed(status, Path(f"{report}.txt"), seconds)
    counts = told["counts"]
    findings = [_finding(one) for one in told["failures"]]
    if status and not findings:
        findings = [Finding(_last_lines(Path(f"{report}.txt")) or f"pytest ended with {status}")]
    summary = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    state = "failed" if findings else "passed"
    code = PluginError.exit_code if findings else 0
    return Check("tests", state, summary, tuple(findings), code, seconds)  # type: ignore[arg-type]


def _crashed(status: int | None, output: Path, seconds: float) -> Check:
    how = f"ended with {status}"
    if status is not None and status < 0:
        how = f"was killed by {signal.Signals(-status).name}"
    said = _last_lines(output)
    finding = Finding(f"the process of the tests {how}" + (f":\n{said}" if said else ""))
    return Check("tests", "failed", "crashed", (finding,), PluginError.exit_code, seconds)


def _finding(failure: dict[str, Any]) -> Finding:
    what = f"{failure['name']}: {failure['what']}"
    if failure["file"] and failure["line"]:
        return Finding.at(what, failure["file"], failure["line"])
    return Finding(what)


def _last_lines(path: Path) -> str:
    try:
        text = path.read_text(errors="replace").strip()
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-15:])[-_SHOWN:]
