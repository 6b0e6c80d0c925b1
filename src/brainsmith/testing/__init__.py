"""What the tests of a plugin import: checks of kernels against their operation's reference."""

from __future__ import annotations

from brainsmith.testing.case import CaseResult, KernelCase, WrongElement
from brainsmith.testing.check_kernel import check_kernel

__all__ = ["CaseResult", "KernelCase", "WrongElement", "check_kernel"]
