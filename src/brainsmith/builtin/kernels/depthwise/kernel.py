"""Weighted sums of the elements of each channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from brainsmith.api import (
    IntType,
    KernelConfig,
    PluginError,
    Resources,
    RTLOp,
    backend,
    kernel,
    param,
)
from brainsmith.builtin.kernels.common.accumulators import Accumulators, resources_of
from brainsmith.builtin.kernels.common.constants import LUT_INPUTS, constants_in_block
from brainsmith.builtin.kernels.common.elements import element_parameters
from brainsmith.builtin.kernels.common.packing import rows_of
from brainsmith.builtin.kernels.elementwise import costs
from brainsmith.builtin.kernels.elementwise.lanes import PRODUCT, Lane, folded, in_multiplier


@kernel(
    name="Depthwise",
    operation_type="depthwise",
    description="Multiply-accumulate per channel, PE channels a beat",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["convolution"],
)
class Depthwise:
    """PE products a beat, in every cycle."""

    constraints: ClassVar = {"max_x_bits": 32, "max_w_bits": 32, "max_y_bits": 64}
    ram_style = param(
        "auto",
        choices=("auto", "distributed", "block"),
        description="where the weights lie: auto takes what is cheaper on the device",
    )
    multiplier = param(
        "auto", choices=("auto", "lut", "dsp"), description="auto: LUTs up to 5 bits an operand"
    )

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_depthwise`, whose header describes it.

        Raises:
            PluginError: the datatype of y cannot hold two's complement sums.
        """
        if config.dtypes["y"].bipolar:
            raise PluginError("weighted sums are no bipolar values", where=config.node)
        lane, sums = lane_of(config), accumulators_of(config)
        assert lane.constants is not None
        return RTLOp(
            top="bs_depthwise",
            sources=(
                *PRODUCT,
                "../elementwise/bs_elementwise_lane.sv",
                "../elementwise/bs_elementwise_constant.sv",
                "../common/bs_greater.sv",
                "../common/bs_accumulators.sv",
                "bs_depthwise.sv",
            ),
            parameters={
                "LANES": config.pe,
                "FOLDS": sums.folds,
                "COUNT": sums.count,
                "ROWS": len(lane.constants),
                **element_parameters("X", lane.a),
                "W_BITS": lane.b.bits,
                "W_SIGNED": int(lane.b.signed),
                "T_BITS": lane.y.bits,
                "T_SIGNED": int(lane.y.signed),
                "Y_BITS": sums.bits,
                "BLOCKS": int(lane.blocks),
                "LUT_INPUTS": LUT_INPUTS[config.family],
                "BLOCK": int(lane.block),
                "RAM_STYLE": sums.style,
            },
            memories={"WEIGHTS": rows_of(lane.constants, lane.b.bits)},
        )

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """Two cycles for the product, one for the sum, two where the sums lie in a memory."""
        return [lane_of(config).latency + accumulators_of(config).latency for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Those of the products and of the sums, both fitted; xcup is taken for xc7."""
        return [_resources(config) for config in configs]


def lane_of(config: KernelConfig) -> Lane:
    """How the products of a configuration are made; the weights' datatype is their smallest."""
    x, w = config.dtypes["x"], config.static("w")
    kind = IntType.covering(int(w.min()), int(w.max()))
    rows = folded(w, config.pe)
    ends = [a * b for a in (x.min, x.max) for b in (int(w.min()), int(w.max()))]
    style = str(config.params.get("ram_style", "auto"))
    width = config.pe * kind.bits
    return Lane(
        a=x,
        b=kind,
        y=IntType.covering(min(ends), max(ends)),
        multiply=True,
        blocks=in_multiplier(x, kind, config),
        constants=rows,
        block=len(rows) > 1 and constants_in_block(style, config.family, width, len(rows)),
    )


def accumulators_of(config: KernelConfig) -> Accumulators:
    """What sums the products of a configuration up."""
    return Accumulators.of(config, lane_of(config).y, config.dtypes["y"].bits)


def _resources(config: KernelConfig) -> Resources:
    lane, sums = lane_of(config), accumulators_of(config)
    return costs.resources_of(lane, config.pe, config.family) + resources_of(
        sums, config.family, from_blocks=lane.blocks
    )
