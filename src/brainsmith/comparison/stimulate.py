"""The frames that both kernels of a node are driven with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.compiler.answers import reference_of
from brainsmith.compiler.mapping import Mapped
from brainsmith.compiler.simulate import STEADY_FRAMES
from brainsmith.compiler.slices import cut_frames
from brainsmith.compiler.stimuli import only_reachable, stimuli
from brainsmith.errors import ModelError
from brainsmith.model.execution import Executor
from brainsmith.model.model import Model

Frames = Mapping[str, np.ndarray]


def network_frames(
    model: Model, nodes: Sequence[Mapped], inputs: Frames
) -> dict[str, dict[str, np.ndarray]]:
    """What reaches the nodes in the network, (frames, *dims of the port) by node and port.

    Those of parts of compositions are not known: what they read is no value of the network. Empty
    where the model cannot be executed, as with operators that only a plugin knows.
    """
    nodes = [node for node in nodes if node.whole is None]
    if not nodes:
        return {}
    names = {name for node in nodes for name in node.inputs.values()}
    try:
        executor = Executor(model, keep=names)
        rows = zip(*inputs.values(), strict=True)
        runs = [executor.run(dict(zip(inputs, row, strict=True))) for row in rows]
    except ModelError:
        return {}
    values = {name: np.stack([run[name] for run in runs]) for name in names}
    return {
        node.node: {
            port: _integers(node.config, port, values[name]) for port, name in node.inputs.items()
        }
        for node in nodes
    }


def frames_for(
    operation: Any, config: KernelConfig, network: Frames | None, seed: int
) -> dict[str, np.ndarray]:
    """The operation's extremes, both ends of the range, and random frames.

    Those whose results lie outside of the outputs' ranges, to which no input of the network leads,
    give way to frames of the network, or, where these are not known, to others of their own.

    Args:
        operation: the node's.
        config: what is simulated, which may be a slice of the node.
        network: frames that reach the whole node.
        seed: for the random frames.
    """
    rng = np.random.default_rng(seed)
    found = stimuli(operation, config, rng, STEADY_FRAMES + 1)
    if network:
        return only_reachable(operation, config, found, cut_frames(config, network))
    inside = np.flatnonzero(_inside(operation, config, found))
    if not len(inside):
        return found
    count = len(next(iter(found.values())))
    return {port: array[np.resize(inside, count)] for port, array in found.items()}


def _inside(operation: Any, config: KernelConfig, inputs: Frames) -> np.ndarray:
    """For each frame whether its results lie inside of the outputs' ranges."""
    outputs = reference_of(operation, config, inputs)
    inside = np.ones(len(next(iter(inputs.values()))), bool)
    for port, array in outputs.items():
        lo, hi = config.ranges[port]
        rows = array.reshape(len(array), -1)
        inside &= ((rows >= lo) & (rows <= hi)).all(axis=1)
    return inside


def _integers(config: KernelConfig, port: str, array: np.ndarray) -> np.ndarray:
    """A value of the network as the port takes it: integers inside its range."""
    dims = [config.dims[dim] for dim in config.nest.port(port).dims]
    whole = np.rint(array.astype(np.float64)).astype(np.int64)
    lo, hi = config.ranges[port]
    return np.clip(whole, lo, hi).reshape(len(array), *dims)
