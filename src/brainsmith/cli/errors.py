"""Errors on the command line: a message, never a traceback unless asked, and an exit code.

Every kind of error has its code (docs/exit-codes.md lists them).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

from brainsmith.errors import INTERRUPTED_EXIT_CODE, BrainsmithError
from brainsmith.storage import is_storage_error, storage_error

if TYPE_CHECKING:
    from rich.console import Console

USAGE_EXIT_CODE = 2
UNEXPECTED_EXIT_CODE = 1

EXIT_CODES = """\b
Exit codes:
  0    success
  1    an unexpected error, or one of no more special kind
  2    the command line was not understood
  3    the model cannot be read or compiled
  4    a strategy, folding file or option does not fit
  5    a plugin breaks its contract
  6    the target is unknown or too small, or the speed cannot be reached
  7    a tool is missing or failed
  8    the hardware differs from the reference
  9    a file could not be written
  10   a plugin did what its sandbox does not allow, or cannot be confined;
       or a file to be packed holds a secret
  11   a board cannot be reached, or carries another bitstream
  130  interrupted
  143  ended from outside"""


def present_error(error: BaseException, stream: TextIO, *, as_json: bool, debug: bool) -> int:
    """Tell `error` on standard error, as JSON on `stream` too if asked; returns the exit code."""
    if isinstance(error, BrokenPipeError):
        return _reader_left()
    facts = describe(error)
    if debug:
        import traceback

        traceback.print_exception(error)
    if hasattr(error, "show") and facts["kind"] == "UsageError":
        error.show()
    else:
        _print(facts)
    if as_json:
        from brainsmith.cli.outcome import write_json_object

        write_json_object({"success": False, "error": facts}, stream)
    return int(facts["exit_code"])


def describe(error: BaseException) -> dict[str, Any]:
    """kind, what, where, hint and exit_code of any error."""
    error = _translated(error)
    if isinstance(error, BrainsmithError):
        kind, code = type(error).__name__, error.exit_code
        return _facts(kind, error.what, error.where, error.hint, code)
    if isinstance(error, KeyboardInterrupt):
        what = "interrupted: nothing half-written is left"
        return _facts("Interrupted", what, None, None, INTERRUPTED_EXIT_CODE)
    if hasattr(error, "format_message"):
        hint = "brainsmith --help lists commands and options"
        return _facts("UsageError", error.format_message(), None, hint, USAGE_EXIT_CODE)
    hint = "this is a defect of Brainsmith or of a plugin: --debug shows where; please report it"
    what = f"unexpected {type(error).__name__}: {error}"
    return _facts("UnexpectedError", what, None, hint, UNEXPECTED_EXIT_CODE)


def _facts(
    kind: str, what: str, where: str | None, hint: str | None, exit_code: int
) -> dict[str, Any]:
    return {"kind": kind, "what": what, "where": where, "hint": hint, "exit_code": exit_code}


def _translated(error: BaseException) -> BaseException:
    """A full disk, an interrupt and the like as what they are, wherever they came up."""
    import typer

    if isinstance(error, typer.Abort):  # Ctrl-C or Ctrl-D at a question
        return KeyboardInterrupt()
    if isinstance(error, OSError) and is_storage_error(error):
        return storage_error(error, None)
    return error


def _print(facts: dict[str, Any]) -> None:
    from rich.text import Text

    text = Text.assemble(("error: ", "bold red"), facts["what"])
    if facts["where"]:
        text.append(f"\n  where: {facts['where']}")
    if facts["hint"]:
        text.append("\n  hint: ", style="cyan")
        text.append(facts["hint"])
    _stderr().print(text, soft_wrap=True)


def _stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def _reader_left() -> int:
    """Standard output was closed early (`| head`): end quietly, also at the interpreter's end."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNEXPECTED_EXIT_CODE
