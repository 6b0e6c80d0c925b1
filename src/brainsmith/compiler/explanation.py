"""What `brainsmith explain` tells of each node, and why the host computes what it computes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import onnx_ir as ir

from brainsmith.compiler.mapping import NodeMapping, OnHost
from brainsmith.model.model import Model
from brainsmith.report.records import HostRecord, HostRole

_QUANTIZERS = frozenset(
    {"QuantizeLinear", "Quant", "IntQuant", "BipolarQuant", "MultiThreshold", "Sign"}
)
# With these the transforms lead from integers to real numbers and back, at the hardware's edges.
_GLUE = frozenset({"Cast", "Mul", "Add", "Div", "Floor", "Round", "Clip", "Identity"}) | _QUANTIZERS

_REASONS = {
    "input": "it quantizes the model's real-valued input",
    "output": "it scales the hardware's integers to the model's real-valued output",
}


@dataclass(frozen=True)
class NodeExplanation:
    """A node of the compiled model: the kernel that takes it, or why none does.

    Attributes:
        kernel: the full name of the kernel, or None where the node runs on the host.
        reason: why it runs on the host.
        closest: the kernel that came closest.
        role: "layer", or what a piece on the host is for: "input", "output", "between".
    """

    node: str
    op_type: str
    kernel: str | None = None
    operation: str | None = None
    backend: str | None = None
    reason: str | None = None
    closest: str | None = None
    role: HostRole = "layer"


def explain(original: Model, compiled: Model, mapping: NodeMapping) -> list[NodeExplanation]:
    """One explanation a node, in the order of the graph; views are left out."""
    taken = {node: mapped for mapped in mapping.mapped for node in mapped.nodes}
    host = {record.node: record for record in host_records(original, compiled, mapping)}
    found = []
    for node in compiled.graph:
        name = node.name or ""
        if name in taken:
            candidate = taken[name].taker
            found.append(
                NodeExplanation(
                    name, node.op_type, candidate.kernel.full_name,
                    candidate.info.operation_type, candidate.backend,
                )
            )  # fmt: skip
        elif name in host:
            it = host[name]
            found.append(
                NodeExplanation(
                    name, node.op_type, reason=it.reason, closest=it.closest, role=it.role
                )
            )
    return found


def host_records(original: Model, compiled: Model, mapping: NodeMapping) -> list[HostRecord]:
    """The nodes on the host: layers of the model that no kernel takes, and the pieces that lead
    from real numbers to integers and back at the edges of the hardware."""
    hardware = {node for mapped in mapping.mapped for node in mapped.nodes}
    nodes = {node.name or "": node for node in compiled.graph}
    own = {node.name for node in original.graph}
    unnamed = {node.op_type for node in original.graph if not node.name}

    def made(node: ir.Node) -> bool:
        return node.op_type in _GLUE and node.name not in own and node.op_type not in unnamed

    found = []
    for one in mapping.host:
        node = nodes[one.node]
        before = any(n.name in hardware for n in _reached(node, _producers, hardware))
        behind = _reached(node, _consumers, hardware)
        after = any(n.name in hardware for n in behind)
        served = [n.name or "" for n in behind if _is_layer(n, mapping, made)]
        if not before and after and (made(node) or node.op_type in _QUANTIZERS) and not served:
            found.append(HostRecord(one.node, _REASONS["input"], None, "input"))
        elif made(node) and before and not after and not served:
            found.append(HostRecord(one.node, _REASONS["output"], None, "output"))
        elif made(node) and hardware:
            found.append(HostRecord(one.node, _between(one, served), None, "between"))
        else:
            found.append(HostRecord(one.node, one.reason, one.closest))
    return found


def _between(one: OnHost, served: list[str]) -> str:
    if served:
        return f"it leads from integers to real numbers for {served[0]}, which is on the host"
    return one.reason


def _is_layer(node: ir.Node, mapping: NodeMapping, made: Callable[[ir.Node], bool]) -> bool:
    """Whether a node on the host is one of the model, not one that a transform made."""
    on_host = {one.node for one in mapping.host}
    return node.name in on_host and not made(node) and node.op_type not in _QUANTIZERS


def _reached(
    node: ir.Node, step: Callable[[ir.Node], Iterable[ir.Node]], ends: Collection[str]
) -> list[ir.Node]:
    """The nodes that can be reached from a node, nearest first, and no further than `ends`."""
    seen: dict[ir.Node, None] = {}
    waiting = list(step(node))
    while waiting:
        next_node = waiting.pop(0)
        if next_node not in seen:
            seen[next_node] = None
            if next_node.name not in ends:
                waiting.extend(step(next_node))
    return list(seen)


def _producers(node: ir.Node) -> Iterable[ir.Node]:
    makers = (value.producer() for value in node.inputs if value is not None)
    return (maker for maker in makers if maker is not None)


def _consumers(node: ir.Node) -> Iterable[ir.Node]:
    return (use.node for value in node.outputs for use in value.uses())
