"""Partitioning: neighbouring nodes on one device class go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brainsmith.compiler.mapping import Mapped, NodeMapping, resolve
from brainsmith.model.model import Model


@dataclass(frozen=True)
class Group:
    """Nodes of one device class, in topological order."""

    device: str
    mapped: tuple[Mapped, ...] = ()
    nodes: tuple[str, ...] = ()


def partition(model: Model, mapping: NodeMapping) -> list[Group]:
    """Groups in an order in which each needs only what earlier ones give.

    A node's level is the number of changes of device on the longest way to it, so two nodes of
    one device and level have no other device on any way between them. View nodes belong to
    none: they are followed to what they are views of.
    """
    device = {_owner(m): m.candidate.backend for m in mapping.mapped}
    covered = {n: _owner(m) for m in mapping.mapped for n in m.nodes}
    produced: dict[str, tuple[str, int]] = {}
    levels: dict[str, int] = {}
    order: list[str] = []
    for node in model.graph:
        owner = covered.get(node.name or "", node.name or "")
        on = device.get(owner, "host")
        if node.op_type == "Constant" or any(v.name in mapping.alias for v in node.outputs):
            continue
        sources = (resolve(mapping.alias, v.name or "") for v in node.inputs if v is not None)
        before = [produced[s] for s in sources if s in produced]
        level = max((lv + (dev != on) for dev, lv in before), default=int(on != "host"))
        level = max(level, levels.get(owner, 0))
        levels[owner] = level
        if owner not in order[-1:]:
            order.append(owner)
        for output in node.outputs:
            produced[output.name or ""] = (on, level)
    return _grouped(mapping, list(dict.fromkeys(order)), device, levels)


def _grouped(
    mapping: NodeMapping, order: Sequence[str], device: dict[str, str], levels: dict[str, int]
) -> list[Group]:
    by_node: dict[str, list[Mapped]] = {}
    for one in mapping.mapped:
        by_node.setdefault(_owner(one), []).append(one)
    groups: dict[tuple[int, str], list[str]] = {}
    for node in order:
        groups.setdefault((levels[node], device.get(node, "host")), []).append(node)
    return [
        Group(
            on,
            tuple(one for n in nodes for one in by_node[n]) if on != "host" else (),
            tuple(nodes) if on == "host" else (),
        )
        for (_, on), nodes in sorted(groups.items())
    ]


def _owner(mapped: Mapped) -> str:
    """The node of the model by which a node goes, or all parts of one."""
    return mapped.nodes[0]
