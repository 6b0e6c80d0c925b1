"""Random convolutional graphs: quantized, of every operation that has a kernel, at any folding."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from onnx import helper

from brainsmith.api import Model
from brainsmith.compiler import CompilationResult, CompileOptions, Compiler
from brainsmith.compiler.frontend import load_and_map
from brainsmith.compiler.progress import Silent
from brainsmith.compiler.strategy import load_strategy
from brainsmith.compiler.targets import get_target
from brainsmith.plugins import PluginRegistry
from tests.builtin.integers import Net

MOST_ELEMENTS = 400  # of one value: the simulation of a graph takes a second or so


@dataclass(frozen=True)
class Stream:
    """A value of the graph.

    Attributes:
        name: of the value.
        shape: 1, channels, and one size (a row) or two (an image).
        size: how large its elements get, about.
        scale: of its codes; 0 where it is no quantizer's output.
    """

    name: str
    shape: tuple[int, ...]
    size: float
    scale: float = 0.0

    @property
    def channels(self) -> int:
        return self.shape[1]

    @property
    def image(self) -> tuple[int, ...]:
        return self.shape[2:]


class RandomGraph:
    """A graph that grows at random; the same for the same seed.

    Attributes:
        model: the graph.
        steps: what was added, in order, in words.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.steps: list[str] = []
        rank = int(self._rng.choice([1, 2, 2, 2]))
        channels = self._int(1, 8)
        image = (self._int(4, 40),) if rank == 1 else (self._int(3, 9), self._int(3, 9))
        self._net = Net((1, channels, *image), str(self._pick("UINT8 UINT4 INT4 INT7 UINT2 INT2")))
        x = Stream("x", (1, channels, *image), 8.0, 1.0)
        if self._maybe():
            x = Stream(self._net.Mul("x", np.float32(0.125)), x.shape, 1.0, 0.125)
        x = self._begun(x)
        for _ in range(self._int(1, 4)):
            x = self._grown(x)
        self.model: Model = self._net.model(*self._ends(x))

    # --- draws -----------------------------------------------------------------------------

    def _int(self, low: int, high: int) -> int:
        return int(self._rng.integers(low, high, endpoint=True))

    def _pick(self, words: str) -> str:
        return str(self._rng.choice(words.split()))

    def _maybe(self, share: float = 0.5) -> bool:
        return bool(self._rng.random() < share)

    # --- growth ----------------------------------------------------------------------------

    def _begun(self, x: Stream) -> Stream:
        """A convolution, so that there is something for the hardware."""
        while True:
            begun = self._convolved(x)
            if begun is not None:
                return begun

    def _grown(self, x: Stream) -> Stream:
        steps: list[Callable[[Stream], Stream | None]] = [
            self._convolved, self._convolved, self._depthwise, self._max_pooled,
            self._averaged, self._padded, self._upsampled, self._blocks, self._residual,
            self._residual, self._concatenated, self._split, self._gated,
        ]  # fmt: skip
        for index in self._rng.permutation(len(steps)):
            grown = steps[index](x)
            if grown is not None:
                return grown
        return x

    def _quantized(self, x: Stream, scale: float | None = None) -> Stream:
        """Perhaps an activation, then codes of 1 to 8 bits."""
        y, net = x.name, self._net
        activation = self._pick("Relu Relu none none LeakyRelu Clip Sigmoid HardSigmoid norm")
        signed, size = True, x.size
        if activation == "norm":
            y = self._normalized(y, x.channels, size)
            size = 1.0
        elif activation == "Clip":
            y = net.Clip(y, np.float32(0), np.float32(0.7 * size))
        elif activation != "none":
            y = getattr(net, activation)(y)
        if activation in ("Sigmoid", "HardSigmoid"):
            signed, size = False, 1.0
        elif activation in ("Relu", "Clip"):
            signed = False
        bits = self._int(1, 8) if self._maybe(0.3) else self._int(2, 4)
        bits = max(bits, 2) if signed else bits
        step = scale or self._step(size / 2 ** (bits - signed))
        y = net.quant(y, step, 0, bits, signed=int(signed), narrow=int(signed and self._maybe(0.3)))
        self.steps.append(f"{activation} {'INT' if signed else 'UINT'}{bits}")
        return Stream(y, x.shape, step * 2 ** (bits - signed), step)

    def _normalized(self, y: str, channels: int, size: float) -> str:
        mean = self._rng.normal(size=channels).astype(np.float32) * np.float32(size / 4)
        gain = self._rng.uniform(-0.5, 1, channels).astype(np.float32)
        bias = self._rng.normal(size=channels).astype(np.float32) * np.float32(0.2)
        variance = np.full(channels, size**2 / 4, np.float32)
        made: str = self._net.BatchNormalization(y, gain, bias, mean, variance)
        return made

    def _step(self, about: float) -> float:
        """A scale: a power of two, a fraction of small numbers, or any float32."""
        kind = self._int(0, 2)
        power = 2.0 ** round(math.log2(max(about, 1e-6)))
        if kind == 0:
            return power
        if kind == 1:
            return power * self._int(1, 7) / 4
        return float(np.float32(about * self._rng.uniform(0.7, 1.4)))

    def _weights(self, outputs: int, inputs: int, kernel: tuple[int, ...]) -> str:
        bits = self._int(1, 8) if self._maybe(0.3) else self._int(2, 4)
        ones = (1,) * (1 + len(kernel))
        real = self._rng.normal(size=(outputs, inputs, *kernel)).astype(np.float32) * 0.3
        step = 1.0 / 2 ** max(bits - 1, 1)
        if self._maybe():
            step = self._rng.uniform(0.5, 1.5, (outputs, *ones)).astype(np.float32) * step
        if bits == 1 and self._maybe():
            return str(
                self._net.BipolarQuant(real, np.float32(0.25), domain="qonnx.custom_op.general")
            )
        return str(self._net.quant(real, step, 0, max(bits, 2), narrow=1))

    def _window(
        self, x: Stream, most: int, *, dilated: bool, padded: bool
    ) -> dict[str, list[int]] | None:
        """Kernel, strides, dilations and pads that leave at least one window."""
        rank = len(x.image)
        kernel = [self._int(1, most) for _ in range(rank)]
        strides = [self._int(1, 3) if self._maybe(0.4) else 1 for _ in range(rank)]
        dilations = [self._int(1, 2) if dilated else 1 for _ in range(rank)]
        pads = [self._int(0, 2) if padded else 0 for _ in range(2 * rank)]
        for i, size in enumerate(x.image):
            if size + pads[i] + pads[i + rank] < (kernel[i] - 1) * dilations[i] + 1:
                return None
        found = {"kernel_shape": kernel, "strides": strides, "pads": pads}
        return {**found, "dilations": dilations} if dilated else found

    @staticmethod
    def _behind(x: Stream, window: dict[str, list[int]], channels: int) -> tuple[int, ...]:
        kernel, strides, pads = (window[n] for n in ("kernel_shape", "strides", "pads"))
        rank = len(kernel)
        dilations = window.get("dilations", [1] * rank)
        return (1, channels, *(
            (x.image[i] + pads[i] + pads[i + rank] - (kernel[i] - 1) * dilations[i] - 1)
            // strides[i] + 1
            for i in range(rank)
        ))  # fmt: skip

    def _convolution(
        self, x: Stream, outputs: int, group: int, window: dict[str, list[int]]
    ) -> Stream:
        inputs, kernel = x.channels // group, tuple(window["kernel_shape"])
        w = self._weights(outputs, inputs, kernel)
        bias = [self._rng.normal(size=outputs).astype(np.float32)] if self._maybe(0.3) else []
        y = self._net.Conv(x.name, w, *bias, group=group, **window)
        taps = inputs * math.prod(kernel)
        self.steps.append(f"Conv {x.shape} to {outputs}, group {group}, {window}")
        return Stream(y, self._behind(x, window, outputs), x.size * 0.4 * math.sqrt(taps))

    def _convolved(self, x: Stream) -> Stream | None:
        window = self._window(x, 4, dilated=self._maybe(0.3), padded=self._maybe())
        if window is None:
            return None
        group = int(self._rng.choice([g for g in range(1, x.channels + 1) if x.channels % g == 0]))
        group = group if self._maybe(0.4) else 1
        outputs = group * self._int(1, max(1, 8 // group))
        if math.prod(self._behind(x, window, outputs)) > MOST_ELEMENTS:
            return None
        return self._quantized(self._convolution(x, outputs, group, window))

    def _depthwise(self, x: Stream) -> Stream | None:
        window = self._window(x, 3, dilated=self._maybe(0.3), padded=self._maybe())
        outputs = x.channels * (2 if self._maybe(0.2) else 1)
        if window is None or math.prod(self._behind(x, window, outputs)) > MOST_ELEMENTS:
            return None
        return self._quantized(self._convolution(x, outputs, x.channels, window))

    def _max_pooled(self, x: Stream) -> Stream | None:
        if self._maybe(0.15):
            y = self._net.GlobalMaxPool(x.name)
            return replace(x, name=y, shape=(*x.shape[:2], *(1 for _ in x.image)))
        window = self._window(x, 3, dilated=self._maybe(0.2), padded=False)
        if window is None:
            return None
        window["pads"] = [
            self._int(0, min(1, k - 1)) if self._maybe(0.3) else 0
            for k in window["kernel_shape"] * 2
        ]
        y = self._net.MaxPool(x.name, **window)
        self.steps.append(f"MaxPool {x.shape} {window}")
        return replace(x, name=y, shape=self._behind(x, window, x.channels))

    def _averaged(self, x: Stream) -> Stream | None:
        if self._maybe(0.3):
            y = Stream(
                self._net.GlobalAveragePool(x.name), (*x.shape[:2], *(1 for _ in x.image)), x.size
            )
            return self._quantized(y)
        window = self._window(x, 3, dilated=False, padded=False)
        if window is None:
            return None
        y = self._net.AveragePool(x.name, **window)
        self.steps.append(f"AveragePool {x.shape} {window}")
        return self._quantized(Stream(y, self._behind(x, window, x.channels), x.size))

    def _padded(self, x: Stream) -> Stream | None:
        rank = len(x.image)
        pads = [self._int(0, 2) for _ in range(2 * rank)]
        shape = (*x.shape[:2], *(s + pads[i] + pads[i + rank] for i, s in enumerate(x.image)))
        if math.prod(shape) > MOST_ELEMENTS:
            return None
        value = np.float32(x.scale * self._int(0, 1))
        listed = np.array([0, 0, *pads[:rank], 0, 0, *pads[rank:]], np.int64)
        self.steps.append(f"Pad {x.shape} {pads} with {value}")
        return replace(x, name=self._net.Pad(x.name, listed, value), shape=shape)

    def _upsampled(self, x: Stream) -> Stream | None:
        factors = [self._int(1, 3) for _ in x.image]
        shape = (*x.shape[:2], *(s * f for s, f in zip(x.image, factors, strict=True)))
        if math.prod(shape) > MOST_ELEMENTS:
            return None
        scales = np.array([1, 1, *factors], np.float32)
        y = self._net.Resize(
            x.name, "", scales, mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )  # fmt: skip
        self.steps.append(f"Resize {x.shape} {factors}")
        return replace(x, name=y, shape=shape)

    def _blocks(self, x: Stream) -> Stream | None:
        if len(x.image) != 2 or x.channels % 4:
            return None
        mode = self._pick("DCR CRD")
        shape = (1, x.channels // 4, *(2 * s for s in x.image))
        self.steps.append(f"DepthToSpace {x.shape} {mode}")
        return replace(x, name=self._net.DepthToSpace(x.name, blocksize=2, mode=mode), shape=shape)

    # --- branches --------------------------------------------------------------------------

    def _same(self, x: Stream, outputs: int) -> Stream:
        """A convolution that keeps the size of the image, quantized or not."""
        rank, group = len(x.image), x.channels if outputs == x.channels and self._maybe() else 1
        kernel = [int(self._rng.choice([1, 3])) for _ in range(rank)]
        pads = [k // 2 for k in kernel] * 2
        window = {"kernel_shape": kernel, "strides": [1] * rank, "pads": pads}
        return self._convolution(x, outputs, group, window)

    def _around(self, x: Stream, outputs: int, scale: float | None = None) -> Stream:
        """One to three convolutions, the last quantized."""
        y = x
        for _ in range(self._int(0, 2) if self._maybe() else 0):
            y = self._quantized(self._same(y, outputs))
        return self._quantized(self._same(y, outputs), scale)

    def _residual(self, x: Stream) -> Stream | None:
        """Two ways from one value, added or subtracted; one may be the value itself."""
        outputs = x.channels
        a = x if self._maybe() and x.scale else self._around(x, outputs)
        ratio = float(self._rng.choice([1, 1, 2, 0.5, 3, 0.75]))
        b = self._around(x, outputs, a.scale * ratio)
        if self._maybe():
            a, b = b, a
        kind = self._pick("Add Add Sub")
        y = getattr(self._net, kind)(a.name, b.name)
        self.steps.append(f"{kind} {x.shape} scales {a.scale} {b.scale}")
        return self._quantized(Stream(y, x.shape, a.size + b.size))

    def _gated(self, x: Stream) -> Stream | None:
        a, b = self._around(x, x.channels), self._around(x, x.channels)
        y = self._net.Mul(a.name, b.name)
        self.steps.append(f"Mul {x.shape}")
        return self._quantized(Stream(y, x.shape, a.size * b.size))

    def _concatenated(self, x: Stream) -> Stream | None:
        parts = [self._around(x, self._int(1, 4))]
        for _ in range(self._int(1, 2)):
            parts.append(self._around(x, self._int(1, 4), parts[0].scale))
        channels = sum(part.channels for part in parts)
        if channels * math.prod(x.image) > MOST_ELEMENTS:
            return None
        y = self._net.Concat(*(part.name for part in parts), axis=1)
        self.steps.append(f"Concat {[part.shape for part in parts]}")
        size = max(part.size for part in parts)
        return Stream(y, (1, channels, *x.image), size, parts[0].scale)

    def _split(self, x: Stream) -> Stream | None:
        """Two parts of the channels, each on its way, and together again."""
        if x.channels < 2 or not x.scale:
            return None
        first = self._int(1, x.channels - 1)
        sizes = (first, x.channels - first)
        names = [f"s{len(self._net.nodes)}_{i}" for i in (0, 1)]
        parts = self._net.constant(np.array(sizes, np.int64))
        name = f"Split_{len(self._net.nodes)}"
        self._net.nodes.append(helper.make_node("Split", [x.name, parts], names, name=name, axis=1))
        self.steps.append(f"Split {x.shape} {sizes}")
        a, b = (
            replace(x, name=name, shape=(1, size, *x.image))
            for name, size in zip(names, sizes, strict=True)
        )
        if self._maybe():
            a = self._around(a, first, x.scale)
        y = self._net.Concat(a.name, self._around(b, sizes[1], x.scale).name, axis=1)
        return replace(x, name=y)

    # --- ends ------------------------------------------------------------------------------

    def _ends(self, x: Stream) -> list[str]:
        """An image, or scores or a label of its elements; perhaps the image too."""
        if self._maybe(0.4):
            return [x.name]
        outputs = self._int(2, 6)
        if self._maybe(0.3):
            x = self._quantized(
                Stream(
                    self._net.GlobalAveragePool(x.name),
                    (*x.shape[:2], *(1 for _ in x.image)),
                    x.size,
                )
            )
        elements = math.prod(x.shape)
        flat = self._net.Flatten(x.name)
        w = self._rng.normal(size=(elements, outputs)).astype(np.float32) * 0.3
        y = self._net.MatMul(flat, self._net.quant(w, 0.1, 0, self._int(2, 4), narrow=1))
        self.steps.append(f"MatMul {elements} to {outputs}")
        scores = Stream(y, (1, outputs), x.size * 0.3 * math.sqrt(elements))
        if self._maybe():
            return [y]
        return [self._quantized(scores).name]


def compiled(path: Path, seed: int, output: Path) -> CompilationResult:
    """The graph in a file through the whole compiler, at a random legal folding for a device."""
    rng = np.random.default_rng(seed)
    target = str(rng.choice(["ecp5-85k", "xc7z020", "xcup-zu3eg"]))
    options = CompileOptions(target=target, synthesize=False, seed=seed, output=output)
    folding = path.with_suffix(".json")
    folding.write_text(json.dumps(random_folding(path, options, rng)))
    return Compiler().compile(path, options=replace(options, folding=folding))


def random_folding(
    path: Path, options: CompileOptions, rng: np.random.Generator
) -> dict[str, dict[str, int]]:
    """Any legal folding of each node that takes no more cycles than a limit, which is random."""
    registry = PluginRegistry()
    family = get_target(options.target, registry).family
    strategy = load_strategy("balanced", registry).resolved(registry)
    found = load_and_map(path, strategy, registry, family, options, Silent())
    limit = int(2 ** rng.uniform(6, 13))
    chosen = {}
    for node in found.mapping.mapped:
        legal = node.config.nest.legal(node.config.dims)
        every = [dict(zip(legal, one, strict=True)) for one in itertools.product(*legal.values())]
        cycles = [node.config.nest.cycles(node.config.dims, folding) for folding in every]
        inside = [f for f, c in zip(every, cycles, strict=True) if c <= max(limit, min(cycles))]
        chosen[node.node] = inside[int(rng.integers(len(inside)))]
    return chosen
