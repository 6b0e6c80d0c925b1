"""What `bs_pad` costs, fitted to `measured.json`."""

from __future__ import annotations

from brainsmith.api import KernelConfig, Resources
from brainsmith.builtin.kernels.common.counters import counter_flops, counter_luts


def resources_of(config: KernelConfig) -> Resources:
    """LUT and FF; xcup is taken for xc7."""
    rows, width = config.dims["OH"], config.stream("x").width
    beats = config.stream("y").beats // rows
    return Resources(
        LUT=width + counter_luts(config.family, rows, beats) + 8,
        FF=width + counter_flops(rows, beats) + 4,
    )
