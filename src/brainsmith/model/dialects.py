"""The operator sets that a model may use: standard ONNX, and QONNX under its three names."""

from __future__ import annotations

from types import MappingProxyType

import onnx_ir as ir

QONNX = "qonnx.custom_op.general"
CHANNELS_LAST = "qonnx.custom_op.channels_last"

ALIASES = MappingProxyType({"finn.custom_op.general": QONNX, "onnx.brevitas": QONNX, "ai.onnx": ""})
"""Other names of a domain. A model keeps only the names on the right."""

# A domain is a Python module for QONNX, and GenericPartition reads the file that an attribute
# names. A model must not decide what is imported or read: only these operators are run.
OPERATORS = MappingProxyType(
    {
        QONNX: frozenset(
            {
                "BipolarQuant",
                "DebugMarker",
                "FloatQuant",
                "Im2Col",
                "IntQuant",
                "MaxPoolNHWC",
                "MultiThreshold",
                "Quant",
                "QuantAvgPool2d",
                "Trunc",
                "XnorPopcountMatMul",
            }
        ),
        CHANNELS_LAST: frozenset({"BatchNormalization", "Conv", "MaxPool"}),
    }
)
SHAPE_PRESERVING = frozenset(
    {"BipolarQuant", "DebugMarker", "FloatQuant", "IntQuant", "MultiThreshold", "Quant", "Trunc"}
)
QUANTIZERS = frozenset({"BipolarQuant", "FloatQuant", "IntQuant", "Quant", "Trunc"})
"""QONNX operators that round each element by itself to a grid of scale and offset."""


def is_qonnx(node: ir.Node) -> bool:
    """Whether QONNX defines what the node computes."""
    return node.op_type in OPERATORS.get(node.domain, ())


def quantizes(node: ir.Node) -> bool:
    """Whether the node leaves values on a grid of scale and offset."""
    if is_qonnx(node):
        return node.op_type in QUANTIZERS or node.op_type == "MultiThreshold"
    return is_standard(node, "QuantizeLinear", "DequantizeLinear")


def is_standard(node: ir.Node, *op_types: str) -> bool:
    """Whether the node is of the standard operator set, and one of `op_types` if any are given."""
    return node.domain == "" and (not op_types or node.op_type in op_types)
