"""A constant around an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from brainsmith.api import KernelConfig, Resources, RTLOp, Runs, Schedule, backend, kernel
from brainsmith.builtin.kernels.common.elements import element_parameters
from brainsmith.builtin.kernels.pad.costs import resources_of


@kernel(
    name="Pad",
    operation_type="pad",
    description="A constant around an image, PE channels a beat, in every cycle",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution", "pooling"],
)
class Pad:
    """Two counters and a register for the beat that waits."""

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_pad`, whose header describes it."""
        dims, x, y = config.dims, config.dtypes["x"], config.dtypes["y"]
        folds = dims["C"] // config.pe
        value = _attribute(config, "value")
        return RTLOp(
            top="bs_pad",
            sources=("../common/bs_cast.sv", "bs_pad.sv"),
            parameters={
                "LANES": config.pe,
                "OUT_ROWS": dims["OH"],
                "OUT_BEATS": dims["OW"] * folds,
                "ROWS": dims["H"],
                "BEATS": dims["W"] * folds,
                "TOP": _attribute(config, "top"),
                "LEFT": _attribute(config, "left") * folds,
                **element_parameters("X", x),
                "Y_BITS": y.bits,
                "Y_BIPOLAR": int(y.bipolar),
                "VALUE": int(value > 0) if y.bipolar else value % (1 << y.bits),
            },
        )

    def schedule(self, configs: Sequence[KernelConfig]) -> list[Schedule]:
        """A beat of y an iteration; see `bs_pad` for when beats of x are taken."""
        return [_schedule(config) for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [resources_of(config) for config in configs]


def _schedule(config: KernelConfig) -> Schedule:
    dims, folds = config.dims, config.dims["C"] // config.pe
    iterations = config.stream("y").beats
    row = dims["OW"] * folds
    corner = _attribute(config, "top") * row + _attribute(config, "left") * folds
    needed = Runs.nest([(dims["H"], row), (dims["W"] * folds, 1)], corner)
    # The register is free for a beat when the iteration that needs the one before may run.
    before = Runs.of(np.array([int(needed.last[-1]) - iterations]))
    # The padding waits for the first beat.
    return Schedule(
        iterations,
        {"x": Runs.of(np.array([0])).then(needed.part(1, len(needed)))},
        {"y": Runs.nest([(iterations, 1)])},
        latency=0,
        rooms={"x": before.then(needed.part(0, len(needed) - 1)).shifted(-1)},
    )


def _attribute(config: KernelConfig, name: str) -> int:
    return int(cast(int, config.attributes.get(name, 0)))
