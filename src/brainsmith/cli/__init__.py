"""The command line: one module a command group, and no logic of its own.

Nothing heavy is imported before a command runs, so that help and usage errors come at once.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType


def main() -> None:
    """Entry point of the console script `brainsmith`."""
    signal.signal(signal.SIGTERM, _end)
    sys.exit(run(sys.argv[1:]))


def _end(signum: int, frame: FrameType | None) -> None:
    """Leave by an exception, so that running tools are stopped and nothing half-written stays."""
    sys.exit(128 + signum)


def run(arguments: Sequence[str]) -> int:
    """Run the command line with `arguments`; returns the exit code.

    `--json` and `--debug` are looked up in the arguments themselves: errors must be told in the
    form that was asked for even where the command line could not be parsed.
    """
    from brainsmith.cli.outcome import Outcome, results_only

    as_json, debug = "--json" in arguments, "--debug" in arguments
    with results_only(as_json) as stream:
        try:
            from brainsmith.cli.app import app

            result = app(list(arguments), prog_name="brainsmith", standalone_mode=False)
            if isinstance(result, Outcome):
                return result.present(stream, as_json)
            # What the parser itself ends with: help, the version, an interrupt.
            return int(result or 0)
        except (Exception, KeyboardInterrupt) as error:
            from brainsmith.cli.errors import present_error

            return present_error(error, stream, as_json=as_json, debug=debug)
