"""Whether a graph keeps the rules of ONNX: names, scopes, order, operator sets.

Checked on the proto, before onnx_ir reads it: onnx_ir repairs or skips what it cannot read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onnx
import onnx_ir as ir

from brainsmith.errors import ModelError


def check_versions(proto: onnx.ModelProto) -> None:
    """Raises ModelError for a version of the format or of an operator set that nobody knows."""
    if proto.ir_version > onnx.IR_VERSION:
        raise ModelError(
            f"the model is of ONNX IR version {proto.ir_version}, the newest known is "
            f"{onnx.IR_VERSION}",
            hint="export it for an older version, or update the package onnx",
        )
    versions: dict[str, int] = {}
    for entry in proto.opset_import:
        if versions.setdefault(entry.domain, entry.version) != entry.version:
            raise ModelError(f"the model imports the operator set '{entry.domain}' twice")
    version = versions.get("", versions.get("ai.onnx"))
    newest = onnx.defs.onnx_opset_version()
    if version is None:
        if any(node.domain in ("", "ai.onnx") for node in proto.graph.node):
            raise ModelError(
                "the model does not say which version of the ONNX operators it uses",
                hint="the file was cut short, or its exporter is broken: export it again",
            )
    elif not 1 <= version <= newest:
        raise ModelError(
            f"the model uses version {version} of the ONNX operators, the newest known is {newest}",
            hint="export it with an older opset, or update the package onnx",
        )


def check_graph(graph: onnx.GraphProto, outer: Sequence[frozenset[str]] = ()) -> bool:
    """Checks names and scopes of a graph and its subgraphs.

    Args:
        graph: the graph.
        outer: the names that the graphs around it define.

    Returns:
        Whether every node comes after those that it reads.

    Raises:
        ModelError: a name is defined twice or never, or a feature is unknown to us.
    """
    if graph.sparse_initializer:
        raise ModelError(
            "the model has sparse initializers, which are not supported",
            where=f"tensor '{graph.sparse_initializer[0].values.name}'",
            hint="export it with dense tensors",
        )
    given = _defined_once([v.name for v in graph.input], "inputs")
    given |= _defined_once([tensor.name for tensor in graph.initializer], "initializers")
    home: dict[str, int] = dict.fromkeys(given, -1)
    for position, node in enumerate(graph.node):
        for name in filter(None, node.output):
            if name in home:
                raise ModelError(
                    f"the value '{name}' is defined twice", where=_where(node), hint=_EXPORT
                )
            home[name] = position
    scopes = (*outer, frozenset(home))
    in_order = True
    for position, node in enumerate(graph.node):
        for name in filter(None, node.input):
            if name not in home and not any(name in scope for scope in outer):
                raise ModelError(
                    f"nothing defines the value '{name}'", where=_where(node), hint=_EXPORT
                )
            in_order &= home.get(name, -1) < position
        for subgraph in _subgraphs(node):
            # What a subgraph reads from outside is not followed: such graphs are sorted anew.
            in_order = False
            check_graph(subgraph, scopes)
    if not graph.output:
        raise ModelError("the graph has no outputs", hint=_EXPORT)
    for value in graph.output:
        if not any(value.name in scope for scope in scopes):
            raise ModelError(f"nothing computes the output '{value.name}'", hint=_EXPORT)
    return in_order


def sort(graph: ir.Graph) -> None:
    """Puts the nodes in an order in which each comes after those that it reads.

    Raises:
        ModelError: there is none; the message names the nodes of a cycle.
    """
    try:
        graph.sort()
    except ValueError:
        names = [node.name or node.op_type for node in _cycle(graph)]
        raise ModelError(
            f"the graph has a cycle: {' -> '.join([*names, names[0]])}", hint=_EXPORT
        ) from None


def is_in_order(graph: ir.Graph) -> bool:
    """Whether each node comes after those whose outputs it reads; subgraphs are not looked into."""
    seen: set[ir.Node] = set()
    for node in graph:
        for value in node.inputs:
            before = None if value is None else value.producer()
            if before is not None and before.graph is graph and before not in seen:
                return False
        seen.add(node)
    return True


_EXPORT = "the file was written by a broken tool: export the model again"


def _defined_once(names: Sequence[str], kind: str) -> set[str]:
    seen: set[str] = set()
    for name in names:
        if not name:
            raise ModelError(f"one of the {kind} has no name", hint=_EXPORT)
        if name in seen:
            raise ModelError(f"two {kind} have the name '{name}'", hint=_EXPORT)
        seen.add(name)
    return seen


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _where(node: onnx.NodeProto) -> str:
    return f"node '{node.name or node.op_type}'"


def _cycle(graph: ir.Graph) -> list[ir.Node]:
    """The nodes of one cycle: walk back from a node that no order can hold, until one repeats."""
    waiting = {node: _predecessors(node) for node in graph}
    ready = [node for node, before in waiting.items() if not before]
    while ready:
        done = ready.pop()
        waiting.pop(done, None)
        for node in done.successors():
            if node in waiting:
                waiting[node].discard(done)
                if not waiting[node]:
                    ready.append(node)
    path: dict[ir.Node, None] = {}
    node = next(iter(waiting))
    while node not in path:
        path[node] = None
        node = next(before for before in waiting[node] if before in waiting)
    walked = list(path)
    cycle = walked[walked.index(node) :][::-1]
    first = next(i for node in graph for i, other in enumerate(cycle) if other is node)
    return cycle[first:] + cycle[:first]


def _predecessors(node: ir.Node) -> set[ir.Node]:
    return set(node.predecessors())
