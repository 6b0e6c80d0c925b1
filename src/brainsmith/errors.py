"""Every error that a person can cause, with its documented exit code.

An error says what happened, where, and what to do next. The command line prints it without a
traceback (``--debug`` shows it) and exits with the code of its class.
"""

from __future__ import annotations

from collections.abc import Iterable


class BrainsmithError(Exception):
    """Base of all errors that Brainsmith raises on purpose.

    Args:
        what: what happened, one sentence.
        where: file, line, node or field that it concerns.
        hint: what to do next.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        where = f" [{self.where}]" if self.where else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{self.what}{where}{hint}"


class ModelError(BrainsmithError):
    """The model file cannot be read, or holds what no accelerator can compute."""

    exit_code = 3


class ConfigurationError(BrainsmithError):
    """A strategy, folding file or option names something that does not exist or does not fit."""

    exit_code = 4


class PluginError(BrainsmithError):
    """A plugin, or a component in it, breaks its contract."""

    exit_code = 5


class PluginValidationError(PluginError):
    """A class is not what its plugin's manifest and its decorator promise."""


class PluginSecurityError(PluginError):
    """A plugin did what its sandbox does not allow, or could not be confined as it must be.

    Its `__cause__` is the SandboxViolation, where there was one.
    """

    exit_code = 10


class SandboxViolation(BrainsmithError):  # noqa: N818  (as specified)
    """What confined code tried, or used too much of.

    Args:
        what: one sentence.
        rule: the rule of the policy that stands against it, such as "network" or "wall_time".
        syscall: the system call, or None for a limit.
        path: the path that the system call named, if it named one.
        where: the plugin and the call.
        hint: what to do next.
    """

    exit_code = 10

    def __init__(
        self,
        what: str,
        *,
        rule: str,
        syscall: str | None = None,
        path: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.rule = rule
        self.syscall = syscall
        self.path = path


class TargetError(BrainsmithError):
    """The target is unknown or too small, or the wanted speed cannot be reached on it."""

    exit_code = 6


class ToolError(BrainsmithError):
    """A tool is missing or failed."""

    exit_code = 7


class BoardError(BrainsmithError):
    """A board cannot be reached, or is not the one that was expected."""

    exit_code = 11


class VerificationError(BrainsmithError):
    """What the hardware computes, or the compiled integer model, differs from the reference."""

    exit_code = 8


class StorageError(BrainsmithError):
    """A file could not be written (full disk, no permission)."""

    exit_code = 9


INTERRUPTED_EXIT_CODE = 130


def nearest(name: str, valid: Iterable[str]) -> str:
    """A sentence that names the valid name closest to `name`, or lists them all."""
    names = sorted(valid)
    import difflib  # at the first mistake: it costs every command a millisecond

    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return "valid names: " + ", ".join(names) if names else "there are no valid names"
