"""What a comparison is asked besides the plugin and the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brainsmith.plugins.grants import Grant
from brainsmith.sandbox.levels import Level


@dataclass(frozen=True)
class ComparisonOptions:
    """Options of one comparison.

    Attributes:
        against: the kernel to compare with; the built-in one of each node if None.
        target: name of the target.
        strategy: name or file: its transforms make the model, its objective the folding.
        place: whether each kernel is placed and routed alone, for its clock.
        folding: a folding file, instead of what the strategy would choose.
        params: of the plugin's kernels and transforms, each for those that have it.
        stage: at which the plugin's transforms run, instead of their own.
        verify_input: real frames (.npy or .npz) on which transforms and strategies are compared
            besides generated ones.
        shapes: of inputs that the model leaves open, by their names.
        seed: for generated frames and random stalls.
        sandbox: the level at which plugins are confined; as the project requires if None.
        grants: what plugins may have beyond the sandbox's defaults, by their names.
    """

    against: str | None = None
    target: str = "ecp5-85k"
    strategy: str | Path = "balanced"
    place: bool = False
    folding: Path | None = None
    params: Mapping[str, int | str] = field(default_factory=dict)
    stage: str | None = None
    verify_input: Path | None = None
    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    seed: int = 0
    sandbox: Level | str | None = None
    grants: Mapping[str, Grant] = field(default_factory=dict)
