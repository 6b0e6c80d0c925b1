"""Top-1 in a tree of maxima and a running maximum."""

from __future__ import annotations

from collections.abc import Sequence

from brainsmith.api import KernelConfig, Resources, RTLOp, backend, kernel
from brainsmith.builtin.kernels.label_select.costs import resources_of


@kernel(
    name="LabelSelect",
    operation_type="label_select",
    description="Index of the greatest value: a tree over PE lanes, a running maximum over beats",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["classification", "argmax"],
)
class LabelSelect:
    """PE values a beat, in every cycle."""

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_label_select`, whose header describes it."""
        x, dtype = config.stream("x"), config.dtypes["x"]
        return RTLOp(
            top="bs_label_select",
            sources=("../common/bs_greater.sv", "bs_max_stage.sv", "bs_label_select.sv"),
            parameters={
                "LANES": x.elements,
                "FOLDS": config.dims["C"] // x.elements,
                "BITS": x.bits,
                # The bit of a bipolar value orders -1 and 1 like the integers 0 and 1.
                "SIGNED": int(dtype.signed and not dtype.bipolar),
                "Y_BITS": config.stream("y").bits,
            },
        )

    def latency(self, configs: Sequence[KernelConfig]) -> list[int]:
        """A cycle for each level of the tree and one for the running maximum."""
        return [(config.pe - 1).bit_length() + 1 for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [
            resources_of(config.pe, config.dims["C"] // config.pe, config.dtypes["x"].bits, family)
            for config in configs
            for family in (config.family,)
        ]
