"""How many frames a network is verified with where nobody gave any: what a budget of time allows.

The time is told from the size of the design, cycles and multiplications, before anything is built,
so that two compiles of one model verify the same frames whatever machine they run on.
"""

from __future__ import annotations

import math

from brainsmith.api import Resources
from brainsmith.compiler.frontend import FrontEnd
from brainsmith.compiler.options import Extent
from brainsmith.compiler.vectors import GENERATED_FRAMES

LEAST = 2  # so that one frame follows another
BUDGET = 60.0  # seconds of the frames that are more than the least
# Rough estimates of one core; they decide only how many frames are generated.
_LUT_CYCLES = 4e8  # that a simulation takes a second
_ITERATIONS = 1e8  # of all layers' loops that the two models are executed at
_RUNS = 4  # a frame passes once without stalls, and once with them, which takes three times as long


def generated_frames(front: FrontEnd, extent: Extent) -> int:
    """The number of frames to generate, 2 to 16."""
    seconds = seconds_a_frame(front, extent)
    return max(LEAST, min(GENERATED_FRAMES, math.floor(BUDGET / seconds)))


def seconds_a_frame(front: FrontEnd, extent: Extent) -> float:
    """About how long the verification of one frame takes."""
    layers = front.design.layers
    work = sum(layer.config.nest.iterations(layer.config.dims, {}) for layer in layers)
    executed = work / _ITERATIONS
    if extent != "whole":
        return executed
    luts = sum(front.estimates.values(), Resources()).LUT
    cycles = max((model.interval for model in front.models.values()), default=1)
    return executed + _RUNS * luts * cycles / _LUT_CYCLES
