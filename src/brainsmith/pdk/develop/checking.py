"""All checks of a plugin, side by side."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from brainsmith.errors import BrainsmithError
from brainsmith.pdk.develop.affected import affected
from brainsmith.pdk.develop.linting import HDL, check_hdl, check_python
from brainsmith.pdk.develop.loading import check_loading
from brainsmith.pdk.develop.testing import Tests
from brainsmith.pdk.develop.verdict import Check, Finding, Verdict

OnCheck = Callable[[Check], None]
ORDER = ("load", "python", "hdl", "tests")


class Checker:
    """Checks one plugin, again and again.

    Args:
        folder: the plugin's top folder.
        test_timeout: seconds after which a run of tests is ended.
    """

    def __init__(self, folder: Path, test_timeout: float) -> None:
        self._folder = folder
        self._tests = Tests(folder, test_timeout)

    def run(
        self, changed: Collection[str] | None, stop: threading.Event, on_check: OnCheck
    ) -> Verdict:
        """Everything that a change concerns.

        Args:
            changed: names of files, relative to the folder; all is checked if None.
            stop: ends the checks; what they found is of no use then.
            on_check: called, from several threads, with each check that has ended.
        """
        start = time.monotonic()
        # Not in a thread beside others that parse: in Python 3.11 these disturb each other.
        wanted = self._wanted(changed)
        work = {
            "load": lambda: check_loading(self._folder),
            "python": lambda: self._python(changed),
            "hdl": lambda: self._hdl(changed),
            "tests": lambda: self._tests.run(wanted, stop),
        }

        def timed(name: str) -> Check:
            began = time.monotonic()
            check = _outcome(name, work[name])
            check = dataclasses.replace(check, seconds=time.monotonic() - began)
            on_check(check)
            return check

        with ThreadPoolExecutor(len(work)) as pool:
            checks = list(pool.map(timed, ORDER))
        names = tuple(sorted(changed or ()))
        return Verdict(tuple(checks), names, time.monotonic() - start)

    def prepare(self) -> None:
        """Gets ready for the next run, while there is time."""
        self._tests.prepare()

    def close(self) -> None:
        """Ends what waits for a next run."""
        self._tests.close()

    def _wanted(self, changed: Collection[str] | None) -> list[str] | None:
        """The test files that a change concerns; None for all."""
        try:
            return None if changed is None else affected(self._folder, changed)
        except OSError:  # a folder went away meanwhile
            return None

    def _python(self, changed: Collection[str] | None) -> Check:
        if changed is None or any(name.endswith((".py", ".toml")) for name in changed):
            return check_python(self._folder)
        return Check("python", "skipped", "no Python changed")

    def _hdl(self, changed: Collection[str] | None) -> Check:
        if changed is None or any(name.endswith(HDL) for name in changed):
            return check_hdl(self._folder)
        return Check("hdl", "skipped", "no SystemVerilog changed")


def _outcome(name: str, work: Callable[[], Check]) -> Check:
    """The check, a failed one where it could not be carried out: the watcher goes on."""
    try:
        return work()
    except BrainsmithError as error:
        finding, code = Finding(error.what, error.where or "", error.hint or ""), error.exit_code
    except Exception as error:
        finding, code = Finding(f"{type(error).__name__}: {error}"), BrainsmithError.exit_code
    return Check(name, "failed", "could not be checked", (finding,), code)
