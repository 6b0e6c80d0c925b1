"""The elements of a unit's streams that are not what its operation's reference says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from brainsmith.api import KernelConfig
from brainsmith.compiler.implement import Module
from brainsmith.toolchains.simulation import UnitRun


@dataclass(frozen=True)
class WrongElement:
    """The first element of a stream that is not what the reference says.

    Attributes:
        port: the output.
        frame: its number, from 0.
        element: its number in the frame, in the order in which elements travel.
        got: what the hardware gave.
        expected: what the reference says.
        index: the element by the port's dimensions, such as {"N": 0, "M": 3}.
        beat: the beat of the frame that carries it.
        lane: its place in the beat; 0 is in the lowest bits.
        stalled: whether it was right while no port stalled.
    """

    port: str
    frame: int
    element: int
    got: int
    expected: int
    index: Mapping[str, int] = field(default_factory=dict)
    beat: int = 0
    lane: int = 0
    stalled: bool = False

    def __str__(self) -> str:
        where = " ".join(f"{name}={value}" for name, value in self.index.items())
        place = f" ({where}: beat {self.beat}, lane {self.lane})" if where else ""
        when = ", only while ports stall" if self.stalled else ""
        return (
            f"{self.port}, frame {self.frame}, element {self.element}{place}: "
            f"{self.got}, expected {self.expected}{when}"
        )


def wrong_elements(
    config: KernelConfig, expected: Mapping[str, np.ndarray], runs: Sequence[UnitRun]
) -> tuple[int, WrongElement | None]:
    """How many elements of some runs are wrong, and the first of them.

    Args:
        config: of the unit.
        expected: the reference, (frames, *dims) by output port.
        runs: the run without stalls, and maybe one with random stalls on every port.
    """
    wrong, first = 0, None
    for run in runs:
        for port, array in expected.items():
            want, got = array.reshape(len(array), -1), run.outputs[port]
            differs = np.argwhere(want != got)
            wrong += len(differs)
            if len(differs) and first is None:
                frame, element = map(int, differs[0])
                pair = int(got[frame, element]), int(want[frame, element])
                first = _located(config, port, frame, element, pair, run is not runs[0])
    return wrong, first


def wrong_lanes(
    config: KernelConfig, expected: Mapping[str, np.ndarray], runs: Sequence[UnitRun]
) -> str:
    """The lanes of an output that alone are wrong: a fault is often in one of several."""
    for port, array in expected.items():
        count, want = config.stream(port).elements, array.reshape(len(array), -1)
        wrong = [np.argwhere(want != run.outputs[port])[:, 1] % count for run in runs]
        lanes = sorted(set(np.concatenate(wrong).tolist()))
        if lanes and len(lanes) < count:
            return f"all of them are in lane {', '.join(map(str, lanes))} of {count} of {port}"
    return ""


def output_sizes(modules: Sequence[Module]) -> dict[str, dict[str, int]]:
    """Elements a frame of each output, by unit and port."""
    return {
        m.instance.name: {
            p.name: p.elements * m.instance.config.stream(p.name).beats
            for p in m.unit.ports
            if p.direction == "out"
        }
        for m in modules
    }


def _located(
    config: KernelConfig, port: str, frame: int, element: int, pair: tuple[int, int], stalled: bool
) -> WrongElement:
    dims = config.nest.port(port).dims
    index = np.unravel_index(element, [config.dims[dim] for dim in dims])
    beat, lane = divmod(element, config.stream(port).elements)
    named = {dim: int(at) for dim, at in zip(dims, index, strict=True)}
    return WrongElement(port, frame, element, *pair, named, beat, lane, stalled)
