"""Transforms that tidy the graph and change nothing that it computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from brainsmith.api import infer_shapes as infer
from brainsmith.api import is_constant, is_standard, transform

if TYPE_CHECKING:
    from brainsmith.api import Model, TransformConfig


@transform(
    name="InferShapes",
    stage="graph_cleanup",
    description="Finds the shapes of intermediate values from those of the inputs.",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["shapes"],
)
class InferShapes:
    """Gives each value of unknown shape or element type the inferred one."""

    def apply(self, model: Model, config: TransformConfig) -> Model:
        infer(model)
        return model


@transform(
    name="GiveUniqueNames",
    stage="graph_cleanup",
    description="Names nodes and values that have no name or one that is taken.",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["names"],
)
class GiveUniqueNames:
    """Later stages find nodes and values by their names. Names that are unique stay."""

    def apply(self, model: Model, config: TransformConfig) -> Model:
        taken: set[str] = set()
        for node in model.graph.all_nodes():
            if not node.name or node.name in taken:
                node.name = model.fresh_name(node.op_type)
            taken.add(node.name)
        values = {value.name for value in model.graph.inputs}
        values.update(model.graph.initializers)
        for node in model.graph:
            for value in node.outputs:
                if value.name in values:
                    model.rename(value, model.fresh_name(f"{node.name}_out"))
                if value.name:  # an optional output that is left out has none
                    values.add(value.name)
        return model


@transform(
    name="RemoveUnused",
    stage="graph_cleanup",
    description="Removes nodes and constants that no output depends on.",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["dead code"],
)
class RemoveUnused:
    """Dead-code elimination; inputs and outputs of the graph stay."""

    def apply(self, model: Model, config: TransformConfig) -> Model:
        from onnx_ir.passes.common import RemoveUnusedNodesPass

        RemoveUnusedNodesPass()(model.ir)
        return model


@transform(
    name="RemoveIdentities",
    stage="graph_cleanup",
    description="Removes nodes that hand their input on unchanged.",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["identities"],
)
class RemoveIdentities:
    """Removes Identity and whatever is one here.

    1. Identity, and QONNX's DebugMarker;
    2. Dropout outside of training;
    3. Cast to the element type that the input has;
    4. Reshape, Flatten, Squeeze, Unsqueeze and Expand to the shape that the input has;
    5. Transpose that keeps the order of the dimensions;
    6. Concat and Sum of a single value.
    """

    def apply(self, model: Model, config: TransformConfig) -> Model:
        for node in model.graph:
            if node.inputs and node.inputs[0] is not None and _is_identity(node, model):
                model.bypass(node)
        return model


@transform(
    name="ConvertSumToAdd",
    stage="graph_cleanup",
    description="Writes sums of any number of values as additions of two",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["sums"],
)
class ConvertSumToAdd:
    """Sum, from the first operand on, as ONNX Runtime adds them: the results are the same bits.

    The last addition has the name of the Sum.
    """

    def apply(self, model: Model, config: TransformConfig) -> Model:
        for node in model.graph:
            if is_standard(node, "Sum") and len(node.inputs) > 1:
                _add_up(node, model)
        return model


def _add_up(node: ir.Node, model: Model) -> None:
    total, *others, last = node.inputs
    for value in others:
        total = model.add_node(
            "Add",
            [total, value],
            name_hint=f"{node.name}_Add",
            element=node.outputs[0].dtype or ir.DataType.FLOAT,
            before=node,
        )
    node.op_type = "Add"
    node.resize_inputs(2)
    node.replace_input_with(0, total)
    node.replace_input_with(1, last)


def _is_identity(node: ir.Node, model: Model) -> bool:
    if node.op_type == "DebugMarker":
        return node.domain == "qonnx.custom_op.general"
    rule = _RULES.get(node.op_type)
    return rule is not None and is_standard(node) and rule(node, model)


def _always(node: ir.Node, model: Model) -> bool:
    return True


def _not_training(node: ir.Node, model: Model) -> bool:
    training = node.inputs[2] if len(node.inputs) > 2 else None
    if training is None:
        return True
    flag = model.constant(training)
    return flag is not None and not bool(np.any(flag))


def _same_elements(node: ir.Node, model: Model) -> bool:
    source = node.inputs[0]
    return source is not None and source.dtype == node.attributes["to"].as_int()


def _same_shape(node: ir.Node, model: Model) -> bool:
    """The shape before and after is known and equal, and comes from no computed value."""
    source, result = node.inputs[0], node.outputs[0]
    if source is None or any(v is not None and not is_constant(v) for v in node.inputs[1:]):
        return False
    before, after = source.shape, result.shape
    if before is None or after is None or not (before.is_static() and after.is_static()):
        return False
    return before == after


def _same_order(node: ir.Node, model: Model) -> bool:
    order = node.attributes.get("perm")
    return order is not None and list(order.as_ints()) == sorted(order.as_ints())


def _single(node: ir.Node, model: Model) -> bool:
    return len(node.inputs) == 1


_RULES: Mapping[str, Callable[[ir.Node, Model], bool]] = MappingProxyType(
    {
        "Identity": _always,
        "Dropout": _not_training,
        "Cast": _same_elements,
        "Reshape": _same_shape,
        "Flatten": _same_shape,
        "Squeeze": _same_shape,
        "Unsqueeze": _same_shape,
        "Expand": _same_shape,
        "Transpose": _same_order,
        "Concat": _single,
        "Sum": _single,
    }
)
