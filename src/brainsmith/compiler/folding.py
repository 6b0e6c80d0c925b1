"""Folding: PE, SIMD and the like for every node, for a wanted speed or the best in a budget."""

from __future__ import annotations

import dataclasses
import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainsmith.api import KernelConfig, Resources
from brainsmith.compiler.folding_file import FoldingFile
from brainsmith.compiler.guess import guess, has_model
from brainsmith.compiler.mapping import Mapped
from brainsmith.compiler.targets import Target
from brainsmith.errors import ConfigurationError, PluginError, TargetError, nearest
from brainsmith.plugins import Component
from brainsmith.report.records import cycles_for

_ROUNDING = 1e-6  # of sums of resources
_MOST_FOLDINGS = 1 << 18  # of one node


@dataclass(frozen=True)
class Choice:
    """One folding of a node, with its estimates."""

    config: KernelConfig
    interval: int
    resources: Resources
    cost: float


def choose(
    nodes: Sequence[Mapped],
    target: Target,
    *,
    objective: str,
    budget: float,
    clock_mhz: float,
    target_fps: float | None,
    pinned: FoldingFile,
) -> list[Mapped]:
    """The nodes with a folding each.

    For a threshold of cycles per frame, every node takes its cheapest folding that meets it. The
    threshold is what `target_fps` allows, or the least one whose sum of estimates stays inside
    `budget` of the device ("throughput"), or none at all ("area").

    Raises:
        ConfigurationError: `pinned` names no node, or an illegal folding.
        TargetError: `target_fps` cannot be reached; the message names the best that can.
    """
    check_keys(nodes, pinned)
    foldings = [foldings_of(node, pinned.get(node.node, {})) for node in nodes]
    prepare((n.candidate.kernel, configs) for n, configs in zip(nodes, foldings, strict=True))
    options = [_choices(n, target, cs) for n, cs in zip(nodes, foldings, strict=True)]
    if target_fps is not None:
        limit = _limit_of(target_fps, clock_mhz, nodes, options)
    elif objective == "area":
        limit = None
    else:
        limit = _fastest_inside(options, target, budget)
    chosen = [_cheapest(choices, limit) for choices in options]
    return [
        dataclasses.replace(node, config=choice.config)
        for node, choice in zip(nodes, chosen, strict=True)
    ]


def check_keys(nodes: Sequence[Mapped], pinned: FoldingFile) -> None:
    """Raises ConfigurationError for a key of a folding file that names no node."""
    known = [node.node for node in nodes]
    for key in pinned:
        if key not in known:
            raise ConfigurationError(
                f"the folding names the node '{key}', which is not in the design",
                where=key,
                hint=nearest(key, known),
            )


def estimate(kernel: Any, configs: Sequence[KernelConfig]) -> tuple[list[int], list[Resources]]:
    """Interval and resources of a kernel at each configuration: its models', or the ideal interval
    and a guess."""
    intervals = getattr(kernel, "interval", None)
    return (
        [int(i) for i in intervals(configs)] if intervals else [c.cycles for c in configs],
        list(kernel.resources(configs)) if has_model(kernel) else guess(configs),
    )


def prepare(wanted: Iterable[tuple[Component, Sequence[KernelConfig]]]) -> None:
    """Lets each kernel know all that its models will be asked for: (kernel, configurations)."""
    batches: dict[str, tuple[Component, list[Sequence[KernelConfig]]]] = {}
    for kernel, configs in wanted:
        batches.setdefault(kernel.full_name, (kernel, []))[1].append(configs)
    for kernel, of_kernel in batches.values():
        kernel.code.prepare(of_kernel)


def foldings_of(node: Mapped, pinned: Mapping[str, int | str]) -> list[KernelConfig]:
    """The configurations of a node at every legal folding."""
    config = _with_params(node, pinned)
    nest = config.nest
    fixed = {name: int(value) for name, value in pinned.items() if name in nest.folds}
    nest.check(config.dims, fixed, node.node)
    legal = {**nest.legal(config.dims), **{name: (value,) for name, value in fixed.items()}}
    count = math.prod(map(len, legal.values()))
    if count > _MOST_FOLDINGS:
        raise PluginError(
            f"the node has {count} foldings, more than can be tried",
            where=f"{node.node}, {node.candidate.kernel.full_name}",
        )
    foldings = (
        dict(zip(legal, values, strict=True)) for values in itertools.product(*legal.values())
    )
    return [dataclasses.replace(config, folding=folding) for folding in foldings]


