"""One configuration of a kernel that is checked, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from brainsmith.compiler.elements import WrongElement as WrongElement


@dataclass(frozen=True)
class KernelCase:
    """One configuration to check: loop bounds, datatype by port, folding, constants, device."""

    dims: Mapping[str, int]
    dtypes: Mapping[str, str]
    folding: Mapping[str, int] = field(default_factory=dict)
    statics: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    attributes: Mapping[str, object] = field(default_factory=dict)
    params: Mapping[str, int | str] = field(default_factory=dict)
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    family: str = "ecp5"

    def __str__(self) -> str:
        """Everything but the constants, in one line."""
        facts = {**self.dims, **self.dtypes, **self.folding, **self.params, **self.attributes}
        shown = " ".join(f"{key}={value}" for key, value in facts.items())
        return f"{shown}, {self.family}"


@dataclass(frozen=True, repr=False)
class CaseResult:
    """What the simulation of a case showed.

    Attributes:
        mismatches: wrong elements without and with random stalls on every port.
        first_wrong: the first wrong element.
        interval: measured cycles between frames driven back to back; None if it varies.
        expected_interval: what the kernel's model says.
        latency: measured cycles from a frame's first input beat to its last output beat.
        expected_latency: the same from the stream model.
        fault: why the simulation could not be finished: it hangs, or breaks the wire contract.
    """

    case: KernelCase
    mismatches: int = 0
    first_wrong: WrongElement | None = None
    interval: int | None = 0
    expected_interval: int = 0
    latency: int = 0
    expected_latency: int = 0
    fault: str = ""

    @property
    def passed(self) -> bool:
        """Whether the values, the interval and the latency are as they should be."""
        return not self.failures()

    def __repr__(self) -> str:
        """The configuration and what is wrong with it, in one line."""
        return f"<{self.case}: {'; '.join(self.failures()) or 'passed'}>"

    def failures(self) -> list[str]:
        """What is wrong, a sentence each."""
        if self.fault:
            return [self.fault]
        found = []
        if self.mismatches:
            found.append(f"{self.mismatches} wrong elements")
        if self.first_wrong is not None:
            found.append(f"first {self.first_wrong}")
        for what in ("interval", "latency"):
            measured, said = getattr(self, what), getattr(self, f"expected_{what}")
            if measured != said:
                taken = "varies" if measured is None else f"{measured} cycles"
                found.append(f"{what} {taken}, its model says {said}")
        return found
