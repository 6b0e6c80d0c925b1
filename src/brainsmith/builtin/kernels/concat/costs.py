"""What `bs_concat` and `bs_split` cost, fitted to `measured.json`."""

from __future__ import annotations

from brainsmith.api import KernelConfig, Resources
from brainsmith.builtin.kernels.common.counters import counter_flops, counter_luts

# LUTs of the handshake.
_CONTROL = {"ecp5": 5.0, "xc7": 6.0, "xcup": 6.0, "ice40": 6.5}


def concat_resources(config: KernelConfig) -> Resources:
    """LUT and FF; a LUT for each bit of y chooses between both streams."""
    width = config.stream("y").width
    return _turns(config) + Resources(LUT=width + 1, FF=width)


def split_resources(config: KernelConfig) -> Resources:
    """LUT and FF."""
    return _turns(config) + Resources(FF=config.stream("x").width)


def _turns(config: KernelConfig) -> Resources:
    """The counter of a pixel's beats, and the handshake; xcup is taken for xc7."""
    beats = config.dims["C"] // config.pe
    luts = counter_luts(config.family, beats) + _CONTROL[config.family]
    return Resources(LUT=luts, FF=counter_flops(beats) + 2)
