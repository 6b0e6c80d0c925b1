"""Post-training quantization: from a float model to one of 2 to 8 bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import onnx_ir as ir

from brainsmith.api import (
    ConfigurationError,
    Model,
    Note,
    TransformConfig,
    captured,
    evaluate,
    infer_shapes,
    param,
    quantizes,
    read_frames,
    transform,
)
from brainsmith.builtin.transforms.quantize_grids import Grid, activation_grids, weight_grid
from brainsmith.builtin.transforms.quantize_placement import Placement, place
from brainsmith.builtin.transforms.quantize_ranges import METHODS, Method, ranges_of, runs

QONNX = "qonnx.custom_op.general"
BITS = (2, 3, 4, 5, 6, 7, 8)


@transform(
    name="QuantizeModel",
    stage="graph_cleanup",
    description="Quantizes a float model to 2 to 8 bits, with ranges from calibration data",
    author="Brainsmith",
    version="2.0.0",
    license="Apache-2.0",
    tags=["quantization", "calibration"],
)
class QuantizeModel:
    """Writes `Quant` nodes into a float model.

    1. Weights of products get a symmetric grid, one scale an output channel. Biases stay as they
       are: they become part of the thresholds, exactly.
    2. What these products, averages and sums read gets a grid that covers the range which the
       calibration data has there.
    3. What is quantized already stays as it is, and so does what no hardware computes.
    """

    redefines = True

    weight_bits = param(8, choices=BITS, description="bits of a weight")
    activation_bits = param(8, choices=BITS, description="bits of an activation")
    calibration = param("", description=".npy file of frames, or .npz with one array an input")
    method = param("minmax", choices=METHODS, description="how a range follows from the data")
    weight_scales = param("per-channel", choices=("per-channel", "per-tensor"))
    activations = param("symmetric", choices=("symmetric", "asymmetric"))

    def apply(self, model: Model, config: TransformConfig) -> Model:
        """The quantized model.

        Raises:
            ConfigurationError: there is no calibration data, or it does not fit the model.
            ModelError: the float model cannot be executed.
        """
        infer_shapes(model)
        placement = place(model)
        for node in placement.kept:
            model.notes.append(Note(node.name or "", "the model had this quantizer, which stays"))
        if not placement.activations and not placement.weights:
            return model
        params = config.params
        activation_bits = int(params["activation_bits"])
        grids = activation_grids(
            placement,
            _ranges(model, placement, config, activation_bits),
            activation_bits,
            symmetric=params["activations"] == "symmetric",
        )
        _quantize_weights(model, placement, config)
        for value, grid in grids.items():
            _quantize(model, value, grid)
        return model


def _ranges(
    model: Model, placement: Placement, config: TransformConfig, bits: int
) -> dict[ir.Value, tuple[float, float]]:
    path, method = str(config.params["calibration"]), cast(Method, config.params["method"])
    if not path:
        raise ConfigurationError(
            "a float model is quantized with calibration data, and none is given",
            where="QuantizeModel",
            hint="--calibrate images.npy, or the parameter `calibration`",
        )
    shapes = {value.name or "": model.shape(value) for value in model.graph.inputs}
    frames = read_frames(Path(path), shapes, exact=True)
    config.step("calibrate", runs(method) * len(next(iter(frames.values()))))
    found = ranges_of(
        model,
        [value.name or "" for value in placement.activations],
        frames,
        method,
        bits,
        symmetric=config.params["activations"] == "symmetric",
        advance=config.advance,
    )
    return {value: found[value.name or ""] for value in placement.activations}


def _quantize_weights(model: Model, placement: Placement, config: TransformConfig) -> None:
    bits = int(config.params["weight_bits"])
    per_channel = config.params["weight_scales"] == "per-channel"
    arrays = _constants(model, [weights.value for weights in placement.weights])
    for weights, operands in placement.weights.items():
        axis = weights.axis if per_channel else None
        grid = weight_grid(arrays[weights.value], axis, bits)
        quantized = _quant(model, weights.value, grid)
        for node, index in operands:
            node.replace_input_with(index, quantized)


def _quantize(model: Model, value: ir.Value, grid: Grid) -> None:
    """Puts a quantizer between a value and all nodes that read it, but for its own quantizers."""
    uses = [use for use in value.uses() if not quantizes(use.node)]
    quantized = _quant(model, value, grid)
    for node, index in uses:
        node.replace_input_with(index, quantized)


def _quant(model: Model, value: ir.Value, grid: Grid) -> ir.Value:
    producer = value.producer()
    model.graph.opset_imports.setdefault(QONNX, 1)
    constants = [
        model.add_initializer(f"{value.name}_{name}", np.asarray(array, np.float32))
        for name, array in (("scale", grid.scale), ("zero", grid.zero), ("bits", grid.bits))
    ]
    return model.add_node(
        "Quant",
        [value, *constants],
        name_hint=f"{value.name}_quant",
        domain=QONNX,
        attributes={
            "signed": int(grid.signed),
            "narrow": int(grid.narrow),
            "rounding_mode": "ROUND",
        },
        shape=model.shape(value),
        before=next(iter(model.graph)) if producer is None else None,
        after=producer,
    )


def _constants(model: Model, values: Iterable[ir.Value]) -> Mapping[ir.Value, np.ndarray]:
    """The arrays of constants, those that nodes compute from others included."""
    found = {value: model.constant(value) for value in values}
    computed = [value for value, array in found.items() if array is None]
    needed = {node for value in computed for node in _ancestors(value)}
    nodes = [node for node in model.graph if node in needed]
    arrays = evaluate(model, nodes, [value.name or "" for value in computed])
    return {
        value: arrays[value.name or ""] if array is None else array
        for value, array in found.items()
    }


def _ancestors(value: ir.Value) -> set[ir.Node]:
    """The nodes that a value depends on."""
    found: set[ir.Node] = set()
    waiting = [value]
    while waiting:
        node = waiting.pop().producer()
        if node is not None and node not in found:
            found.add(node)
            waiting.extend(captured([node]))
    return found
