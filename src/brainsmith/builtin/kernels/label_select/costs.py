"""What `bs_label_select` costs, fitted to `measured.json`."""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.api import Resources
from brainsmith.builtin.kernels.common.memories import SIX_INPUTS

# Yosys makes shift registers of this length and more into LUTs where the family has them.
_SHIFT_REGISTER = 3


@dataclass(frozen=True)
class _Tree:
    """The tree of maxima: its pairs, the bits of index that they choose, its registers.

    `delayed` lists (length, bits) of values without a partner that wait through levels.
    """

    pairs: int
    index_bits: int
    flops: int
    delayed: tuple[tuple[int, int], ...]


def resources_of(lanes: int, folds: int, bits: int, family: str) -> Resources:
    """LUT and FF; xcup is taken for xc7."""
    wide = family in SIX_INPUTS
    tree = _tree(lanes, bits)
    index = max(1, (lanes * folds - 1).bit_length())
    levels = (lanes - 1).bit_length()
    slope, offset = (2.08, -2.7) if wide else (2.51, -2.7)
    luts = tree.pairs * (slope * bits + offset) + tree.index_bits + (3.1 if wide else -11.2)
    flops = tree.flops + levels + index + 1
    if folds > 1:
        luts += (1.23 if wide else 2.71) * (bits + index)
        flops += bits + index - max(0, (lanes & -lanes).bit_length() - 2)
    elif levels:  # the greatest value itself is not kept
        flops -= bits
    if wide:
        luts += sum(width for _, width in tree.delayed)
        flops -= sum(length * width for length, width in tree.delayed)
    return Resources(LUT=max(luts, 5), FF=flops)


def _tree(lanes: int, bits: int) -> _Tree:
    """The tree level by level; a node is (bits of its index, registers that it waited in)."""
    nodes = [(0, 0)] * lanes
    pairs = index_bits = flops = level = 0
    delayed: list[tuple[int, int]] = []
    while len(nodes) > 1:
        after = [(level + 1, 1)] * (len(nodes) // 2)
        pairs += len(after)
        index_bits += level * len(after)
        delayed += [
            (waited, bits + index)
            for index, waited in nodes[: 2 * len(after)]
            if waited >= _SHIFT_REGISTER
        ]
        if len(nodes) % 2:
            index, waited = nodes[-1]
            after.append((index, waited + 1))
        flops += sum(bits + index for index, _ in after)
        nodes, level = after, level + 1
    return _Tree(pairs, index_bits, flops, tuple(delayed))
