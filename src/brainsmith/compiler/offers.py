"""Which kernels of all plugins can run a model's nodes, and what they would take over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from brainsmith.compiler.frontend import load_and_map
from brainsmith.compiler.mapping import Candidate, Unusable, map_model, usable
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.progress import Progress, Silent
from brainsmith.compiler.strategy import load_strategy
from brainsmith.compiler.targets import get_target
from brainsmith.model.model import Model
from brainsmith.plugins import Component, PluginRegistry
from brainsmith.plugins.grants import Grant
from brainsmith.plugins.sandboxing import settings_from
from brainsmith.sandbox.levels import Level


@dataclass(frozen=True)
class Offer:
    """A kernel that can run nodes of a model.

    Args:
        kernel: the kernel.
        operation: the operation that it computes.
        nodes: the nodes of the compiled model that it can run, in the order of the graph.
        takes_over: of these nodes, those that are another's without it: the built-in kernel that
            runs it, or None where it runs on the host.
    """

    kernel: Component
    operation: str
    nodes: tuple[str, ...]
    takes_over: Mapping[str, str | None]


@dataclass(frozen=True)
class Offers:
    """The kernels that fit a model, those that fit more nodes first, and those not to be tried."""

    fitting: tuple[Offer, ...]
    unusable: tuple[Unusable, ...]
    nodes: int


def offers_for(
    model: str | Path,
    registry: PluginRegistry,
    *,
    strategy: str | Path = "balanced",
    target: str = "ecp5-85k",
    shapes: Mapping[str, Sequence[int]] | None = None,
    sandbox: Level | str | None = None,
    grants: Mapping[str, Grant] | None = None,
    progress: Progress | None = None,
) -> Offers:
    """What the kernels of all plugins have to offer for a model, after a strategy's transforms.

    Every kernel is tried on every node by itself, whatever order a compile would try them in.

    Raises:
        ModelError: the model cannot be read.
        ConfigurationError: the strategy or the level is unknown, or a grant does not fit.
        TargetError: the target is unknown.
    """
    options = CompileOptions(
        target=target, shapes=shapes or {}, sandbox=sandbox, grants=grants or {}
    )
    registry = registry.confined(settings_from(registry, options.sandbox, options.grants))
    family = get_target(target, registry).family
    resolved = load_strategy(strategy, registry).resolved(registry)
    watcher = progress or Silent()
    compiled = load_and_map(Path(model), resolved, registry, family, options, watcher).compiled
    watcher.done()
    candidates, unusable = usable(resolved, registry)
    builtin = [c for c in candidates if c.kernel.plugin.origin == "built-in"]
    without = _taken(compiled, builtin, family)
    found = [_offer(compiled, one, candidates, family, without) for one in candidates]
    fitting = sorted(
        (o for o in found if o.nodes), key=lambda o: (-len(o.nodes), -len(o.takes_over))
    )
    mapped = map_model(compiled, candidates, family, {})
    nodes = len({node for m in mapped.mapped for node in m.nodes}) + len(mapped.host)
    return Offers(tuple(fitting), tuple(unusable), nodes)


def _taken(
    model: Model,
    candidates: Sequence[Candidate],
    family: str,
    parts: Sequence[Candidate] | None = None,
) -> dict[str, str]:
    """The kernel that takes each node, if only these are there (and others for their parts)."""
    mapping = map_model(model, candidates, family, {}, parts)
    return {node: m.taker.kernel.full_name for m in mapping.mapped for node in m.nodes}


def _offer(
    model: Model,
    candidate: Candidate,
    parts: Sequence[Candidate],
    family: str,
    without: Mapping[str, str],
) -> Offer:
    nodes = tuple(_taken(model, [candidate], family, parts))
    own = candidate.kernel.full_name
    return Offer(
        candidate.kernel,
        candidate.info.operation_type,
        nodes,
        {node: without.get(node) for node in nodes if without.get(node) != own},
    )
