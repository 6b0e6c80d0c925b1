"""The folding at which both kernels of a node are built: the same for both."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brainsmith.api import KernelConfig
from brainsmith.api.loops import Folding
from brainsmith.compiler.folding import choose
from brainsmith.compiler.folding_file import FoldingFile
from brainsmith.compiler.mapping import Mapped
from brainsmith.compiler.strategy import ResolvedStrategy
from brainsmith.compiler.targets import Target

# Iterations at once above which synthesis takes long and tells no more of a kernel.
MOST_LANES = 32
# A node with more foldings than this keeps the one that was chosen.
_MOST_TRIED = 100_000


@dataclass(frozen=True)
class Chosen:
    """A folding, and who chose it, in words."""

    folding: Folding
    origin: str


def foldings(
    nodes: Sequence[Mapped], target: Target, strategy: ResolvedStrategy, pinned: FoldingFile
) -> dict[str, Chosen]:
    """The folding of each node that a compile with this strategy would choose.

    Where that has more than `MOST_LANES` lanes, the largest with at most as many.

    Args:
        nodes: every node that a kernel takes, by which the budget is shared.
        pinned: of a folding file; what it says of a node's folding is kept as it is.

    Raises:
        ConfigurationError: `pinned` names no node, or an illegal folding.
    """
    chosen = choose(
        nodes,
        target,
        objective=strategy.objective,
        budget=strategy.budget,
        clock_mhz=target.clock_mhz,
        target_fps=None,
        pinned=pinned,
    )
    return {one.node: _bounded(one.config, one.node in pinned, strategy.name) for one in chosen}


def _bounded(config: KernelConfig, is_pinned: bool, strategy: str) -> Chosen:
    if is_pinned:
        return Chosen(config.folding, "of the folding file")
    lanes = _lanes(config, config.folding)
    if lanes <= MOST_LANES:
        return Chosen(config.folding, f"as '{strategy}' chooses it")
    legal = config.nest.legal(config.dims)
    if math.prod(map(len, legal.values())) > _MOST_TRIED:
        return Chosen(config.folding, f"as '{strategy}' chooses it")
    all_ = (dict(zip(legal, values, strict=True)) for values in itertools.product(*legal.values()))
    smaller = [one for one in all_ if _lanes(config, one) <= MOST_LANES]
    best = max(smaller, key=lambda one: (_lanes(config, one), -_distance(one, config.folding)))
    said = f"the largest of at most {MOST_LANES} lanes; '{strategy}' chooses {lanes}"
    return Chosen(best, said)


def _lanes(config: KernelConfig, folding: Folding) -> int:
    """Iterations of the loops that run at once."""
    return config.nest.cycles(config.dims, {}) // config.nest.cycles(config.dims, folding)


def _distance(one: Folding, other: Mapping[str, int]) -> float:
    return sum(abs(math.log(value / other[name])) for name, value in one.items())
