"""LUTs of the matrix-vector unit by part.

What the parts are follows from the shape; what a part costs was fitted to the synthesis of a sweep
(`benchmarks/sweep_matmul.py`, kept in `measured.json`), for LUTs of four inputs (ecp5, ice40) and
of six (xc7, and xcup, which was not measured). ice40 has registers or block RAM for LUT memories.
"""

from __future__ import annotations

import math
from collections import Counter

from brainsmith.builtin.kernels.common.memories import table_joins
from brainsmith.builtin.kernels.matmul.parts import (
    dsp_splits,
    factor_bits,
    folded_terms,
    folds_away,
    levels_in_luts,
    output_in_block_ram,
    weight_columns,
    zeros,
)
from brainsmith.builtin.kernels.matmul.shape import Shape

# What is left of the adders of constant products, on LUTs of 4 inputs and of 6, which take more of
# the products in.
_CONSTANT_SUMS, _CONSTANT_SUMS_OF_SIX = 0.95, 0.60
# LUTs of each part of `lut_parts`; what is not named costs one.
_LUT4_COSTS = {
    "address bits": 4.8,
    "constant lanes": 0.70,
    "constant products": 0.30,
    "counted lanes": 1.73,
    "digit bits 2x1": 0.84,
    "digit bits 2x2": 1.35,
    "digit bits 3x2": 1.44,
    "digit bits 4x1": 1.19,
    "digit bits 4x2": 1.84,
    "digit sums": 1.33,
    "full adders": 1.40,
    "slots": 20.0,
    "small table joins": 0.70,
    "table joins": 1.67,
}
_LUT6_COSTS = {
    "address bits": 3.1,
    "chains": 0.93,
    "constant lanes": 0.95,
    "constant products": 0.70,
    "counted lanes": 1.33,
    "digit bits 2x1": 0.66,
    "digit bits 2x2": 0.94,
    "digit bits 3x2": 0.83,
    "digit bits 4x1": 0.75,
    "digit bits 4x2": 0.99,
    "digit sums": 0.82,
    "replay multiplexers": 1.2,
    "table joins": 1.7,
    "weight tables": 1.09,
}


def luts_of(shape: Shape, family: str) -> int:
    """LUTs of a unit."""
    costs = _LUT6_COSTS if shape.lut_inputs >= 6 else _LUT4_COSTS
    parts = lut_parts(shape, family)
    return round(sum(costs.get(part, 1.0) * count for part, count in parts.items()))


def lut_parts(shape: Shape, family: str) -> Counter[str]:
    """How much there is of each part that is made of LUTs."""
    parts: Counter[str] = Counter()
    parts["address bits"] = (shape.depth - 1).bit_length()
    if shape.depth > 1 and not shape.weights_block:
        parts += _table_parts(shape, family)
    parts += _block_sums(shape, family) if shape.dsp else _term_parts(shape)
    narrower = _CONSTANT_SUMS_OF_SIX if shape.lut_inputs >= 6 else _CONSTANT_SUMS
    for index, level in levels_in_luts(shape):
        # An adder falls away where either operand is always zero.
        share = (1 - zeros(shape, index)) ** 2 * (narrower if folds_away(shape) else 1)
        count = round(share * shape.PE * level.adders)
        parts += _adders(shape, family, count, level.bits, level.sum_bits)
    if shape.beats > 1 or (shape.count and shape.x.bipolar):
        parts += _chains(family, shape.PE, shape.acc_bits)
    if shape.beats > 1 and shape.lut_inputs >= 6:
        parts["travelling bits"] = 1
    return parts + _memory_parts(shape, family)


def _table_parts(shape: Shape, family: str) -> Counter[str]:
    """Weights in LUTs, and multiplexers where a device does not join as many (64, 256 words)."""
    columns = weight_columns(shape)
    joined, inputs = (256, 4) if shape.lut_inputs >= 6 else (64, 2)
    tables = -(-shape.depth // 2**shape.lut_inputs)
    multiplexers = (-(-shape.depth // joined) - 1) / (inputs - 1)
    return Counter(
        {
            "weight tables": round(columns * tables),
            "table joins": round(columns * multiplexers),
            "small table joins": round(columns * table_joins(family, shape.depth)),
        }
    )


def _term_parts(shape: Shape) -> Counter[str]:
    """The LUTs that make the terms: digit products and their sums, or counters of bits."""
    lanes = shape.PE * shape.SIMD
    if shape.count:
        return Counter({"constant lanes" if shape.depth == 1 else "counted lanes": lanes})
    x, w = (1 if t.bipolar else t.bits for t in (shape.x, shape.w))
    if shape.depth == 1:
        terms = folded_terms(shape) * shape.PE * shape.terms
        parts = Counter({"constant products": round(terms * shape.term_bits)})
        if x > shape.lut_inputs:  # no table; a constant has about every other bit set
            parts["constant sums"] = round(terms * x * (w - 2) / 2)
        return parts
    a, b = max(x, w), min(x, w)
    a_digits, b_digits = -(-a // 4), -(-b // 2)
    bits = min(a + b, shape.term_bits)
    # A digit of one bit is less than a row, and joins the adder where it has no sign.
    narrower = shape.x if shape.w.bits > shape.x.bits else shape.w
    rows = max(1, b // 2 + (0.75 if b % 2 and narrower.signed else 0))
    digits = round(rows * a + a_digits * b)
    row = min(a + 2, bits)
    sums = round(rows * sum(max(0, row - 4 * i) for i in range(1, a_digits)))
    sums += sum(max(0, bits - 2 * j) for j in range(1, b_digits))
    return Counter(
        {f"digit bits {min(a, 4)}x{min(b, 2)}": lanes * digits, "digit sums": lanes * sums}
    )


def _block_sums(shape: Shape, family: str) -> Counter[str]:
    """What adds the parts of products that need several DSP blocks.

    Those of xc7 and xcup add with a shift of 17 bits themselves.
    """
    (a, b), (a_bits, b_bits) = dsp_splits(shape), factor_bits(shape)
    lanes, total = shape.PE * shape.SIMD, a_bits + b_bits
    if shape.lut_inputs >= 6:
        return _chains(family, lanes * (a - 1), total - 24)
    rows = _chains(family, lanes * b * (a - 1), a_bits + min(b_bits, 17) - 17)
    return rows + _chains(family, lanes * (b - 1), total - 17)


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
        if not output_in_block_ram(shape, family):
            parts["memory"] += _memory_luts(shape.PE * shape.y.bits, shape.slots, family)
        parts["slots"] = 1
    return parts


def _memory_luts(width: int, depth: int, family: str) -> int:
    """LUTs of a writable memory in LUTs: RAM32M, RAM64M; DPR16X4."""
    if family == "ecp5":
        return 6 * -(-width // 4) * -(-depth // 16)
    if family == "ice40":  # flip-flops behind multiplexers of four inputs, two LUTs each
        return width * depth // 2
    return 4 * -(-width // 6) if depth <= 32 else 4 * -(-width // 3) * -(-depth // 64)
