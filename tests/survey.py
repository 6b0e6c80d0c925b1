"""What the front end makes of a light model: which nodes the hardware takes, and in what time."""

from __future__ import annotations

import resource
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from brainsmith.compiler.explanation import host_records
from brainsmith.compiler.frontend import MappedModel, load_and_map
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.partition import partition
from brainsmith.compiler.quantization import quantizing_first
from brainsmith.compiler.strategy import load_strategy
from brainsmith.model.model import Model
from brainsmith.plugins import PluginRegistry
from tests.light import light

FRAMES = 2
FAMILY = "xc7"


@dataclass(frozen=True)
class Survey:
    """Where the nodes of a network are computed.

    Attributes:
        name: of the network.
        nodes: how many nodes of the float model depend on its input, by operation.
        host: the nodes among them that the host computes, by operation and reason.
        kernels: how many nodes of the compiled model each kernel takes.
        parts: how many partitions in hardware there are.
        seconds: processor time of each stage, in the order in which they run.
        gigabytes: the greatest memory of the process so far.
    """

    name: str
    nodes: Mapping[str, int]
    host: Mapping[tuple[str, str], tuple[str, ...]]
    kernels: Mapping[str, int]
    parts: int
    seconds: Mapping[str, float]
    gigabytes: float

    def on_host(self, op_type: str) -> int:
        """How many nodes of an operation the host computes."""
        return sum(len(names) for (op, _), names in self.host.items() if op == op_type)


def survey(name: str, bits: int, folder: Path) -> Survey:
    """Quantizes a light model with random weights and frames, and maps it to kernels.

    Args:
        name: of the light model.
        bits: of weights and activations.
        folder: for the model and the frames.
    """
    path = folder / f"{name}.onnx"
    onnx.save(light(name), path, save_as_external_data=True, location=f"{name}.weights")
    watch = _Watch()
    found = mapped(path, bits, watch)
    watch.done()
    nodes = _streaming(found.loaded)
    own = {record.node: record for record in host_records(
        found.original, found.compiled, found.mapping
    ) if record.role == "layer" and record.node in nodes}  # fmt: skip
    host: dict[tuple[str, str], list[str]] = defaultdict(list)
    for record in own.values():
        host[nodes[record.node], record.reason].append(record.node)
    groups = partition(found.compiled, found.mapping)
    taken = {node: one.taker.kernel.name for one in found.mapping.mapped for node in one.nodes}
    return Survey(
        name,
        Counter(nodes.values()),
        {key: tuple(names) for key, names in host.items()},
        Counter(taken.values()),
        sum(group.device != "host" for group in groups),
        watch.seconds,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    )


def mapped(path: Path, bits: int, watch: _Watch | None = None) -> MappedModel:
    """A model quantized with random frames, and mapped."""
    shape = Model.load(path).graph.inputs[0].shape
    assert shape is not None  # the light models have fixed shapes
    frames = np.random.default_rng(1).normal(size=(FRAMES, *shape.numpy())).astype(np.float32)
    np.save(path.with_suffix(".npy"), frames)
    registry = PluginRegistry()
    strategy = load_strategy("balanced", registry).resolved(registry)
    strategy = quantizing_first(strategy, str(bits), path.with_suffix(".npy"), None)
    return load_and_map(
        path, strategy, registry, FAMILY, CompileOptions(), watch or _Watch()
    )  # fmt: skip


def _streaming(model: Model) -> dict[str, str]:
    """The operation of each node that depends on the model's input, by its name."""
    streams = set(model.graph.inputs)
    found = {}
    for node in model.graph:
        if streams.intersection(node.inputs):
            streams.update(node.outputs)
            found[node.name or ""] = node.op_type
    return found


class _Watch:
    """The progress of a front end as the processor time of its stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage, self._since = "load", time.process_time()

    def step(self, name: str, total: int | None = None) -> None:
        self._enter("quantize" if name == "calibrate" else name)

    def advance(self, n: int = 1, detail: str = "") -> None:
        if detail:
            self._enter("quantize" if detail == "QuantizeModel" else "transform")

    def done(self) -> None:
        self._enter("")

    def _enter(self, stage: str) -> None:
        now = time.process_time()
        self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now
