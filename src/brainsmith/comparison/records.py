"""What a comparison found: plain records, of which the summary and the JSON object are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from brainsmith.errors import BrainsmithError, VerificationError
from brainsmith.report.records import SandboxRecord

Source = Literal["measured", "estimated"]


@dataclass(frozen=True)
class Problem:
    """Something that is wrong, with the exit code that it leads to."""

    what: str
    where: str = ""
    hint: str = ""
    exit_code: int = VerificationError.exit_code

    @classmethod
    def of(cls, error: BrainsmithError) -> Problem:
        return cls(error.what, error.where or "", error.hint or "", error.exit_code)

    def __str__(self) -> str:
        return f"{self.what} [{self.where}]" if self.where else self.what


@dataclass(frozen=True)
class Figure:
    """A number with its unit, and how it was obtained; None with the reason where there is none."""

    value: float | None
    unit: str
    source: Source = "measured"
    reason: str = ""


@dataclass(frozen=True)
class KernelRun:
    """One kernel at one configuration.

    Attributes:
        kernel: its full name.
        elements: how many were compared with the operation's reference.
        mismatches: of these, wrong ones.
        interval: cycles between frames.
        latency: cycles from the first beat in to the last beat out.
        resources: LUT, FF, DSP and BRAM; empty where it was not synthesised.
        clock: what its slowest path allows, where it was placed.
        problems: what is wrong with it.
    """

    kernel: str
    elements: int = 0
    mismatches: int = 0
    interval: Figure | None = None
    latency: Figure | None = None
    resources: Mapping[str, Figure] = field(default_factory=dict)
    clock: Figure | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class NodeComparison:
    """Two kernels at the configuration of one node, or of several that are equal.

    Attributes:
        nodes: the names of the nodes that it stands for; a part of a composition is "NODE.PART".
        folding_origin: who chose the folding, in words.
        slice: the sizes of the loops that were simulated, where that is not the whole node.
        rival: None where there is nothing to compare with; `alone` says why.
    """

    nodes: tuple[str, ...]
    dims: Mapping[str, int]
    dtypes: Mapping[str, str]
    folding: Mapping[str, int]
    folding_origin: str
    params: Mapping[str, int | str]
    own: KernelRun
    rival: KernelRun | None = None
    alone: str = ""
    slice: Mapping[str, int] | None = None

    @property
    def passed(self) -> bool:
        return self.own.passed and (self.rival is None or self.rival.passed)


@dataclass(frozen=True)
class RefusedNode:
    """A node of the kernel's operation that it does not take, and why.

    Attributes:
        kind: its operator; of a part of a composition the operation.
    """

    node: str
    reason: str
    kind: str = ""


@dataclass(frozen=True)
class KernelComparison:
    """A kernel of the plugin on all nodes of the model.

    Attributes:
        kernel: its full name.
        backend: of its implementation.
        compared: nodes that it takes.
        refused: nodes of its operation that it does not take.
    """

    kernel: str
    operation: str
    backend: str
    compared: tuple[NodeComparison, ...] = ()
    refused: tuple[RefusedNode, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        runs = [run for one in self.compared for run in (one.own, one.rival) if run is not None]
        return tuple(problem for run in runs for problem in run.problems)


@dataclass(frozen=True)
class Cost:
    """What a mapped model is estimated to take: in hardware, unless said otherwise.

    Attributes:
        nodes: of the graph.
        mapped: nodes that kernels take.
        interval: cycles between frames, of the slowest kernel.
        cycles: the sum of all kernels' intervals.
        resources: LUT, FF, DSP and BRAM, summed up.
    """

    nodes: int
    mapped: int
    interval: Figure
    cycles: Figure
    resources: Mapping[str, Figure]


@dataclass(frozen=True)
class TransformComparison:
    """The model with and without a transform of the plugin.

    Attributes:
        frames: that were run before and after it.
        elements: of outputs that were compared.
        tolerance: the largest difference that the transform declares to be right.
        largest_difference: of any output element, absolute; None where nothing could be compared.
        nodes_before, nodes_after: of the graph, right before and after it.
        without, with_it: what the whole model costs, after all stages.
    """

    transform: str
    stage: str
    frames: int = 0
    elements: int = 0
    tolerance: float = 0.0
    largest_difference: float | None = None
    nodes_before: int = 0
    nodes_after: int = 0
    without: Cost | None = None
    with_it: Cost | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class StrategyRun:
    """A compile without synthesis: cycles are measured, resources estimated."""

    strategy: str
    bit_exact: bool | None
    metrics: Mapping[str, Figure] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class StrategyComparison:
    """A strategy of the plugin beside the one that is compared with."""

    own: StrategyRun
    rival: StrategyRun

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (*self.own.problems, *self.rival.problems)


@dataclass(frozen=True)
class Comparison:
    """A whole plugin on one model.

    Attributes:
        path: the folder of the plugin's manifest.
        notes: what else to know.
        sandbox: how its calls were confined, and what they did.
    """

    plugin: str
    version: str
    path: str
    model: str
    target: str
    strategy: str
    kernels: tuple[KernelComparison, ...] = ()
    transforms: tuple[TransformComparison, ...] = ()
    strategies: tuple[StrategyComparison, ...] = ()
    notes: tuple[str, ...] = ()
    sandbox: SandboxRecord | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (
            *(problem for one in self.kernels for problem in one.problems),
            *(problem for one in self.transforms for problem in one.problems),
            *(problem for one in self.strategies for problem in one.problems),
        )

    @property
    def exit_code(self) -> int:
        """0 where nothing is wrong; wrong values come before everything else that is."""
        codes = [problem.exit_code for problem in self.problems]
        if VerificationError.exit_code in codes:
            return VerificationError.exit_code
        return codes[0] if codes else 0
