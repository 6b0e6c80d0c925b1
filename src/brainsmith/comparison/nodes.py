"""The nodes of a model that kernels take, equal ones together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.comparison.folding import Chosen
from brainsmith.compiler.mapping import Candidate, Mapped, OnHost, map_model
from brainsmith.errors import PluginError
from brainsmith.model.model import Model
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
    """The nodes that a kernel takes, and those of its operation that it does not."""

    mapped: tuple[Mapped, ...]
    refused: tuple[OnHost, ...]
    others: tuple[OnHost, ...]


def taken(model: Model, candidate: Candidate, family: str) -> Taken:
    """What a kernel takes if it is the only one.

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
    refused = tuple(one for one in mapping.host if one.closest is not None)
    others = tuple(one for one in mapping.host if one.closest is None)
    return Taken(mapping.mapped, refused, others)


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
