"""The greatest, or the sum, of the elements of each channel."""

from __future__ import annotations

from collections.abc import Sequence

from brainsmith.api import KernelConfig, PluginError, Resources, RTLOp, backend, kernel, param
from brainsmith.builtin.kernels.common.accumulators import Accumulators, resources_of
from brainsmith.builtin.kernels.common.elements import element_parameters


@kernel(
    name="Pool",
    operation_type="pool",
    description="Greatest or sum per channel, PE channels a beat, accumulators in a small memory",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["pooling", "reduction"],
)
class Pool:
    """PE elements a beat, in every cycle."""

    ram_style = param(
        "auto",
        choices=("auto", "distributed", "block"),
        description="where accumulators live: distributed is LUT RAM, on ice40 registers",
    )

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_pool`, whose header describes it.

        Raises:
            PluginError: the datatype of y cannot hold two's complement sums.
        """
        x, y, accumulators = config.dtypes["x"], config.dtypes["y"], accumulators_of(config)
        if y.bipolar and not accumulators.max:
            raise PluginError("sums are no bipolar values", where=config.node)
        return RTLOp(
            top="bs_pool",
            sources=(
                "../common/bs_cast.sv",
                "../common/bs_greater.sv",
                "../common/bs_accumulators.sv",
                "bs_pool.sv",
            ),
            parameters={
                "MAX": int(accumulators.max),
                "LANES": config.pe,
                "FOLDS": accumulators.folds,
                "COUNT": config.dims["K"],
                **element_parameters("X", x),
                "Y_BITS": y.bits,
                "Y_BIPOLAR": int(y.bipolar),
                "RAM_STYLE": accumulators.style,
            },
        )

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """One cycle, two where the accumulators lie in a memory."""
        return [accumulators_of(config).latency for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [resources_of(accumulators_of(config), config.family) for config in configs]


def accumulators_of(config: KernelConfig) -> Accumulators:
    """What accumulates the elements of a configuration."""
    x, y = config.dtypes["x"], config.dtypes["y"]
    greatest = config.attributes.get("mode", "max") == "max"
    return Accumulators.of(
        config,
        x,
        x.bits if greatest else y.bits,
        greatest=greatest,
        asked=str(config.params.get("ram_style", "auto")),
    )
