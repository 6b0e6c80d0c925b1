"""Random quantized multi-layer perceptrons."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from hypothesis import strategies as st

from brainsmith.api import BIPOLAR, IntType, Model
from tests.builtin.integers import QONNX, Net


def _batch_norm(net: Net, x: str, rng: np.random.Generator, channels: int, size: float) -> str:
    normal = rng.normal(size=(3, channels)).astype(np.float32)
    variance = rng.uniform(0.1, 2, channels).astype(np.float32) * np.float32(size**2)
    result: str = net.BatchNormalization(
        x, normal[0], normal[1], normal[2] * np.float32(size / 4), variance
    )
    return result


def _layer(net: Net, x: str, draw: Any, rng: np.random.Generator, k: int, n: int) -> str:
    """A product, and randomly: a bias, a normalization, a rectifier; then a quantizer."""
    bits = draw(st.integers(2, 8))
    per_column = draw(st.booleans())
    scale = rng.uniform(0.01, 0.1, (1, n) if per_column else ()).astype(np.float32)
    w = net.quant(rng.normal(size=(k, n)).astype(np.float32) * 0.1, scale, 0, bits, narrow=1)
    if draw(st.booleans()):
        y = net.Gemm(x, w, rng.normal(size=n).astype(np.float32))
    else:
        y = net.MatMul(x, w)
    if draw(st.booleans()):
        y = _batch_norm(net, y, rng, n, 1.0)
    activation = draw(st.sampled_from(["Relu", "Neg", "LeakyRelu", "Sigmoid", "Clip", ""]))
    if activation == "Clip":
        y = net.Clip(y, np.float32(-1), np.float32(1))
    elif activation:
        y = getattr(net, activation)(y)
    if draw(st.booleans()):
        quantized: str = net.BipolarQuant(y, np.float32(rng.uniform(0.1, 1)), domain=QONNX)
        return quantized
    signed = int(draw(st.booleans()))
    step = float(rng.uniform(0.05, 0.4))
    return net.quant(y, step, 0 if signed else draw(st.integers(0, 2)), bits, signed=signed)


@st.composite
def networks(draw: Any) -> tuple[Model, np.ndarray]:
    """A multi-layer perceptron on integers, and frames for it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    datatype = draw(st.sampled_from(["UINT4", "INT3", "UINT8", "BIPOLAR"]))
    sizes = draw(st.lists(st.integers(1, 12), min_size=2, max_size=4))
    net = Net((1, sizes[0]), datatype)
    x = net.Mul("x", np.float32(rng.uniform(0.02, 0.2)))
    for k, n in itertools.pairwise(sizes):
        x = _layer(net, x, draw, rng, k, n)
    kind = IntType.parse(datatype)
    frames = rng.integers(kind.min, kind.max, (5, 1, sizes[0]), endpoint=True)
    return net.model(x), np.where(frames == 0, 1, frames) if kind == BIPOLAR else frames
