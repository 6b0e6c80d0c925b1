"""A kernel of the plugin beside another one, on every node of a model that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from brainsmith.api import KernelConfig
from brainsmith.comparison.building import Builder
from brainsmith.comparison.folding import Chosen, foldings
from brainsmith.comparison.front import Setting, params_of
from brainsmith.comparison.nodes import Found, Pair, composed_parts, pairs, taken
from brainsmith.comparison.options import ComparisonOptions
from brainsmith.comparison.records import KernelComparison, KernelRun, NodeComparison
from brainsmith.comparison.rivals import Rivals, rivals
from brainsmith.comparison.runs import Side
from brainsmith.comparison.simulating import Simulator
from brainsmith.comparison.stimulate import Frames, frames_for, network_frames
from brainsmith.compiler.folding import check_keys
from brainsmith.compiler.mapping import Mapped, map_model
from brainsmith.compiler.slices import Bounds, slice_of
from brainsmith.model.model import Model
from brainsmith.plugins import Component


@dataclass(frozen=True)
class Workshop:
    """What kernels are simulated and built with, and how much of a node is simulated."""

    simulator: Simulator
    builder: Builder
    bounds: Bounds
    place: bool


def find(
    setting: Setting, components: Sequence[Component], model: Model, options: ComparisonOptions
) -> list[Found]:
    """The nodes that each of some kernels takes.

    Raises:
        ConfigurationError: a parameter has an illegal value.
        PluginError: the kernel cannot be used.
    """
    family = setting.target.family
    composed = composed_parts(model, setting.kernels(), family)
    found = []
    for component in components:
        own = setting.candidate(component, params_of(component, options.params))
        found.append(Found(component, own, model, composed, taken(model, own, family, composed)))
    return found


def compare_kernel(
    setting: Setting, found: Found, options: ComparisonOptions, inputs: Frames, shop: Workshop
) -> KernelComparison:
    """Builds, simulates and synthesises the kernel and its rivals, each distinct node once.

    Args:
        inputs: of the model, (frames, *shape) by name: what reaches the nodes follows from them.

    Raises:
        ConfigurationError: `against` is no kernel, or a folding of the file is illegal.
        PluginSecurityError: the plugin did what it may not.
        StorageError: the disk is full.
    """
    others: Rivals = rivals(setting, found, options.against)
    chosen = _foldings(setting, found)
    grouped = pairs(found.own, found.taken.mapped, others, chosen)
    network = network_frames(found.model, [pair.first for pair in grouped], inputs)
    setting.progress.step(f"compare {found.own.kernel.name}", 2 * len(grouped))
    compared = _compare(setting, grouped, network, options.seed, shop)
    return KernelComparison(
        kernel=found.own.kernel.full_name,
        operation=found.own.info.operation_type,
        backend=found.own.backend,
        compared=tuple(compared),
        refused=found.taken.refused,
    )


def check_folding(setting: Setting, found: Sequence[Found]) -> None:
    """Raises ConfigurationError for a key of the folding file that names no node of any kernel."""
    if setting.pinned:
        check_keys([node for one in found for node in _network(setting, one)], setting.pinned)


def _foldings(setting: Setting, found: Found) -> dict[str, Chosen]:
    """The folding of each node; what the file says of nodes of other kernels is left to these."""
    nodes = _network(setting, found)
    pinned = {n.node: setting.pinned[n.node] for n in nodes if n.node in setting.pinned}
    return foldings(nodes, setting.target, setting.strategy, pinned)


def _network(setting: Setting, found: Found) -> list[Mapped]:
    """The nodes of a network that has built-in kernels wherever there are some."""
    builtin = map_model(found.model, setting.builtin(), setting.target.family, {}).mapped
    operation = found.own.operation.full_name
    shared = {m.node for m in builtin if m.candidate.operation.full_name == operation}
    own = [node for node in found.taken.mapped if node.node not in shared]
    covered = {name for node in own for name in node.nodes}
    return [*(m for m in builtin if not covered & set(m.nodes)), *own]


def _compare(
    setting: Setting,
    grouped: Sequence[Pair],
    network: Mapping[str, Frames],
    seed: int,
    shop: Workshop,
) -> list[NodeComparison]:
    configs = [pair.config(pair.own) for pair in grouped]
    slices = [
        slice_of(pair.own.operation.instance, config, shop.bounds)
        for pair, config in zip(grouped, configs, strict=True)
    ]
    inputs = [
        frames_for(pair.own.operation.instance, part, network.get(pair.first.node), seed)
        for pair, part in zip(grouped, slices, strict=True)
    ]
    contested = [index for index, pair in enumerate(grouped) if pair.rival is not None]
    own = Side.of([(p.own, p.config(p.own)) for p in grouped], slices, inputs)
    rival = Side.of(
        [(r, p.config(r)) for p in grouped if (r := p.rival) is not None],
        [slices[index] for index in contested],
        [inputs[index] for index in contested],
    )
    with _aside(shop) as pool:
        built = pool.submit(_build, shop, own, rival)
        for side in (own, rival):
            side.simulate(shop.simulator)
            setting.progress.advance(len(side.jobs))
        built.result()
    runs = dict(zip(contested, rival.runs(), strict=True))
    return [
        _record(pair, config, part, run, runs.get(index))
        for index, (pair, config, part, run) in enumerate(
            zip(grouped, configs, slices, own.runs(), strict=True)
        )
    ]


def _build(shop: Workshop, *sides: Side) -> None:
    for side in sides:
        side.build(shop.builder, place=shop.place)


@contextmanager
def _aside(shop: Workshop) -> Iterator[ThreadPoolExecutor]:
    """A thread for synthesis, beside the simulation; an error or an interrupt here stops it."""
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool
        except BaseException:
            shop.builder.log.stop.set()
            raise


def _record(
    pair: Pair,
    config: KernelConfig,
    part: KernelConfig,
    own: KernelRun,
    rival: KernelRun | None,
) -> NodeComparison:
    cut = {name: size for name, size in part.dims.items() if size != config.dims[name]}
    return NodeComparison(
        nodes=pair.nodes,
        dims=dict(config.dims),
        dtypes={port: dtype.name for port, dtype in config.dtypes.items()},
        folding=dict(config.folding),
        folding_origin=pair.chosen.origin,
        params=dict(config.params),
        own=own,
        rival=rival,
        alone=pair.alone,
        slice=cut or None,
    )
