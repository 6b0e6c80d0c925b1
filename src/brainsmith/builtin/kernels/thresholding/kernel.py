"""Thresholding by a pipelined binary search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from brainsmith.api import KernelConfig, Resources, RTLOp, backend, kernel, param
from brainsmith.builtin.kernels.thresholding.costs import resources_of
from brainsmith.builtin.kernels.thresholding.search import search_of


@kernel(
    name="Thresholding",
    operation_type="thresholding",
    description="Thresholds per channel: one comparator a lane and level of a binary search",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["activation", "quantization"],
)
class Thresholding:
    """PE channels a beat, in every cycle; up to 255 thresholds a channel."""

    constraints: ClassVar = {"max_T": 255, "max_x_bits": 62}
    ram_style = param(
        "auto",
        choices=("auto", "distributed", "block"),
        description="where the thresholds live: auto takes block RAM for large levels alone",
    )

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_thresholding`, whose header describes it."""
        search, dtype = search_of(config), config.dtypes["x"]
        return RTLOp(
            top="bs_thresholding",
            sources=("bs_threshold_level.sv", "bs_thresholding.sv"),
            parameters={
                "LANES": search.lanes,
                "FOLDS": search.folds,
                "LEVELS": search.levels,
                "X_BITS": dtype.bits,
                "X_SIGNED": int(dtype.signed and not dtype.bipolar),
                "T_BITS": search.bits,
                "Y_BITS": config.dtypes["y"].bits,
                "BASE": search.base,
                "STEP": search.step,
                "REGISTER_FROM": search.register_from,
                "BLOCK_FROM": search.block_from,
            },
            memories=search.memories(),
        )

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """A cycle for each level, and what reading its memory takes."""
        return [search_of(config).latency for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [
            resources_of(search_of(config), config.dtypes["x"].bits, config.family)
            for config in configs
        ]
