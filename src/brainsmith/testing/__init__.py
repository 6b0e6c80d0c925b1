"""What the tests of a plugin import: checks of kernels against their operation's reference."""

from __future__ import annotations

from brainsmith.testing.check_kernel import CaseResult, KernelCase, check_kernel

__all__ = ["CaseResult", "KernelCase", "check_kernel"]
