"""Flip-flops of the matrix-vector unit by what they hold."""

from __future__ import annotations

from collections import Counter

from brainsmith.builtin.kernels.matmul.parts import (
    distinct,
    folded_terms,
    folds_away,
    levels_in_luts,
    output_in_block_ram,
    weight_columns,
    whole_dsp,
    zeros,
)
from brainsmith.builtin.kernels.matmul.shape import Shape

# What is left of the flip-flops of a sum of constant products, which needs fewer bits than its
# width.
_CONSTANT_SUMS = 0.79


def ff_parts(shape: Shape, family: str) -> Counter[str]:
    """Flip-flops by what they hold."""
    parts = _operand_flip_flops(shape)
    narrower = _CONSTANT_SUMS if folds_away(shape) else 1
    for index, level in levels_in_luts(shape):
        if level.registered:
            never = zeros(shape, index)
            held = level.adders * level.sum_bits * (1 - never**2)
            held += level.passed * level.bits * (1 - never)
            parts["tree"] += round(narrower * shape.PE * held)
    if shape.beats > 1:
        parts["accumulators"] = shape.PE * shape.acc_bits
    parts["travelling bits"] = shape.stages
    if shape.beats > 1 and shape.lut_inputs < 6:  # others shift it in a LUT
        parts["travelling bits"] += shape.stages
    parts["counters"] = _counter_bits(shape)
    parts["output"] = _output_flip_flops(shape, family)
    return parts


def _operand_flip_flops(shape: Shape) -> Counter[str]:
    """What stands before the products, and what they make."""
    width = shape.SIMD * shape.x.bits
    parts: Counter[str] = Counter()
    if not whole_dsp(shape):
        parts["terms"] = round(folded_terms(shape) * shape.PE * _term_flip_flops(shape))
    if shape.dsp and shape.lut_inputs >= 6:  # whose DSP blocks have them, but for tables' registers
        if shape.depth > 1 and not shape.weights_block:
            parts["weights"] = round(weight_columns(shape))
        return parts
    # Yosys moves the last register of operands and weights behind the tables that count three lanes
    # (or two) by two bits. A lane that is left over keeps its own.
    pairs, alone = (shape.SIMD + 1) // 3, int(shape.SIMD % 3 == 1)
    if shape.count and shape.lut_inputs >= 6 and shape.weights_block:
        parts["operands"] = width + alone
        parts["weights"] = shape.PE * (2 * pairs + alone)
        return parts
    if shape.count and shape.lut_inputs >= 6 and shape.depth == 1:
        # Of constant weights the lowest bit knows two tables, and the other eight.
        tables = distinct(2, shape.PE) + distinct(8, shape.PE)
        parts["operands"] = round(pairs * tables + alone)
        return parts
    parts["operands"] = width * (1 + shape.weights_block)
    if shape.depth > 1:
        parts["weights"] = round(weight_columns(shape))
    return parts


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
    registers = family == "ice40" and not output_in_block_ram(shape, family)
    stored = shape.PE * shape.y.bits * shape.slots if registers else 0
    return pointers + counts + 2 + stored
