"""What a shape of the matrix-vector unit is made of, as its LUTs and flip-flops both count it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from brainsmith.builtin.kernels.matmul.shape import Shape

# Bits of an output buffer that Yosys leaves in registers of ice40.
_REGISTER_BITS = 64


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the adder tree of one processing element.

    Attributes:
        adders: of two operands.
        bits: of an operand.
        passed: terms without a partner, 0 or 1.
        sum_bits: of a result.
        registered: whether registers follow.
    """

    adders: int
    bits: int
    passed: int
    sum_bits: int
    registered: bool


def tree(shape: Shape) -> Iterator[Level]:
    """The levels of the adder tree, from the terms on."""
    terms, bits, since = shape.terms, shape.term_bits, 0
    while terms > 1:
        since += 1
        last = terms == 2
        registered = last or since >= shape.levels_per_stage
        sum_bits = min(bits + 1, shape.acc_bits)
        yield Level(terms // 2, bits, terms % 2, sum_bits, registered)
        terms, bits, since = -(-terms // 2), sum_bits, 0 if registered else since


def levels_in_luts(shape: Shape) -> Iterator[tuple[int, Level]]:
    """The levels of the adder tree that are not in DSP blocks, with their places."""
    return islice(enumerate(tree(shape)), int(whole_dsp(shape)), None)


def whole_dsp(shape: Shape) -> bool:
    """Whether DSP blocks hold the products, and add them in pairs.

    Those of xc7 do as Yosys uses them, those of ecp5 multiply alone.
    """
    return shape.lut_inputs >= 6 and dsp_blocks(shape) == 1


def dsp_blocks(shape: Shape) -> int:
    """DSP blocks of a product."""
    return math.prod(dsp_splits(shape)) if shape.dsp else 0


def dsp_splits(shape: Shape) -> tuple[int, int]:
    """Into how many parts the wider and the narrower factor of a product in DSP blocks are split.

    A block takes 18 by 18 bits with signs, on xc7 and xcup 25 by 18. Only the highest part of a
    factor holds a sign, the others' bits are one less.
    """
    wider, narrower = factor_bits(shape)
    side = 24 if shape.lut_inputs >= 6 else 17
    return -(-(wider - 1) // side), -(-(narrower - 1) // 17)


def factor_bits(shape: Shape) -> tuple[int, int]:
    """Bits with sign of the wider and of the narrower factor of a product."""
    x, w = (dtype.bits + (not dtype.signed) for dtype in (shape.x, shape.w))
    return max(x, w), min(x, w)


def output_in_block_ram(shape: Shape, family: str) -> bool:
    """Whether Yosys puts the output buffer into block RAM, on ice40, which has no LUT RAM."""
    bits = shape.slots * shape.PE * shape.y.bits
    return family == "ice40" and shape.slots >= 8 and bits > _REGISTER_BITS


def weight_columns(shape: Shape) -> float:
    """Columns of the weight memory that differ, of random weights.

    There are 2**depth functions of the address, so that synthesis finds columns of a shallow memory
    in LUTs to be alike.
    """
    width = shape.PE * shape.SIMD * shape.w.bits
    if shape.weights_block or shape.depth >= 24:
        return width
    return distinct(2**shape.depth, width)


def folds_away(shape: Shape) -> bool:
    """Whether the weights are constants of which synthesis makes use: of sums of products in LUTs.

    A count needs as many sums whatever the weights are, and DSP blocks take constants as they come.
    """
    return shape.depth == 1 and not shape.count and not shape.dsp


def folded_terms(shape: Shape) -> float:
    """The share of the terms' bits that are left where the weights are constants.

    Of PE random weights that meet the same input the equal ones are made once, and zeros never; the
    products of the others are shorter by a quarter on average.
    """
    if not folds_away(shape):
        return 1.0
    values = 1 << shape.w.bits * shape.lanes
    return 0.75 * distinct(values, shape.PE) * (values - 1) / values / shape.PE


def zeros(shape: Shape, level: int) -> float:
    """The share of a level's operands that are always zero, of constant random weights."""
    return 2.0 ** -(shape.w.bits << level) if folds_away(shape) else 0.0


def distinct(kinds: int, drawn: int) -> float:
    """How many kinds are among that many, drawn at random."""
    return kinds * (1 - (1 - 1 / kinds) ** drawn)
