"""Channels of two streams together, and those of one stream in two."""

from __future__ import annotations

from collections.abc import Sequence

from brainsmith.api import KernelConfig, Resources, RTLOp, Runs, Schedule, backend, kernel
from brainsmith.builtin.kernels.common.elements import element_parameters
from brainsmith.builtin.kernels.concat.costs import concat_resources, split_resources

_COMMON = ("../common/bs_cast.sv", "bs_turns.sv")


@kernel(
    name="Concat",
    operation_type="concat",
    description="Beats of two streams in turn, PE channels each",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["channels"],
)
class Concat:
    """A beat in every cycle, from whichever stream has its turn."""

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_concat`, whose header describes it."""
        first, second = _turns(config)
        y = config.dtypes["y"]
        return RTLOp(
            top="bs_concat",
            sources=(*_COMMON, "bs_concat.sv"),
            parameters={
                "LANES": config.pe,
                "A_BEATS": first,
                "B_BEATS": second,
                **element_parameters("A", config.dtypes["a"]),
                **element_parameters("B", config.dtypes["b"]),
                "Y_BITS": y.bits,
                "Y_BIPOLAR": int(y.bipolar),
            },
        )

    def schedule(self, configs: Sequence[KernelConfig]) -> list[Schedule]:
        """A beat of y an iteration, one cycle after that of a or b was taken."""
        return [_concat_schedule(config) for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [concat_resources(config) for config in configs]


@kernel(
    name="Split",
    operation_type="split",
    description="Beats of a stream to two in turn, PE channels each",
    version="2.0.0",
    author="Brainsmith",
    license="Apache-2.0",
    tags=["channels"],
)
class Split:
    """A beat in every cycle, to whichever stream has its turn."""

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        """`bs_split`, whose header describes it."""
        first, second = _turns(config)
        y0, y1 = config.dtypes["y0"], config.dtypes["y1"]
        return RTLOp(
            top="bs_split",
            sources=(*_COMMON, "bs_split.sv"),
            parameters={
                "LANES": config.pe,
                "FIRST": first,
                "SECOND": second,
                **element_parameters("X", config.dtypes["x"]),
                "Y0_BITS": y0.bits,
                "Y0_BIPOLAR": int(y0.bipolar),
                "Y1_BITS": y1.bits,
                "Y1_BIPOLAR": int(y1.bipolar),
            },
        )

    def schedule(self, configs: Sequence[KernelConfig]) -> list[Schedule]:
        """A beat of x an iteration, on offer at y0 or y1 one cycle after it was taken."""
        return [_split_schedule(config) for config in configs]

    def resources(self, configs: Sequence[KernelConfig]) -> list[Resources]:
        """Fitted to `measured.json`; xcup is taken for xc7."""
        return [split_resources(config) for config in configs]


def _turns(config: KernelConfig) -> tuple[int, int]:
    """Beats of the first part and of the second."""
    return config.dims["CA"] // config.pe, config.dims["CB"] // config.pe


def _concat_schedule(config: KernelConfig) -> Schedule:
    whole, first, second = _walks(config)
    return Schedule(len(whole), {"a": first, "b": second}, {"y": whole}, latency=1)


def _split_schedule(config: KernelConfig) -> Schedule:
    whole, first, second = _walks(config)
    return Schedule(len(whole), {"x": whole}, {"y0": first, "y1": second}, latency=1)


def _walks(config: KernelConfig) -> tuple[Runs, Runs, Runs]:
    """Iterations of all beats, of those of the first part and of those of the second."""
    pixels, (first, second) = config.dims["N"], _turns(config)
    pixel = (pixels, first + second)
    return (
        Runs.nest([pixel, (first + second, 1)]),
        Runs.nest([pixel, (first, 1)]),
        Runs.nest([pixel, (second, 1)], first),
    )
