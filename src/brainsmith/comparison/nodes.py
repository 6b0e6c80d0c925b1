"""The nodes of a model, and parts of composed ones, that kernels take; equal ones together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.comparison.folding import Chosen
from brainsmith.comparison.records import RefusedNode
from brainsmith.compiler.constraints import facts_of, failures
from brainsmith.compiler.mapping import Candidate, Mapped, OnHost, map_model
from brainsmith.errors import PluginError
from brainsmith.model.model import Model
from brainsmith.plugins import Component
from brainsmith.toolchains.cache import canonical_json, digest


@dataclass(frozen=True)
class Pair:
    """A configuration of a node, the kernel that is tested there, and what it is compared with.

    Attributes:
        nodes: the names of the nodes that are equal in everything that matters.
        first: the first of them, as it is mapped.
        rival: None where there is nothing to compare with; `alone` says why.
    """

    nodes: tuple[str, ...]
    first: Mapped
    own: Candidate
    chosen: Chosen
    rival: Candidate | None
    alone: str = ""

    def config(self, candidate: Candidate) -> KernelConfig:
        """What one of both is asked for."""
        return replace(
            self.first.config, params=candidate.params, folding=dict(self.chosen.folding)
        )


@dataclass(frozen=True)
class Taken:
    """The nodes that a kernel takes, parts of compositions among them; those that it does not."""

    mapped: tuple[Mapped, ...]
    refused: tuple[RefusedNode, ...]
    others: tuple[OnHost, ...]


@dataclass(frozen=True)
class Found:
    """A kernel with the nodes of a model that it takes.

    Attributes:
        composed: the parts of the model's compositions, as built-in kernels take them.
    """

    component: Component
    own: Candidate
    model: Model
    composed: tuple[Mapped, ...]
    taken: Taken


def taken(
    model: Model, candidate: Candidate, family: str, composed: Sequence[Mapped] = ()
) -> Taken:
    """What a kernel takes if it is the only one of its operation.

    Args:
        composed: the parts of the model's compositions, as built-in kernels take them.

    Raises:
        PluginError: the operation matches a node without a stream in, or without one out.
    """
    notes = {note.node: note.reason for note in model.notes}
    mapping = map_model(model, [candidate], family, notes)
    for one in mapping.mapped:
        if not one.inputs or not one.outputs:
            raise PluginError(
                f"the match names no value at an {'output' if one.inputs else 'input'}",
                where=f"{one.node}, method 'match' of {candidate.operation.full_name}",
                hint="`ports` of a Match has the value at each port that the node has",
            )
    refused = [_refused(one) for one in mapping.host if one.closest is not None]
    others = tuple(one for one in mapping.host if one.closest is None)
    parts, broken = _parts(composed, candidate)
    return Taken((*mapping.mapped, *parts), (*refused, *broken), others)


def composed_parts(model: Model, options: Sequence[Candidate], family: str) -> tuple[Mapped, ...]:
    """The parts of all nodes whose kernel is a composition.

    Args:
        options: the kernels that there are, in the order in which they are tried.
    """
    return tuple(one for one in map_model(model, options, family, {}).mapped if one.whole)


def _parts(
    composed: Sequence[Mapped], candidate: Candidate
) -> tuple[list[Mapped], list[RefusedNode]]:
    """Of the parts of a kernel's operation those that it takes, and the others with the reason."""
    found, refused = [], []
    for part in composed:
        if part.candidate.operation.full_name != candidate.operation.full_name:
            continue
        facts = facts_of(candidate.operation.instance, part.config)
        failed = failures(candidate.info.constraints, facts, candidate.kernel.full_name)
        if failed:
            kind = candidate.operation.name
            refused.append(RefusedNode(part.node, "; ".join(failed), kind))
        else:
            config = replace(part.config, params=candidate.params)
            found.append(replace(part, candidate=candidate, config=config))
    return found, refused


def _refused(node: OnHost) -> RefusedNode:
    return RefusedNode(node.node, node.reason, node.op_type)


def pairs(
    own: Candidate,
    nodes: Sequence[Mapped],
    rivals: Mapping[str, tuple[Candidate | None, str]],
    chosen: Mapping[str, Chosen],
) -> list[Pair]:
    """Pairs of kernels, each for all nodes that are equal.

    Args:
        nodes: those that the kernel takes.
        rivals: by node what it is compared with, or None and why.
        chosen: the folding by node.
    """
    groups: dict[str, Pair] = {}
    for node in nodes:
        rival, alone = rivals[node.node]
        pair = Pair((node.node,), node, own, chosen[node.node], rival, alone)
        key = _content(pair)
        known = groups.get(key)
        groups[key] = pair if known is None else replace(known, nodes=(*known.nodes, node.node))
    return list(groups.values())


def _content(pair: Pair) -> str:
    """Everything that what is built depends on, but the node's name."""
    config = pair.first.config
    facts = {
        "operation": pair.own.operation.full_name,
        "dims": dict(config.dims),
        "dtypes": {port: dtype.name for port, dtype in config.dtypes.items()},
        "ranges": {port: list(ends) for port, ends in config.ranges.items()},
        "statics": {
            port: [list(array.shape), digest(np.ascontiguousarray(array).tobytes())]
            for port, array in config.statics.items()
        },
        "attributes": {name: repr(value) for name, value in config.attributes.items()},
        "folding": dict(pair.chosen.folding),
        "rival": pair.rival.kernel.full_name if pair.rival is not None else None,
    }
    return canonical_json(facts)
