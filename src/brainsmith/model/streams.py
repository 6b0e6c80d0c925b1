"""Streams: the values of a graph that depend on its inputs. All others are constant."""

from __future__ import annotations

import onnx_ir as ir

from brainsmith.model.runners import captured


def streams_of(graph: ir.Graph) -> set[ir.Value]:
    """The inputs and what is computed from them. Nodes are in topological order."""
    found = set(graph.inputs)
    for node in graph:
        if any(value in found for value in captured([node])):
            found.update(node.outputs)
    return found