def _choices(node: Mapped, target: Target, configs: Sequence[KernelConfig]) -> list[Choice]:
    intervals, resources = estimate(node.candidate.kernel.instance, configs)
    choices = [
        Choice(c, i, r, _cost(r, target))
        for c, i, r in zip(configs, intervals, resources, strict=True)
    ]
    return _frontier(choices)


def _with_params(node: Mapped, pinned: Mapping[str, int | str]) -> KernelConfig:
    info = node.candidate.info
    known = (*node.config.nest.folds, *info.params)
    params = dict(node.config.params)
    for name, value in pinned.items():
        if name not in known:
            raise ConfigurationError(
                f"unknown folding parameter '{name}'", where=node.node, hint=nearest(name, known)
            )
        if name in info.params:
            params[name] = info.params[name].check(name, value, node.node)
        elif not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigurationError(f"{name}={value!r} is no positive integer", where=node.node)
    return dataclasses.replace(node.config, params=params)


def _cost(resources: Resources, target: Target) -> float:
    """The share of the device that is used, summed over its kinds of primitives."""
    used = resources.as_dict()
    return sum(used[name] / max(1, there) for name, there in target.resources.items())


def _frontier(choices: Sequence[Choice]) -> list[Choice]:
    """The choices that are cheaper than every faster one, fastest first."""
    frontier: list[Choice] = []
    for choice in sorted(choices, key=lambda c: (c.interval, c.cost)):
        if not frontier or choice.cost < frontier[-1].cost:
            frontier.append(choice)
    return frontier


def _cheapest(frontier: Sequence[Choice], limit: int | None) -> Choice:
    """The cheapest choice whose interval is inside the limit, or the fastest there is."""
    if limit is None:
        return frontier[-1]
    return frontier[max(0, bisect_right(frontier, limit, key=lambda c: c.interval) - 1)]


def _limit_of(
    target_fps: float, clock_mhz: float, nodes: Sequence[Mapped], options: Sequence[list[Choice]]
) -> int:
    limit = cycles_for(target_fps, clock_mhz)
    best = [min(c.interval for c in choices) for choices in options]
    slowest = max(range(len(best)), key=best.__getitem__, default=None)
    if slowest is not None and best[slowest] > limit:
        reach = clock_mhz * 1e6 / best[slowest]
        raise TargetError(
            f"{target_fps:g} frames per second at {clock_mhz:g} MHz leave "
            f"{clock_mhz * 1e6 / target_fps:.3g} cycles for a frame; the best that can be reached "
            f"is {math.floor(reach)} frames per second ({best[slowest]} cycles)",
            where=nodes[slowest].node,
            hint="ask for fewer frames per second or a faster clock",
        )
    return limit


def _fastest_inside(options: Sequence[list[Choice]], target: Target, budget: float) -> int | None:
    """The least threshold of cycles whose cheapest design stays inside the budget.

    A larger threshold can need more of one resource while it needs less of the others, so all are
    tried in turn: from one to the next, only the nodes whose choice changes are counted anew.
    """
    names = tuple(target.resources)
    allowed = np.array([budget * target.resources[name] for name in names])

    def cost(choice: Choice) -> np.ndarray:
        used = choice.resources.as_dict()
        return np.array([used[name] for name in names])

    floor = max((choices[0].interval for choices in options), default=0)
    used = sum((cost(_cheapest(choices, floor)) for choices in options), np.zeros(len(names)))
    changes: dict[int, np.ndarray] = {floor: np.zeros(len(names))}
    for choices in options:
        for faster, slower in itertools.pairwise(choices):
            if slower.interval > floor:
                change = cost(slower) - cost(faster)
                changes[slower.interval] = changes.get(slower.interval, 0) + change
    for limit in sorted(changes):
        used = used + changes[limit]
        if (used <= allowed + _ROUNDING).all():
            return limit
    return None
