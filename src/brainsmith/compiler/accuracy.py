"""What quantization costs: a float model beside the quantized one, layer by layer.

A layer is what lies between two quantizers, and its result the value that the second one reads.
Each frame runs three times: through the float model; through the quantized one; and through the
quantized one with each result replaced by the float model's, so that a layer is seen alone, with
quantized weights and inputs but without the errors of the layers before it. Sums are kept, and no
frame's values.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir

from brainsmith.compiler.frontend import FrontEnd
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.progress import Progress
from brainsmith.model.arrays import read_frames
from brainsmith.model.datatypes import IntType
from brainsmith.model.dialects import QUANTIZERS, is_qonnx, is_standard, quantizes
from brainsmith.model.execution import Executor
from brainsmith.model.model import Model
from brainsmith.model.streams import streams_of
from brainsmith.report.records import (
    LayerAccuracyRecord,
    QuantizationRecord,
    TopOneRecord,
    WorstElementRecord,
)

Arrays = Mapping[str, np.ndarray]
MOST_FRAMES = 256
_PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_CLASSES = 1


def quantization_record(
    front: FrontEnd, options: CompileOptions, progress: Progress
) -> QuantizationRecord | None:
    """The comparison on the frames that the user verifies with, else on the calibration data.

    Of many frames it takes some, evenly spread. None where no transform redefined the model, or
    where there are no frames.

    Raises:
        ConfigurationError: the frames do not fit the model.
        ModelError: one of the models cannot be executed.
    """
    if front.redefined_by is None:
        return None
    path = options.verify_input or front.redefined_by.config.params.get("calibration")
    if not path:
        return None
    shapes = {value.name or "": front.loaded.shape(value) for value in front.loaded.graph.inputs}
    path = Path(str(path))
    frames = read_frames(path, shapes, exact=options.verify_input is None)
    count = len(next(iter(frames.values())))
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).astype(int))
    comparison = _Comparison(front.loaded, front.original)
    progress.step("compare with the float model", len(chosen))
    for index in chosen:
        comparison.add(int(index), {name: array[index] for name, array in frames.items()})
        progress.advance()
    return comparison.record(path.name, len(chosen), count)


class _Comparison:
    """The two models, and what has been seen of them so far."""

    def __init__(self, loaded: Model, quantized: Model) -> None:
        self._layers = list(_layers(loaded, quantized))
        self._outputs = [value.name or "" for value in loaded.graph.outputs]
        results = [layer.value for layer in self._layers]
        self._float = Executor(loaded, keep=results)
        self._quantized = Executor(
            quantized, keep={*results, *(layer.quantized for layer in self._layers)}
        )
        self._top_one = dict.fromkeys(self._outputs, (0, 0))

    def add(self, index: int, frame: Arrays) -> None:
        """Runs one frame."""
        reals = self._float.run(frame)
        quantized = self._quantized.run(frame)
        inner = {layer.value: reals[layer.value] for layer in self._layers if layer.is_inner}
        alone = self._quantized.run(frame, inner)
        for layer in self._layers:
            real = reals[layer.value]
            layer.whole.add(index, real, quantized[layer.quantized])
            layer.alone.add(index, real, alone[layer.value if layer.is_inner else layer.quantized])
        for name in self._outputs:
            same, total = _top_one(reals[name], quantized[name])
            before = self._top_one[name]
            self._top_one[name] = before[0] + same, before[1] + total

    def record(self, data: str, frames: int, available: int) -> QuantizationRecord:
        """What was found."""
        return QuantizationRecord(
            data=data,
            frames=frames,
            available=available,
            layers=tuple(layer.record() for layer in self._layers),
            outputs=tuple(
                TopOneRecord(name, same, total)
                for name, (same, total) in self._top_one.items()
                if total
            ),
        )


class _Errors:
    """The differences of one value in all frames: sums of squares, and the worst element."""

    def __init__(self) -> None:
        self._signal = self._noise = 0.0
        self.worst: WorstElementRecord | None = None

    def add(self, frame: int, real: np.ndarray, other: np.ndarray) -> None:
        real, other = real.astype(np.float64), other.astype(np.float64)
        difference = np.abs(real - other)
        self._signal += float((real**2).sum())
        self._noise += float((difference**2).sum())
        at = np.unravel_index(int(difference.argmax()), difference.shape)
        size = float(difference[at])
        if self.worst is None or size > self.worst.difference:
            index = tuple(int(i) for i in at)
            self.worst = WorstElementRecord(frame, index, float(real[at]), float(other[at]), size)

    @property
    def snr_db(self) -> float | None:
        """Signal-to-noise ratio; None where there is no noise."""
        if self._noise == 0:
            return None
        return 10 * math.log10(max(self._signal, np.finfo(np.float64).tiny) / self._noise)


@dataclass(eq=False)
class _Layer:
    """A value of the float model and what becomes of it.

    Attributes:
        node: what the layer is called after.
        source: its result, in the quantized model.
        value: the name of the result, in both models.
        quantized: the name of the quantized result; `value` where no quantizer follows.
        datatype: of the codes, or FLOAT32.
        is_inner: whether a node computes the result and a quantizer follows.
    """

    node: str
    source: ir.Value
    quantized: str
    datatype: str

    def __post_init__(self) -> None:
        self.value = self.source.name or ""
        self.is_inner = self.source.producer() is not None and self.quantized != self.value
        self.whole, self.alone = _Errors(), _Errors()

    def record(self) -> LayerAccuracyRecord:
        worst = self.whole.worst
        assert worst is not None  # there is a frame
        return LayerAccuracyRecord(
            node=self.node,
            value=self.value,
            datatype=self.datatype,
            snr_db=self.whole.snr_db,
            snr_alone_db=self.alone.snr_db,
            worst=worst,
        )


def _layers(loaded: Model, quantized: Model) -> list[_Layer]:
    """The layers in the order of the graph, and the outputs that no quantizer follows."""
    names = {value.name for value in streams_of(loaded.graph)}
    streams = streams_of(quantized.graph)
    found: dict[str, _Layer] = {}
    for node in quantized.graph:
        source = node.inputs[0] if node.inputs else None
        if source in streams and source.name in names and _rounds(node):
            result = node.outputs[0].name or ""
            layer = _Layer(_head(source, streams), source, result, _datatype(quantized, node))
            found.setdefault(layer.value, layer)
    for output in quantized.graph.outputs:
        if output in streams and output.name not in found:
            name = output.name or ""
            found[name] = _Layer(_head(output, streams), output, name, "FLOAT32")
    return list(found.values())


def _rounds(node: ir.Node) -> bool:
    """Whether the node rounds real numbers to others."""
    return is_qonnx(node) and node.op_type in QUANTIZERS


def _head(value: ir.Value, streams: Collection[ir.Value]) -> str:
    """The node that a layer is called after: its product, or the first behind a quantizer."""
    name, node = value.name or "", value.producer()
    while node is not None and not quantizes(node):
        name = node.name or node.op_type
        if is_standard(node, *_PRODUCTS):
            break
        node = next(v.producer() for v in node.inputs if v is not None and v in streams)
    return name


def _datatype(model: Model, node: ir.Node) -> str:
    bits = node.inputs[3] if node.op_type in ("Quant", "IntQuant") else None
    array = None if bits is None else model.constant(bits)
    if array is None or array.size != 1:
        return node.op_type
    return str(IntType(int(array.item()), signed=bool(node.attributes.get_int("signed", 1))))


def _top_one(real: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """How many choices of the greatest element along the classes are the same, and of how many.

    Integers are such choices already. There is none where there are no classes.
    """
    if np.issubdtype(real.dtype, np.integer):
        return int((real == other).sum()), real.size
    axis = _CLASSES if real.ndim != 3 else 2  # (batch, sequence, classes)
    if real.ndim < 2 or real.shape[axis] < 2:
        return 0, 0
    same = real.argmax(axis=axis) == other.argmax(axis=axis)
    return int(same.sum()), same.size
