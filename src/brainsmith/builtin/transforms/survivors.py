"""The end of streamlining: what still needs real numbers gets them, what nothing needs goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import onnx_ir as ir

from brainsmith.builtin.transforms.integer_graph import IntegerGraph
from brainsmith.builtin.transforms.scaled_integer import Anchor


def settle(graph: IntegerGraph, anchors: Mapping[ir.Value, Anchor]) -> None:
    """Feeds the nodes that stay with dequantized integers, and removes those that nothing reads.

    Args:
        graph: the integer nodes beside the original ones.
        anchors: by the real value that each stands for.
    """
    model = graph.model
    _replace_outputs(graph, anchors)
    alive: set[ir.Node] = set()
    stack = [v.producer() for v in model.graph.outputs]
    while stack:
        node = stack.pop()
        if node is None or node in alive:
            continue
        alive.add(node)
        for reader, index in list(_reads(node)):
            value = reader.inputs[index]
            anchor = anchors.get(value) if value is not None else None
            if anchor is not None and not anchor.on_host and anchor.real is not anchor.value:
                value = graph.dequantized(anchor)
                reader.replace_input_with(index, value)
            stack.append(None if value is None else value.producer())
    dead = [node for node in model.graph if node not in alive]
    model.graph.remove(reversed(dead), safe=True)
    _drop_initializers(graph)


def rename(graph: IntegerGraph, anchors: Mapping[str, Anchor]) -> None:
    """Gives integer nodes and values the names of what they replace, where these are free.

    Args:
        graph: the integer nodes.
        anchors: by the name of the real value in the original model.
    """
    model = graph.model
    here = set(model.graph)
    nodes = {n.name for n in here}
    values = {v.name for n in here for v in n.outputs} | {v.name for v in model.graph.inputs}
    values |= set(model.graph.initializers)
    for node, wanted in graph.named.items():
        if node in here and wanted not in nodes:
            node.name = wanted
            nodes.add(wanted)
    renamed: set[ir.Value] = set()
    for name, anchor in anchors.items():
        value = anchor.value
        if not name or value.producer() not in here or value in renamed or name in values:
            continue
        if not value.is_graph_output():
            model.rename(value, name)
            values.add(name)
            renamed.add(value)


def _replace_outputs(graph: IntegerGraph, anchors: Mapping[ir.Value, Anchor]) -> None:
    outputs = graph.model.graph.outputs
    for i, value in enumerate(outputs):
        anchor = anchors.get(value)
        if anchor is None or anchor.on_host or anchor.value is value:
            continue
        name = value.name
        graph.model.rename(value, graph.model.fresh_name(f"{name}_real"))
        real = graph.dequantized(anchor)
        if real.is_graph_output() or real.is_graph_input():  # one output may stand twice
            real = graph.again(real, anchor)
        graph.model.rename(real, name or "")
        outputs[i] = real


def _reads(node: ir.Node) -> Iterator[tuple[ir.Node, int]]:
    """All operands of a node, those of the nodes in its subgraphs included."""
    yield from ((node, i) for i in range(len(node.inputs)))
    for attribute in node.attributes.values():
        if attribute.type == ir.AttributeType.GRAPH:
            for inner in attribute.as_graph().all_nodes():
                yield from ((inner, i) for i in range(len(inner.inputs)))


def _drop_initializers(graph: IntegerGraph) -> None:
    held = graph.model.graph.initializers
    kept = set(graph.model.graph.inputs) | set(graph.model.graph.outputs)
    for name in [n for n, v in held.items() if not v.uses() and v not in kept]:
        del held[name]
