"""What `brainsmith explain` tells of each node."""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.compiler.mapping import NodeMapping
from brainsmith.model.model import Model


@dataclass(frozen=True)
class NodeExplanation:
    """A node of the compiled model: the kernel that takes it, or why none does.

    Attributes:
        kernel: the full name of the kernel, or None where the node runs on the host.
        reason: why it runs on the host.
        closest: the kernel that came closest.
    """

    node: str
    op_type: str
    kernel: str | None = None
    operation: str | None = None
    backend: str | None = None
    reason: str | None = None
    closest: str | None = None


def explain(model: Model, mapping: NodeMapping) -> list[NodeExplanation]:
    """One explanation a node, in the order of the graph; views are left out."""
    taken = {node: mapped for mapped in mapping.mapped for node in mapped.nodes}
    host = {node.node: node for node in mapping.host}
    found = []
    for node in model.graph:
        name = node.name or ""
        if name in taken:
            candidate = taken[name].candidate
            found.append(
                NodeExplanation(
                    name, node.op_type, candidate.kernel.full_name,
                    candidate.info.operation_type, candidate.backend,
                )
            )  # fmt: skip
        elif name in host:
            found.append(
                NodeExplanation(
                    name, node.op_type, reason=host[name].reason, closest=host[name].closest
                )
            )
    return found
