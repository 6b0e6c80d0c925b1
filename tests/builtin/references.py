"""What operations compute, against ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime

from brainsmith.api import IntType, KernelConfig, LoopNest, Match
from tests.builtin.nodes import view_of


def assert_as_onnx_runtime(
    operation: Any, proto: onnx.ModelProto, dtypes: Mapping[str, str]
) -> Match:
    """Matches the only node of a model, and compares on random integers: values and ranges.

    Args:
        operation: an instance of the operation.
        proto: the model; its inputs are the operation's streams.
        dtypes: of the model's inputs.

    Returns:
        The match.
    """
    match = operation.match(view_of(proto, dtypes))
    assert isinstance(match, Match), match
    config = KernelConfig(
        node="n",
        nest=LoopNest(operation.loops, operation.ports),
        dims=match.dims,
        dtypes={p: IntType.parse(dtypes[v]) for p, v in match.ports.items() if v in dtypes},
        statics=match.statics,
        attributes=match.attributes,
    )
    values = _random(proto, dtypes)
    outputs = [port.name for port in operation.ports if port.direction == "out"]
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    expected = session.run(
        [match.ports[port] for port in outputs],
        {name: array.astype(np.float32) for name, array in values.items()},
    )
    inputs = {
        port: values[value].reshape(1, *(match.dims[dim] for dim in config.nest.port(port).dims))
        for port, value in match.ports.items()
        if value in values
    }
    got = operation.reference(config, inputs)
    ranges = operation.infer(match, {p: (a.min(), a.max()) for p, a in inputs.items()})
    for port, array in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(got[port].reshape(-1), array.reshape(-1))
        low, high = ranges[port]
        assert low <= got[port].min() and got[port].max() <= high
    return match


def _random(proto: onnx.ModelProto, dtypes: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Integers of the datatypes, both ends among them."""
    rng = np.random.default_rng(0)
    values = {}
    constants = {constant.name for constant in proto.graph.initializer}
    for info in proto.graph.input:
        if info.name in constants:
            continue
        dtype = IntType.parse(dtypes[info.name])
        shape = [dim.dim_value for dim in info.type.tensor_type.shape.dim]
        array = rng.integers(dtype.min, dtype.max, shape, endpoint=True)
        array.flat[0], array.flat[-1] = dtype.min, dtype.max
        values[info.name] = array
    return values
