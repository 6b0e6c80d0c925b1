"""Resources of the matrix-vector unit, by a count of its parts."""

from __future__ import annotations

from brainsmith.api import Resources
from brainsmith.builtin.kernels.common import memories
from brainsmith.builtin.kernels.matmul.flip_flops import ff_parts
from brainsmith.builtin.kernels.matmul.luts import luts_of
from brainsmith.builtin.kernels.matmul.parts import dsp_blocks, output_in_block_ram
from brainsmith.builtin.kernels.matmul.shape import Shape


def resources_of(shape: Shape, family: str) -> Resources:
    """LUT, FF, DSP and BRAM of a unit."""
    return Resources(
        LUT=luts_of(shape, family),
        FF=sum(ff_parts(shape, family).values()),
        DSP=shape.PE * shape.SIMD * dsp_blocks(shape),
        BRAM=block_rams(shape, family),
    )


def block_rams(shape: Shape, family: str) -> int:
    """Block RAMs of the weights and of the buffers."""
    total = 0
    if shape.weights_block:
        width = shape.PE * shape.SIMD * shape.w.bits
        total += memories.block_rams(family, width, shape.depth)
    if shape.buffer_block:
        total += memories.block_rams(family, shape.SIMD * shape.x.bits, shape.beats)
    if output_in_block_ram(shape, family):
        total += memories.block_rams(family, shape.PE * shape.y.bits, shape.slots)
    return total
