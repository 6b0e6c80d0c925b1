"""Resources of the matrix-vector unit, by a count of its parts.

What the parts are follows from the shape; what a part costs was fitted to the synthesis of a sweep
(`benchmarks/sweep_matmul.py`, kept in `measured.json`) for ecp5 and xc7. xcup has the coefficients
of xc7, whose LUT it shares, and ice40 those of ecp5, with registers in place of LUT memories.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from brainsmith.api import Resources
from brainsmith.builtin.kernels.matmul.shape import Shape

# What is left of the adders of sums of constant products.
_FOLDED_SUMS = 0.78
# LUTs of each part of `lut_parts`; what is not named costs one.
LUT4_COSTS = {
    "address bits": 4.8,
    "constant products": 0.23,
    "counted lanes": 1.73,
    "digit bits 2x1": 0.84,
    "digit bits 2x2": 1.35,
    "digit bits 3x2": 1.44,
    "digit bits 4x1": 1.19,
    "digit bits 4x2": 1.84,
    "digit sums": 1.33,
    "full adders": 1.40,
    "slots": 20.0,
    "table joins": 1.67,
}
LUT6_COSTS = {"address bits": 4.0, "counted lanes": 1.3, "constant products": 0.4, "slots": 15.0}


def resources_of(shape: Shape, family: str) -> Resources:
    """LUT, FF, DSP and BRAM of a unit."""
    costs = LUT6_COSTS if shape.lut_inputs >= 6 else LUT4_COSTS
    luts = sum(costs.get(part, 1.0) * count for part, count in lut_parts(shape, family).items())
    return Resources(
        LUT=round(luts),
        FF=round(sum(ff_parts(shape, family).values())),
        DSP=shape.PE * shape.SIMD if shape.dsp else 0,
        BRAM=block_rams(shape, family),
    )


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


def lut_parts(shape: Shape, family: str) -> Counter[str]:
    """How much there is of each part that is made of LUTs."""
    parts: Counter[str] = Counter()
    parts["address bits"] = (shape.depth - 1).bit_length()
    if shape.depth > 1 and not shape.weights_block:
        parts += _table_parts(shape)
    parts += _term_parts(shape)
    folded = _FOLDED_SUMS if shape.depth == 1 else 1.0
    for level in tree(shape):
        count = round(folded * shape.PE * level.adders)
        parts += _adders(shape, family, count, level.bits, level.sum_bits)
    if shape.beats > 1 or (shape.count and shape.x.bipolar):
        parts += _chains(family, shape.PE, shape.acc_bits)
    return parts + _memory_parts(shape, family)


def ff_parts(shape: Shape, family: str) -> Counter[str]:
    """Flip-flops by what they hold."""
    width = shape.SIMD * shape.x.bits
    parts: Counter[str] = Counter()
    parts["operands"] = width * (1 + shape.weights_block)
    if shape.depth > 1:
        parts["weights"] = round(weight_columns(shape))
    parts["terms"] = round(_folded_terms(shape) * shape.PE * _term_flip_flops(shape))
    folded = _FOLDED_SUMS if shape.depth == 1 else 1.0
    for level in tree(shape):
        if level.registered:
            held = level.adders * level.sum_bits + level.passed * level.bits
            parts["tree"] += round(folded * shape.PE * held)
    if shape.beats > 1:
        parts["accumulators"] = shape.PE * shape.acc_bits
    parts["travelling bits"] = shape.stages * (2 if shape.beats > 1 else 1)
    parts["counters"] = _counter_bits(shape)
    parts["output"] = _output_flip_flops(shape, family)
    return parts


def weight_columns(shape: Shape) -> float:
    """Columns of the weight memory that differ, of random weights.

    There are 2**depth functions of the address, so that synthesis finds columns of a shallow memory
    in LUTs to be alike.
    """
    width = shape.PE * shape.SIMD * shape.w.bits
    if shape.weights_block or shape.depth >= 24:
        return width
    functions = 2.0**shape.depth
    return functions * (1 - (1 - 1 / functions) ** width)


def _folded_terms(shape: Shape) -> float:
    """The share of the terms' bits that are left where the weights are constants.

    Of PE random weights that meet the same input the equal ones are made once, and zeros never; the
    products of the others are shorter by a quarter on average.
    """
    if shape.depth > 1:
        return 1.0
    values = 2.0 ** (shape.w.bits * shape.lanes)
    distinct = (values - 1) * (1 - (1 - 1 / values) ** shape.PE)
    return 0.75 * distinct / shape.PE


def _table_parts(shape: Shape) -> Counter[str]:
    """Weights in LUTs, and multiplexers where a device does not join as many (64, 256 words)."""
    columns = weight_columns(shape)
    joined, inputs = (256, 4) if shape.lut_inputs >= 6 else (64, 2)
    tables = -(-shape.depth // 2**shape.lut_inputs)
    multiplexers = (-(-shape.depth // joined) - 1) / (inputs - 1)
    return Counter(
        {"weight tables": round(columns * tables), "table joins": round(columns * multiplexers)}
    )


def block_rams(shape: Shape, family: str) -> int:
    """Block RAMs of the weights and of the input buffer."""
    total = 0
    if shape.weights_block:
        total += _block_rams(shape.PE * shape.SIMD * shape.w.bits, shape.depth, family)
    if shape.buffer_block:
        total += _block_rams(shape.SIMD * shape.x.bits, shape.beats, family)
    return total


def _block_rams(width: int, depth: int, family: str) -> int:
    """Memories of at most 36 bits by 512 words (16 by 256 on ice40), or narrower and deeper."""
    shapes = [(16, 256), (8, 512), (4, 1024), (2, 2048)]
    if family != "ice40":
        shapes = [(36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)]
    return min(-(-width // bits) * -(-depth // words) for bits, words in shapes)


def _term_parts(shape: Shape) -> Counter[str]:
    """The LUTs that make the terms: digit products and their sums, or counters of bits."""
    lanes = shape.PE * shape.SIMD
    if shape.count:
        return Counter({"counted lanes": lanes})
    if shape.dsp:
        return Counter()
    x, w = (1 if t.bipolar else t.bits for t in (shape.x, shape.w))
    if shape.depth == 1:
        return Counter({"constant products": lanes * shape.term_bits})
    a, b = max(x, w), min(x, w)
    a_digits, b_digits = -(-a // 4), -(-b // 2)
    bits = min(a + b, shape.term_bits)
    digits = b_digits * a + a_digits * b
    row = min(a + 2, bits)
    sums = b_digits * sum(max(0, row - 4 * i) for i in range(1, a_digits))
    sums += sum(max(0, bits - 2 * j) for j in range(1, b_digits))
    return Counter(
        {f"digit bits {min(a, 4)}x{min(b, 2)}": lanes * digits, "digit sums": lanes * sums}
    )


def _adders(shape: Shape, family: str, count: int, bits: int, sum_bits: int) -> Counter[str]:
    if shape.lut_inputs < 6 and bits <= 6:
        return Counter({"full adders": count * (sum_bits - 1)})
    return _chains(family, count, sum_bits)


def _chains(family: str, count: int, bits: int) -> Counter[str]:
    """Adders by carry chains: on ECP5 in pairs of bits, with two more pairs to enter and leave."""
    if family == "ecp5":
        return Counter({"chains": count * (2 * math.ceil(bits / 2) + 4)})
    return Counter({"chains": count * bits})


def _memory_parts(shape: Shape, family: str) -> Counter[str]:
    """The input buffer and the output buffer."""
    width = shape.SIMD * shape.x.bits
    parts: Counter[str] = Counter()
    if shape.beats > 1 and shape.passes > 1:
        parts["replay multiplexers"] = width
        if not shape.buffer_block:
            parts["memory"] += _memory_luts(width, shape.beats, family)
    if shape.slots > 1:
        parts["memory"] += _memory_luts(shape.PE * shape.y.bits, shape.slots, family)
        parts["slots"] = 1
    return parts


def _memory_luts(width: int, depth: int, family: str) -> int:
    """LUTs of a writable memory in LUTs: RAM32M, RAM64M; DPR16X4."""
    if family == "ecp5":
        return 6 * -(-width // 4) * -(-depth // 16)
    if family == "ice40":  # flip-flops behind multiplexers
        return width * depth
    return 4 * -(-width // 6) if depth <= 32 else 4 * -(-width // 3) * -(-depth // 64)


def _term_flip_flops(shape: Shape) -> int:
    full, rest = divmod(shape.SIMD, shape.lanes)
    if not shape.count:
        return shape.terms * shape.term_bits
    return sum(min(lanes.bit_length(), shape.acc_bits) for lanes in [shape.lanes] * full + [rest])


def _counter_bits(shape: Shape) -> int:
    beat = (shape.beats - 1).bit_length() + 1 if shape.beats > 1 else 0
    address = (shape.depth - 1).bit_length()
    return beat + address + (shape.passes > 1)


def _output_flip_flops(shape: Shape, family: str) -> int:
    if shape.slots == 1:
        return shape.PE * shape.acc_bits + 2
    pointers = 2 * (shape.slots - 1).bit_length()
    counts = 2 * shape.slots.bit_length()
    stored = shape.PE * shape.y.bits * shape.slots if family == "ice40" else 0
    return pointers + counts + 2 + stored
