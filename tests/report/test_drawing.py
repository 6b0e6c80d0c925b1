"""Coordinates of the dataflow graph: everything inside the canvas, nothing on top of another."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import pytest

from brainsmith.report.drawing import Box, Drawing, draw_across, draw_down
from brainsmith.report.graph import lay_out
from brainsmith.report.records import StreamRecord


def residual_chain(blocks: int) -> list[StreamRecord]:
    names = ["input", *(f"n{i}" for i in range(4 * blocks)), "output"]
    chain = [StreamRecord(source, sink, 8, 4) for source, sink in pairwise(names)]
    skips = [StreamRecord(f"n{4 * i}", f"n{4 * i + 3}", 8, 4, 512) for i in range(blocks)]
    return chain + skips


def overlap(a: Box, b: Box) -> bool:
    beside = a.x + a.width <= b.x or b.x + b.width <= a.x
    return not (beside or a.y + a.height <= b.y or b.y + b.height <= a.y)


@pytest.mark.parametrize("draw", [draw_across, draw_down])
@pytest.mark.parametrize("blocks", [1, 2, 50])
def test_boxes_and_wires_stay_inside_and_apart(draw: object, blocks: int) -> None:
    assert callable(draw)
    drawing: Drawing = draw(lay_out([f"n{i}" for i in range(4 * blocks)], residual_chain(blocks)))
    assert len(drawing.boxes) == 4 * blocks + 2
    assert not any(overlap(a, b) for a, b in combinations(drawing.boxes, 2))
    for box in drawing.boxes:
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= drawing.width and box.y + box.height <= drawing.height
    for wire in drawing.wires:
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", wire.path)]
        assert all(0 <= x <= drawing.width for x in numbers[::2])
        assert all(0 <= y <= drawing.height for y in numbers[1::2])


def test_a_wire_starts_at_its_source_and_ends_at_its_sink() -> None:
    drawing = draw_across(lay_out(["a", "b"], [StreamRecord("a", "b", 1, 1)]))
    boxes = {box.name: box for box in drawing.boxes}
    (wire,) = drawing.wires
    middle = boxes["a"].y + boxes["a"].height / 2
    right = boxes["a"].x + boxes["a"].width
    assert wire.path == f"M{right:g} {middle:g} L{boxes['b'].x:g} {middle:g}"


def test_labels_of_streams_that_turn_together_are_apart() -> None:
    drawing = draw_across(lay_out([f"n{i}" for i in range(40)], residual_chain(10)))
    for a, b in combinations(drawing.wires, 2):
        assert abs(a.x - b.x) >= 30 or abs(a.y - b.y) >= 30


def test_more_bits_a_beat_are_drawn_thicker() -> None:
    streams = [StreamRecord("a", "b", 1, 1), StreamRecord("b", "c", 64, 8)]
    thin, thick = draw_across(lay_out(["a", "b", "c"], streams)).wires
    assert thin.thickness < thick.thickness
