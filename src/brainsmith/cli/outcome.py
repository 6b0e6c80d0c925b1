"""What a command gives back, and how it reaches standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# Tables of a pipe or a file are not cut to the 80 columns that rich takes without a terminal.
PIPE_WIDTH = 140


@dataclass(frozen=True)
class Outcome:
    """The result of a command: as an object for programs, and shown to people."""

    value: Mapping[str, Any]
    show: Callable[[Console], None]
    exit_code: int = 0

    def present(self, stream: TextIO, as_json: bool) -> int:
        """Write the result to `stream`; returns the exit code."""
        if as_json:
            write_json_object(self.value, stream)
        else:
            self.show(console(stream))
        stream.flush()
        return self.exit_code


def write_json_object(value: Mapping[str, Any], stream: TextIO) -> None:
    """Write `value` as the one JSON object of this run."""
    from brainsmith.report.json_report import dumps

    stream.write(dumps(value))
    stream.flush()


def console(stream: TextIO) -> Console:
    """A rich console on `stream`, wide where it is no terminal."""
    from rich.console import Console

    return Console(
        file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False, soft_wrap=False
    )


@contextmanager
def results_only(apart: bool) -> Iterator[TextIO]:
    """The stream for results; if `apart`, nothing else can reach standard output meanwhile.

    Libraries and tools print to file descriptor 1, from C too, so the descriptor itself is
    pointed to standard error and results go to a copy of the real one.
    """
    if not apart:
        yield sys.stdout
        return
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as stream:
        os.dup2(2, 1)
        try:
            yield stream
        finally:
            sys.stdout.flush()
            os.dup2(stream.fileno(), 1)
